//! How long operations took: over all, and in each window of time.

mod buckets;
mod recorder;
mod windows;

pub use recorder::{Latencies, Recorder, Timing};
pub use windows::{Columns, Windows};

#[cfg(test)]
mod tests;
