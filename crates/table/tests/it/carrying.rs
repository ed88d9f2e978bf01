//! Blocks that a writer takes over from another table: what is made of them, and which it makes anew.

use crate::{
    order::orders,
    rows::{Row, context, path, write},
};
use sediment_base::{Cursor, ErrorKind, Kind, RowFlags, TableId, prefix_extractor::by_name, seqno::SEQNO_MAX};
use sediment_codec::{
    compress::{Dictionary, Method, ZstdLevel},
    hash::key_hash,
};
use sediment_env::fs::MemFs;
use sediment_table::{
    DictionaryOptions, FilterKind, Table, TableContext, TableMeta, TableOptions, TableWriter, check::check_table,
};
use sediment_testkit::back_references::BackReferences;
use std::{path::PathBuf, sync::Arc};

const SEED: u64 = 5;
const ROWS: u64 = 3000;

fn options() -> TableOptions {
    TableOptions { hash_seed: SEED, block_bytes: 1024, ..TableOptions::default() }
}

fn zstd(dictionary: DictionaryOptions) -> TableOptions {
    TableOptions { codec: Method::Zstd(ZstdLevel::FASTEST), dictionary, ..options() }
}

fn known(dictionary: &Arc<Dictionary>) -> DictionaryOptions {
    DictionaryOptions { known: Some(Arc::clone(dictionary)), table_bytes: 8 << 20, ..DictionaryOptions::default() }
}

/// Of as many bytes each, which differ in the middle.
fn row(number: u64) -> Row {
    let token = number.wrapping_mul(0x9E37_79B9_7F4A_7C15);
    Row::new(
        format!("job:{number:08}"),
        9 + number % 5,
        format!("{{\"token\":\"{token:016x}\",\"state\":\"pending\",\"owner\":null}}"),
    )
}

fn rows() -> Vec<Row> {
    (0..ROWS).map(row).collect()
}

fn written_to() -> PathBuf {
    PathBuf::from("8")
}

/// Writes the rows that come before those of the table, and then all of it: blocks as they are where that is possible. How many were.
fn rewrite(context: &TableContext, meta: &TableMeta, options: &TableOptions, first: &[Row]) -> (TableMeta, u64) {
    let mut writer = TableWriter::create(context, options, written_to(), TableId(8)).unwrap();
    for row in first {
        writer.add(row.internal(), RowFlags::NONE, &row.value).unwrap();
    }
    let table = Arc::new(Table::open(context, &path(), meta).unwrap());
    let (mut cursor, mut carried) = (table.cursor_uncached(), 0);
    cursor.seek_to_first().unwrap();
    while cursor.is_valid() {
        if cursor.carry_block(&mut writer).unwrap() {
            carried += 1;
            cursor.pass_block().unwrap();
        } else {
            writer.add_digested(cursor.key(), cursor.flags(), cursor.value(), cursor.digest(SEED)).unwrap();
            cursor.next().unwrap();
        }
    }
    (writer.finish().unwrap(), carried)
}

/// It holds these rows, and says nothing of them that is wrong.
fn assert_holds(context: &TableContext, meta: &TableMeta, rows: &[Row]) {
    let table = Arc::new(Table::open(context, &written_to(), meta).unwrap());
    let mut cursor = table.cursor();
    cursor.seek_to_first().unwrap();
    for row in rows {
        assert_eq!((cursor.key(), cursor.value()), (row.internal(), &row.value[..]));
        let found = table.get(&row.key, key_hash(SEED, &row.key), row.seqno + 1).unwrap();
        assert_eq!(found.map(|found| found.value.to_vec()).as_ref(), Some(&row.value));
        cursor.next().unwrap();
    }
    assert!(!cursor.is_valid());
    let report = check_table(context, &written_to(), Some(meta)).unwrap();
    assert!(report.faults.is_empty(), "{:?}", report.faults);
}

/// One that pays.
fn dictionary() -> Arc<Dictionary> {
    Arc::new(Dictionary::new(&b"{\"token\":\",\"state\":\"pending\",\"owner\":null}".repeat(9)).unwrap())
}

