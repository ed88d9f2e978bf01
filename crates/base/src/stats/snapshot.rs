//! `StatsSnapshot`: everything that was counted up to one moment, as plain data.

use super::{Counter, Distribution, Histogram};

/// What a [`Stats`](super::Stats) had counted at one moment, or between two.
///
/// Each number is exact for what happened before; what went on at that moment may be in one of them and not yet in another.
///
/// ```
/// use sediment_base::stats::{Counter, Histogram, Stats};
///
/// let stats = Stats::new();
/// let before = stats.snapshot();
/// stats.add(Counter::CommitRows, 3);
/// stats.record(Histogram::CommitLatencyUs, 120);
/// let lately = stats.snapshot().since(&before);
/// assert_eq!(lately.counter_named("commit_rows"), Some(3));
/// assert_eq!(lately.histogram(Histogram::CommitLatencyUs).quantile(0.99), 120);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StatsSnapshot {
    counters: [u64; Counter::ALL.len()],
    histograms: [Distribution; Histogram::ALL.len()],
}

impl StatsSnapshot {
    pub(super) fn new(counters: [u64; Counter::ALL.len()], histograms: [Distribution; Histogram::ALL.len()]) -> Self {
        Self { counters, histograms }
    }

    /// A counter's value.
    pub fn counter(&self, counter: Counter) -> u64 {
        self.counters[counter as usize]
    }

    /// What a histogram has noted.
    pub fn histogram(&self, histogram: Histogram) -> &Distribution {
        &self.histograms[histogram as usize]
    }

    /// A counter's value, by its public name.
    pub fn counter_named(&self, name: &str) -> Option<u64> {
        self.counters().find(|(counter, _)| counter.name() == name).map(|(_, count)| count)
    }

    /// What a histogram has noted, by its public name.
    pub fn histogram_named(&self, name: &str) -> Option<&Distribution> {
        self.histograms().find(|(histogram, _)| histogram.name() == name).map(|(_, distribution)| distribution)
    }

    /// All counters, in the order of [`Counter::ALL`].
    pub fn counters(&self) -> impl Iterator<Item = (Counter, u64)> {
        Counter::ALL.into_iter().zip(self.counters)
    }

    /// All histograms, in the order of [`Histogram::ALL`].
    pub fn histograms(&self) -> impl Iterator<Item = (Histogram, &Distribution)> {
        Histogram::ALL.into_iter().zip(&self.histograms)
    }

    /// What came after `earlier`, an earlier snapshot of the same [`Stats`](super::Stats).
    #[must_use]
    pub fn since(&self, earlier: &Self) -> Self {
        let counted = |counter| self.counter(counter).saturating_sub(earlier.counter(counter));
        let noted = |histogram| self.histogram(histogram).since(earlier.histogram(histogram));
        Self { counters: Counter::ALL.map(counted), histograms: Histogram::ALL.map(noted) }
    }

    /// Adds what another one counted: several databases as one.
    pub fn merge(&mut self, other: &Self) {
        self.counters.iter_mut().zip(other.counters).for_each(|(own, other)| *own = own.wrapping_add(other));
        self.histograms.iter_mut().zip(&other.histograms).for_each(|(own, other)| own.merge(other));
    }
}

impl Default for StatsSnapshot {
    /// Nothing was counted.
    fn default() -> Self {
        Self { counters: [0; Counter::ALL.len()], histograms: std::array::from_fn(|_| Distribution::new()) }
    }
}
