//! Flushes and compactions as they are seen from outside: how long each takes, and who is told.
//!
//! Whoever runs one holds no lock but that of maintenance itself, so listeners are told of its beginning before it goes on.

use crate::{
    catalog::Incarnation,
    instruments::Growth,
    worker::{Machinery, upkeep},
};
use sediment_base::{
    Result,
    event::{CompactionBegan, CompactionEnded, FlushBegan, FlushEnded},
    stats::Histogram,
};
use sediment_tree::{CompactionReport, FlushReport, Plan};
use std::sync::Arc;

/// Flushes what a tree has sealed, and tells how many more bytes of keys and values it has read, again and again.
pub(super) fn flush(machinery: &Machinery, tree: &Incarnation, advanced: &(dyn Fn(u64) + Sync)) -> Result<FlushReport> {
    let instruments = &machinery.instruments;
    let (keyspace, pressure) = (&tree.keyspace, tree.tree.pressure());
    instruments.events.post(|| FlushBegan {
        keyspace: Arc::clone(keyspace),
        tree: tree.id,
        memtables: pressure.sealed_count as u64,
        bytes: pressure.sealed_bytes as u64,
    });
    instruments.events.deliver();
    let start_us = instruments.now_us();
    let flushed = upkeep::flush_sealed(machinery, tree, advanced);
    let duration_us = match &flushed {
        Ok(_) => instruments.record_since(Histogram::FlushDurationUs, start_us),
        Err(_) => instruments.since_us(start_us),
    };
    instruments.events.post(|| {
        let FlushReport { memtables, tables, rows, bytes, .. } = flushed.clone().unwrap_or_default();
        let (memtables, tables) = (memtables as u64, tables as u64);
        let (keyspace, tree, error) = (Arc::clone(keyspace), tree.id, flushed.as_ref().err().cloned());
        FlushEnded { keyspace, tree, memtables, tables, rows, bytes, duration_us, error }
    });
    finish(machinery);
    flushed
}

/// Runs a compaction.
pub(super) fn compact(
    machinery: &Machinery,
    tree: &Incarnation,
    plan: Plan,
    is_cancelled: &(dyn Fn() -> bool + Sync),
) -> Result<CompactionReport> {
    let instruments = &machinery.instruments;
    let keyspace = &tree.keyspace;
    let text = if instruments.events.is_heard() { plan.to_string() } else { String::new() };
    instruments.events.post(|| CompactionBegan { keyspace: Arc::clone(keyspace), tree: tree.id, plan: text.clone() });
    instruments.events.deliver();
    let start_us = instruments.now_us();
    let compacted = upkeep::run_plan(machinery, tree, plan, is_cancelled);
    let duration_us = match &compacted {
        Ok(report) if !report.moved => instruments.record_since(Histogram::CompactionDurationUs, start_us),
        _ => instruments.since_us(start_us),
    };
    instruments.events.post(|| {
        let report = compacted.clone().unwrap_or_default();
        CompactionEnded {
            keyspace: Arc::clone(keyspace),
            tree: tree.id,
            plan: text,
            is_move: report.moved,
            tables_in: report.tables_in as u64,
            rows_in: report.rows_in,
            bytes_in: report.bytes_in,
            tables_out: report.tables_out as u64,
            rows_out: report.rows_out,
            bytes_out: report.bytes_out,
            portions: report.portions as u64,
            duration_us,
            error: compacted.as_ref().err().cloned(),
        }
    });
    finish(machinery);
    compacted
}

/// Memory was let go of, and listeners wait for the end.
fn finish(machinery: &Machinery) {
    machinery.instruments.fit_cache(Growth::Slow);
    machinery.instruments.events.deliver();
}
