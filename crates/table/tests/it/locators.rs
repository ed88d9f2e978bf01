//! Tables with a locator: what they have, what they do without, and what a locator that leads elsewhere does.

use crate::{
    order::orders,
    rows::{Row, context, path, write},
};
use sediment_base::{
    Account, Cursor, ErrorKind, InternalKey, KeyOrder, Kind, MemoryBudget, RowFlags, TableId, seqno::SEQNO_MAX, stats::Counter,
};
use sediment_codec::{
    compress::{Method, Unpacker},
    seal::{FrameId, Region, Seal},
};
use sediment_table::{
    BlockCache, Table, TableContext, TableMeta, TableOptions, TableWriter, check::check_table, dump::dump_table,
};
use std::sync::Arc;

const ROWS: u64 = 4000;
/// What comes before the lines of a locator.
const HEADER_BYTES: usize = 64;

fn key(number: u64) -> Vec<u8> {
    format!("key {number:05}").into_bytes()
}

/// Every second key: some removed, some with versions that go over the end of a block, one too large for a block of many rows.
fn rows() -> Vec<Row> {
    let versions = |number: u64| if number.is_multiple_of(97) { 40 } else { 1 };
    let row = |number: u64, version: u64| {
        let kind = if number % 5 == 1 { Kind::Tombstone } else { Kind::Value };
        let bytes = if number == 500 { 70_000 } else { 20 };
        let value = if kind == Kind::Value { vec![number as u8; bytes] } else { Vec::new() };
        Row { kind, ..Row::new(key(number * 2), 100 + version, value) }
    };
    (0..ROWS).flat_map(|number| (0..versions(number)).rev().map(move |version| row(number, version))).collect()
}

fn options() -> TableOptions {
    TableOptions { block_bytes: 1024, hash_seed: 5, locator: true, ..TableOptions::default() }
}

fn get(table: &Table, key: &[u8], read_seqno: u64) -> sediment_base::Result<Option<sediment_table::TableRow>> {
    table.get(key, table.key_hash(key), read_seqno)
}

fn counted<const N: usize>(context: &TableContext, counters: [Counter; N]) -> [u64; N] {
    let snapshot = context.stats.snapshot();
    counters.map(|counter| snapshot.counter(counter))
}

const LOCATOR: [Counter; 4] =
    [Counter::LocatorChecks, Counter::LocatorHits, Counter::FilterNegatives, Counter::FilterFalsePositives];

#[test]
fn every_key_is_found_in_the_block_that_the_locator_names_and_no_other_is_looked_into() {
    for row_digests in [false, true] {
        let (context, rows) = (context(&orders()[0], 1 << 30), rows());
        let meta = write(&context, &TableOptions { row_digests, ..options() }, &rows);
        let table = Table::open(&context, &path(), &meta).unwrap();
        assert!(table.has_locator() && table.filter_bytes() == 0, "in place of the filter");
        let keys: Vec<_> = rows.chunk_by(|a, b| a.key == b.key).collect();
        for versions in &keys {
            let found = get(&table, &versions[0].key, SEQNO_MAX).unwrap().unwrap();
            assert_eq!(
                (found.seqno, found.kind, &found.value[..]),
                (versions[0].seqno, versions[0].kind, &versions[0].value[..])
            );
        }
        assert_eq!(counted(&context, LOCATOR), [ROWS, ROWS, 0, 0]);
        let blocks = counted(&context, [Counter::BlockCacheHits, Counter::BlockCacheMisses]);
        let wrong = blocks[0] + blocks[1] - ROWS;
        assert!(wrong < 20, "{wrong} blocks of keys with the same tag");
        // Older versions follow the newest, in its block and in those behind.
        for versions in keys.iter().filter(|versions| versions.len() > 1) {
            for row in *versions {
                let found = get(&table, &row.key, row.seqno + 1).unwrap().unwrap();
                assert_eq!((found.seqno, &found.value[..]), (row.seqno, &row.value[..]));
            }
            assert_eq!(get(&table, &versions[0].key, 100).unwrap(), None);
        }
        let before = counted(&context, LOCATOR);
        assert!((0..ROWS).all(|number| get(&table, &key(number * 2 + 1), SEQNO_MAX).unwrap().is_none()));
        let after = counted(&context, LOCATOR);
        let [checks, hits, negatives, wrong] = std::array::from_fn(|i| after[i] - before[i]);
        assert_eq!((checks, hits, negatives + wrong), (ROWS, 0, ROWS));
        assert!(wrong < ROWS / 50, "{wrong} of {ROWS}");
    }
}

#[test]
fn a_table_of_one_key_or_of_one_version_after_the_other_has_one() {
    for count in [1, 300] {
        let rows: Vec<Row> = (0..count).rev().map(|seqno| Row::new("k", seqno + 1, [1; 50])).collect();
        for order in orders() {
            let context = context(&order, 1 << 20);
            let meta = write(&context, &options(), &rows);
            let table = Table::open(&context, &path(), &meta).unwrap();
            assert!(table.has_locator());
            for row in &rows {
                assert_eq!(get(&table, b"k", row.seqno + 1).unwrap().unwrap().seqno, row.seqno);
            }
            assert!(check_table(&context, &path(), Some(&meta)).unwrap().faults.is_empty());
        }
    }
}

