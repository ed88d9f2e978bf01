//! Damaged tables give errors that name file and offset; never a wrong or absent value, never a panic.

use crate::{
    order::orders,
    rows::{Row, context, path, write},
};
use sediment_base::{Cursor, Error, ErrorKind, Kind, Result, seqno::SEQNO_MAX};
use sediment_codec::hash::key_hash;
use sediment_table::{Table, TableContext, TableMeta, TableOptions, check::check_table, dump::dump_table};
use std::sync::Arc;

fn rows() -> Vec<Row> {
    let mut rows: Vec<Row> = (0..60).map(|i| Row::new(format!("key {i:03}"), 100 + i, format!("value {i}"))).collect();
    rows.splice(20..20, (0..40).rev().map(|seqno| Row::new("key 019x", seqno + 1, format!("version {seqno}"))));
    rows.insert(9, Row { kind: Kind::Tombstone, ..Row::new("key 008x", 7, "") });
    rows
}

/// A table on a disk, and how to change its bytes.
struct Victim {
    context: TableContext,
    meta: TableMeta,
    rows: Vec<Row>,
    sound: Vec<u8>,
}

impl Victim {
    fn new(rows: Vec<Row>, block_bytes: usize) -> Self {
        Self::with(rows, TableOptions { block_bytes, ..TableOptions::default() })
    }

    fn with(rows: Vec<Row>, options: TableOptions) -> Self {
        let context = context(&orders()[0], 0);
        let options = TableOptions { hash_seed: 1, ..options };
        let meta = write(&context, &options, &rows);
        let file = context.fs.open(&path()).unwrap();
        let mut sound = vec![0; file.len().unwrap() as usize];
        file.read_exact_at(0, &mut sound).unwrap();
        Self { context, meta, rows, sound }
    }

    /// The same disk with these bytes in the place of the table.
    fn put(&self, bytes: &[u8]) {
        self.context.fs.remove_file(&path()).unwrap();
        self.context.fs.create(&path()).unwrap().write_at(0, bytes).unwrap();
    }

    /// Everything a reader can ask; the first error, or nothing. Wrong answers fail the test.
    fn read_all(&self, table: Result<Table>) -> Option<Error> {
        let mut first = None;
        let mut note = |error: Error| {
            first.get_or_insert(error);
        };
        match table {
            Ok(table) => {
                for row in &self.rows {
                    match table.get(&row.key, key_hash(1, &row.key), row.seqno + 1) {
                        Ok(found) => {
                            let found = found.expect("a row is never absent because of damage");
                            assert_eq!((found.seqno, found.kind, &found.value[..]), (row.seqno, row.kind, &row.value[..]));
                        }
                        Err(error) => note(error),
                    }
                }
                let table = Arc::new(table);
                for is_forward in [true, false] {
                    if let Err(error) = self.walk(&table, is_forward) {
                        note(error);
                    }
                }
            }
            Err(error) => note(error),
        }
        first
    }

    fn walk(&self, table: &Arc<Table>, is_forward: bool) -> Result<()> {
        let mut cursor = table.cursor();
        let step = |cursor: &mut dyn Cursor, is_first: bool| match (is_first, is_forward) {
            (true, true) => cursor.seek_to_first(),
            (true, false) => cursor.seek_to_last(),
            (false, true) => cursor.next(),
            (false, false) => cursor.prev(),
        };
        for i in 0..self.rows.len() {
            let row = &self.rows[if is_forward { i } else { self.rows.len() - 1 - i }];
            if let Err(error) = step(&mut cursor, i == 0) {
                assert!(!cursor.is_valid());
                assert_eq!(cursor.seek_to_first().unwrap_err().to_string(), error.to_string(), "errors are sticky");
                return Err(error);
            }
            assert_eq!((cursor.key(), cursor.value()), (row.internal(), &row.value[..]));
        }
        step(&mut cursor, false)?;
        assert!(!cursor.is_valid());
        Ok(())
    }

    fn open(&self) -> Result<Table> {
        Table::open(&self.context, &path(), &self.meta)
    }
}

fn names_its_place(error: &Error) -> bool {
    let place = error.location();
    let kind = matches!(error.kind(), ErrorKind::Corruption | ErrorKind::Unsupported);
    kind && place.is_some_and(|place| place.file == path() && place.offset.is_some())
}

