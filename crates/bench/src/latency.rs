//! How long operations took: over all, and in each window of time.

mod buckets;
mod recorder;
mod windows;

pub(crate) use recorder::{Latencies, Recorder, Timing};
pub(crate) use windows::{Columns, Windows};

#[cfg(test)]
mod tests;
