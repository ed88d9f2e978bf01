//! Tables agree with a sorted list of rows, whatever the rows, the order and the settings.

use crate::{
    order::orders,
    rows::{Row, context, path, random_rows, write},
};
use sediment_base::{
    Cursor, InternalKey, KeyOrder, Kind, RowFlags, SeqNo, TableId, prefix_extractor::by_name, seqno::SEQNO_MAX,
};
use sediment_codec::compress::{Dictionary, Method, ZstdLevel};
use sediment_codec::hash::key_hash;
use sediment_env::random::SeededRandom;
use sediment_table::{
    DictionaryOptions, FilterKind, Residency, Table, TableContext, TableOptions, TableWriter, check::check_table,
    dump::dump_table,
};
use std::sync::Arc;

const SEED: u64 = 5;

/// The answer of a point lookup.
fn expected_get<'a>(rows: &'a [Row], key: &[u8], read_seqno: SeqNo) -> Option<&'a Row> {
    rows.iter().find(|row| row.key == key && row.seqno < read_seqno)
}

fn check_get(table: &Table, rows: &[Row], key: &[u8], read_seqno: SeqNo) {
    let found = table.get(key, key_hash(SEED, key), read_seqno).unwrap();
    let found = found.map(|row| Row { key: key.to_vec(), seqno: row.seqno, kind: row.kind, value: row.value.to_vec() });
    assert_eq!(found.as_ref(), expected_get(rows, key, read_seqno), "{} at {read_seqno}", key.escape_ascii());
}

fn check_on(cursor: &impl Cursor, expected: Option<&Row>) {
    assert_eq!(cursor.is_valid(), expected.is_some());
    if let Some(row) = expected {
        assert_eq!((cursor.key(), cursor.value()), (row.internal(), &row.value[..]));
    }
}

/// A key that is there, or nearly.
fn some_key(random: &SeededRandom, rows: &[Row]) -> Vec<u8> {
    let mut key = rows[random.below(rows.len() as u64) as usize].key.clone();
    match random.below(8) {
        0 => key.push(0),
        1 => key.extend_from_slice(b"zz"),
        2 => drop(key.pop()),
        3 => *key.last_mut().unwrap() ^= 1,
        4 => key.truncate(1 + random.below(key.len() as u64) as usize),
        _ => {}
    }
    key
}

fn check_walks(table: &Arc<Table>, rows: &[Row], order: &KeyOrder, random: &SeededRandom) {
    let mut cursor = table.cursor();
    check_on(&cursor, None);
    cursor.seek_to_first().unwrap();
    for row in rows {
        check_on(&cursor, Some(row));
        cursor.next().unwrap();
    }
    check_on(&cursor, None);
    let mut cursor = table.cursor_uncached();
    cursor.seek_to_last().unwrap();
    for row in rows.iter().rev() {
        check_on(&cursor, Some(row));
        cursor.prev().unwrap();
    }
    check_on(&cursor, None);
    for _ in 0..60 {
        let key = some_key(random, rows);
        let kinds = [Kind::Value, Kind::Tombstone, Kind::WeakTombstone, Kind::Operand];
        let target = match random.below(5) {
            0 => InternalKey::before(&key),
            1 => InternalKey::new(&key, 0, Kind::Value),
            2 => InternalKey::seek_to(&key, random.below(100)),
            3 => InternalKey::new(&key, rows[random.below(rows.len() as u64) as usize].seqno, kinds[random.below(4) as usize]),
            _ => rows[random.below(rows.len() as u64) as usize].internal(),
        };
        let first = rows.partition_point(|row| row.internal().compare(target, order).is_lt());
        let (mut at, seek) = (first as i64, random.below(2) == 0);
        if seek {
            cursor.seek(target).unwrap();
        } else {
            cursor.seek_before(target).unwrap();
            at -= 1;
        }
        for _ in 0..random.below(30) {
            let expected = usize::try_from(at).ok().and_then(|at| rows.get(at));
            check_on(&cursor, expected);
            if expected.is_none() {
                break;
            }
            if (random.below(3) == 0) == seek {
                cursor.prev().unwrap();
                at -= 1;
            } else {
                cursor.next().unwrap();
                at += 1;
            }
        }
    }
}

