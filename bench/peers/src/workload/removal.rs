//! Reads of what is left where much was removed.

use super::{Bench, Done, Job, parts::Parts};
use crate::{
    drain::drain,
    engine::{Engine, View},
    rows::{Digest, Rows},
};
use anyhow::{Result, ensure};
use std::ops::Range;

/// Ranges that are removed, at equal distances.
const RANGES: u64 = 10;
/// Rows of which one is removed.
const SHARE: u64 = 10;

/// The indexes that are removed.
fn ranges(keys: u64) -> [Range<u64>; RANGES as usize] {
    let distance = keys / RANGES;
    std::array::from_fn(|range| {
        let from = range as u64 * distance + distance / 2;
        from..from + distance / SHARE
    })
}

/// Scans everything, again and again: as it was, with the removals in memory, in a table, and after a compaction. An operation is
/// a row. One pass that is not timed goes before each, so that all blocks are where they are read fastest.
pub(super) fn scan_after_ranges<'a, E: Engine>(bench: &'a Bench<'a, E>) -> Job<'a> {
    let Bench { engine, rows, settings, .. } = bench;
    let (number_at, removed) = (settings.key_prefix.len(), ranges(rows.keys));
    Box::new(move || {
        let left = rows.keys - removed.iter().map(|range| range.end - range.start).sum::<u64>();
        let (mut parts, mut scanned) = (Parts::new(bench), Vec::new());
        let mut scan = |name: &str, count: u64| -> Result<()> {
            let (view, mut digest) = (engine.view()?, Digest::default());
            view.scan(None, u64::MAX, |_| ())?;
            let pass = |_| view.scan(None, u64::MAX, |row| digest.row(number_at, row)).map(|_| ());
            let passes = parts.time(name, bench.time(), count, pass)?;
            scanned.push((passes, digest));
            Ok(())
        };
        scan("before", rows.keys)?;
        let (mut from, mut to) = (rows.key_maker(), rows.key_maker());
        removed.iter().try_for_each(|range| engine.remove_range(from.present(range.start), to.present(range.end)))?;
        scan("in memory", left)?;
        engine.flush()?;
        drain(*engine, settings.quiet)?;
        scan("flushed", left)?;
        engine.compact()?;
        scan("compacted", left)?;
        let check = move || {
            let all: Vec<u64> = (0..rows.keys).collect();
            let left: Vec<u64> = (0..rows.keys).filter(|index| !removed.iter().any(|range| range.contains(index))).collect();
            let there = std::iter::once(&all).chain(std::iter::repeat(&left));
            scanned.into_iter().zip(there).try_for_each(|(scanned, there)| check::<E>(rows, number_at, scanned, there))
        };
        Ok(Done { looped: parts.looped(), writes: 0, check: Box::new(check) })
    })
}

/// Whether so many passes over these rows make this digest.
fn check<E: Engine>(rows: &Rows, number_at: usize, (passes, found): (u64, Digest), indexes: &[u64]) -> Result<()> {
    let (mut expected, mut keys) = (Digest::default(), rows.key_maker());
    for index in (0..passes).flat_map(|_| indexes) {
        expected.row(number_at, (keys.present(*index), rows.value(*index)));
    }
    ensure!(found == expected || !E::ANSWERS, "what was read is not what was left");
    Ok(())
}

/// Every key is inserted, and all but the first and the last are removed one by one, in order. The rows are compacted in between, so
/// that removals come to lie above them as a run or two, which are too few for a compaction. An engine that compacts them for being
/// removals does so while the first operation runs. An operation seeks the first row and reads on to the last.
pub(super) fn seek_over_rows<'a, E: Engine>(bench: &'a Bench<'a, E>) -> Job<'a> {
    let Bench { engine, rows, settings, .. } = bench;
    let (number_at, last) = (settings.key_prefix.len(), rows.keys - 1);
    Box::new(move || {
        let mut keys = rows.key_maker();
        (0..rows.keys).try_for_each(|index| engine.insert((keys.present(index), rows.value(index))))?;
        engine.compact()?;
        (1..last).try_for_each(|index| engine.remove(keys.present(index)))?;
        engine.flush()?;
        let (mut parts, mut digest) = (Parts::new(bench), Digest::default());
        let mut seek = |name: &str| {
            parts.time_one(name, || {
                let view = engine.view()?;
                view.scan(Some(keys.present(0)), u64::MAX, |row| digest.row(number_at, row)).map(|_| ())
            })
        };
        seek("first")?;
        seek("again")?;
        engine.compact()?;
        seek("compacted")?;
        seek("compacted, again")?;
        let check = move || {
            let (mut expected, mut keys) = (Digest::default(), rows.key_maker());
            for index in [0, last].repeat(4) {
                expected.row(number_at, (keys.present(index), rows.value(index)));
            }
            ensure!(digest == expected || !E::ANSWERS, "what was read is not what was left");
            Ok(())
        };
        Ok(Done { looped: parts.looped(), writes: rows.keys, check: Box::new(check) })
    })
}

#[cfg(test)]
mod tests {
    use super::ranges;

    #[test]
    fn a_tenth_of_the_rows_is_in_ranges_that_leave_some_before_between_and_behind() {
        for keys in [1_000, 1_234_567] {
            let ranges = ranges(keys);
            let removed: u64 = ranges.iter().map(|range| range.end - range.start).sum();
            assert!((keys / 10 - removed) * 100 < keys, "{removed} of {keys}");
            assert!(ranges[0].start > 0 && ranges.last().is_some_and(|range| range.end < keys));
            assert!(ranges.windows(2).all(|two| two[0].end < two[1].start));
        }
    }
}
