//! What readers and writers count, and what they are charged for.

use crate::{
    order::orders,
    rows::{Row, context, path, write},
};
use sediment_base::{
    Account, Cursor, InternalKey, RowFlags, Slice, TableId,
    seqno::SEQNO_MAX,
    stats::{Counter, StatsSnapshot},
};
use sediment_codec::hash::key_hash;
use sediment_env::{
    FaultFs, MemFs,
    fs::{Call, Fault, FaultRule},
};
use sediment_raw::epoch::pin;
use sediment_table::{
    Approach, Looked, PointRead, Reach, ReadCounts, Table, TableContext, TableMeta, TableOptions, TableRow, TableWriter,
};
use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering::SeqCst},
};

const ROWS: u64 = 4000;

fn key(number: u64) -> Vec<u8> {
    format!("key {:05}", number).into_bytes()
}

/// A table with every second key, its blocks counted by name.
fn table(options: &TableOptions, cache_bytes: u64) -> (TableContext, TableMeta) {
    let context = context(&orders()[0], cache_bytes);
    let rows: Vec<Row> = (0..ROWS).map(|number| Row::new(key(number * 2), 100 + number, [7; 50])).collect();
    let meta = write(&context, options, &rows);
    (context, meta)
}

fn open(context: &TableContext, meta: &TableMeta) -> Arc<Table> {
    Arc::new(Table::open(context, &path(), meta).unwrap())
}

fn get(table: &Table, number: u64) -> bool {
    let key = key(number);
    table.get(&key, key_hash(0, &key), SEQNO_MAX).unwrap().is_some()
}

fn look(table: &Table, number: u64, reach: Reach<'_>, counts: &mut ReadCounts) -> Option<Slice> {
    let (key, mut row) = (key(number), None);
    let read = PointRead { key: &key, hash: key_hash(0, &key), read_seqno: SEQNO_MAX, reach };
    let looked = table.look(&read, counts, &mut row).unwrap();
    assert_eq!(row.is_some(), looked == Looked::Found);
    (looked != Looked::OutOfReach).then(|| row.map(|row: TableRow| row.value).unwrap_or_default())
}

fn walk(cursor: &mut impl Cursor) -> u64 {
    let mut rows = 0;
    cursor.seek_to_first().unwrap();
    while cursor.is_valid() {
        rows += 1;
        cursor.next().unwrap();
    }
    rows
}

fn counted(snapshot: &StatsSnapshot, counters: &[Counter]) -> Vec<u64> {
    counters.iter().map(|counter| snapshot.counter(*counter)).collect()
}

const FILTER: [Counter; 3] = [Counter::FilterChecks, Counter::FilterNegatives, Counter::FilterFalsePositives];
const BLOCKS: [Counter; 2] = [Counter::BlockCacheHits, Counter::BlockCacheMisses];

#[test]
fn filters_are_counted_by_what_they_said() {
    let (context, meta) = table(&TableOptions::default(), 1 << 30);
    let table = open(&context, &meta);
    assert!((0..ROWS).all(|number| get(&table, number * 2)));
    let present = context.stats.snapshot();
    assert_eq!(counted(&present, &FILTER), [ROWS, 0, 0]);
    assert!(!(0..ROWS).any(|number| get(&table, number * 2 + 1)));
    let absent = context.stats.snapshot().since(&present);
    let (negatives, wrong) = (absent.counter(Counter::FilterNegatives), absent.counter(Counter::FilterFalsePositives));
    assert_eq!((absent.counter(Counter::FilterChecks), negatives + wrong), (ROWS, ROWS));
    assert!(0 < wrong && wrong < ROWS / 20, "{wrong} of {ROWS}");
    assert_eq!(absent.counter(Counter::BlockCacheHits), wrong, "a maybe costs a block, a no costs none");
    // Too old a read asks nothing; one that sees no version of a key that is there was sent in vain.
    let before = context.stats.snapshot();
    let last = key(ROWS * 2 - 2);
    assert_eq!(table.get(&last, key_hash(0, &last), 100).unwrap(), None);
    assert_eq!(counted(&context.stats.snapshot().since(&before), &FILTER), [0, 0, 0]);
    assert_eq!(table.get(&last, key_hash(0, &last), 101).unwrap(), None);
    assert_eq!(counted(&context.stats.snapshot().since(&before), &FILTER), [1, 0, 1]);
}

