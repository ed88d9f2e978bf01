//! `Ghost`: which values were evicted lately, remembered by a fingerprint each.
//!
//! A value that is asked for soon after it went has shown that it is wanted, and is admitted as such. (The idea is that of the
//! ghost queue of S3-FIFO, Yang et al., SOSP 2023.) Fingerprints lie in sets of one cache line, each of which forgets its oldest; to forget
//! too early, or to take one value for another, costs a little and breaks nothing. One caller at a time.

/// Fingerprints in sets.
#[derive(Debug)]
pub(super) struct Ghost {
    /// Sets of [`SET_WORDS`]: the fingerprints, 0 where there is none, then where the next one goes.
    words: Vec<u32>,
}

const SET_WORDS: usize = 16;
const SET_FINGERPRINTS: usize = SET_WORDS - 1;
/// What one value is expected to take: there are as many fingerprints as such values fit into the capacity.
const VALUE_BYTES: u64 = 4096;
/// 64 MiB of fingerprints, enough for 60 GiB of values.
const SETS_MAX: u64 = 1 << 20;

impl Ghost {
    /// Remembers nothing yet, later about as many values as such a capacity holds.
    pub(super) fn new(capacity_bytes: u64) -> Self {
        Self { words: vec![0; sets_for(capacity_bytes) * SET_WORDS] }
    }

    /// Adapts to another capacity. It forgets everything where it has to change its size, which small steps do not make it do.
    pub(super) fn resize(&mut self, capacity_bytes: u64) {
        let (sets, wanted) = (self.words.len() / SET_WORDS, sets_for(capacity_bytes));
        if wanted > sets || wanted * 8 <= sets {
            *self = Self::new(capacity_bytes);
        }
    }

    /// Remembers that the value with this number, one of its own, was evicted.
    pub(super) fn insert(&mut self, number: u64) {
        let (set, fingerprint) = self.find(number);
        let oldest = set[SET_FINGERPRINTS] as usize;
        set[oldest] = fingerprint;
        set[SET_FINGERPRINTS] = ((oldest + 1) % SET_FINGERPRINTS) as u32;
    }

    /// Whether the value was evicted lately; it is forgotten by this.
    pub(super) fn remove(&mut self, number: u64) -> bool {
        let (set, fingerprint) = self.find(number);
        let found = set[..SET_FINGERPRINTS].iter_mut().find(|there| **there == fingerprint);
        found.map(|there| *there = 0).is_some()
    }

    /// The set of a value, and its fingerprint.
    fn find(&mut self, number: u64) -> (&mut [u32], u32) {
        let mixed = mix(number);
        let set = (mixed >> 32) as usize & (self.words.len() / SET_WORDS - 1);
        (&mut self.words[set * SET_WORDS..][..SET_WORDS], (mixed as u32).max(1))
    }
}

/// A power of two.
fn sets_for(capacity_bytes: u64) -> usize {
    let sets = capacity_bytes / (VALUE_BYTES * SET_FINGERPRINTS as u64);
    sets.clamp(1, SETS_MAX).next_power_of_two() as usize
}

/// Spreads numbers that differ in few bits over all bits.
fn mix(number: u64) -> u64 {
    let mixed = (number ^ number >> 32).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    (mixed ^ mixed >> 29).wrapping_mul(0xBF58_476D_1CE4_E5B9)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_youngest_are_remembered_each_once() {
        let mut ghost = Ghost::new(100 << 20);
        (0..1_000_000).for_each(|number| ghost.insert(number));
        let known = |ghost: &mut Ghost, from: u64| (from..from + 10_000).filter(|number| ghost.remove(*number)).count();
        assert!(known(&mut ghost, 990_000) > 9900);
        assert!(known(&mut ghost, 990_000) < 10, "forgotten when they came back");
        assert!(known(&mut ghost, 900_000) < 100, "too long ago");
        assert!(known(&mut ghost, 2_000_000) < 10, "never seen");
    }

    #[test]
    fn it_follows_the_capacity_but_not_every_step() {
        let mut ghost = Ghost::new(64 << 20);
        ghost.insert(7);
        for capacity in [60 << 20, 30 << 20, 66 << 20] {
            ghost.resize(capacity);
        }
        assert!(ghost.remove(7));
        let sizes = [u64::MAX, 1 << 20, 0].map(|capacity| {
            ghost.resize(capacity);
            ghost.insert(7);
            assert!(ghost.remove(7));
            ghost.words.len()
        });
        assert_eq!(sizes, [SETS_MAX as usize * SET_WORDS, 32 * SET_WORDS, SET_WORDS]);
    }
}
