//! `Recorder`: a distribution that many threads note values in.

use super::distribution::{BUCKETS, Distribution, bucket_of};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// Buckets that many threads raise. The sum is kept elsewhere, so that a value costs one write to shared memory.
#[repr(align(128))]
pub(super) struct Recorder {
    buckets: Box<[AtomicU64]>,
    max: AtomicU64,
}

impl Recorder {
    pub(super) fn new() -> Self {
        Self { buckets: (0..BUCKETS).map(|_| AtomicU64::new(0)).collect(), max: AtomicU64::new(0) }
    }

    #[inline]
    pub(super) fn record(&self, value: u64) {
        self.buckets[bucket_of(value)].fetch_add(1, Relaxed);
        if value > self.max.load(Relaxed) {
            self.max.fetch_max(value, Relaxed);
        }
    }

    /// What was noted so far, whose sum this is.
    pub(super) fn distribution(&self, sum: u64) -> Distribution {
        let buckets = self.buckets.iter().map(|bucket| bucket.load(Relaxed)).collect();
        Distribution::from_parts(buckets, sum, self.max.load(Relaxed))
    }
}
