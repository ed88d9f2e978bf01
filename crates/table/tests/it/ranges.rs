//! Range tombstones in tables: with rows, beyond them, without any.

use crate::rows::{Row, context, path};
use sediment_base::{Cursor, KeyOrder, RangeTombstone, RowFlags, TableId};
use sediment_table::{
    RangeCounts, Table, TableContext, TableMeta, TableOptions, TableWriter, check::check_table, dump::dump_table,
};
use std::sync::Arc;

fn tombstone(start: &str, end: &str, seqno: u64) -> RangeTombstone {
    RangeTombstone { start: start.into(), end: end.into(), seqno }
}

fn write(context: &TableContext, rows: &[Row], tombstones: &[RangeTombstone]) -> TableMeta {
    let mut writer = TableWriter::create(context, &TableOptions::default(), path(), TableId(7)).unwrap();
    rows.iter().for_each(|row| writer.add(row.internal(), RowFlags::NONE, &row.value).unwrap());
    writer.add_range_tombstones(tombstones.iter().cloned());
    writer.finish().unwrap()
}

fn faults(context: &TableContext, meta: &TableMeta) -> Vec<String> {
    check_table(context, &path(), Some(meta)).unwrap().faults.iter().map(ToString::to_string).collect()
}

#[test]
fn bounds_and_counts_hold_rows_and_range_tombstones() {
    let context = context(&KeyOrder::bytewise(), 1 << 20);
    let rows = [Row::new("d", 9, "1"), Row::new("e", 2, "2")];
    let meta = write(&context, &rows, &[tombstone("a", "c", 4), tombstone("b", "g", 11)]);
    assert_eq!((&*meta.range.min, &*meta.range.max, meta.range.is_open), (&b"a"[..], &b"g"[..], true));
    assert_eq!((meta.min_seqno, meta.max_seqno, meta.rows), (2, 9, 2));
    assert_eq!(meta.ranges, RangeCounts { count: 2, min_seqno: 4, max_seqno: 11 });
    assert_eq!((meta.oldest_seqno(), meta.newest_seqno()), (2, 11));
    assert_eq!(faults(&context, &meta), [""; 0]);
    let table = Table::open(&context, &path(), &meta).unwrap();
    let ranges = table.range_tombstones().expect("there are two");
    assert_eq!((ranges.cover(b"d", 99, &context.order), ranges.cover(b"b", 11, &context.order)), (11, 4));
    let mut text = String::new();
    dump_table(&context, &path(), &mut text).unwrap();
    assert!(text.contains("a..c@4 RangeTombstone") && text.contains("b..g@11 RangeTombstone"), "{text}");
}

#[test]
fn the_end_of_a_range_that_is_a_row_too_lies_inside() {
    let context = context(&KeyOrder::bytewise(), 1 << 20);
    let meta = write(&context, &[Row::new("c", 9, "1")], &[tombstone("a", "c", 4)]);
    assert_eq!((&*meta.range.min, &*meta.range.max, meta.range.is_open), (&b"a"[..], &b"c"[..], false));
    assert_eq!(faults(&context, &meta), [""; 0]);
}

#[test]
fn a_table_of_range_tombstones_alone_holds_no_row() {
    let context = context(&KeyOrder::bytewise(), 1 << 20);
    let meta = write(&context, &[], &[tombstone("", "c", 4), tombstone("x", "", 6)]);
    assert_eq!((meta.rows, meta.min_seqno, meta.max_seqno, meta.oldest_seqno(), meta.newest_seqno()), (0, 0, 0, 4, 6));
    assert!(meta.range.contains(b"\xff\xff", &context.order) && meta.range.contains(b"\0", &context.order));
    assert_eq!(faults(&context, &meta), [""; 0]);
    let table = Arc::new(Table::open(&context, &path(), &meta).unwrap());
    assert_eq!(table.get(b"a", 1, 99).unwrap(), None);
    let mut cursor = table.cursor();
    for seek in [TableCursorMove::First, TableCursorMove::Last, TableCursorMove::To, TableCursorMove::Before] {
        seek.apply(&mut cursor);
        assert!(!cursor.is_valid());
    }
    dump_table(&context, &path(), &mut String::new()).unwrap();
}

enum TableCursorMove {
    First,
    Last,
    To,
    Before,
}

impl TableCursorMove {
    fn apply(self, cursor: &mut impl Cursor) {
        let key = sediment_base::InternalKey::before(b"a");
        match self {
            Self::First => cursor.seek_to_first(),
            Self::Last => cursor.seek_to_last(),
            Self::To => cursor.seek(key),
            Self::Before => cursor.seek_before(key),
        }
        .unwrap();
    }
}

#[test]
fn a_table_of_nothing_is_refused() {
    let context = context(&KeyOrder::bytewise(), 1 << 20);
    let mut writer = TableWriter::create(&context, &TableOptions::default(), path(), TableId(7)).unwrap();
    writer.add_range_tombstones([tombstone("b", "b", 4)]);
    assert!(writer.finish().unwrap_err().to_string().contains("at least one row"));
}