fn check_everything(rows: &[Row], order: &KeyOrder, options: &TableOptions, random: &SeededRandom) {
    let cache_bytes = [0, 20_000, 1 << 30][random.below(3) as usize];
    let residency = || [Residency::Resident, Residency::Paged][random.below(2) as usize];
    let (filter_residency, fence_residency) = (residency(), residency());
    let context = TableContext { filter_residency, fence_residency, ..context(order, cache_bytes) };
    let meta = write(&context, options, rows);
    assert_eq!(
        (meta.rows, &meta.range.min[..], &meta.range.max[..]),
        (rows.len() as u64, &rows[0].key[..], &rows[rows.len() - 1].key[..])
    );
    assert_eq!(Some(meta.min_seqno), rows.iter().map(|row| row.seqno).min());
    assert_eq!(Some(meta.max_seqno), rows.iter().map(|row| row.seqno).max());
    assert_eq!(meta.tombstones, rows.iter().filter(|row| row.kind.is_tombstone()).count() as u64);
    let table = Arc::new(Table::open(&context, &path(), &meta).unwrap());
    assert_eq!((table.meta(), table.properties().rows), (&meta, meta.rows));
    for _ in 0..150 {
        let key = some_key(random, rows);
        let read_seqno = match random.below(4) {
            0 => SEQNO_MAX,
            1 => random.below(meta.max_seqno.saturating_add(3)),
            _ => rows[random.below(rows.len() as u64) as usize].seqno + random.below(3),
        };
        if !key.is_empty() {
            check_get(&table, rows, &key, read_seqno);
        }
    }
    assert!(rows.iter().all(|row| table.may_contain(key_hash(SEED, &row.key)).unwrap()));
    let prefixes = rows.iter().flat_map(|row| (0..=row.key.len().min(8)).map(|len| &row.key[..len]));
    assert!(prefixes.into_iter().all(|prefix| table.may_contain_prefix(prefix).unwrap()));
    check_walks(&table, rows, order, random);
    let report = check_table(&context, &path(), Some(&meta)).unwrap();
    assert!(report.faults.is_empty(), "{:?}", report.faults);
    assert_eq!((report.rows, report.bytes), (meta.rows, meta.file_bytes));
    let mut text = String::new();
    dump_table(&context, &path(), &mut text).unwrap();
    assert!(text.contains(&format!("{} rows", meta.rows)), "{text}");
}

#[test]
fn random_tables_answer_as_a_sorted_list_does() {
    for seed in 0..240 {
        let random = SeededRandom::new(seed);
        let order = &orders()[(seed % 4 == 3) as usize];
        let rows = random_rows(&random, order);
        let block_bytes = [0, 256, 700, 4096, 20_000, 64 << 10][random.below(6) as usize];
        let filter = [FilterKind::SplitBlock, FilterKind::Burr][random.below(2) as usize];
        let filter_bits_per_key = [0, 2, 3, 10, 16, 30, 90][random.below(7) as usize];
        let zstd = Method::Zstd(ZstdLevel::new(1 + random.below(6) as u8).unwrap());
        let codec = [Method::None, Method::Lz4, zstd.clone(), zstd][random.below(4) as usize].clone();
        let dictionary = DictionaryOptions {
            bytes_max: [0, 256, 4096][random.below(3) as usize],
            known: (random.below(2) == 0).then(|| Arc::new(Dictionary::new(&[b'p'; 300]).unwrap())),
            table_bytes: [1 << 12, 1 << 16, 1 << 30][random.below(3) as usize],
        };
        let prefix_extractor = by_name(["", "fixed-1", "fixed-4", "delimited-6b-2"][random.below(4) as usize]);
        let options = TableOptions {
            block_bytes,
            codec,
            dictionary,
            filter,
            filter_bits_per_key,
            locator: random.below(3) == 0,
            prefix_extractor,
            hash_seed: SEED,
            row_digests: random.below(2) == 0,
            ..TableOptions::default()
        };
        println_seed(seed, &options, rows.len());
        check_everything(&rows, order, &options, &random);
    }
}

/// Shown only where the test fails.
#[expect(clippy::print_stdout, reason = "a failing test names its seed")]
fn println_seed(seed: u64, options: &TableOptions, rows: usize) {
    println!("seed {seed}: {rows} rows, {options:?}");
}

