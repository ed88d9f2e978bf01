//! How much a strategy writes to tables for each byte that is flushed, on a disk: beside what the simulation of the tree says
//! (docs/compaction.md). Keys are overwritten at random, three times as many writes as there are keys; nothing runs in the background.
//!
//! ```text
//! cargo run --release -p sedimentdb --example rewritten -- <directory> [strategy] [MiB of rows]
//! ```

#![expect(clippy::print_stdout, reason = "it reports to people")]

use sedimentdb::{Db, KeyspaceOptions, Options, stats::Counter};
use std::path::PathBuf;

const ROW_BYTES: u64 = 120;
/// Makes a table of about [`TABLE_BYTES`].
const MEMTABLE_BYTES: usize = 12 << 20;
const TABLE_BYTES: u64 = 8 << 20;
const TRIGGER: usize = 6;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut args = std::env::args().skip(1);
    let dir = PathBuf::from(args.next().ok_or("which directory?")?);
    let strategy = args.next().unwrap_or_else(|| "leveled".into());
    let data: u64 = args.next().map_or(Ok(2048), |text| text.parse())? << 20;
    let mut options = Options::default();
    options.expert.background_threads = Some(0);
    let db = Db::builder(dir).options(options).open()?;
    let rows = db.create_keyspace_with(
        "rows",
        KeyspaceOptions {
            strategy: Some(strategy.clone()),
            memtable_bytes: Some(MEMTABLE_BYTES),
            table_bytes: Some(TABLE_BYTES),
            level0_trigger: Some(TRIGGER),
            level_base_bytes: Some(TRIGGER as u64 * TABLE_BYTES),
            ..KeyspaceOptions::default()
        },
    )?;
    let keys = data / ROW_BYTES;
    let mut state = 1_u64;
    for _ in 0..3 * keys {
        state = state.wrapping_mul(0x5851_F42D_4C95_7F2D).wrapping_add(0x1405_7B7E_F767_814F);
        let number = (state >> 33).wrapping_mul(keys) >> 31;
        let mut value = [0x55_u8; 100];
        value[..8].copy_from_slice(&state.to_le_bytes());
        rows.insert(format!("user{number:016}"), value)?;
    }
    let counted = db.stats().counted;
    let (flushed, compacted) = (counted.counter(Counter::FlushBytesWritten), counted.counter(Counter::CompactionBytesWritten));
    let flushes = counted.counter(Counter::FlushCount);
    let written = (flushed + compacted) as f64 / flushed as f64;
    println!("{strategy}: {written:.2} bytes written for each flushed, {} KiB at a time", flushed / flushes.max(1) / 1024);
    Ok(())
}
