//! `Stats`: what a database counts about itself, always.
//!
//! [`Counter`] and [`Histogram`] list everything that is counted, each with a public name that does not change, a unit and a
//! meaning. A [`Stats`] counts; a [`StatsSnapshot`] is what it had counted at one moment, as plain data, from which an earlier
//! one can be subtracted.
//!
//! Counting must cost next to nothing on a read of a hundred nanoseconds, so threads do not share what they write: each counts in
//! a *stripe* of its own (`stats/stripe.rs`), and a snapshot adds them up. Histograms are rarer, and several threads share their buckets.
//! Nothing here reads a clock: durations are the caller's. Shared; a snapshot is exact for all that happened before it.

mod counter;
mod distribution;
mod histogram;
mod recorder;
mod snapshot;
mod stripe;

pub use counter::{Counter, Unit};
pub use distribution::Distribution;
pub use histogram::Histogram;
pub use snapshot::StatsSnapshot;
pub use stripe::LocalStats;

use recorder::Recorder;
use std::fmt;
use stripe::Stripes;

/// Counters and histograms, shared by all that count.
pub struct Stats {
    stripes: Stripes,
    recorders: [Recorder; Histogram::ALL.len()],
}

impl Stats {
    /// Everything at zero.
    pub fn new() -> Self {
        Self { stripes: Stripes::new(), recorders: std::array::from_fn(|_| Recorder::new()) }
    }

    /// Raises a counter by `count`.
    #[inline]
    pub fn add(&self, counter: Counter, count: u64) {
        self.local().add(counter, count);
    }

    /// The counters of the calling thread, for who raises several at once.
    #[inline]
    pub fn local(&self) -> LocalStats<'_> {
        self.stripes.local()
    }

    /// Notes one value.
    #[inline]
    pub fn record(&self, histogram: Histogram, value: u64) {
        let local = self.local();
        self.recorders[histogram as usize].record(local.number(), value);
        local.add_to_sum(histogram, value);
    }

    /// A counter's value.
    pub fn get(&self, counter: Counter) -> u64 {
        self.stripes.total(counter)
    }

    /// What a histogram has noted.
    pub fn distribution(&self, histogram: Histogram) -> Distribution {
        self.recorders[histogram as usize].distribution(self.stripes.sum(histogram))
    }

    /// Everything counted so far.
    pub fn snapshot(&self) -> StatsSnapshot {
        StatsSnapshot::new(
            Counter::ALL.map(|counter| self.get(counter)),
            Histogram::ALL.map(|histogram| self.distribution(histogram)),
        )
    }
}

impl Default for Stats {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Stats {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let counted = Counter::ALL.into_iter().map(|counter| (counter.name(), self.get(counter)));
        f.debug_map().entries(counted.filter(|(_, count)| *count > 0)).finish()
    }
}

#[cfg(test)]
mod tests;
