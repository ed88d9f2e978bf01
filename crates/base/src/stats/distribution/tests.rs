//! Buckets and quantiles against the values themselves.

use super::{BUCKETS, Distribution, bucket_max, bucket_of};

/// Numbers that look random, always the same ones.
struct Numbers(u64);

impl Numbers {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// A value of a size that is itself random, as latencies are.
    fn value(&mut self, bits_max: u64) -> u64 {
        let bits = self.next() % (bits_max + 1);
        self.next() & ((1 << bits) - 1)
    }
}

/// The exact quantile: the smallest value that so many values do not exceed.
fn exact(sorted: &[u64], part: f64) -> u64 {
    let rank = (part * sorted.len() as f64).ceil() as usize;
    sorted[rank.clamp(1, sorted.len()) - 1]
}

#[test]
fn buckets_follow_one_another_without_gaps() {
    for bucket in 0..BUCKETS - 1 {
        let max = bucket_max(bucket);
        assert_eq!((bucket_of(max), bucket_of(max + 1)), (bucket, bucket + 1));
    }
    assert_eq!((bucket_of(0), bucket_of(u64::MAX), bucket_max(BUCKETS - 1)), (0, BUCKETS - 1, u64::MAX));
    assert_eq!((bucket_of((1 << 40) - 1), bucket_of(1 << 40)), (BUCKETS - 2, BUCKETS - 1));
    for value in 0..16 {
        assert_eq!(bucket_max(bucket_of(value)), value, "small values have a bucket each");
    }
}

#[test]
fn quantiles_are_exact_to_an_eighth() {
    let parts = [0.0, 0.001, 0.1, 0.25, 0.5, 0.75, 0.9, 0.99, 0.999, 0.9999, 1.0];
    for seed in 0..200 {
        let mut numbers = Numbers(seed);
        let bits_max = 4 + seed % 36;
        let count = 1 + numbers.next() % 3000;
        let mut values: Vec<u64> = (0..count).map(|_| numbers.value(bits_max)).collect();
        let mut distribution = Distribution::new();
        values.iter().for_each(|value| distribution.record(*value));
        values.sort_unstable();
        for part in parts {
            let (found, exact) = (distribution.quantile(part), exact(&values, part));
            assert!(exact <= found && found <= exact + exact / 8, "seed {seed}: {part} is {exact}, not {found}");
        }
        assert_eq!(distribution.count(), count);
        assert_eq!(distribution.sum(), values.iter().sum());
        assert_eq!(distribution.max(), *values.last().expect("at least one"));
        assert_eq!(distribution.quantile(1.0), distribution.max());
        let mean = values.iter().sum::<u64>() as f64 / count as f64;
        assert!((distribution.mean() - mean).abs() < 1e-6 * mean.max(1.0));
    }
}

#[test]
fn merging_and_subtracting_are_those_of_the_values() {
    for seed in 0..100 {
        let mut numbers = Numbers(seed);
        let (mut first, mut second) = (Distribution::new(), Distribution::new());
        (0..numbers.next() % 500).for_each(|_| first.record(numbers.value(30)));
        (0..numbers.next() % 500).for_each(|_| second.record(numbers.value(30)));
        let mut both = first.clone();
        both.merge(&second);
        assert_eq!((both.count(), both.sum()), (first.count() + second.count(), first.sum() + second.sum()));
        assert_eq!(both.max(), first.max().max(second.max()));
        let rest = both.since(&first);
        assert_eq!((rest.count(), rest.sum()), (second.count(), second.sum()));
        for part in [0.01, 0.5, 0.99] {
            assert_eq!(rest.quantile(part).min(second.max()), second.quantile(part));
        }
        assert!(second.max() <= rest.max() && rest.max() <= second.max() + second.max() / 8);
    }
}

#[test]
fn no_values_and_vast_values() {
    let mut distribution = Distribution::new();
    assert_eq!((distribution.quantile(0.5), distribution.max(), distribution.count()), (0, 0, 0));
    assert!(distribution.mean().abs() < f64::EPSILON);
    let empty = distribution.clone();
    distribution.record(u64::MAX);
    distribution.record(3);
    assert_eq!((distribution.quantile(0.5), distribution.quantile(1.0)), (3, u64::MAX));
    assert_eq!(distribution.since(&distribution.clone()), empty);
    assert_eq!(empty.to_string(), "0 values, mean 0.0, median 0, p99 0, p99.9 0, max 0");
}

#[test]
fn buckets_are_read_back_and_nonsense_does_no_harm() {
    let mut distribution = Distribution::new();
    (0..2000_u64).for_each(|value| distribution.record(value * value * value));
    let (sum, max) = (distribution.sum(), distribution.max());
    assert_eq!(Distribution::from_buckets(distribution.buckets(), sum, max), distribution);
    let hostile = Distribution::from_buckets([(3, u64::MAX), (3, 1), (u64::MAX, u64::MAX), (9, 5)], 0, 7);
    assert_eq!((hostile.count(), hostile.quantile(0.5), hostile.quantile(1.0)), (u64::MAX, 3, 3));
}
