//! A put into a memtable that grows to its full size, and a get of a key that is not there.
//!
//! Memtables are seen through their tree alone: one without tables, so that nothing else is asked. `Tree::insert` and `Tree::get` come to
//! the memtable through the super-version, whose pin is in the figures; a get also finds that there are no tables, and counts. What
//! that takes shows in a tree that is empty. The index of a memtable is as large from the beginning as the one before needed in the end: puts
//! are timed from the second on.

use super::{
    MEMTABLE_BYTES, Parts,
    figure::{Aim, Figure, Stopwatch},
    lone_tree::LoneTree,
    rows::{Batch, Rows, present},
};
use crate::{failure::Result, generator::Random};
use sediment_base::{SeqNo, seqno::SEQNO_MAX};
use sediment_tree::Tree;

const PUT_GATE_NS: f64 = 130.0;
const MISS_GATE_NS: f64 = 30.0;

/// Puts, misses, and misses where there is nothing at all.
pub(super) fn run(parts: &Parts) -> Result<Vec<Figure>> {
    let LoneTree { tree, .. } = &LoneTree::new(parts, 0)?;
    let count = parts.rows_of(MEMTABLE_BYTES);
    let (mut rows, aim) = (Rows::new(parts, count), |name, rows, gate_ns| Aim { name, rows, gate_ns });
    let empty = misses(parts, &mut rows, tree, aim("memtable/miss, empty", 0, None))?;
    let put = puts(parts, &mut rows, tree, aim("memtable/put", count, Some(PUT_GATE_NS)))?;
    let miss = misses(parts, &mut rows, tree, aim("memtable/miss", count, Some(MISS_GATE_NS)))?;
    Ok(vec![put, miss, empty])
}

/// Fills one memtable after the other and compares what is in them. The last stays.
fn puts(parts: &Parts, rows: &mut Rows, tree: &Tree, of: Aim) -> Result<Figure> {
    let seed = parts.settings.seed;
    rows.shuffled(seed, |batch, rows, first| put_all(tree, batch, rows, first + 1))?;
    let mut stopwatch = Stopwatch::start(parts);
    while !stopwatch.is_over() {
        tree.clear_memtables();
        rows.shuffled(seed, |batch, rows, first| stopwatch.time(batch.len(), || put_all(tree, batch, rows, first + 1)))?;
        rows.check_all(|key| Ok(tree.get(key, SEQNO_MAX)?))?;
    }
    Ok(stopwatch.figure(parts, of))
}

#[inline(never)]
fn put_all(tree: &Tree, batch: &Batch, rows: &Rows, seqno: SeqNo) -> Result<()> {
    for ((key, index), seqno) in batch.keys().zip(&batch.indexes).zip(seqno..) {
        tree.insert(key, rows.values.of(*index), seqno)?;
    }
    Ok(())
}

fn misses(parts: &Parts, rows: &mut Rows, tree: &Tree, of: Aim) -> Result<Figure> {
    let (mut random, mut stopwatch) = (Random::new(parts.settings.seed), Stopwatch::start(parts));
    while !stopwatch.is_over() {
        let batch = rows.draw_absent(&mut random);
        stopwatch.time(batch.len(), || miss_all(tree, &batch))?;
    }
    Ok(stopwatch.figure(parts, of))
}

#[inline(never)]
fn miss_all(tree: &Tree, batch: &Batch) -> Result<()> {
    for key in batch.keys() {
        if tree.get(key, SEQNO_MAX)?.is_some() {
            return Err(present());
        }
    }
    Ok(())
}
