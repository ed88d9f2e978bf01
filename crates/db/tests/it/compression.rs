//! Blocks are compressed as the keyspace says, level by level, and read whatever they were written under.

use crate::disks::{builder, open, rows};
use sediment_env::MemFs;
use sediment_testkit::back_references::BackReferences;
use sedimentdb::{Compression, Db, Dictionary, ErrorKind, Keyspace, KeyspaceOptions, ZstdLevel};
use std::sync::Arc;

const ROWS: usize = 400;
const LETTERS: usize = 2000;

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
    let (plain, lz4, zstd) = (Compression::None, Compression::Lz4, Compression::Zstd(ZstdLevel::DEFAULT));
    let neither = sizes(&compressed(plain, plain));
    let both = sizes(&compressed(lz4, lz4));
    let below = sizes(&compressed(plain, lz4));
    assert!(both.0 * 3 < neither.0 * 2 && both.1 * 3 < neither.1 * 2, "{both:?} of {neither:?}");
    // What level 0 was compressed with does not show, where blocks are made anew; those that are taken over take little more.
    assert_eq!(below.1, sizes(&compressed(zstd, lz4)).1);
    assert!(both.1.abs_diff(below.1) < 2048, "{both:?} and {below:?}");
    let above = sizes(&compressed(lz4, plain));
    assert!(above.1 > both.1 * 5 / 4, "{above:?} and {both:?}");
    let smallest = sizes(&compressed(lz4, zstd));
    assert!(smallest.0 == both.0 && smallest.1 < below.1, "{smallest:?} and {below:?}, both made anew");
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

/// Of which a block of 512 bytes has three, and the first one says what a dictionary could have said.
fn letter(number: usize) -> String {
    let [from, to] = ["somebody who writes much the same to all", "everybody who wants to hear of it again"];
    format!("{{\"number\":{number},\"from\":\"{from}\",\"to\":\"{to}\",\"sealed\":false,\"returned\":null}}")
}

/// Bytes of all tables once the keyspace is full of letters and compacted.
fn letter_bytes(db: &Db, options: &KeyspaceOptions) -> u64 {
    let keyspace = db.keyspace_with("k", options.clone()).unwrap();
    (0..LETTERS).for_each(|number| keyspace.insert(key(number), letter(number)).unwrap());
    db.compact().unwrap();
    assert_letters(&keyspace);
    table_bytes(db)
}

fn assert_letters(keyspace: &Keyspace) {
    let expected: Vec<_> = (0..LETTERS).map(|number| format!("{}={}", key(number), letter(number))).collect();
    assert_eq!(rows(keyspace.iter()), expected);
}

/// A dictionary saves what blocks have in common, whether it was trained or given.
#[test]
fn dictionaries_are_trained_or_given() {
    let zstd = Compression::Zstd(ZstdLevel::FASTEST);
    let small = KeyspaceOptions { block_bytes: Some(512), ..compressed(zstd, zstd) };
    let without = letter_bytes(&open(&MemFs::new()), &small);
    let dictionary_bytes = Some(1024);
    let trained = letter_bytes(&open(&MemFs::new()), &KeyspaceOptions { dictionary_bytes, ..small.clone() });
    assert!(trained < without, "{trained} of {without}");
    let disk = MemFs::new();
    let dictionary = Arc::new(Dictionary::new(letter(7).repeat(3).as_bytes()).unwrap());
    let db = builder(&disk).dictionary("values", dictionary).open().unwrap();
    let given = KeyspaceOptions { dictionary: Some("values".into()), ..small };
    let with = letter_bytes(&db, &given);
    assert!(with < without, "{with} of {without}");
    db.close().unwrap();
    // Tables hold it, so nobody has to bring it again.
    let db = open(&disk);
    assert_letters(&db.keyspace("k").unwrap());
    let error = db.keyspace_with("other", given).unwrap_err();
    assert!(error.kind() == ErrorKind::InvalidInput && error.to_string().contains("DbBuilder::dictionary"), "{error}");
}

#[test]
fn a_codec_of_others_is_used_where_it_is_brought_and_asked_for_where_not() {
    let disk = MemFs::new();
    let codec = || Arc::new(BackReferences);
    let other = compressed(Compression::Other(200), Compression::Other(200));
    let db = builder(&disk).codec(codec()).open().unwrap();
    let keyspace = db.keyspace_with("k", other.clone()).unwrap();
    fill(&keyspace);
    db.flush().unwrap();
    assert!(table_bytes(&db) < (ROWS * 90) as u64, "{}", table_bytes(&db));
    let plain = db.keyspace("plain").unwrap();
    let error = plain.set_options(compressed(Compression::Other(201), Compression::None)).unwrap_err();
    assert!(error.kind() == ErrorKind::InvalidInput && error.to_string().contains("codec 201"), "{error}");
    assert_whole(&keyspace);
    drop((keyspace, plain));
    db.close().unwrap();
    let db = open(&disk);
    let keyspace = db.keyspace("k").unwrap();
    let error = keyspace.get(key(7)).unwrap_err();
    assert!(error.kind() == ErrorKind::Unsupported && error.to_string().contains("back references"), "{error}");
    drop(keyspace);
    db.close().unwrap();
    let db = builder(&disk).codec(codec()).open().unwrap();
    assert_whole(&db.keyspace("k").unwrap());
}
