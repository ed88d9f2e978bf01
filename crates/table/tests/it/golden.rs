//! A table of the first format opens for ever, and the same rows still become the same bytes.
//!
//! `REWRITE=1` writes the file anew: only ever right for a format that no release has written.

use crate::{
    order::orders,
    rows::{Row, context, path, write},
};
use sediment_base::{Cursor, Kind, seqno::SEQNO_MAX};
use sediment_codec::compress::{Method, ZstdLevel};
use sediment_table::{DictionaryOptions, Table, TableContext, TableOptions};
use std::sync::Arc;

const GOLDEN: &[u8] = include_bytes!("../../testdata/format/v1/table");
const DIGESTS: &[u8] = include_bytes!("../../testdata/format/v1/table-digests");
const LOCATOR: &[u8] = include_bytes!("../../testdata/format/v1/table-locator");
const ZSTD: &[u8] = include_bytes!("../../testdata/format/v1/table-zstd");

fn rows() -> Vec<Row> {
    let mut rows = vec![
        Row::new("a", 1 << 40, "one"),
        Row { kind: Kind::Tombstone, ..Row::new("a", 900, "") },
        Row { kind: Kind::WeakTombstone, ..Row::new("b", 7, "") },
        Row { kind: Kind::Operand, ..Row::new("b", 6, "operand") },
        Row::new(vec![b'k'; 300], 3, "a long key"),
        Row::new("l", 3, vec![b'v'; 66_000]),
    ];
    rows.extend((0..40).rev().map(|seqno| Row::new("m", seqno + 5, format!("version {seqno}"))));
    rows.extend((0..40).map(|i| Row::new(format!("user:{i:04}"), 77, format!("name {i}"))));
    rows
}

#[test]
fn format_1_is_read_and_written_as_it_always_was() {
    is_as_it_always_was("table", GOLDEN, &TableOptions::default());
}

#[test]
fn rows_with_digests_are_read_and_written_as_they_always_were() {
    is_as_it_always_was("table-digests", DIGESTS, &TableOptions { row_digests: true, ..TableOptions::default() });
}

#[test]
fn tables_with_locators_are_read_and_written_as_they_always_were() {
    is_as_it_always_was("table-locator", LOCATOR, &TableOptions { locator: true, ..TableOptions::default() });
}

fn is_as_it_always_was(name: &str, golden: &[u8], options: &TableOptions) {
    let context = context(&orders()[0], 0);
    let options =
        TableOptions { block_bytes: 512, hash_seed: 0xC0FFEE, created_us: 17, oldest_write_us: 16, ..options.clone() };
    let meta = write(&context, &options, &rows());
    let mut written = vec![0; meta.file_bytes as usize];
    context.fs.open(&path()).unwrap().read_exact_at(0, &mut written).unwrap();
    if std::env::var_os("REWRITE").is_some() {
        std::fs::write(format!("{}/testdata/format/v1/{name}", env!("CARGO_MANIFEST_DIR")), &written).unwrap();
        return;
    }
    assert_holds(&context, golden, &rows());
    assert!(written == golden, "the writer writes other bytes than it did");
}

/// With a dictionary. A later version of the library may find shorter forms, so that only reading is fixed.
#[test]
fn blocks_of_zstd_are_read_as_they_always_were() {
    let context = context(&orders()[0], 0);
    let value =
        |i: u32| format!("{{\"name\":\"user {i}\",\"token\":\"{:08x}\",\"state\":\"active\"}}", i.wrapping_mul(0x9E37_79B1));
    let rows: Vec<_> = (0..600).map(|i| Row::new(format!("user:{i:04}"), 77, value(i))).collect();
    if std::env::var_os("REWRITE").is_some() {
        let options = TableOptions {
            block_bytes: 512,
            codec: Method::Zstd(ZstdLevel::FASTEST),
            dictionary: DictionaryOptions { bytes_max: 512, known: None, table_bytes: 1 << 20 },
            ..TableOptions::default()
        };
        let meta = write(&context, &options, &rows);
        let mut written = vec![0; meta.file_bytes as usize];
        context.fs.open(&path()).unwrap().read_exact_at(0, &mut written).unwrap();
        std::fs::write(concat!(env!("CARGO_MANIFEST_DIR"), "/testdata/format/v1/table-zstd"), &written).unwrap();
        return;
    }
    assert!(ZSTD.len() < 40_000);
    assert_holds(&context, ZSTD, &rows);
}

fn assert_holds(context: &TableContext, file: &[u8], rows: &[Row]) {
    let _ = context.fs.remove_file(&path());
    context.fs.create(&path()).unwrap().write_at(0, file).unwrap();
    let table = Arc::new(Table::open_alone(context, &path()).unwrap());
    let mut cursor = table.cursor();
    cursor.seek_to_first().unwrap();
    for row in rows {
        assert_eq!((cursor.key(), cursor.value()), (row.internal(), &row.value[..]));
        cursor.next().unwrap();
    }
    assert!(!cursor.is_valid());
    for row in rows.chunk_by(|a, b| a.key == b.key).map(|versions| &versions[0]) {
        let found = table.get(&row.key, table.key_hash(&row.key), SEQNO_MAX).unwrap().unwrap();
        assert_eq!((found.seqno, found.kind, &found.value[..]), (row.seqno, row.kind, &row.value[..]));
    }
}
