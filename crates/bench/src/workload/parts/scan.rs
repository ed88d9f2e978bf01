//! A row of a scan: where runs have to be merged, and where one run has many rows in a row.
//!
//! What is timed is `Scan::next_ref`, which lends each row, over tables whose blocks are all in the block cache: the merge, what is visible
//! of it, and the walk over segments. Which run has a row is drawn at random, so that the next row is nearly always another run's.

use super::{
    Parts,
    figure::{Aim, Figure, Stopwatch},
    lone_tree::LoneTree,
    rows::{BATCH, Rows, Seen},
};
use crate::{
    failure::{Failure, Result},
    generator::{Random, Tally},
};
use sediment_base::{Slice, seqno::SEQNO_MAX};
use sediment_tree::{Scan, Tree};
use std::ops::Range;

const RUNS: u64 = 4;
const MERGED_GATE_NS: f64 = 10.0;
const SEGMENT_GATE_NS: f64 = 5.0;
/// What all runs hold together.
const DATA_BYTES: usize = 64 << 20;
/// More than any block takes, so that few rows have room for all of their blocks, too.
const CACHE_BYTES_MIN: u64 = 1 << 20;

/// Four runs, then one.
pub(super) fn run(parts: &Parts) -> Result<Vec<Figure>> {
    let rows = parts.rows_of(DATA_BYTES);
    let merged = Aim { name: "scan/4 runs", rows, gate_ns: Some(MERGED_GATE_NS) };
    let segments = Aim { name: "scan/1 run", rows, gate_ns: Some(SEGMENT_GATE_NS) };
    Ok(vec![measure(parts, RUNS, merged)?, measure(parts, 1, segments)?])
}

fn measure(parts: &Parts, runs: u64, of: Aim) -> Result<Figure> {
    let mut rows = Rows::new(parts, of.rows);
    let tree = LoneTree::new(parts, CACHE_BYTES_MIN + 2 * of.rows * parts.settings.row_bytes())?;
    (0..runs).try_for_each(|run| fill(&tree, &mut rows, run..runs, parts.settings.seed))?;
    check_all(&tree.tree, &rows)?;
    let mut stopwatch = Stopwatch::start(parts);
    while !stopwatch.is_over() {
        let (mut scan, mut next) = (tree.tree.range::<Slice, _>(.., SEQNO_MAX), 0);
        while next < of.rows && !stopwatch.is_over() {
            let count = BATCH.min(of.rows - next);
            let seen = stopwatch.time(count, || walk(&mut scan, count))?;
            seen.check(rows.seen_whole(next..next + count))?;
            next += count;
        }
    }
    Ok(stopwatch.figure(parts, of))
}

/// Writes the rows of the first of these runs.
fn fill(tree: &LoneTree, rows: &mut Rows, runs: Range<u64>, seed: u64) -> Result<()> {
    let mut random = Random::new(seed);
    for index in 0..rows.count {
        if random.below(runs.end) == runs.start {
            let (key, value) = rows.row(index);
            tree.tree.insert(key, value, index + 1)?;
        }
    }
    tree.flush(rows.count + 1)
}

fn check_all(tree: &Tree, rows: &Rows) -> Result<()> {
    let (mut scan, mut tally, mut index) = (tree.range::<Slice, _>(.., SEQNO_MAX), Tally::default(), 0);
    while let Some((key, value)) = scan.next_ref()? {
        rows.check_row(index, key, value, &mut tally)?;
        index += 1;
    }
    if tally.check()? == rows.count { Ok(()) } else { Err(ended()) }
}

#[inline(never)]
fn walk(scan: &mut Scan, rows: u64) -> Result<Seen> {
    let mut seen = Seen::default();
    for _ in 0..rows {
        let (key, value) = scan.next_ref()?.ok_or_else(ended)?;
        seen.see(key);
        seen.see(value);
    }
    Ok(seen)
}

#[cold]
fn ended() -> Failure {
    Failure::Wrong("a scan ended before the last row".to_owned())
}
