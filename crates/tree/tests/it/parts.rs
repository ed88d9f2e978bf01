//! Scans in parts: together they are the scan, and none does more than it may.

use crate::model::{Ends, Pair, Pairs, owned};
use sediment_base::{KeyOrder, Result, SeqNo, Slice};
use sediment_env::random::SeededRandom;
use sediment_tree::{Direction, ScanLimits};
use std::ops::Bound;

/// Reads a range part by part, and how many rows were in each.
fn read(pair: &Pair, ends: &Ends, way: (Direction, ScanLimits), read_seqno: SeqNo) -> Result<(Pairs, Vec<usize>)> {
    let (mut ends, mut pairs, mut sizes) = (ends.clone(), Pairs::new(), Vec::new());
    loop {
        let mut part = pair.tree.scan_part(ends, way, read_seqno);
        let before = pairs.len();
        for row in part.by_ref() {
            pairs.push(owned(row)?);
        }
        sizes.push(pairs.len() - before);
        assert!(sizes.len() < 10_000, "each part gets on");
        let Some(rest) = part.rest() else { return Ok((pairs, sizes)) };
        ends = (rest.0.clone().map(|key| key.to_vec()), rest.1.clone().map(|key| key.to_vec()));
    }
}

/// Reads a range part by part, with limits drawn at random.
pub(crate) fn check(pair: &Pair, random: &SeededRandom, read_seqno: SeqNo, ends: &Ends, place: &str) -> Result<()> {
    let limits = ScanLimits {
        rows: [0, 1, 3, 20, u64::MAX][random.below(5) as usize],
        bytes: [0, 1, 500, u64::MAX][random.below(4) as usize],
        steps: [0, 1, 10, 100, u64::MAX][random.below(5) as usize],
    };
    let direction = if random.below(2) == 0 { Direction::Forward } else { Direction::Backward };
    let (mut found, sizes) = read(pair, ends, (direction, limits), read_seqno)?;
    if direction == Direction::Backward {
        found.reverse();
    }
    assert_eq!(found, pair.expected_range(ends, read_seqno), "{place}: {direction:?} {limits:?} {ends:?} at {read_seqno}");
    assert!(sizes.iter().all(|size| *size as u64 <= limits.rows.max(1)), "{place}: {limits:?} {sizes:?}");
    Ok(())
}

const EVERYTHING: Ends = (Bound::Unbounded, Bound::Unbounded);
const WAYS: [Direction; 2] = [Direction::Forward, Direction::Backward];

fn key(number: u32) -> Vec<u8> {
    format!("key-{number:06}").into_bytes()
}

/// A tree with ten rows and many tombstones between the fifth and the sixth.
fn with_a_gap(is_flushed: bool) -> Result<Pair> {
    let mut pair = Pair::create(KeyOrder::bytewise(), 1)?;
    // A pin keeps what was removed.
    for number in 0..3000 {
        pair.write(&key(number), Some(b"value"))?;
    }
    pair.pins.push(pair.next);
    for number in 5..2995 {
        pair.write(&key(number), None)?;
    }
    if is_flushed {
        pair.flush()?;
        pair.compact_all()?;
    }
    Ok(pair)
}

#[test]
fn a_part_stops_among_tombstones_and_the_next_one_goes_on_there() -> Result<()> {
    for is_flushed in [false, true] {
        let pair = with_a_gap(is_flushed)?;
        for way in WAYS {
            let limits = ScanLimits { steps: 100, ..ScanLimits::default() };
            let (rows, sizes) = read(&pair, &EVERYTHING, (way, limits), pair.next)?;
            assert_eq!(rows.len(), 10, "{way:?}");
            // A block holds some ten of these rows, a step is one of them.
            assert!(sizes.len() > 25, "{way:?}, flushed {is_flushed}: {sizes:?}");
            assert!(sizes.iter().filter(|size| **size == 0).count() > 20, "{way:?}, flushed {is_flushed}: {sizes:?}");
        }
    }
    Ok(())
}

#[test]
fn rows_and_bytes_end_a_part_exactly() -> Result<()> {
    let pair = with_a_gap(true)?;
    let row_bytes = (key(0).len() + b"value".len()) as u64;
    for way in WAYS {
        let limits = ScanLimits { rows: 4, ..ScanLimits::default() };
        assert_eq!(read(&pair, &EVERYTHING, (way, limits), pair.next)?.1, [4, 4, 2]);
        let limits = ScanLimits { bytes: 3 * row_bytes, ..ScanLimits::default() };
        assert_eq!(read(&pair, &EVERYTHING, (way, limits), pair.next)?.1, [3, 3, 3, 1]);
        let limits = ScanLimits { bytes: 1, ..ScanLimits::default() };
        assert_eq!(read(&pair, &EVERYTHING, (way, limits), pair.next)?.1.len(), 11, "a row is the least");
    }
    Ok(())
}

#[test]
fn many_versions_of_a_key_are_one_key_to_a_part() -> Result<()> {
    let mut pair = Pair::create(KeyOrder::bytewise(), 1)?;
    for round in 0..200_u32 {
        for key in [b"a", b"b", b"c"] {
            pair.write(key, Some(format!("{round}").as_bytes()))?;
            pair.pins.push(pair.next);
        }
    }
    pair.flush()?;
    for way in WAYS {
        for read_seqno in [pair.next, 300, 2] {
            let limits = ScanLimits { steps: 1, ..ScanLimits::default() };
            let (mut rows, sizes) = read(&pair, &EVERYTHING, (way, limits), read_seqno)?;
            if way == Direction::Backward {
                rows.reverse();
            }
            assert_eq!(rows, pair.expected_range(&EVERYTHING, read_seqno), "{way:?} at {read_seqno}");
            assert!(sizes.len() <= 4, "{way:?} at {read_seqno}: {sizes:?}");
        }
    }
    Ok(())
}

#[test]
fn what_is_left_is_told_at_any_time() -> Result<()> {
    let pair = with_a_gap(true)?;
    let mut part = pair.tree.scan_part(key(1)..key(4), (Direction::Forward, ScanLimits::default()), pair.next);
    let (first, second, upper) = (key(1).into(), key(2).into(), Slice::from(key(4)));
    assert_eq!(part.rest(), Some(&(Bound::Included(first), Bound::Excluded(upper.clone()))));
    assert!(part.next_ref()?.is_some() && part.next_ref()?.is_some());
    assert_eq!(part.rest(), Some(&(Bound::Excluded(second), Bound::Excluded(upper))));
    assert!(part.next_ref()?.is_some() && part.next_ref()?.is_none());
    assert_eq!(part.rest(), None);
    let empty = pair.tree.scan_part(key(4)..key(1), (Direction::Forward, ScanLimits::default()), pair.next);
    assert_eq!(empty.rest(), None);
    Ok(())
}
