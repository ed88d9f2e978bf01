use super::{Draws, KeyMaker, Permutation, Random, Tally, Values, Zipf, values::checksum};
use std::collections::HashSet;

#[test]
fn keys_are_in_the_order_of_their_indexes_and_tell_them() {
    for (prefix, size) in [("", 8), ("user:", 16), ("", 30)] {
        let mut maker = KeyMaker::new(prefix, size);
        let reader = maker.clone();
        let mut previous = Vec::new();
        for index in [0, 1, 255, 256, 65_535, 1 << 40] {
            let present = maker.present(index).to_vec();
            let absent = maker.absent(index).to_vec();
            assert_eq!((present.len(), absent.len()), (size, size));
            assert!(previous < present && present < absent);
            assert!(present.starts_with(prefix.as_bytes()));
            assert_eq!((reader.index_of(&present), reader.index_of(&absent)), (Some(index), None));
            previous = absent;
        }
        assert_eq!(reader.index_of(b""), None);
    }
}

#[test]
fn a_value_has_its_size_and_the_checksum_that_was_prepared() {
    for size in [0, 1, 7, 8, 100, 4096, 3 << 20] {
        let values = Values::new(size, 7);
        for index in [0, 1, 2, 999, u64::MAX / 3] {
            assert_eq!(values.of(index).len(), size);
            assert_eq!(checksum(values.of(index)), values.checksum_of(index), "size {size}, index {index}");
        }
    }
    assert_ne!(Values::new(100, 1).of(5), Values::new(100, 2).of(5));
    assert_ne!(Values::new(100, 1).of(5), Values::new(100, 1).of(6));
}

#[test]
fn values_that_repeat_do_so_after_48_bytes_and_check_like_others() {
    for size in [0, 7, 100, 16_384] {
        let values = Values::repeating(size, 1);
        for index in [0, 1, 999, u64::MAX / 3] {
            let value = values.of(index);
            assert_eq!(value.len(), size);
            assert_eq!(checksum(value), values.checksum_of(index), "size {size}, index {index}");
            let mut units = value.chunks_exact(96);
            assert!(units.all(|unit| unit[..48] == unit[48..]));
        }
    }
    let values = Values::repeating(96, 1);
    assert_ne!(values.of(5), values.of(6));
    assert_ne!(values.of(5)[..24], values.of(5)[24..48]);
}

#[test]
fn a_tally_finds_a_wrong_byte_and_exchanged_values() {
    let values = Values::new(100, 1);
    let mut tally = Tally::default();
    (0..1000).for_each(|index| tally.saw(&values, index, values.of(index)));
    assert_eq!(tally.check().expect("all is right"), 1000);

    let mut exchanged = tally.clone();
    exchanged.saw(&values, 1, values.of(2));
    exchanged.saw(&values, 2, values.of(1));
    assert!(exchanged.check().is_err());

    let mut damaged = values.of(3).to_vec();
    damaged[99] ^= 1;
    tally.saw(&values, 3, &damaged);
    assert!(tally.check().is_err());
}

#[test]
fn a_glance_finds_a_wrong_beginning_and_a_wrong_size_but_no_more() {
    let values = Values::new(100, 1);
    let after = |value: &[u8]| {
        let mut tally = Tally::default();
        tally.glanced(&values, 2, values.of(2));
        tally.glanced(&values, 3, value);
        tally.check().is_ok()
    };
    let right = values.of(3);
    let mut damaged = right.to_vec();
    damaged[99] ^= 1;
    assert!(after(right) && after(&damaged));
    damaged[7] ^= 1;
    assert!(!after(&damaged) && !after(&right[..99]) && !after(&[]) && !after(values.of(4)));
}

#[test]
fn a_permutation_has_every_index_once_and_not_in_order() {
    for count in [1, 2, 3, 10, 1000, 4097] {
        let order = Permutation::new(count, 3);
        let seen: HashSet<u64> = (0..count).map(|position| order.at(position)).collect();
        assert_eq!(seen.len() as u64, count);
        assert!(seen.iter().all(|index| *index < count));
    }
    let order = Permutation::new(10_000, 3);
    let ascents = (1..10_000).filter(|position| order.at(*position) > order.at(position - 1)).count();
    assert!((4_500..5_500).contains(&ascents), "{ascents} of 9999 steps go up");
}

fn counts(draws: &mut Draws, keys: usize, times: usize) -> Vec<u64> {
    let mut counts = vec![0; keys];
    (0..times).for_each(|_| counts[draws.draw() as usize] += 1);
    counts
}

#[test]
fn uniform_draws_reach_every_key_about_equally_often() {
    let counts = counts(&mut Draws::new(100, None, Random::new(1)), 100, 100_000);
    assert!(counts.iter().all(|count| (800..1200).contains(count)), "{counts:?}");
}

#[test]
fn zipf_draws_fall_off_as_the_distribution_says() {
    let mut counts = counts(&mut Draws::new(1000, Some(Zipf::new(1000)), Random::new(1)), 1000, 1_000_000);
    counts.sort_unstable_by(|left, right| right.cmp(left));
    // The harmonic sum over 1000 ranks with exponent 0.99 is 7.73.
    assert!((120_000..140_000).contains(&counts[0]), "{}", counts[0]);
    let ratio = counts[0] as f64 / counts[1] as f64;
    assert!((1.8..2.2).contains(&ratio), "{ratio}");
    let upper_half: u64 = counts[..10].iter().sum();
    assert!((330_000..430_000).contains(&upper_half), "{upper_half}");
}

#[test]
fn the_sum_over_many_ranks_continues_that_over_few() {
    let (few, many) = (Zipf::new(1 << 20), Zipf::new((1 << 20) + 1000));
    let step = 1000.0 * (f64::from(1 << 20) + 500.0).powf(-0.99);
    assert!((many.zeta - few.zeta - step).abs() < 1e-6);
    for count in [1, 2] {
        let mut draws = Draws::new(count, Some(Zipf::new(count)), Random::new(1));
        assert!((0..100).all(|_| draws.draw() < count));
    }
}

#[test]
fn threads_of_one_seed_draw_different_things_and_the_same_each_time() {
    let first = |thread| Random::of_thread(9, thread).bits();
    assert_ne!(first(0), first(1));
    assert_eq!(first(1), first(1));
}