#[test]
fn every_flipped_byte_is_reported_by_the_check_and_never_answers_wrong() {
    let options =
        |block_bytes, row_digests, locator| TableOptions { block_bytes, row_digests, locator, ..TableOptions::default() };
    for options in
        [(300, false, false), (4096, false, false), (300, true, false), (300, false, true)].map(|(a, b, c)| options(a, b, c))
    {
        let victim = Victim::with(rows(), options);
        assert!(victim.read_all(victim.open()).is_none());
        for at in 0..victim.sound.len() {
            let mut bytes = victim.sound.clone();
            bytes[at] ^= 1 << (at % 8);
            victim.put(&bytes);
            let report = check_table(&victim.context, &path(), Some(&victim.meta)).unwrap();
            assert!(!report.faults.is_empty(), "the check overlooks byte {at}");
            assert!(report.faults.iter().all(names_its_place), "byte {at}: {:?}", report.faults);
            let errors = [victim.read_all(victim.open()), victim.read_all(Table::open_alone(&victim.context, &path()))];
            for error in errors {
                assert!(error.iter().all(names_its_place), "byte {at}: {error:?}");
                assert!(error.is_some() || at < 128, "readers overlook byte {at}");
            }
            let mut text = String::new();
            let _ = dump_table(&victim.context, &path(), &mut text);
        }
    }
}

#[test]
fn a_large_value_is_checked_to_its_end() {
    let rows = vec![Row::new("a", 1, "small"), Row::new("b", 1, vec![7; (4 << 20) + 100_000]), Row::new("c", 1, "small")];
    let victim = Victim::new(rows, 4096);
    for at in [200, 400, 70_000, (4 << 20) + 300, (4 << 20) + 90_000] {
        let mut bytes = victim.sound.clone();
        bytes[at] ^= 4;
        victim.put(&bytes);
        assert!(victim.read_all(victim.open()).is_some_and(|error| names_its_place(&error)), "byte {at}");
        assert!(!check_table(&victim.context, &path(), None).unwrap().faults.is_empty(), "byte {at}");
    }
}

#[test]
fn a_file_cut_at_any_length_does_not_open() {
    let victim = Victim::new(rows(), 300);
    for len in 0..victim.sound.len() {
        victim.put(&victim.sound[..len]);
        assert_eq!(victim.open().unwrap_err().kind(), ErrorKind::Corruption, "length {len}");
        assert_eq!(Table::open_alone(&victim.context, &path()).unwrap_err().kind(), ErrorKind::Corruption, "length {len}");
        assert!(!check_table(&victim.context, &path(), None).unwrap().faults.is_empty(), "length {len}");
    }
}

#[test]
fn another_file_under_the_same_name_is_noticed() {
    let victim = Victim::new(rows(), 300);
    let other = Victim::new(rows(), 300);
    let twin = Victim { meta: TableMeta { uuid: sediment_base::FileUuid([9; 16]), ..victim.meta.clone() }, ..other };
    assert!(twin.open().is_err_and(|error| error.kind() == ErrorKind::Corruption));
    let lost_write = TableMeta { root: victim.meta.root ^ 1, ..victim.meta.clone() };
    assert!(Table::open(&victim.context, &path(), &lost_write).is_err());
    let report = check_table(&victim.context, &path(), Some(&lost_write)).unwrap();
    assert_eq!(report.faults.len(), 1);
}

#[test]
fn a_block_moved_to_another_place_does_not_pass() {
    let victim = Victim::new(rows(), 256);
    let mut bytes = victim.sound.clone();
    let blocks: Vec<usize> = (128..bytes.len() - 64).step_by(64).filter(|at| bytes[*at..].starts_with(b"SDMF")).collect();
    let (first, second) = (blocks[0], blocks[1]);
    let len = second - first;
    bytes.copy_within(first..first + len, second);
    victim.put(&bytes);
    assert!(victim.read_all(victim.open()).is_some());
}

#[test]
fn a_key_that_is_newer_than_any_reader_is_absent_without_a_read() {
    let victim = Victim::new(rows(), 256);
    let table = victim.open().unwrap();
    victim.put(&vec![0; victim.sound.len()]);
    assert_eq!(table.get(b"key 000", key_hash(1, b"key 000"), 1).unwrap(), None);
    assert_eq!(table.get(b"key 000", key_hash(1, b"key 000"), 0).unwrap(), None);
    let absent = (0..200).map(|i| format!("none {i}")).filter(|key| !table.may_contain(key_hash(1, key.as_bytes())).unwrap());
    let answered = absent.filter(|key| table.get(key.as_bytes(), key_hash(1, key.as_bytes()), SEQNO_MAX).unwrap().is_none());
    assert!(answered.count() > 180);
}
