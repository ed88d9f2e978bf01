//! What one thread measures.

use super::windows::Windows;
use hdrhistogram::Histogram;
use serde::Serialize;

/// The width in which latencies are kept over time.
pub(crate) const WINDOW_NS: u64 = 100_000_000;
/// A latency above an hour counts as an hour.
const LONGEST_NS: u64 = 3_600_000_000_000;
const SIGNIFICANT_DIGITS: u8 = 3;

/// When an operation was meant to start, when its thread turned to it, and when it ended.
#[derive(Clone, Copy, Debug)]
pub struct Timing {
    /// It was meant to start.
    pub intended_ns: u64,
    /// Its thread turned to it.
    pub begin_ns: u64,
    /// It ended.
    pub end_ns: u64,
}

impl Timing {
    /// How long somebody waited who came at the intended start.
    #[inline]
    pub fn latency_ns(self) -> u64 {
        self.end_ns.saturating_sub(self.intended_ns)
    }
}

/// Latencies as one thread sees them.
#[derive(Clone, Debug)]
pub struct Recorder {
    latency: Histogram<u64>,
    call: Histogram<u64>,
    windows: Windows,
    operations: u64,
    last_end_ns: u64,
}

impl Recorder {
    /// An empty one.
    pub fn new() -> Self {
        let histogram = || Histogram::new_with_bounds(1, LONGEST_NS, SIGNIFICANT_DIGITS).expect("the bounds are good");
        let windows = Windows::new(WINDOW_NS);
        Self { latency: histogram(), call: histogram(), windows, operations: 0, last_end_ns: 0 }
    }

    /// Notes operations that were done back to back: one latency for all of them.
    #[inline]
    pub fn record(&mut self, begin_ns: u64, end_ns: u64, operations: u64) {
        self.latency.saturating_record(end_ns - begin_ns);
        self.windows.record(begin_ns, end_ns, operations);
        self.operations += operations;
        self.last_end_ns = end_ns;
    }

    /// Notes an operation that had a time to start.
    #[inline]
    pub fn record_scheduled(&mut self, timing: Timing) {
        self.record(timing.intended_ns.min(timing.end_ns), timing.end_ns, 1);
        self.call.saturating_record(timing.end_ns - timing.begin_ns);
    }

    /// Adds what another thread saw.
    pub fn merge(&mut self, other: Self) {
        self.latency.add(other.latency).expect("they have the same bounds");
        self.call.add(other.call).expect("they have the same bounds");
        self.windows.merge(other.windows);
        self.operations += other.operations;
        self.last_end_ns = self.last_end_ns.max(other.last_end_ns);
    }

    /// How many operations were noted.
    pub fn operations(&self) -> u64 {
        self.operations
    }

    /// When the last of them ended.
    pub fn last_end_ns(&self) -> u64 {
        self.last_end_ns
    }

    /// From the intended start, where operations have one; otherwise from the end of the one before.
    pub fn latencies(&self) -> Latencies {
        Latencies::of(&self.latency)
    }

    /// Of the calls alone, where operations had an intended start.
    pub fn calls(&self) -> Option<Latencies> {
        (!self.call.is_empty()).then(|| Latencies::of(&self.call))
    }

    /// Over time.
    pub fn windows(&self) -> &Windows {
        &self.windows
    }
}

impl Default for Recorder {
    fn default() -> Self {
        Self::new()
    }
}

/// The distribution of latencies.
#[derive(Clone, Debug, Serialize)]
pub struct Latencies {
    /// How many there are.
    pub count: u64,
    /// Their mean.
    pub mean_ns: f64,
    /// Half of them are not above.
    pub p50_ns: u64,
    /// 9 of 10 are not above.
    pub p90_ns: u64,
    /// 99 of 100 are not above.
    pub p99_ns: u64,
    /// 999 of 1000 are not above.
    pub p999_ns: u64,
    /// 9999 of 10000 are not above.
    pub p9999_ns: u64,
    /// The longest.
    pub max_ns: u64,
}

impl Latencies {
    fn of(histogram: &Histogram<u64>) -> Self {
        let max_ns = histogram.max();
        let percentile = |share| histogram.value_at_quantile(share).min(max_ns);
        Self {
            count: histogram.len(),
            mean_ns: histogram.mean(),
            p50_ns: percentile(0.5),
            p90_ns: percentile(0.9),
            p99_ns: percentile(0.99),
            p999_ns: percentile(0.999),
            p9999_ns: percentile(0.9999),
            max_ns,
        }
    }
}
