//! `Distribution`: how often which values came, as plain data.
//!
//! Buckets are log-linear: every power of two is cut into [`PARTS`] equal parts, so that a bucket is never wider than an eighth
//! of its lowest value, and values below 16 have a bucket each. Values of 2^40 and above share the last one.

use std::fmt;

/// Parts of a power of two.
const PARTS: usize = 1 << PARTS_LOG2;
const PARTS_LOG2: u32 = 3;
/// Values from here on (as a power of two) are in one bucket.
const VALUE_LOG2_MAX: u32 = 40;
/// One bucket each for 0 to 7, eight for each power of two from 2^3 on, one for the rest.
pub(super) const BUCKETS: usize = (VALUE_LOG2_MAX - PARTS_LOG2 + 1) as usize * PARTS + 1;

/// The bucket of a value.
#[inline]
pub(super) fn bucket_of(value: u64) -> usize {
    if value < PARTS as u64 {
        return value as usize;
    }
    let log2 = value.ilog2();
    if log2 >= VALUE_LOG2_MAX {
        return BUCKETS - 1;
    }
    let part = (value >> (log2 - PARTS_LOG2)) as usize % PARTS;
    (log2 - PARTS_LOG2 + 1) as usize * PARTS + part
}

/// The highest value of a bucket.
fn bucket_max(bucket: usize) -> u64 {
    if bucket >= BUCKETS - 1 {
        return u64::MAX;
    }
    let Some(octave) = (bucket / PARTS).checked_sub(1) else { return bucket as u64 };
    (((PARTS + bucket % PARTS + 1) as u64) << octave) - 1
}

/// How often which values came. Quantiles are exact to an eighth; count, sum and mean are exact.
#[derive(Clone, PartialEq, Eq)]
pub struct Distribution {
    buckets: Box<[u64]>,
    sum: u64,
    max: u64,
}

impl Distribution {
    /// No values.
    pub fn new() -> Self {
        Self::from_parts(vec![0; BUCKETS].into_boxed_slice(), 0, 0)
    }

    /// What was counted elsewhere; one count for each bucket.
    pub(super) fn from_parts(buckets: Box<[u64]>, sum: u64, max: u64) -> Self {
        debug_assert_eq!(buckets.len(), BUCKETS);
        Self { buckets, sum, max }
    }

    /// The values in buckets, as [`Distribution::buckets`] gives them, with their sum and their maximum. What makes no sense, as it may
    /// be in a file, does no harm.
    pub fn from_buckets(buckets: impl IntoIterator<Item = (u64, u64)>, sum: u64, max: u64) -> Self {
        let mut counts = vec![0_u64; BUCKETS].into_boxed_slice();
        for (highest, count) in buckets {
            let bucket = &mut counts[bucket_of(highest)];
            *bucket = bucket.saturating_add(count);
        }
        Self::from_parts(counts, sum, max)
    }

    /// Notes a value.
    pub fn record(&mut self, value: u64) {
        self.buckets[bucket_of(value)] += 1;
        self.sum = self.sum.wrapping_add(value);
        self.max = self.max.max(value);
    }

    /// How many values.
    pub fn count(&self) -> u64 {
        self.buckets.iter().fold(0, |sum: u64, values| sum.saturating_add(*values))
    }

    /// All of them together. Wraps at 2^64.
    pub fn sum(&self) -> u64 {
        self.sum
    }

    /// The largest value; 0 without values. Of a difference, the highest value of the largest value's bucket at most.
    pub fn max(&self) -> u64 {
        self.max
    }

    /// The average; 0 without values.
    pub fn mean(&self) -> f64 {
        if self.count() == 0 { 0.0 } else { self.sum as f64 / self.count() as f64 }
    }

    /// A value that at least this part (0.0 to 1.0) of all values do not exceed: the exact one, or up to an eighth above it,
    /// never above [`Distribution::max`]. 0 without values. (Values of 2^40 and above are told apart by their maximum alone.)
    pub fn quantile(&self, part: f64) -> u64 {
        let count = self.count();
        let rank = ((part.clamp(0.0, 1.0) * count as f64).ceil() as u64).clamp(1, count.max(1));
        let mut below = 0_u64;
        for (bucket, values) in self.buckets.iter().enumerate() {
            below = below.saturating_add(*values);
            if below >= rank {
                return bucket_max(bucket).min(self.max);
            }
        }
        self.max
    }

    /// Every bucket that holds values: the highest value that belongs to it, and how many it holds. Ascending.
    pub fn buckets(&self) -> impl Iterator<Item = (u64, u64)> {
        let filled = self.buckets.iter().enumerate().filter(|(_, values)| **values > 0);
        filled.map(|(bucket, values)| (bucket_max(bucket), *values))
    }

    /// Adds the values of another one.
    pub fn merge(&mut self, other: &Self) {
        self.buckets.iter_mut().zip(&other.buckets).for_each(|(own, other)| *own += other);
        self.sum = self.sum.wrapping_add(other.sum);
        self.max = self.max.max(other.max);
    }

    /// The values that came after `earlier`, an earlier state of the same distribution.
    #[must_use]
    pub fn since(&self, earlier: &Self) -> Self {
        let difference = |(now, before): (&u64, &u64)| now.saturating_sub(*before);
        let buckets: Box<[u64]> = self.buckets.iter().zip(&earlier.buckets).map(difference).collect();
        let largest = buckets.iter().rposition(|values| *values > 0);
        let max = largest.map_or(0, |bucket| bucket_max(bucket).min(self.max));
        Self::from_parts(buckets, self.sum.wrapping_sub(earlier.sum), max)
    }
}

impl Default for Distribution {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Display for Distribution {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [median, p99, p999] = [0.5, 0.99, 0.999].map(|part| self.quantile(part));
        let (count, mean, max) = (self.count(), self.mean(), self.max);
        write!(f, "{count} values, mean {mean:.1}, median {median}, p99 {p99}, p99.9 {p999}, max {max}")
    }
}

impl fmt::Debug for Distribution {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Distribution({self})")
    }
}

#[cfg(test)]
mod tests;