#[test]
fn a_table_that_cannot_have_a_locator_has_a_filter() {
    // Of its blocks some have so many keys, and they are so many, that too little is left of a cell: 11 bits and 14.
    let (context, value) = (context(&orders()[0], 1 << 20), [1; 12 << 10]);
    let options = TableOptions { block_bytes: 16 << 10, codec: Method::Lz4, ..options() };
    let mut writer = TableWriter::create(&context, &options, path(), TableId(7)).unwrap();
    let rows = (0..14_000).map(|number| (format!("{number:05}"), if number < 5000 { &[] } else { &value[..] }));
    for (key, value) in rows.clone() {
        writer.add(InternalKey::new(key.as_bytes(), 9, Kind::Value), RowFlags::NONE, value).unwrap();
    }
    let meta = writer.finish().unwrap();
    let table = Table::open(&context, &path(), &meta).unwrap();
    assert!(!table.has_locator() && table.filter_bytes() > 0, "{} blocks", table.properties().blocks);
    assert!(rows.step_by(50).all(|(key, _)| get(&table, key.as_bytes(), SEQNO_MAX).unwrap().is_some()));
}

#[test]
fn memory_decides_whether_a_table_that_is_opened_has_its_locator() {
    let context = context(&orders()[0], 1 << 30);
    let meta = write(&context, &options(), &rows());
    let alone = Table::open(&context, &path(), &meta).unwrap();
    let with = alone.memory_bytes() as u64;
    drop(alone);
    for (total, has_locator) in [(with * 10, true), (ROWS * 5, false), (0, false)] {
        let budget = Arc::new(MemoryBudget::new(total));
        let cache = Arc::new(BlockCache::with_budget(1 << 20, Arc::clone(&budget)));
        let context = TableContext { budget: Arc::clone(&budget), cache, stats: Arc::default(), ..context.clone() };
        let table = Table::open(&context, &path(), &meta).unwrap();
        assert_eq!(table.has_locator(), has_locator, "of {total} bytes");
        assert_eq!(context.stats.snapshot().counter(Counter::LocatorsLeftOut), u64::from(!has_locator));
        let used = budget.used(Account::Metadata);
        assert_eq!(used, table.memory_bytes() as u64);
        assert!(has_locator == (used == with) && (has_locator || used + ROWS * 5 < with + ROWS / 10), "{used} of {with}");
        for number in 0..ROWS {
            assert!(get(&table, &key(number * 2), SEQNO_MAX).unwrap().is_some());
            assert!(get(&table, &key(number * 2 + 1), SEQNO_MAX).unwrap().is_none());
        }
        assert_eq!(counted(&context, [Counter::FilterChecks]), [if has_locator { 2 * ROWS } else { 0 }]);
    }
}

/// The table with the first frame of its locator changed, its checksum made to fit.
fn with_locator(context: &TableContext, meta: &TableMeta, change: impl FnOnce(&mut [u8])) -> u64 {
    let mut bytes = vec![0; meta.file_bytes as usize];
    context.fs.open(&path()).unwrap().read_exact_at(0, &mut bytes).unwrap();
    let (seal, mut at) = (Seal { uuid: meta.uuid }, 128);
    loop {
        let (header, plain) = seal.open(&Unpacker::default(), at as u64, &bytes[at..]).unwrap();
        if header.region == Region::Locator as u8 {
            let (mut plain, mut frame) = (plain.into_owned(), Vec::new());
            change(&mut plain);
            let id = FrameId { region: header.region, kind: header.kind, ordinal: header.ordinal };
            seal.seal(id, at as u64, &plain, &mut frame).unwrap();
            bytes[at..at + frame.len()].copy_from_slice(&frame);
            break;
        }
        at += header.frame_bytes() as usize;
    }
    context.fs.remove_file(&path()).unwrap();
    context.fs.create(&path()).unwrap().write_at(0, &bytes).unwrap();
    at as u64
}

#[test]
fn a_locator_that_leads_elsewhere_hides_no_key_and_one_that_leads_nowhere_is_an_error() {
    for row_digests in [false, true] {
        let context = context(&KeyOrder::bytewise(), 1 << 30);
        let rows: Vec<Row> = (0..ROWS).map(|number| Row::new(key(number * 2), 100, [7; 20])).collect();
        let meta = write(&context, &TableOptions { row_digests, ..options() }, &rows);
        let cells = |bytes: &mut [u8], change: &dyn Fn(u32) -> u32| {
            for cell in bytes[HEADER_BYTES..].as_chunks_mut::<4>().0.iter_mut().filter(|cell| **cell != [0; 4]) {
                *cell = change(u32::from_le_bytes(*cell)).to_le_bytes();
            }
        };
        // All say the first key of the first block: whoever is there is looked for by the fence.
        let mut place_bits = 0;
        with_locator(&context, &meta, |bytes| {
            place_bits = u32::from(bytes[12] + bytes[13]);
            cells(bytes, &|cell| cell & u32::MAX << place_bits);
        });
        let table = Table::open_alone(&context, &path()).unwrap();
        assert!(table.has_locator());
        assert!(rows.iter().all(|row| get(&table, &row.key, SEQNO_MAX).unwrap().is_some()), "none is hidden");
        assert!((0..ROWS).all(|number| get(&table, &key(number * 2 + 1), SEQNO_MAX).unwrap().is_none()));
        assert_eq!(counted(&context, [Counter::LocatorHits]), [1], "but for the first key");
        assert!(!check_table(&context, &path(), None).unwrap().faults.is_empty(), "the check sees it");
        dump_table(&context, &path(), &mut String::new()).unwrap();
        // All say the last of all places, which is no row or no block.
        let at = with_locator(&context, &meta, |bytes| cells(bytes, &|cell| cell | !(u32::MAX << place_bits)));
        let table = Table::open_alone(&context, &path()).unwrap();
        for row in &rows {
            let error = get(&table, &row.key, SEQNO_MAX).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Corruption);
            assert!(error.location().is_some_and(|place| place.file == path() && place.offset == Some(at)), "{error}");
        }
        let mut cursor = Arc::new(table).cursor();
        cursor.seek_to_first().unwrap();
        assert!(cursor.is_valid(), "walks do without it");
    }
}
