//! Runs of removed keys in tables: they come back, are checked, and what is wrong with them is found.

use crate::{
    order::orders,
    rows::{Row, context, path},
};
use sediment_base::{KeyOrder, Kind, RowFlags, SeqNo, Slice, TableId};
use sediment_table::{
    RemovedCounts, RemovedRuns, Table, TableContext, TableMeta, TableOptions, TableWriter, check::check_table, dump::dump_table,
};

/// Tombstones of 100 to 199 and values around, in the order of a context.
fn rows(order: &KeyOrder) -> Vec<Row> {
    let kind = |number: u64| if (100..200).contains(&number) { Kind::Tombstone } else { Kind::Value };
    let mut rows: Vec<Row> =
        (0..300).map(|number| Row { kind: kind(number), ..Row::new(format!("key {number:03}"), 50 + number, "") }).collect();
    rows.sort_by(|a, b| a.internal().compare(b.internal(), order));
    rows
}

fn run(first: u64, last: u64, order: &KeyOrder) -> (Slice, Slice) {
    let key = |number: u64| Slice::new(format!("key {number:03}").as_bytes());
    let (start, end) = (key(first), key(last));
    if order.compare(&start, &end).is_lt() { (start, end) } else { (end, start) }
}

fn write(context: &TableContext, seqno: SeqNo, runs: Vec<(Slice, Slice)>) -> TableMeta {
    let options = TableOptions { block_bytes: 500, ..TableOptions::default() };
    let mut writer = TableWriter::create(context, &options, path(), TableId(7)).unwrap();
    rows(&context.order).iter().for_each(|row| writer.add(row.internal(), RowFlags::NONE, &row.value).unwrap());
    writer.set_removed_runs(RemovedRuns { seqno, runs });
    writer.finish().unwrap()
}

fn faults(context: &TableContext, meta: &TableMeta) -> Vec<String> {
    check_table(context, &path(), Some(meta)).unwrap().faults.iter().map(ToString::to_string).collect()
}

#[test]
fn they_come_back_and_hide_what_lies_at_or_below_their_seqno() {
    for order in orders() {
        let context = context(&order, 1 << 20);
        let meta = write(&context, 500, vec![run(100, 199, &order)]);
        assert_eq!(meta.removed, RemovedCounts { count: 1, seqno: 500 });
        assert_eq!(faults(&context, &meta), [""; 0]);
        let table = Table::open(&context, &path(), &meta).unwrap();
        let runs = table.removed_runs().expect("there is one");
        let cover = |number: u64| runs.cover(format!("key {number:03}").as_bytes(), SeqNo::MAX, &order);
        assert_eq!((cover(150), cover(99), cover(200)), (501, 0, 0));
        assert_eq!(table.meta(), &meta);
        let mut text = String::new();
        dump_table(&context, &path(), &mut text).unwrap();
        assert!(text.contains("region RemovedRuns") && text.contains("removed for who reads above 500"), "{text}");
        // A manifest may say that they hold no more.
        let outdated = TableMeta { removed: RemovedCounts::default(), ..meta };
        assert_eq!(faults(&context, &outdated), [""; 0]);
    }
}

#[test]
fn a_table_without_them_says_nothing_of_them() {
    let context = context(&KeyOrder::bytewise(), 1 << 20);
    let meta = write(&context, 500, Vec::new());
    assert_eq!(meta.removed, RemovedCounts::default());
    let table = Table::open(&context, &path(), &meta).unwrap();
    assert!(table.removed_runs().is_none());
    let mut text = String::new();
    dump_table(&context, &path(), &mut text).unwrap();
    assert!(!text.contains("RemovedRuns") && !text.contains("removed_"), "{text}");
}

#[test]
fn a_row_in_the_midst_is_found_by_a_check() {
    let order = KeyOrder::bytewise();
    let context = context(&order, 1 << 20);
    let meta = write(&context, 500, vec![run(100, 201, &order)]);
    let faults = faults(&context, &meta);
    assert!(faults.len() == 1 && faults[0].contains("a run of removed keys has"), "{faults:?}");
}

#[test]
fn what_cannot_be_so_is_refused() {
    let order = KeyOrder::bytewise();
    let refused = |seqno, runs| {
        let context = context(&order, 1 << 20);
        let meta = write(&context, seqno, runs);
        let error = Table::open(&context, &path(), &meta).unwrap_err();
        assert!(error.location().is_some_and(|place| place.file == path() && place.offset.is_some()), "{error}");
        assert!(!faults(&context, &meta).is_empty());
        error.to_string()
    };
    let beyond = (Slice::new(b"key 290"), Slice::new(b"key 999"));
    assert!(refused(500, vec![beyond]).contains("outside the bounds"));
    let before = (Slice::new(b"kex"), Slice::new(b"key 110"));
    assert!(refused(500, vec![before]).contains("outside the bounds"));
    assert!(refused(100, vec![run(100, 199, &order)]).contains("sequence number"));
    assert!(refused(500, vec![run(150, 199, &order), run(100, 120, &order)]).contains("out of order"));
}