#[test]
fn a_table_without_a_filter_asks_none() {
    let options = TableOptions { filter_bits_per_key: 0, ..TableOptions::default() };
    let (context, meta) = table(&options, 1 << 30);
    let table = open(&context, &meta);
    assert!(get(&table, 8) && !get(&table, 9));
    let snapshot = context.stats.snapshot();
    assert_eq!((counted(&snapshot, &FILTER), counted(&snapshot, &BLOCKS)), (vec![0, 0, 0], vec![1, 1]));
}

#[test]
fn blocks_are_counted_by_where_they_were() {
    let (context, meta) = table(&TableOptions::default(), 1 << 30);
    let table = open(&context, &meta);
    let opened = context.stats.snapshot();
    let blocks = table.properties().blocks;
    assert_eq!(opened.counter(Counter::TableOpens), 1);
    let read = opened.counter(Counter::TableOpenBytesRead);
    assert!((table.memory_bytes() as u64 / 2..meta.file_bytes).contains(&read), "{read} bytes");

    assert!((0..ROWS).all(|number| get(&table, number * 2)));
    let points = context.stats.snapshot().since(&opened);
    assert_eq!(counted(&points, &BLOCKS), [ROWS - blocks, blocks]);
    let data_bytes = points.counter(Counter::BlockBytesRead);
    assert!((meta.file_bytes * 8 / 10..meta.file_bytes).contains(&data_bytes), "{data_bytes} bytes");

    let before = context.stats.snapshot();
    assert_eq!(walk(&mut table.cursor()), ROWS);
    assert_eq!(counted(&context.stats.snapshot().since(&before), &BLOCKS), [blocks, 0]);

    let (again, before) = (open(&context, &meta), context.stats.snapshot());
    assert_eq!(walk(&mut again.cursor()), ROWS);
    let scan = context.stats.snapshot().since(&before);
    assert_eq!(counted(&scan, &BLOCKS), [0, blocks]);
    assert_eq!(scan.counter(Counter::BlockBytesRead), data_bytes, "what is read ahead is read once");

    let before = context.stats.snapshot();
    assert_eq!(walk(&mut open(&context, &meta).cursor_uncached()), ROWS);
    let rewrite = context.stats.snapshot().since(&before);
    assert_eq!(counted(&rewrite, &BLOCKS), [0, 0], "rewrites are no readers");
    assert_eq!(rewrite.counter(Counter::BlockBytesRead), 0);
}

/// What is read ahead mostly ends within a block, and the next walk began anew there, with a block by itself.
#[test]
fn a_walk_over_blocks_of_any_length_takes_few_calls() {
    let (disk, reads) = (Arc::new(FaultFs::new(Arc::new(MemFs::new()))), Arc::new(AtomicU64::new(0)));
    let context = TableContext { fs: disk.clone(), ..context(&orders()[0], 0) };
    let value = |number: u64| vec![7; 50 + (number * number % 97) as usize];
    let rows: Vec<Row> = (0..4 * ROWS).map(|number| Row::new(key(number), 1, value(number))).collect();
    let meta = write(&context, &TableOptions::default(), &rows);
    let table = open(&context, &meta);
    let counted = Arc::clone(&reads);
    disk.arm(FaultRule::nth(1_000_000, Fault::Eio).matching(move |call, _| {
        counted.fetch_add(u64::from(call == Call::Read), SeqCst);
        false
    }));
    let before = context.stats.snapshot();
    assert_eq!(walk(&mut table.cursor()), 4 * ROWS);
    let scanned = reads.swap(0, SeqCst);
    // From one block to 64 KiB by doubling, then 64 KiB each.
    assert!(scanned < 6 + meta.file_bytes / (60 << 10), "{scanned} calls for {} bytes", meta.file_bytes);
    let read = context.stats.snapshot().since(&before).counter(Counter::BlockBytesRead);
    assert!(read < meta.file_bytes, "each byte once: {read}");
    assert_eq!(walk(&mut table.cursor_uncached()), 4 * ROWS);
    let rewritten = reads.load(SeqCst);
    assert!(rewritten < 9 + meta.file_bytes / (500 << 10), "{rewritten} calls for {} bytes", meta.file_bytes);
}