#[test]
fn thousands_of_versions_span_blocks_and_each_is_found() {
    for order in orders() {
        let mut rows = vec![Row::new("aa", 6, "before"), Row::new("aa", 3, "before")];
        rows.extend((0..5000).rev().map(|seqno| Row::new("kk", seqno * 2 + 1, format!("value {seqno}"))));
        rows.extend([Row::new("zz", 20_000, "after"), Row::new("zzz", 5, "after")]);
        rows.sort_by(|a, b| a.internal().compare(b.internal(), &order));
        for locator in [false, true] {
            let context = context(&order, 1 << 20);
            let options = TableOptions { block_bytes: 1024, hash_seed: SEED, locator, ..TableOptions::default() };
            let meta = write(&context, &options, &rows);
            let table = Arc::new(Table::open(&context, &path(), &meta).unwrap());
            assert!(table.properties().blocks > 50 && table.has_locator() == locator);
            for read_seqno in 0..10_010 {
                let found = table.get(b"kk", key_hash(SEED, b"kk"), read_seqno).unwrap();
                let newest = (read_seqno > 1).then(|| ((read_seqno - 2) / 2 * 2 + 1).min(9999));
                assert_eq!(found.map(|row| row.seqno), newest, "at {read_seqno}");
            }
            check_walks(&table, &rows, &order, &SeededRandom::new(1));
        }
    }
}

#[test]
fn values_of_many_mebibytes_and_the_longest_keys_come_back() {
    let big = |len: usize, seed: u8| (0..len).map(|i| (i as u8).wrapping_mul(31) ^ seed ^ (i >> 13) as u8).collect::<Vec<u8>>();
    for order in orders() {
        let mut rows = vec![
            Row::new("a", 5, big(4 << 20, 1)),
            Row::new("a", 4, big((4 << 20) + 1, 2)),
            Row::new("a", 3, big((9 << 20) + 77, 3)),
            Row::new(big(65_535, 7), 9, ""),
            Row::new(big(65_535, 7), 2, big(66_000, 4)),
            Row::new(big(65_000, 7), 2, "short"),
            Row::new("m", 2, "between"),
        ];
        rows.sort_by(|a, b| a.internal().compare(b.internal(), &order));
        for locator in [false, true] {
            let options = TableOptions { hash_seed: SEED, locator, ..TableOptions::default() };
            check_everything(&rows, &order, &options, &SeededRandom::new(3));
        }
    }
}

#[test]
fn rows_out_of_order_are_refused_and_do_no_harm() {
    let order = KeyOrder::bytewise();
    let context = context(&order, 0);
    let mut writer = TableWriter::create(&context, &TableOptions::default(), path(), TableId(1)).unwrap();
    let mut add = |key: &[u8], seqno| writer.add(InternalKey::new(key, seqno, Kind::Value), RowFlags::NONE, b"v");
    add(b"b", 5).unwrap();
    for (key, seqno) in [(b"b".as_slice(), 5), (b"b", 6), (b"a", 9), (b"", 1), (&[b'x'; 65_536], 1), (b"c", SEQNO_MAX + 1)] {
        assert_eq!(add(key, seqno).unwrap_err().kind(), sediment_base::ErrorKind::InvalidInput);
    }
    add(b"b", 4).unwrap();
    assert_eq!(writer.finish().unwrap().rows, 2);
}

#[test]
fn rows_hidden_by_a_newer_one_are_marked_but_never_beneath_an_operand() {
    let context = context(&KeyOrder::bytewise(), 0);
    let kinds = [Kind::Operand, Kind::Operand, Kind::Value, Kind::Value, Kind::Tombstone, Kind::Value];
    let rows: Vec<Row> =
        kinds.iter().enumerate().map(|(i, kind)| Row { kind: *kind, ..Row::new("k", 9 - i as u64, "") }).collect();
    let meta = write(&context, &TableOptions::default(), &rows);
    let mut cursor = Arc::new(Table::open(&context, &path(), &meta).unwrap()).cursor();
    cursor.seek_to_first().unwrap();
    for is_obsolete in [false, false, false, true, true, true] {
        assert_eq!(cursor.flags().contains(RowFlags::OBSOLETE), is_obsolete);
        cursor.next().unwrap();
    }
}
