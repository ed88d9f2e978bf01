use super::{add, find, is_superseded, previous};
use crate::arena::{Arena, Record};
use std::iter;

fn record(arena: &Arena, version: u64, arrival: u64) -> Record<'_> {
    let mut reservation = arena.reserve(16, 0).expect("room");
    reservation.payload_mut()[..8].copy_from_slice(&version.to_le_bytes());
    reservation.payload_mut()[8..].copy_from_slice(&arrival.to_le_bytes());
    reservation.write()
}

fn version(record: Record<'_>) -> u64 {
    u64::from_le_bytes(*record.payload().first_chunk().expect("sixteen bytes"))
}

fn arrival(record: Record<'_>) -> u64 {
    u64::from_le_bytes(*record.payload().last_chunk().expect("sixteen bytes"))
}

fn chain(arena: &Arena, versions: impl IntoIterator<Item = u64>) -> (Record<'_>, usize) {
    let mut steps = 0;
    let mut head = None;
    for (i, v) in versions.into_iter().enumerate() {
        let new = record(arena, v, i as u64);
        head = Some(head.map_or(new, |head| {
            add(head, new, |there| {
                steps += 1;
                version(there) > v
            })
        }));
    }
    (head.expect("some"), steps)
}

fn scrambled(count: u64) -> impl Iterator<Item = u64> {
    (0..count).map(move |i| i.wrapping_mul(0x9E37_79B9_7F4A_7C15) % count)
}

#[test]
fn whatever_the_arrival_the_chain_is_in_order_and_every_version_is_found() {
    let count = if cfg!(miri) { 20 } else { 5000 };
    let arrivals: [Vec<u64>; 4] = [
        (0..count).collect(),
        (0..count).rev().collect(),
        scrambled(count).collect(),
        (0..count).map(|i| i ^ 5).chain([3, 3, 7]).collect(),
    ];
    for arrivals in arrivals {
        let arena = Arena::new();
        let (head, _) = chain(&arena, arrivals.iter().copied());
        let found: Vec<(u64, u64)> =
            iter::successors(Some(head), |record| previous(*record)).map(|record| (version(record), arrival(record))).collect();
        let mut expected: Vec<(u64, u64)> = arrivals.iter().copied().zip(0..).collect();
        expected.sort_by(|a, b| b.cmp(a));
        assert_eq!(found, expected);
        for wanted in 0..=count {
            let found = find(head, |record| version(record) < wanted).map(version);
            assert_eq!(found, expected.iter().map(|row| row.0).find(|version| *version < wanted), "{wanted}");
        }
    }
}

#[test]
fn a_long_chain_is_not_walked_one_by_one() {
    let count = if cfg!(miri) { 100 } else { 100_000 };
    let arrivals: [(&str, Vec<u64>, usize); 3] = [
        ("ascending", (0..count).collect(), 60),
        ("descending", (0..count).rev().collect(), 200),
        ("scrambled", scrambled(count).collect(), 200),
    ];
    for (name, arrivals, steps_max) in arrivals {
        let arena = Arena::new();
        let (head, steps) = chain(&arena, arrivals);
        assert!(steps < count as usize * steps_max, "{name}: {} steps to add one", steps / count as usize);
        let mut steps = 0;
        for wanted in (1..count).step_by(97) {
            let found = find(head, |record| {
                steps += 1;
                version(record) < wanted
            });
            assert!(found.is_some());
        }
        let steps = steps / (count as usize / 97);
        assert!(steps < steps_max, "{name}: {steps} steps to find one");
    }
}

#[test]
fn the_first_record_knows_whether_it_is_still_the_head() {
    let arena = Arena::new();
    let first = record(&arena, 5, 0);
    assert_eq!(add(first, record(&arena, 3, 1), |there| version(there) > 3), first);
    assert!(!is_superseded(first));
    add(first, record(&arena, 9, 2), |there| version(there) > 9);
    assert!(is_superseded(first));
}
