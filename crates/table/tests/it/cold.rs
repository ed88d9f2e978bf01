//! What large rewrites leave in the memory of the system: of the tables that they write what readers want, of those that they read
//! nothing.

use crate::{
    order::orders,
    rows::{Row, context, path, write},
};
use sediment_base::{Cursor, InternalKey, KeyRange, stats::Counter};
use sediment_env::MemFs;
use sediment_table::{Table, TableContext, TableMeta, TableOptions};
use std::{ops::Range, sync::Arc};

fn key(number: u32) -> Vec<u8> {
    format!("key {number:05}").into_bytes()
}

fn range(numbers: Range<u32>) -> KeyRange {
    KeyRange { min: key(numbers.start).into(), max: key(numbers.end).into(), is_open: true }
}

/// A table of 8000 rows, and its disk.
fn table(cold_but_for: Option<Arc<[KeyRange]>>) -> (MemFs, TableContext, TableMeta) {
    let disk = MemFs::new();
    let context = TableContext { fs: Arc::new(disk.clone()), ..context(&orders()[0], 0) };
    let rows: Vec<Row> = (0..8000).map(|number| Row::new(key(number), 1, [7; 150])).collect();
    let meta = write(&context, &TableOptions { cold_but_for, ..TableOptions::default() }, &rows);
    (disk, context, meta)
}

/// First key of each block, and where it lies.
fn blocks(table: &Table) -> Vec<(Vec<u8>, Range<u64>)> {
    let mut offset = 128;
    let stretches = table.stretches(1).into_iter();
    stretches
        .map(|(first, bytes)| {
            offset += bytes;
            (first.to_vec(), offset - bytes..offset)
        })
        .collect()
}

fn evicted(disk: &MemFs) -> Vec<Range<u64>> {
    let evicted = disk.evicted();
    assert!(evicted.iter().all(|(file, _)| *file == path()));
    evicted.into_iter().map(|(_, bytes)| bytes).collect()
}

fn counted(context: &TableContext) -> u64 {
    context.stats.get(Counter::CompactionBytesEvicted)
}

#[test]
fn of_a_cold_table_the_blocks_stay_whose_keys_are_wanted() {
    let wanted = [range(0..1), range(1000..1003), range(1004..1100), range(7999..8000)];
    for wanted in [&wanted[..], &wanted[1..3], &[]] {
        let (disk, context, meta) = table(Some(wanted.into()));
        let (evicted, blocks) = (evicted(&disk), blocks(&Table::open(&context, &path(), &meta).unwrap()));
        assert!(evicted.is_sorted_by_key(|bytes| bytes.start));
        assert_eq!(evicted.len(), if wanted.is_empty() { 1 } else { 2 }, "neighbours go at once: {evicted:?}");
        assert_eq!(evicted.iter().map(|bytes| bytes.end - bytes.start).sum::<u64>(), counted(&context));
        let mut staying = 0;
        for number in 0..8000 {
            let key = key(number);
            let (_, place) = &blocks[blocks.partition_point(|(first, _)| *first <= key) - 1];
            let is_kept = !evicted.iter().any(|bytes| bytes.start < place.end && place.start < bytes.end);
            let is_wanted = wanted.iter().any(|range| range.contains(&key, &context.order));
            assert!(is_kept || !is_wanted, "{number}");
            staying += u32::from(is_kept && !is_wanted);
        }
        assert!(staying < 40 * wanted.len() as u32 + 1, "no more than lies beside: {staying}");
    }
}

#[test]
fn a_table_stays_that_is_not_cold() {
    let (disk, context, _) = table(None);
    assert_eq!((evicted(&disk), counted(&context)), (vec![], 0));
}

#[test]
fn an_evicting_cursor_leaves_nothing_of_what_it_has_read() {
    let (disk, context, meta) = table(None);
    let table = Arc::new(Table::open(&context, &path(), &meta).unwrap());
    let all = blocks(&table);
    let mut cursor = table.cursor_uncached();
    cursor.seek_to_first().unwrap();
    drop(cursor);
    assert_eq!(evicted(&disk), [], "another cursor leaves it");
    let from = &all[all.len() / 3];
    let mut cursor = table.cursor_evicting();
    cursor.seek(InternalKey::before(&from.0)).unwrap();
    let mut rows = 0;
    while cursor.is_valid() {
        let block = &all[all.partition_point(|(first, _)| first[..] <= *cursor.key().user_key) - 1];
        assert!(
            evicted(&disk).iter().all(|bytes| bytes.end <= block.1.start),
            "it still stands on {block:?} {:?}",
            evicted(&disk)
        );
        rows += 1;
        cursor.next().unwrap();
    }
    assert!(rows > 5000);
    drop(cursor);
    // The block before is looked into as well: the key could have begun there.
    let (evicted, end) = (evicted(&disk), all.last().unwrap().1.end);
    let first = evicted[0].start;
    assert!(first == from.1.start || first == all[all.len() / 3 - 1].1.start);
    assert_eq!(evicted.last().unwrap().end, end);
    for pair in evicted.windows(2) {
        assert_eq!(pair[1].start, pair[0].end - pair[0].end % 4096, "a page that lay in two parts goes whole");
    }
    assert_eq!(counted(&context), end - first);
    assert!(evicted.len() < 12, "in large pieces: {evicted:?}");
}
