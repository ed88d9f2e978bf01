//! What points, seeks, scans and writing cost on this machine. Run with `--release`; figures are nanoseconds.

#![expect(clippy::print_stdout, reason = "it reports to people")]

use sediment_base::{Cursor, FileUuid, InternalKey, KeyOrder, Kind, Result, RowFlags, TableId, seqno::SEQNO_MAX};
use sediment_codec::hash::key_hash;
use sediment_env::Env;
use sediment_table::{BlockCache, Table, TableContext, TableOptions, TableWriter};
use std::{hint::black_box, path::PathBuf, sync::Arc};

const ROUNDS: u64 = 5;

fn key(number: u64) -> [u8; 16] {
    let mut key = *b"user____--------";
    let scrambled = number.wrapping_mul(0x9E37_79B9_7F4A_7C15);
    key[8..].copy_from_slice(&scrambled.to_le_bytes());
    key
}

/// The best of several rounds, per operation.
fn best(env: &Env, name: &str, operations: u64, mut run: impl FnMut()) {
    let time = |run: &mut dyn FnMut()| {
        let start = env.clock.monotonic_us();
        run();
        env.clock.monotonic_us() - start
    };
    let us = (0..ROUNDS).map(|_| time(&mut run)).min().unwrap_or(0);
    println!("{name:40} {:8.1}", us as f64 * 1000.0 / operations as f64);
}

fn main() -> Result<()> {
    let env = Env::system();
    let path = std::env::args().nth(1).map_or_else(|| std::env::temp_dir().join("sediment-table-speed"), PathBuf::from);
    for (rows, block_bytes) in [(36, 4096), (1000, 4096), (50_000, 4096), (1_000_000, 4096), (1_000_000, 16_384)] {
        println!("--- {rows} rows, blocks of {block_bytes}");
        measure(&env, path.clone(), rows, block_bytes)?;
    }
    Ok(())
}

fn measure(env: &Env, path: PathBuf, rows: u64, block_bytes: usize) -> Result<()> {
    let (fs, random, cache) = (Arc::clone(&env.fs), Arc::clone(&env.random), Arc::new(BlockCache::new(1 << 30)));
    let context = TableContext::new(fs, random, FileUuid::default(), KeyOrder::bytewise(), cache);
    let mut keys: Vec<[u8; 16]> = (0..rows).map(key).collect();
    keys.sort_unstable();
    let options = TableOptions { block_bytes, ..TableOptions::default() };
    best(env, "write", rows, || {
        let _ = env.fs.remove_file(&path);
        let mut writer = TableWriter::create(&context, &options, path.clone(), TableId(1)).expect("the disk works");
        for (i, key) in keys.iter().enumerate() {
            let key = InternalKey::new(key, i as u64, Kind::Value);
            writer.add(key, RowFlags::NONE, &[7; 100]).expect("rows ascend");
        }
        writer.finish().expect("the disk works");
    });
    best(env, "open (whole)", 1, || drop(black_box(Table::open_alone(&context, &path))));
    let table = Arc::new(Table::open_alone(&context, &path)?);
    println!("{:40} {:8.1}", "bytes per row", table.meta().file_bytes as f64 / rows as f64);
    println!("{:40} {:8.2}", "memory of metadata per row", table.memory_bytes() as f64 / rows as f64);
    best(env, "scan uncached", rows, || walk(&mut table.cursor_uncached(), true));
    best(env, "scan forward", rows, || walk(&mut table.cursor(), true));
    best(env, "scan in reverse", rows, || walk(&mut table.cursor(), false));
    let count = 1_000_000;
    best(env, "get present", count, || {
        for i in 0..count {
            let key = key(i.wrapping_mul(7_919) % rows);
            black_box(table.get(&key, key_hash(0, &key), SEQNO_MAX).expect("the disk works").expect("it is there"));
        }
    });
    best(env, "get absent", count, || {
        for i in 0..count {
            let key = key(i + rows);
            black_box(table.get(&key, key_hash(0, &key), SEQNO_MAX).expect("the disk works"));
        }
    });
    let mut cursor = table.cursor();
    best(env, "seek", count, || {
        for i in 0..count {
            let key = key(i.wrapping_mul(7_919) % rows);
            cursor.seek(InternalKey::before(&key)).expect("the disk works");
            black_box(cursor.key());
        }
    });
    context.fs.remove_file(&path)
}

fn walk(cursor: &mut impl Cursor, is_forward: bool) {
    let begun = if is_forward { cursor.seek_to_first() } else { cursor.seek_to_last() };
    begun.expect("the disk works");
    while cursor.is_valid() {
        black_box((cursor.key(), cursor.value()));
        if is_forward { cursor.next() } else { cursor.prev() }.expect("the disk works");
    }
}
