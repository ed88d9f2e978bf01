//! Segments hold the rows that a walk row by row would meet, key by key, and no half of a key.

use crate::{
    order::orders,
    rows::{Row, context, path, random_rows, write},
};
use sediment_base::{Cursor, InternalKey, KeyOrder};
use sediment_env::random::SeededRandom;
use sediment_table::{Segment, Table, TableCursor, TableOptions};
use std::{ops::Bound, ops::Range, sync::Arc};

/// The rows of a segment, taken from both ends at random, in the order of the table.
fn rows_of(segment: &mut Segment, random: &SeededRandom) -> Vec<Vec<Row>> {
    let (mut front, mut back) = (Vec::new(), Vec::new());
    loop {
        let is_front = random.below(2) == 0;
        let Some(key) = (if is_front { segment.next_key() } else { segment.next_key_back() }) else { break };
        let rows = read_key(segment, key);
        if is_front { front.push(rows) } else { back.push(rows) }
    }
    assert_eq!((segment.next_key(), segment.next_key_back()), (None, None));
    front.extend(back.into_iter().rev());
    front
}

fn read_key(segment: &mut Segment, rows: Range<usize>) -> Vec<Row> {
    segment.check(&rows).unwrap();
    let read = |row| {
        segment.stand(row);
        let (head, key, value) = (segment.row(row), segment.key().to_vec(), segment.value().to_vec());
        Row { key, seqno: head.seqno, kind: head.kind, value }
    };
    rows.map(read).collect()
}

/// The keys of these rows, each with its rows.
fn by_key(rows: &[Row]) -> Vec<Vec<Row>> {
    rows.chunk_by(|a, b| a.key == b.key).map(<[Row]>::to_vec).collect()
}

fn stands_at(cursor: &TableCursor, rows: &[Row]) -> usize {
    rows.iter().position(|row| row.internal() == cursor.key() && row.value == cursor.value()).expect("a row of the table")
}

fn check_table(table: &Arc<Table>, rows: &[Row], order: &KeyOrder, random: &SeededRandom) {
    let mut segment = Segment::default();
    for _ in 0..60 {
        let [here, bound] = [(); 2].map(|()| &rows[random.below(rows.len() as u64) as usize]);
        let bound = match random.below(3) {
            0 => Bound::Unbounded,
            1 => Bound::Included(&bound.key[..]),
            _ => Bound::Excluded(&bound.key[..]),
        };
        let mut cursor = table.cursor();
        cursor.seek(here.internal()).unwrap();
        let compare = |row: &Row, key: &[u8]| order.compare(&row.key, key);
        if random.below(2) == 0 {
            let first = rows.partition_point(|row| compare(row, &here.key).is_le());
            let limit = match bound {
                Bound::Unbounded => rows.len(),
                Bound::Included(key) => rows.partition_point(|row| compare(row, key).is_le()),
                Bound::Excluded(key) => rows.partition_point(|row| compare(row, key).is_lt()),
            };
            if cursor.segment_after(bound, &mut segment) {
                let end = stands_at(&cursor, rows) + 1;
                assert!(first < end && end <= limit);
                assert!(rows.get(end).is_none_or(|next| next.key != rows[end - 1].key), "half a key");
                assert_eq!(rows_of(&mut segment, random), by_key(&rows[first..end]));
            } else {
                assert_eq!(cursor.key(), here.internal());
            }
        } else {
            let end = rows.partition_point(|row| compare(row, &here.key).is_le());
            cursor.seek(rows[end - 1].internal()).unwrap();
            let limit = match bound {
                Bound::Unbounded => 0,
                Bound::Included(key) => rows.partition_point(|row| compare(row, key).is_lt()),
                Bound::Excluded(key) => rows.partition_point(|row| compare(row, key).is_le()),
            };
            if cursor.segment_before(bound, &mut segment) {
                let first = stands_at(&cursor, rows);
                assert!(limit <= first && first < end);
                assert!(first == 0 || rows[first - 1].key != rows[first].key, "half a key");
                assert_eq!(rows_of(&mut segment, random), by_key(&rows[first..end]));
            } else {
                assert_eq!(cursor.key(), rows[end - 1].internal());
            }
        }
    }
}

