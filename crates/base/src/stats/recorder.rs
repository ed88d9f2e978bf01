//! `Recorder`: a distribution that many threads note values in.

use super::distribution::{BUCKETS, Distribution, bucket_of};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// Threads that note values at the same time share the buckets of every so manieth of them.
const LANES: usize = 4;

/// Buckets that many threads raise, each those of its lane. The sum is kept elsewhere, so that a value costs one write.
#[repr(align(128))]
pub(super) struct Recorder {
    lanes: [Box<[AtomicU64]>; LANES],
    max: AtomicU64,
}

impl Recorder {
    pub(super) fn new() -> Self {
        let lane = |_| (0..BUCKETS).map(|_| AtomicU64::new(0)).collect();
        Self { lanes: std::array::from_fn(lane), max: AtomicU64::new(0) }
    }

    /// Notes a value, on a thread of this number.
    #[inline]
    pub(super) fn record(&self, thread: usize, value: u64) {
        self.lanes[thread % LANES][bucket_of(value)].fetch_add(1, Relaxed);
        if value > self.max.load(Relaxed) {
            self.max.fetch_max(value, Relaxed);
        }
    }

    /// What was noted so far, whose sum this is.
    pub(super) fn distribution(&self, sum: u64) -> Distribution {
        let count = |bucket: usize| self.lanes.iter().map(|lane| lane[bucket].load(Relaxed)).sum();
        let buckets = (0..BUCKETS).map(count).collect();
        Distribution::from_parts(buckets, sum, self.max.load(Relaxed))
    }
}
