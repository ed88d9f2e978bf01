//! A put through the log, all in: `Keyspace::insert`, into the log and then into the memtable, with the durability that the settings say.
//!
//! Each round fills a memtable of a fresh database, has it flushed, and then times the same again: the index of a memtable is as large from
//! the beginning as the one before needed in the end. With the default memory nothing is flushed or compacted meanwhile; the threads of the
//! database have files of the log to make ready.

use super::{
    Parts,
    figure::{Aim, Figure, Stopwatch},
    rows::{Batch, Rows},
};
use crate::{client, failure::Result, subject::Subject};
use sedimentdb::Keyspace;

const GATE_NS: f64 = 250.0;
/// What a memtable takes with the default memory, and not much less: a row is half as large again in it.
const DATA_BYTES: usize = 40 << 20;

/// As many puts as there are rows, again and again.
pub(super) fn run(parts: &Parts) -> Result<Vec<Figure>> {
    let mut rows = Rows::new(parts, parts.rows_of(DATA_BYTES));
    let (seed, mut stopwatch) = (parts.settings.seed, Stopwatch::start(parts));
    while !stopwatch.is_over() {
        let subject = Subject::new(&parts.settings, rows.count)?;
        let keyspace = subject.keyspace();
        rows.shuffled(seed, |batch, rows, _| put_all(keyspace, batch, rows))?;
        subject.db().flush()?;
        rows.shuffled(seed, |batch, rows, _| stopwatch.time(batch.len(), || put_all(keyspace, batch, rows)))?;
        client::check_all(&subject)?;
    }
    let aim = Aim { name: "log/put", rows: rows.count, gate_ns: Some(GATE_NS) };
    Ok(vec![stopwatch.figure(parts, aim)])
}

#[inline(never)]
fn put_all(keyspace: &Keyspace, batch: &Batch, rows: &Rows) -> Result<()> {
    for (key, index) in batch.keys().zip(&batch.indexes) {
        keyspace.insert(key, rows.values.of(*index))?;
    }
    Ok(())
}
