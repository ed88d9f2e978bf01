//! `FilterProbes`: how often the filters of a level are asked for keys that are not there, as samples of point reads tell.
//!
//! A level whose filters are asked for keys that it has, or is not asked because levels above have them, profits little from filters. Counts are of
//! this process, and old ones fade: after so many samples each is halved. Shared; counting races lose a count at worst.

use sediment_base::limits::LEVELS_MAX;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// Of so many point reads of a thread one is a sample. A prime, so that reads which take turns are met evenly.
pub(crate) const READS_PER_SAMPLE: u64 = 1021;
/// Samples of a level after which its counts are halved.
const SAMPLES_MAX: u64 = 4096;
/// What is assumed before the first sample weighs as much as so many.
const ASSUMED_SAMPLES: u64 = 16;
/// A level that is never asked for what it has not might be, before its tables are written anew.
const SHARE_MIN: f64 = 1.0 / 16.0;

/// How often the filters of each level are asked in vain.
#[derive(Debug, Default)]
pub(crate) struct FilterProbes([LevelProbes; LEVELS_MAX]);

#[derive(Debug, Default)]
struct LevelProbes {
    /// A table of a run could have had the key.
    samples: AtomicU64,
    /// Its filter was asked, and the key was not there.
    absent: AtomicU64,
}

impl FilterProbes {
    /// Whether the last of so many reads is a sample.
    #[inline]
    pub(crate) fn is_sample(reads: u64) -> bool {
        reads.is_multiple_of(READS_PER_SAMPLE)
    }

    /// A sample met a run of this level.
    pub(crate) fn note(&self, level: usize, is_absent: bool) {
        let LevelProbes { samples, absent } = &self.0[level];
        absent.fetch_add(is_absent.into(), Relaxed);
        if samples.fetch_add(1, Relaxed) + 1 >= SAMPLES_MAX {
            samples.store(SAMPLES_MAX / 2, Relaxed);
            absent.store(absent.load(Relaxed) / 2, Relaxed);
        }
    }

    /// Of the reads of keys that a run of this level could have, about the part that ask its filter and do not find the key. All, as long as
    /// nothing is known.
    pub(crate) fn absent_share(&self, level: usize) -> f64 {
        let LevelProbes { samples, absent } = &self.0[level];
        let (samples, absent) = (samples.load(Relaxed), absent.load(Relaxed));
        let share = (absent + ASSUMED_SAMPLES) as f64 / (samples + ASSUMED_SAMPLES) as f64;
        share.clamp(SHARE_MIN, 1.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_are_what_samples_say_once_there_are_some() {
        let probes = FilterProbes::default();
        assert_eq!(probes.absent_share(3), 1.0, "nothing is known");
        (0..16).for_each(|_| probes.note(3, false));
        assert_eq!(probes.absent_share(3), 0.5);
        (0..1000).for_each(|number| probes.note(3, number % 4 == 0));
        assert!((probes.absent_share(3) - 0.25).abs() < 0.03, "{probes:?}");
        (0..1000).for_each(|_| probes.note(4, false));
        assert_eq!(probes.absent_share(4), SHARE_MIN);
        (0..100).for_each(|_| probes.note(5, true));
        assert_eq!((probes.absent_share(5), probes.absent_share(2)), (1.0, 1.0));
    }

    #[test]
    fn what_was_long_ago_fades() {
        let probes = FilterProbes::default();
        (0..100_000).for_each(|_| probes.note(1, true));
        (0..4 * SAMPLES_MAX).for_each(|_| probes.note(1, false));
        assert_eq!(probes.absent_share(1), SHARE_MIN);
        (0..4 * SAMPLES_MAX).for_each(|_| probes.note(1, true));
        assert!(probes.absent_share(1) > 0.9, "{probes:?}");
    }
}