#[test]
fn who_asks_several_tables_counts_for_himself() {
    let (context, meta) = table(&TableOptions::default(), 1 << 30);
    let table = open(&context, &meta);
    let mut counts = ReadCounts::default();
    for _ in 0..3 {
        assert_eq!(look(&table, 20, Reach::All, &mut counts), Some([7; 50].into()));
    }
    let block_bytes_read = counts.block_bytes_read;
    let expected = ReadCounts { filter_checks: 3, blocks: 3, blocks_loaded: 1, block_bytes_read, ..ReadCounts::default() };
    assert_eq!(counts, expected);
    assert_eq!(counted(&context.stats.snapshot(), &[Counter::FilterChecks, Counter::BlockBytesRead]), [0, 0]);
    counts.add_to(context.stats.local());
    assert_eq!(counted(&context.stats.snapshot(), &BLOCKS), [2, 1]);
    assert_eq!(context.stats.get(Counter::BlockBytesRead), block_bytes_read);
}

#[test]
fn under_a_pin_a_read_meets_what_is_in_memory_and_counts_nothing_else() {
    let (context, meta) = table(&TableOptions::default(), 1 << 30);
    let table = open(&context, &meta);
    let mut counts = ReadCounts::default();
    let pinned = |number, counts: &mut ReadCounts| look(&table, number, Reach::Resident(&pin()), counts);
    assert_eq!((pinned(20, &mut counts), counts), (None, ReadCounts::default()));
    let absent = (0..).find(|number| !table.may_contain(key_hash(0, &key(number * 2 + 1))).unwrap()).unwrap() * 2 + 1;
    assert_eq!(pinned(absent, &mut counts), Some(Slice::default()), "the filter knows it");
    assert!(get(&table, 20));
    assert_eq!(pinned(20, &mut counts), Some([7; 50].into()));
    assert_eq!(pinned(ROWS * 2 - 2, &mut counts), None, "another block");
    let expected = ReadCounts { filter_checks: 2, filter_negatives: 1, blocks: 1, ..ReadCounts::default() };
    assert_eq!((counts, counted(&context.stats.snapshot(), &BLOCKS)), (expected, vec![0, 1]));
}

#[test]
fn open_tables_are_charged_to_metadata_until_they_close() {
    let (context, meta) = table(&TableOptions::default(), 1 << 30);
    let used = || context.budget.used(Account::Metadata);
    assert_eq!(used(), 0);
    let first = open(&context, &meta);
    let bytes = first.memory_bytes() as u64;
    assert_eq!(used(), bytes);
    assert!(bytes > ROWS * 10 / 8, "the filter alone has ten bits a key: {bytes}");
    let second = open(&context, &meta);
    assert_eq!(used(), 2 * bytes);
    assert!(Table::open(&context, &path(), &TableMeta { root: 1, ..meta.clone() }).is_err());
    drop(first);
    assert_eq!(used(), bytes);
    drop(second);
    assert_eq!(used(), 0);
}

#[test]
fn the_cache_shrinks_when_it_is_told_to() {
    let (context, meta) = table(&TableOptions::default(), 1 << 30);
    let table = open(&context, &meta);
    assert_eq!(walk(&mut table.cursor()), ROWS);
    let all = context.cache.used_bytes();
    assert_eq!(context.budget.used(Account::Cache), all);
    assert!(all > ROWS * 50);
    for capacity in [all / 2, all / 10, 0] {
        context.cache.set_capacity_bytes(capacity);
        assert!(context.cache.used_bytes() <= capacity);
        assert_eq!(context.budget.used(Account::Cache), context.cache.used_bytes());
        assert_eq!(context.cache.capacity_bytes(), capacity);
        assert_eq!(walk(&mut table.cursor()), ROWS, "evicted blocks are read again");
        assert!(context.cache.used_bytes() <= capacity);
    }
    drop(table);
    assert_eq!(context.budget.total_used(), 0);
}