#[test]
fn blocks_are_taken_over_under_every_setting_and_the_table_is_what_it_would_have_been() {
    let dictionary = dictionary();
    let every = [
        options(),
        TableOptions { codec: Method::Lz4, row_digests: true, ..options() },
        TableOptions { codec: Method::Other(Arc::new(BackReferences)), filter: FilterKind::Burr, ..options() },
        TableOptions { locator: true, row_digests: true, ..options() },
        TableOptions { prefix_extractor: by_name("fixed-10"), filter_bits_per_key: 0, ..options() },
        zstd(DictionaryOptions::default()),
        zstd(known(&dictionary)),
    ];
    for order in orders() {
        let mut rows = rows();
        rows.sort_by(|a, b| a.internal().compare(b.internal(), &order));
        for options in &every {
            let context = TableContext { codecs: Arc::new([Arc::new(BackReferences)]), ..context(&order, 0) };
            let meta = write(&context, options, &rows);
            let blocks = Table::open(&context, &path(), &meta).unwrap().properties().blocks;
            let (made, carried) = rewrite(&context, &meta, options, &[]);
            // Blocks wait until it is decided about a dictionary, and the last one may be short.
            let waits = if options.dictionary.known.is_some() { 60 } else { 1 };
            assert!(carried <= blocks && carried + waits >= blocks, "{carried} of {blocks}: {options:?}");
            assert_holds(&context, &made, &rows);
            assert_eq!((made.rows, made.min_seqno, made.max_seqno, &made.range), (ROWS, 9, 13, &meta.range));
            assert!(waits > 1 || made.file_bytes == meta.file_bytes, "{} of {}: {options:?}", made.file_bytes, meta.file_bytes);
        }
    }
}

#[test]
fn a_block_that_is_begun_is_seldom_left_short() {
    let order = &orders()[0];
    let all = rows();
    for (first, made_anew) in [(1, 7), (11, 1)] {
        let context = context(order, 0);
        let meta = write(&context, &options(), &all[first..]);
        let blocks = Table::open(&context, &path(), &meta).unwrap().properties().blocks;
        let (made, carried) = rewrite(&context, &meta, &options(), &all[..first]);
        assert_holds(&context, &made, &all);
        // What a block begun with one row goes on with ends in the middle of the next, and so on, until a short one costs little. A last block
        // of one row is too short.
        assert_eq!(carried + made_anew, blocks, "{first}");
    }
}

#[test]
fn a_table_that_stores_rows_in_another_way_makes_its_blocks_itself() {
    let dictionary = dictionary();
    let (lz4, digests) = (TableOptions { codec: Method::Lz4, ..options() }, TableOptions { row_digests: true, ..options() });
    let level = TableOptions { codec: Method::Zstd(ZstdLevel::DEFAULT), ..options() };
    let large = TableOptions { block_bytes: 4096, ..options() };
    for (from, to) in [
        (&options(), &lz4),
        (&lz4, &options()),
        (&zstd(DictionaryOptions::default()), &level),
        (&zstd(known(&dictionary)), &zstd(DictionaryOptions::default())),
        (&options(), &digests),
        (&digests, &options()),
        (&options(), &TableOptions { hash_seed: SEED + 1, ..options() }),
        (&options(), &large),
        (&large, &options()),
    ] {
        let context = context(&orders()[0], 0);
        let meta = write(&context, from, &rows());
        let (made, carried) = rewrite(&context, &meta, to, &[]);
        assert_eq!((carried, made.rows), (0, ROWS), "{from:?} to {to:?}");
        assert!(check_table(&context, &written_to(), Some(&made)).unwrap().faults.is_empty());
    }
}

#[test]
fn only_blocks_of_values_with_one_version_each_are_taken_over() {
    let odd = |kind: Kind| move |number: u64| Row { kind, ..row(number) };
    let version = |number: u64| Row { seqno: 3, ..row(number) };
    let large = |number: u64| Row { value: vec![7; 100_000], ..row(number) };
    let changed: [&dyn Fn(u64) -> Row; 4] = [&odd(Kind::Operand), &odd(Kind::WeakTombstone), &version, &large];
    for change in changed {
        let mut all = Vec::new();
        for number in 0..ROWS {
            let other = change(number);
            match number.is_multiple_of(6) {
                true if other.seqno < row(number).seqno => all.extend([row(number), other]),
                true => all.push(other),
                false => all.push(row(number)),
            }
        }
        for row in all.iter_mut().filter(|row| row.kind.is_tombstone()) {
            row.value.clear();
        }
        let context = context(&orders()[0], 0);
        let meta = write(&context, &options(), &all);
        let (made, carried) = rewrite(&context, &meta, &options(), &[]);
        assert_eq!(carried, 0, "{:?}", all[0]);
        let mut cursor = Arc::new(Table::open(&context, &written_to(), &made).unwrap()).cursor();
        cursor.seek_to_first().unwrap();
        for row in &all {
            assert_eq!((cursor.key(), cursor.value()), (row.internal(), &row.value[..]));
            cursor.next().unwrap();
        }
        assert!(check_table(&context, &written_to(), Some(&made)).unwrap().faults.is_empty());
    }
}

