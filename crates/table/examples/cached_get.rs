//! What a get costs that finds its block in the cache, by the number of threads that ask at once. Run with `--release`; figures
//! are nanoseconds, with filter and fence in memory, with a filter in pages and with a fence in leaves that are in the cache, and with a locator. With an argument it only makes so many gets, to be counted from outside:
//! `valgrind --tool=callgrind target/release/examples/cached_get 200000`, less the same with 100000; `200000 paged`, `200000 leaves`, `200000 locator`; and
//! with `--cache-sim=yes`, what does not fit into the caches: `200000 filter 1000000`, `200000 locator 1000000`. Then it says as well what
//! memory the table takes, and what one read of a key costs that is not there while nothing is cached.

#![expect(clippy::print_stdout, reason = "it reports to people")]

use sediment_base::{FileUuid, InternalKey, KeyOrder, Kind, Result, RowFlags, TableId, seqno::SEQNO_MAX, stats::Counter};
use sediment_codec::hash::key_hash;
use sediment_env::Env;
use sediment_table::{BlockCache, Residency, Table, TableContext, TableOptions, TableWriter};
use std::{hint::black_box, path::Path, sync::Arc, thread};

/// Many short rounds, the best of which had the machine for itself.
const ROUNDS: u64 = 100;
const GETS: u64 = 50_000;

fn key(number: u64) -> [u8; 16] {
    let mut key = *b"user____--------";
    key[8..].copy_from_slice(&number.swap_bytes().to_le_bytes());
    key
}

/// How reads find their blocks.
const WAYS: [&str; 4] = ["filter", "paged", "leaves", "locator"];

/// A table of so many rows, all of whose blocks are in the cache.
fn table(env: &Env, path: &Path, rows: u64, value: &[u8], way: &str) -> Result<Table> {
    let (fs, random, cache) = (Arc::clone(&env.fs), Arc::clone(&env.random), Arc::new(BlockCache::new(1 << 30)));
    let paged_if = |is_paged| if is_paged { Residency::Paged } else { Residency::Resident };
    let (filter_residency, fence_residency) = (paged_if(way == "paged"), paged_if(way == "leaves"));
    let context = TableContext::new(fs, random, FileUuid::default(), KeyOrder::bytewise(), cache);
    let context = TableContext { filter_residency, fence_residency, ..context };
    let _ = env.fs.remove_file(path);
    let options = TableOptions { locator: way == "locator", ..TableOptions::default() };
    let mut writer = TableWriter::create(&context, &options, path.to_path_buf(), TableId(1))?;
    for number in 0..rows {
        writer.add(InternalKey::new(&key(number), number, Kind::Value), RowFlags::NONE, value)?;
    }
    writer.finish()?;
    let table = Table::open_alone(&context, path)?;
    let absent = [&key(rows / 2)[..], b"?"].concat();
    table.get(&absent, key_hash(0, &absent), SEQNO_MAX)?;
    let read = [Counter::FilterPageBytesRead, Counter::FenceLeafBytesRead, Counter::BlockBytesRead]
        .map(|counter| context.stats.get(counter));
    gets(&table, rows, 0, rows);
    if std::env::args().len() > 1 {
        println!("{rows} rows, {way}: {} bytes of memory, read for an absent key {read:?}", table.memory_bytes());
    }
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
        let way = std::env::args().nth(2).unwrap_or_else(|| WAYS[0].to_owned());
        let rows = std::env::args().nth(3).map(|rows| rows.parse().expect("a number of rows"));
        let value: &[u8] = if rows.is_some() { &[7; 100] } else { &[7; 20] };
        let table = table(&env, &path, rows.unwrap_or(1000), value, &way)?;
        gets(&table, rows.unwrap_or(1000), 0, count.parse().expect("a number of gets"));
        return env.fs.remove_file(&path);
    }
    for (rows, way) in [30, 1000, 50_000, 1_000_000].into_iter().flat_map(|rows| WAYS.map(|way| (rows, way))) {
        let table = table(&env, &path, rows, &[7; 100], way)?;
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
            println!("{rows:8} rows, {way:7}, {threads} threads at once {:8.1}", us as f64 * 1000.0 / GETS as f64);
        }
    }
    env.fs.remove_file(&path)
}
