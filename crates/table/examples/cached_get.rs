//! What a get costs that finds its block in the cache, by the number of threads that ask at once. Run with `--release`; figures
//! are nanoseconds. With an argument it only makes so many gets, to be counted from outside:
//! `valgrind --tool=callgrind target/release/examples/cached_get 200000`, less the same with 100000.

#![expect(clippy::print_stdout, reason = "it reports to people")]

use sediment_base::{FileUuid, InternalKey, KeyOrder, Kind, Result, RowFlags, TableId, seqno::SEQNO_MAX};
use sediment_codec::hash::key_hash;
use sediment_env::Env;
use sediment_table::{BlockCache, Table, TableContext, TableOptions, TableWriter};
use std::{hint::black_box, path::Path, sync::Arc, thread};

/// Many short rounds, the best of which had the machine for itself.
const ROUNDS: u64 = 100;
const GETS: u64 = 50_000;

fn key(number: u64) -> [u8; 16] {
    let mut key = *b"user____--------";
    key[8..].copy_from_slice(&number.swap_bytes().to_le_bytes());
    key
}

/// A table of so many rows, all of whose blocks are in the cache.
fn table(env: &Env, path: &Path, rows: u64) -> Result<Table> {
    let (fs, random, cache) = (Arc::clone(&env.fs), Arc::clone(&env.random), Arc::new(BlockCache::new(1 << 30)));
    let context = TableContext::new(fs, random, FileUuid::default(), KeyOrder::bytewise(), cache);
    let _ = env.fs.remove_file(path);
    let mut writer = TableWriter::create(&context, &TableOptions::default(), path.to_path_buf(), TableId(1))?;
    for number in 0..rows {
        writer.add(InternalKey::new(&key(number), number, Kind::Value), RowFlags::NONE, &[7; 20])?;
    }
    writer.finish()?;
    let table = Table::open_alone(&context, path)?;
    gets(&table, rows, 0, rows);
    Ok(table)
}

/// So many gets of keys that are there, all over the table.
fn gets(table: &Table, rows: u64, first: u64, count: u64) {
    for number in (first..first + count).map(|number| number * 7_919 % rows) {
        let key = key(number);
        let row = table.get(&key, key_hash(0, &key), SEQNO_MAX).expect("the disk works");
        black_box(row.expect("it is there"));
    }
}

fn main() -> Result<()> {
    let env = Env::system();
    let path = std::env::temp_dir().join(format!("sediment-cached-get-{}", std::process::id()));
    if let Some(count) = std::env::args().nth(1) {
        let table = table(&env, &path, 1000)?;
        gets(&table, 1000, 0, count.parse().expect("a number of gets"));
        return env.fs.remove_file(&path);
    }
    for rows in [30, 1000, 50_000, 1_000_000] {
        let table = table(&env, &path, rows)?;
        for threads in [1, 2] {
            let round = || {
                let start = env.clock.monotonic_us();
                thread::scope(|scope| {
                    for first in (0..threads).map(|thread| thread * 131) {
                        let table = &table;
                        scope.spawn(move || gets(table, rows, first, GETS));
                    }
                });
                env.clock.monotonic_us() - start
            };
            let us = (0..ROUNDS).map(|_| round()).min().unwrap_or(0);
            println!("{rows:8} rows, {threads} threads at once {:8.1}", us as f64 * 1000.0 / GETS as f64);
        }
    }
    env.fs.remove_file(&path)
}
