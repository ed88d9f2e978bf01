//! A get from one table whose blocks are all in the block cache: of a key that is there, and of one that is not.
//!
//! What is timed is the hash of the key and `Table::look`, which asks filter, fence and block, as a tree asks each of its tables. A tree
//! hashes a key once for all of them. The pin, which a tree takes once for a get, is held over the whole batch. The value is looked at where
//! it lies and not copied.

use super::{
    Parts,
    figure::{Aim, Figure, Stopwatch},
    lone_table::LoneTable,
    rows::{Batch, Seen, absent, present},
};
use crate::{failure::Result, generator::Random};
use sediment_base::seqno::SEQNO_MAX;
use sediment_raw::epoch::{self, Pin};
use sediment_table::{Looked, PointRead, Reach, ReadCounts, Table};

const GET_GATE_NS: f64 = 120.0;
const MISS_GATE_NS: f64 = 40.0;
const FILTER_BITS_PER_KEY: u8 = 10;
/// What a processor core has in a cache of its own, with fence and filter.
const SMALL_BYTES: usize = 512 << 10;
/// As large as a tree makes its tables.
const WHOLE_BYTES: usize = 32 << 20;

/// Gets and misses: of a table that fits into a cache of the processor, and of one as large as tables become.
pub(super) fn run(parts: &Parts) -> Result<Vec<Figure>> {
    let mut figures = Vec::new();
    for (get, miss, bytes) in [("table/get, small", "table/miss, small", SMALL_BYTES), ("table/get", "table/miss", WHOLE_BYTES)]
    {
        let rows = parts.rows_of(bytes);
        let mut table = LoneTable::new(parts, rows, FILTER_BITS_PER_KEY)?;
        figures.push(hits(parts, &mut table, Aim { name: get, rows, gate_ns: Some(GET_GATE_NS) })?);
        figures.push(misses(parts, &mut table, Aim { name: miss, rows, gate_ns: Some(MISS_GATE_NS) })?);
    }
    Ok(figures)
}

fn hits(parts: &Parts, LoneTable { table, rows, .. }: &mut LoneTable, of: Aim) -> Result<Figure> {
    let (mut random, mut stopwatch) = (Random::new(parts.settings.seed), Stopwatch::start(parts));
    while !stopwatch.is_over() {
        let batch = rows.draw(&mut random);
        let seen = stopwatch.time(batch.len(), || get_all(table, &batch))?;
        seen.check(rows.seen(&batch.indexes))?;
    }
    Ok(stopwatch.figure(parts, of))
}

fn misses(parts: &Parts, LoneTable { table, rows, .. }: &mut LoneTable, of: Aim) -> Result<Figure> {
    let (mut random, mut stopwatch) = (Random::new(parts.settings.seed), Stopwatch::start(parts));
    while !stopwatch.is_over() {
        let batch = rows.draw_absent(&mut random);
        stopwatch.time(batch.len(), || miss_all(table, &batch))?;
    }
    Ok(stopwatch.figure(parts, of))
}

#[inline(never)]
fn get_all(table: &Table, batch: &Batch) -> Result<Seen> {
    let (pin, mut counts, mut seen) = (epoch::pin(), ReadCounts::default(), Seen::default());
    for key in batch.keys() {
        if table.look(&read(table, key, &pin), &mut counts, &mut seen)? != Looked::Found {
            return Err(absent());
        }
    }
    Ok(seen)
}

#[inline(never)]
fn miss_all(table: &Table, batch: &Batch) -> Result<()> {
    let (pin, mut counts, mut seen) = (epoch::pin(), ReadCounts::default(), Seen::default());
    for key in batch.keys() {
        if table.look(&read(table, key, &pin), &mut counts, &mut seen)? != Looked::Absent {
            return Err(present());
        }
    }
    Ok(())
}

#[inline]
fn read<'a>(table: &Table, key: &'a [u8], pin: &'a Pin) -> PointRead<'a> {
    PointRead { key, hash: table.key_hash(key), read_seqno: SEQNO_MAX, reach: Reach::Resident(pin) }
}