#[test]
fn blocks_are_charged_for_the_memory_that_they_are_in() {
    let (context, meta) = table(&TableOptions::default(), 1 << 30);
    let table = open(&context, &meta);
    let blocks = table.properties().blocks;
    // A block of 4096 bytes and a line of facts about it; the last block is shorter.
    let (least, most) = ((blocks - 1) * (4096 + 64), blocks * (4096 + 64));
    // A point reads a block to where it stays, a walk copies it from what it read ahead.
    assert!((0..ROWS).all(|number| get(&table, number * 2)));
    let used = context.cache.used_bytes();
    assert!((least..=most).contains(&used), "{used} for {blocks} blocks");
    context.cache.set_capacity_bytes(0);
    context.cache.set_capacity_bytes(1 << 30);
    assert_eq!((context.cache.used_bytes(), walk(&mut table.cursor())), (0, ROWS));
    assert_eq!(context.cache.used_bytes(), used);
}

#[test]
fn rewrites_are_charged_for_their_buffers() {
    let (context, meta) = table(&TableOptions::default(), 1 << 30);
    let used = || context.budget.used(Account::Compaction);
    assert_eq!(used(), 0, "the writer is gone");
    let table = open(&context, &meta);
    let mut cursor = table.cursor_uncached();
    assert_eq!(walk(&mut cursor), ROWS);
    let window = used();
    assert!((1 << 16..=1 << 20).contains(&window), "{window}");
    let mut writer = TableWriter::create(&context, &TableOptions::default(), "8".into(), TableId(8)).unwrap();
    for number in 0..ROWS {
        let key = key(number);
        writer.add(InternalKey::new(&key, 1, sediment_base::Kind::Value), RowFlags::NONE, &[1; 100]).unwrap();
    }
    let hashes = ROWS * 8;
    assert!(used() - window > hashes + 100_000, "{}", used() - window);
    writer.finish().unwrap();
    drop(cursor);
    assert_eq!(used(), 0);
}

#[test]
fn what_is_asked_for_ahead_is_no_read() {
    let (context, meta) = table(&TableOptions::default(), 1 << 20);
    let table = open(&context, &meta);
    let (there, absent) = (key(42), key(43));
    let approach = |key: &[u8]| table.approach(key, key_hash(0, key), SEQNO_MAX, None);
    for round in 0..2 {
        table.prefetch_filter(key_hash(0, &there));
        let way = approach(&there).expect("the row is in a block");
        let pin = pin();
        way.prefetch_head(&pin);
        way.prefetch_tags(&pin);
        way.prefetch_slots(&pin);
        way.prefetch_records(&pin);
        drop(pin);
        let before = context.stats.snapshot();
        let loaded = [before.counter(Counter::BlockCacheMisses), u64::from(context.cache.used_bytes() > 0)];
        assert_eq!(loaded, [round; 2], "nothing was loaded ahead");
        assert!(get(&table, 42));
    }
    assert!(approach(&absent).is_none(), "the filter ends it");
}

#[test]
fn a_neighbour_leads_to_the_same_rows_or_is_no_help() {
    let (context, meta) = table(&TableOptions { filter_bits_per_key: 0, ..TableOptions::default() }, 1 << 20);
    let table = open(&context, &meta);
    let approach = |key: &[u8], near: Option<&Approach<'_>>| table.approach(key, key_hash(0, key), SEQNO_MAX, near);
    let neighbours: Vec<_> = (0..ROWS).step_by(97).filter_map(|row| approach(&key(row), None)).collect();
    for row in 0..ROWS {
        let (asked, mut counts) = (key(row), ReadCounts::default());
        let alone = approach(&asked, None).map(|way| format!("{way:?}"));
        for near in &neighbours {
            let way = approach(&asked, Some(near)).expect("the key is not before the table");
            assert_eq!(Some(format!("{way:?}")), alone, "row {row}");
        }
        let way = approach(&asked, neighbours.first()).expect("the key is not before the table");
        let read = PointRead { key: &asked, hash: key_hash(0, &asked), read_seqno: SEQNO_MAX, reach: Reach::All };
        let mut found = None;
        table.look_at(&way, &read, &mut counts, &mut found).unwrap();
        assert_eq!(found, table.get(&asked, read.hash, SEQNO_MAX).unwrap());
    }
}
