//! Blocks are compressed as the keyspace says, level by level, and read whatever they were written under.

use crate::disks::{open, rows};
use sediment_env::MemFs;
use sedimentdb::{Compression, Db, Keyspace, KeyspaceOptions};

const ROWS: usize = 400;

fn compressed(level0: Compression, below: Compression) -> KeyspaceOptions {
    KeyspaceOptions { level0_compression: Some(level0), compression: Some(below), ..KeyspaceOptions::default() }
}

fn key(number: usize) -> String {
    format!("{number:06}")
}

/// Half of it is the same in all.
fn value(number: usize) -> String {
    format!("{number:>50}{:>50}", "said again and again")
}

fn fill(keyspace: &Keyspace) {
    (0..ROWS).for_each(|number| keyspace.insert(key(number), value(number)).unwrap());
}

/// Bytes of all tables.
fn table_bytes(db: &Db) -> u64 {
    db.stats().keyspaces.iter().flat_map(|keyspace| &keyspace.levels).map(|level| level.bytes).sum()
}

fn assert_whole(keyspace: &Keyspace) {
    let expected: Vec<_> = (0..ROWS).map(|number| format!("{}={}", key(number), value(number))).collect();
    assert_eq!(rows(keyspace.iter()), expected);
    assert_eq!(keyspace.get(key(7)).unwrap().as_deref(), Some(value(7).as_bytes()));
}

/// Bytes of all tables once they are flushed, and once they are compacted.
fn sizes(options: &KeyspaceOptions) -> (u64, u64) {
    let db = open(&MemFs::new());
    let keyspace = db.keyspace_with("k", options.clone()).unwrap();
    fill(&keyspace);
    db.flush().unwrap();
    let flushed = table_bytes(&db);
    assert_whole(&keyspace);
    db.compact().unwrap();
    assert_whole(&keyspace);
    (flushed, table_bytes(&db))
}

#[test]
fn each_level_is_compressed_as_it_is_told() {
    let (plain, lz4) = (Compression::None, Compression::Lz4);
    let neither = sizes(&compressed(plain, plain));
    let both = sizes(&compressed(lz4, lz4));
    let below = sizes(&compressed(plain, lz4));
    assert!(both.0 * 3 < neither.0 * 2 && both.1 * 3 < neither.1 * 2, "{both:?} of {neither:?}");
    assert_eq!(below.1, both.1);
    let above = sizes(&compressed(lz4, plain));
    assert!(above.1 > both.1 * 5 / 4, "{above:?} and {both:?}");
}

#[test]
fn what_was_written_under_other_settings_stays_readable() {
    let disk = MemFs::new();
    let db = open(&disk);
    let keyspace = db.keyspace_with("k", compressed(Compression::Lz4, Compression::Lz4)).unwrap();
    fill(&keyspace);
    db.flush().unwrap();
    keyspace.set_options(compressed(Compression::None, Compression::None)).unwrap();
    assert_whole(&keyspace);
    drop(keyspace);
    db.close().unwrap();
    let db = open(&disk);
    let keyspace = db.keyspace("k").unwrap();
    assert_whole(&keyspace);
    let before = table_bytes(&db);
    db.compact().unwrap();
    assert_whole(&keyspace);
    assert!(table_bytes(&db) > before * 5 / 4, "compaction has unpacked it");
}
