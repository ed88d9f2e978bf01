//! A get of a key that is there, in a block: one that lies in the nearest cache, and blocks that lie in none.
//!
//! Blocks are seen through their table alone. It has no filter, and its fence is asked before the clock starts (`Table::approach`, as for
//! many gets at once); what is timed is `Table::look_at`: the slot of the block in the cache, which the approach has asked for, and the get
//! in the block. The pin is held over the whole batch.

use super::{
    Parts,
    figure::{Aim, Figure, Stopwatch},
    lone_table::LoneTable,
    rows::{Batch, Seen, absent},
};
use crate::{failure::Result, generator::Random};
use sediment_base::seqno::SEQNO_MAX;
use sediment_raw::epoch;
use sediment_table::{Approach, Looked, PointRead, Reach, ReadCounts, Table};

const WARM_GATE_NS: f64 = 15.0;
const COLD_GATE_NS: f64 = 300.0;
/// Data that surely fits into one block of the default size, and nearly fills it.
const BLOCK_DATA_BYTES: usize = 3 << 10;

/// Warm, then cold.
pub(super) fn run(parts: &Parts) -> Result<Vec<Figure>> {
    let warm = Aim { name: "block/warm", rows: parts.rows_within(BLOCK_DATA_BYTES), gate_ns: Some(WARM_GATE_NS) };
    let cold = Aim { name: "block/cold", rows: parts.rows_within(parts.cold_data), gate_ns: Some(COLD_GATE_NS) };
    Ok(vec![measure(parts, warm)?, measure(parts, cold)?])
}

fn measure(parts: &Parts, of: Aim) -> Result<Figure> {
    let LoneTable { table, rows, .. } = &mut LoneTable::new(parts, of.rows, 0)?;
    let (mut random, mut stopwatch) = (Random::new(parts.settings.seed), Stopwatch::start(parts));
    while !stopwatch.is_over() {
        let batch = rows.draw(&mut random);
        let gets = approached(table, &batch)?;
        let seen = stopwatch.time(batch.len(), || get_all(table, &gets))?;
        seen.check(rows.seen(&batch.indexes))?;
    }
    Ok(stopwatch.figure(parts, of))
}

/// A get, but for looking into its block.
struct Get<'a> {
    key: &'a [u8],
    hash: u64,
    approach: Approach<'a>,
}

fn approached<'a>(table: &'a Table, batch: &'a Batch) -> Result<Vec<Get<'a>>> {
    let get = |key| {
        let hash = table.key_hash(key);
        table.approach(key, hash, SEQNO_MAX, None).map(|approach| Get { key, hash, approach }).ok_or_else(absent)
    };
    batch.keys().map(get).collect()
}

#[inline(never)]
fn get_all(table: &Table, gets: &[Get<'_>]) -> Result<Seen> {
    let (pin, mut counts, mut seen) = (epoch::pin(), ReadCounts::default(), Seen::default());
    for Get { key, hash, approach } in gets {
        let read = PointRead { key, hash: *hash, read_seqno: SEQNO_MAX, reach: Reach::Resident(&pin) };
        if table.look_at(approach, &read, &mut counts, &mut seen)? != Looked::Found {
            return Err(absent());
        }
    }
    Ok(seen)
}