#[test]
fn rows_of_an_ingested_table_get_their_number_in_blocks_made_anew() {
    let context = context(&orders()[0], 0);
    let mut writer = TableWriter::create(&context, &options(), path(), TableId(7)).unwrap();
    for row in rows() {
        writer.add(Row { seqno: 0, ..row.clone() }.internal(), RowFlags::NONE, &row.value).unwrap();
    }
    let meta = writer.end_rows().unwrap().number(77).unwrap();
    let (made, carried) = rewrite(&context, &meta, &options(), &[]);
    assert_eq!((carried, made.min_seqno, made.max_seqno), (0, 77, 77));
    assert_holds(&context, &made, &rows().into_iter().map(|row| Row { seqno: 77, ..row }).collect::<Vec<_>>());
}

#[test]
fn a_frame_is_proven_again_before_it_is_taken_over() {
    let disk = MemFs::new();
    let context = TableContext { fs: Arc::new(disk.clone()), ..context(&orders()[0], 1 << 20) };
    let meta = write(&context, &options(), &rows());
    let table = Arc::new(Table::open(&context, &path(), &meta).unwrap());
    let row = row(3);
    assert!(table.get(&row.key, key_hash(SEED, &row.key), SEQNO_MAX).unwrap().is_some(), "its block is in memory");
    disk.flip(&path(), 300, 0).unwrap();
    let mut writer = TableWriter::create(&context, &options(), written_to(), TableId(8)).unwrap();
    let mut cursor = table.cursor_uncached();
    cursor.seek_to_first().unwrap();
    let error = cursor.carry_block(&mut writer).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Corruption);
    assert!(error.to_string().contains(&path().display().to_string()), "{error}");
    assert_eq!(cursor.carry_block(&mut writer).unwrap_err().to_string(), error.to_string(), "it stays failed");
    assert_eq!(writer.rows(), 0);
}

#[test]
fn a_row_without_its_digest_is_not_taken_over() {
    let (context, options) = (context(&orders()[0], 0), TableOptions { row_digests: true, ..options() });
    let mut writer = TableWriter::create(&context, &options, path(), TableId(7)).unwrap();
    for (number, row) in rows().iter().enumerate() {
        let digest = (number == 3).then_some(0xBAD);
        writer.add_digested(row.internal(), RowFlags::NONE, &row.value, digest).unwrap();
    }
    let meta = writer.finish().unwrap();
    let mut writer = TableWriter::create(&context, &options, written_to(), TableId(8)).unwrap();
    let mut cursor = Arc::new(Table::open(&context, &path(), &meta).unwrap()).cursor();
    cursor.seek_to_first().unwrap();
    let error = cursor.carry_block(&mut writer).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Corruption);
    assert!(error.location().is_some_and(|place| place.offset.is_some()), "{error}");
    assert_eq!(writer.finish().unwrap_err().to_string(), error.to_string(), "what was begun is not a table");
}

#[test]
fn a_block_that_does_not_come_behind_the_rows_so_far_is_refused() {
    let context = context(&orders()[0], 0);
    let meta = write(&context, &options(), &rows());
    let mut writer = TableWriter::create(&context, &options(), written_to(), TableId(8)).unwrap();
    let mut cursor = Arc::new(Table::open(&context, &path(), &meta).unwrap()).cursor();
    cursor.seek_to_first().unwrap();
    assert!(cursor.carry_block(&mut writer).unwrap());
    assert_eq!(cursor.carry_block(&mut writer).unwrap_err().kind(), ErrorKind::InvalidInput, "twice the same");
    cursor.pass_block().unwrap();
    assert!(cursor.carry_block(&mut writer).unwrap(), "nothing has happened");
}
