//! `sediment stats`: what a database is made of.

use crate::{
    args::open_to_read,
    failure::{Exit, Result},
    output::{Output, bytes_text, counted, grouped},
};
use clap::Args;
use sedimentdb::{DbStats, KeyspaceStats, LevelStats};
use serde_json::{Value, json};
use std::path::PathBuf;

/// Arguments of `stats`.
#[derive(Debug, Args)]
pub(crate) struct Stats {
    /// Directory of the database
    #[arg(value_name = "DB")]
    path: PathBuf,
}

impl Stats {
    /// Prints a table of levels for each keyspace, and the log.
    pub(crate) fn run(self, output: &mut Output) -> Result<Exit> {
        let stats = open_to_read(&self.path)?.stats();
        if output.is_json() {
            output.value(&to_json(&stats))?;
        } else {
            print(&stats, output)?;
        }
        Ok(Exit::Done)
    }
}

fn print(stats: &DbStats, output: &mut Output) -> Result<()> {
    for keyspace in &stats.keyspaces {
        output.line(output.bold(&format!("keyspace {}", keyspace.name)))?;
        output.line(format!("  {:<9} {:>7} {:>12} {:>14} {:>12}", "", "tables", "size", "rows", "tombstones"))?;
        for (number, level) in keyspace.levels.iter().enumerate().filter(|(_, level)| level.tables > 0) {
            print_level(&format!("level {number}"), level, output)?;
        }
        print_level("all", &total(keyspace), output)?;
        output.line(format!("  in memory {:>20}", bytes_text(keyspace.memtable_bytes + keyspace.sealed_bytes)))?;
    }
    let log = format!("{}, {}", counted(stats.wal_files as u64, "file"), bytes_text(stats.wal_bytes));
    output.line(format!("log: {log}"))?;
    output.line(format!("next sequence number: {}", grouped(stats.visible_seqno)))?;
    if let Some(cause) = &stats.poisoned {
        output.line(format!("writes are refused: {cause}"))?;
    }
    Ok(())
}

fn print_level(name: &str, level: &LevelStats, output: &mut Output) -> Result<()> {
    let (tables, rows, tombstones) = (grouped(level.tables), grouped(level.rows), grouped(level.tombstones));
    output.line(format!("  {name:<9} {tables:>7} {:>12} {rows:>14} {tombstones:>12}", bytes_text(level.bytes)))
}

fn total(keyspace: &KeyspaceStats) -> LevelStats {
    let mut total = LevelStats::default();
    for level in &keyspace.levels {
        total.tables += level.tables;
        total.bytes += level.bytes;
        total.rows += level.rows;
        total.tombstones += level.tombstones;
    }
    total
}

fn to_json(stats: &DbStats) -> Value {
    let level = |level: &LevelStats| json!({ "tables": level.tables, "bytes": level.bytes, "rows": level.rows, "tombstones": level.tombstones });
    let keyspace = |keyspace: &KeyspaceStats| {
        json!({
            "name": keyspace.name,
            "memtable_bytes": keyspace.memtable_bytes,
            "sealed_bytes": keyspace.sealed_bytes,
            "levels": keyspace.levels.iter().map(level).collect::<Vec<_>>(),
        })
    };
    json!({
        "visible_seqno": stats.visible_seqno,
        "keyspaces": stats.keyspaces.iter().map(keyspace).collect::<Vec<_>>(),
        "wal_files": stats.wal_files,
        "wal_bytes": stats.wal_bytes,
        "poisoned": stats.poisoned.as_ref().map(ToString::to_string),
    })
}