#[test]
fn segments_agree_with_a_sorted_list() {
    for seed in 0..60 {
        let random = SeededRandom::new(seed);
        for order in orders() {
            let context = context(&order, 1 << 20);
            let rows = random_rows(&random, &order);
            let options = TableOptions {
                block_bytes: [256, 4096][random.below(2) as usize],
                row_digests: random.below(2) == 0,
                ..TableOptions::default()
            };
            let meta = write(&context, &options, &rows);
            let table = Arc::new(Table::open(&context, &path(), &meta).unwrap());
            check_table(&table, &rows, &order, &random);
        }
    }
}

/// A whole walk, and how many rows of it no segment gave.
fn walk(table: &Arc<Table>, is_forward: bool) -> (Vec<Vec<u8>>, usize) {
    let (mut cursor, mut segment) = (table.cursor(), Segment::default());
    let (mut keys, mut stepped) = (Vec::new(), 0);
    if is_forward { cursor.seek_to_first() } else { cursor.seek_to_last() }.unwrap();
    while cursor.is_valid() {
        if is_forward {
            stepped += 1;
            keys.push(cursor.key().user_key.to_vec());
            cursor.segment_after(Bound::Unbounded, &mut segment);
        } else if !cursor.segment_before(Bound::Unbounded, &mut segment) {
            stepped += 1;
            keys.push(cursor.key().user_key.to_vec());
        }
        while let Some(key) = if is_forward { segment.next_key() } else { segment.next_key_back() } {
            segment.stand(key.start);
            keys.push(segment.key().to_vec());
        }
        if is_forward { cursor.next() } else { cursor.prev() }.unwrap();
    }
    (keys, stepped)
}

#[test]
fn a_walk_without_rivals_is_almost_all_segments() {
    let order = KeyOrder::bytewise();
    let context = context(&order, 1 << 20);
    let rows: Vec<Row> = (0..2000_u32).map(|i| Row::new(format!("key{i:06}"), 7, [1; 100])).collect();
    let meta = write(&context, &TableOptions::default(), &rows);
    let table = Arc::new(Table::open(&context, &path(), &meta).unwrap());
    let mut expected: Vec<Vec<u8>> = rows.iter().map(|row| row.key.clone()).collect();
    let (keys, stepped) = walk(&table, true);
    assert!(keys == expected && stepped < 80, "{stepped} rows one by one");
    expected.reverse();
    assert_eq!(walk(&table, false), (expected, 0));
}

#[test]
fn versions_that_go_on_in_the_next_block_are_left_to_the_cursor() {
    let order = KeyOrder::bytewise();
    let context = context(&order, 1 << 20);
    let versions = (0..100).rev().map(|seqno| Row::new("m", seqno, [2; 200]));
    let rows: Vec<Row> = [Row::new("a", 1, "")].into_iter().chain(versions).chain([Row::new("z", 1, "")]).collect();
    let meta = write(&context, &TableOptions::default(), &rows);
    let table = Arc::new(Table::open(&context, &path(), &meta).unwrap());
    let (mut cursor, mut segment) = (table.cursor(), Segment::default());
    cursor.seek_to_first().unwrap();
    assert!(!cursor.segment_after(Bound::Unbounded, &mut segment), "its versions do not end in this block");
    cursor.seek(InternalKey::new(b"m", 0, sediment_base::Kind::Value)).unwrap();
    assert!(!cursor.segment_before(Bound::Unbounded, &mut segment), "nor begin in that one");
    assert!(cursor.segment_after(Bound::Unbounded, &mut segment));
    assert_eq!(rows_of(&mut segment, &SeededRandom::new(1)), [[Row::new("z", 1, "")]]);
}
