//! Filters over hashes good and bad, and bytes of every kind.

#![allow(clippy::indexing_slicing, clippy::unwrap_used, clippy::arithmetic_side_effects, reason = "a test may panic")]

use super::*;
use crate::filter::hard::{hash, sets};
use sediment_codec::checksum::crc64;
use sediment_raw::slab::{Buffer, Pool};

const HEADER_BYTES: usize = 24;

fn decode(region: &[u8]) -> Result<Burr> {
    let content = Buffer::copied(&Pool::new(), region).share((), 0..region.len());
    Burr::decode(content.part(0..region.len()))
}

fn built(hashes: &[u64], bits: u8) -> Burr {
    decode(&Burr::encode(hashes, bits).0).unwrap()
}

fn hashes(count: u64) -> Vec<u64> {
    (0..count).map(hash).collect()
}

/// How many times its least size a filter takes.
fn relative_size(hashes: &[u64], bits: u8) -> f64 {
    Burr::encode(hashes, bits).0.len() as f64 * 8.0 / (hashes.len() as f64 * f64::from(bits))
}

#[test]
fn never_says_no_of_a_key_that_is_there() {
    for hashes in sets().into_iter().chain([hashes(1), hashes(1000)]) {
        for bits in (0..=17).chain([24, 31, 32, 255]) {
            let filter = built(&hashes, bits);
            assert!(hashes.iter().all(|hash| filter.may_contain(*hash)), "{} hashes, {bits} bits", hashes.len());
        }
    }
    assert!(!built(&[], 10).may_contain(17));
}

/// Keys that all start in one row, in every layer: the step from a hash to a key can be gone back.
#[test]
fn keys_that_no_layer_can_hold_are_listed() {
    let inverse = |factor: u64| (0..6).fold(factor, |x, _| x.wrapping_mul(2_u64.wrapping_sub(factor.wrapping_mul(x))));
    let unshifted = |x: u64, by: u32| (0..64 / by).fold(x, |y, _| x ^ (y >> by));
    let hash_of = |key: u64| {
        let x = unshifted(key.wrapping_mul(inverse(0xC4CE_B9FE_1A85_EC53)), 29);
        unshifted(x.wrapping_mul(inverse(0xFF51_AFD7_ED55_8CCD)), 32)
    };
    let crowded: Vec<u64> = (0..20_000).map(|i| hash_of((0x1234_5678 << 32) | (i * 77))).collect();
    for bits in [1, 7, 16] {
        let filter = built(&crowded, bits);
        assert!(crowded.iter().all(|hash| filter.may_contain(*hash)));
        assert!(filter.count > 1, "a layer takes some, and the next ones the others");
        let wrong = (0..10_000).filter(|i| filter.may_contain(hash(*i))).count();
        assert!(wrong < 10_000, "it still tells keys apart");
    }
}

#[test]
fn says_maybe_of_one_in_two_to_the_power_of_its_bits() {
    for count in [2000, 100_000] {
        let keys = hashes(count);
        for bits in 1..=16 {
            let filter = built(&keys, bits);
            let asked = 400_000_u64;
            let wrong = (0..asked).filter(|i| filter.may_contain(hash(i + 1_000_000))).count() as f64;
            let expected = asked as f64 / 2_f64.powi(bits.into());
            assert!(
                (wrong - expected).abs() < 5.0 * expected.sqrt() + 1.0,
                "{count} keys, {bits} bits: {wrong}, not {expected}"
            );
        }
    }
}

#[test]
fn takes_at_most_a_hundredth_more_than_it_has_to() {
    for count in [100_000, 1_000_000] {
        let keys = hashes(count);
        for bits in 1..=16 {
            let size = relative_size(&keys, bits);
            assert!(size < if count < 1_000_000 { 1.0095 } else { 1.0075 }, "{count} keys, {bits} bits: {size}");
        }
    }
    for count in [107_001, 114_021, 125_438, 128_466, 156_789, 171_049] {
        let keys: Vec<u64> = (0..count).map(|i| hash(i * 7 + count)).collect();
        for bits in [1, 2, 3, 8] {
            let size = relative_size(&keys, bits);
            assert!(size < 1.01, "{count} keys, {bits} bits: {size}");
        }
    }
}

#[test]
fn few_keys_take_little_more() {
    for (count, most) in [(1000, 1.15), (3000, 1.06), (10_000, 1.025), (30_000, 1.015)] {
        for bits in [7, 10, 16] {
            let size = relative_size(&hashes(count), bits);
            assert!(size < most, "{count} keys, {bits} bits: {size}");
        }
    }
    for count in 0..200 {
        for bits in 1..=16 {
            let bytes = Burr::encode(&hashes(count), bits).0.len();
            let most = (128 + count as usize) * usize::from(bits) / 8 + HEADER_BYTES + 40;
            assert!(bytes <= most, "{count} keys, {bits} bits: {bytes}");
        }
    }
}

/// Filters lie in files: if this fails, old ones are no longer read.
#[test]
fn the_bytes_never_change() {
    let header = [9, 64, 0, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
    let listed = [145, 57, 226, 119, 141, 127, 106, 124, 5, 164, 225, 136, 165, 231, 57, 244];
    assert_eq!(Burr::encode(&hashes(4), 9), ([&header[..], &listed, &[0; 9]].concat(), 24 + 16 + 1));
    let sums = [(1, 3000), (7, 3000), (16, 40_000)].map(|(bits, count)| crc64(0, &Burr::encode(&hashes(count), bits).0));
    assert_eq!(sums, [6_916_956_839_587_028_073, 17_910_122_226_028_676_374, 6_380_115_636_116_602_428]);
}

#[test]
fn other_shapes_and_lengths_are_refused() {
    for (count, bits) in [(0, 8), (3, 8), (500, 3), (20_000, 1)] {
        let (sound, _) = Burr::encode(&hashes(count), bits);
        for cut in (0..sound.len()).filter(|cut| cut % 37 == 0 || *cut < 200 || *cut + 20 > sound.len()) {
            assert!(decode(&sound[..cut]).is_err(), "{count} keys, cut at {cut}");
        }
        assert!(decode(&[&sound[..], &[0]].concat()).is_err());
        // A filter that is but a list has no columns.
        for at in usize::from(count < 5)..HEADER_BYTES {
            for bit in 0..8 {
                let mut changed = sound.clone();
                changed[at] ^= 1 << bit;
                assert!(decode(&changed).is_err(), "{count} keys, byte {at}, bit {bit}");
            }
        }
    }
}

#[test]
fn whatever_is_in_it_answers() {
    let (sound, _) = Burr::encode(&hashes(3000), 5);
    for fill in [0, 0x55, 0xFF] {
        let mut changed = sound.clone();
        changed[HEADER_BYTES..].fill(fill);
        let filter = decode(&changed).unwrap();
        for i in 0..5000 {
            filter.prefetch(hash(i));
            let _ = filter.may_contain(hash(i));
        }
        filter.prefetch(0);
        filter.prefetch(u64::MAX);
        let _ = (filter.may_contain(0), filter.may_contain(u64::MAX));
    }
    built(&[], 8).prefetch(1);
}
