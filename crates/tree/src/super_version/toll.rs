//! `Toll`: what readers pay for each run that they have to ask, beside what compactions could write for the same.
//!
//! A get asks a filter, a seek finds its place in the run and holds it against the others'. Measured on one processor (2 million rows of 100
//! bytes, all in memory, up to 18 runs of 110,000 in level 0): 50 to 70 ns and 600 to 900 ns for each run; a compaction takes about 1.2 ns of
//! processor for a byte, and its share of the disk. Reads are taken as samples, so this costs them next to nothing. Shared.

use sediment_base::stats::{Counter, Stats};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// Bytes that could be written while a filter is asked.
const GET_BYTES: u64 = 32;
/// Bytes that could be written while a seek does with one run what it has to.
const SEEK_BYTES: u64 = 400;
/// Of so many seeks of a thread one is a sample. A prime, as for gets.
const SEEKS_PER_SAMPLE: u64 = 61;

/// What reads have paid, by flushes.
#[derive(Debug, Default)]
pub(crate) struct Toll {
    /// Since opening.
    paid_bytes: AtomicU64,
    /// At the last flush.
    before_bytes: AtomicU64,
    /// Between the last two.
    between_bytes: AtomicU64,
}

impl Toll {
    /// One of so many gets that went beyond memtables.
    pub(crate) fn got(&self, one_of: u64) {
        self.pay(one_of * GET_BYTES);
    }

    /// A seek began.
    #[inline]
    pub(crate) fn sought(&self, stats: &Stats) {
        let stats = stats.local();
        stats.add(Counter::SeekCount, 1);
        if stats.own_count(Counter::SeekCount).is_multiple_of(SEEKS_PER_SAMPLE) {
            self.pay(SEEKS_PER_SAMPLE * SEEK_BYTES);
        }
    }

    /// A flush is about to bring a run.
    pub(crate) fn flushed(&self) {
        let paid = self.paid_bytes.load(Relaxed);
        self.between_bytes.store(paid.saturating_sub(self.before_bytes.swap(paid, Relaxed)), Relaxed);
    }

    /// What is paid for one run until another comes: as much as between the last two, or already more.
    pub(crate) fn between_flushes(&self) -> u64 {
        let since = self.paid_bytes.load(Relaxed).saturating_sub(self.before_bytes.load(Relaxed));
        since.max(self.between_bytes.load(Relaxed))
    }

    fn pay(&self, bytes: u64) {
        self.paid_bytes.fetch_add(bytes, Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_paid_between_two_flushes_is_expected_again() {
        let (toll, stats) = (Toll::default(), Stats::new());
        let seek = |count| (0..count).for_each(|_| toll.sought(&stats));
        assert_eq!(toll.between_flushes(), 0);
        seek(100 * SEEKS_PER_SAMPLE);
        let seeks = 100 * SEEKS_PER_SAMPLE * SEEK_BYTES;
        assert_eq!((toll.between_flushes(), stats.get(Counter::SeekCount)), (seeks, 100 * SEEKS_PER_SAMPLE));
        toll.flushed();
        assert_eq!(toll.between_flushes(), seeks);
        toll.got(1000);
        assert_eq!(toll.between_flushes(), seeks, "as much as before, until it is more");
        seek(200 * SEEKS_PER_SAMPLE);
        assert_eq!(toll.between_flushes(), 2 * seeks + 1000 * GET_BYTES);
        toll.flushed();
        toll.flushed();
        assert_eq!(toll.between_flushes(), 0, "nobody read");
    }
}
