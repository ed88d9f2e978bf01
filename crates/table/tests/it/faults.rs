//! A disk that fails, and many readers at once.

use crate::{
    order::orders,
    rows::{Row, context, path, write},
};
use sediment_base::{Cursor, ErrorKind, Result, RowFlags, TableId, seqno::SEQNO_MAX};
use sediment_codec::hash::key_hash;
use sediment_env::{
    fs::{Call, Fault, FaultFs, FaultRule},
    random::SeededRandom,
};
use sediment_table::{Table, TableContext, TableOptions, TableWriter};
use std::sync::Arc;

fn rows() -> Vec<Row> {
    (0..3000).map(|i| Row::new(format!("key {i:05}"), 100 + i, format!("value {i}"))).collect()
}

fn scan(table: &Arc<Table>) -> Result<usize> {
    let mut cursor = table.cursor_uncached();
    cursor.seek_to_first()?;
    let mut count = 0;
    while cursor.is_valid() {
        count += 1;
        cursor.next()?;
    }
    Ok(count)
}

/// A context whose disk fails on demand.
fn failing() -> (TableContext, FaultFs) {
    let sound = context(&orders()[0], 0);
    let fs = FaultFs::new(Arc::clone(&sound.fs));
    (TableContext { fs: Arc::new(fs.clone()), ..sound }, fs)
}

fn rule(nth: u64, fault: Fault, call: Call) -> FaultRule {
    FaultRule::nth(nth, fault).matching(move |found, _| found == call)
}

#[test]
fn one_failed_read_is_tried_again_and_a_lasting_one_is_reported() {
    let (context, fs) = failing();
    let rows = rows();
    let meta = write(&context, &TableOptions::default(), &rows);
    let key = b"key 00700";
    for (fault, nth) in (0..30).flat_map(|nth| [(Fault::Eio, nth), (Fault::ShortRead, nth)]) {
        fs.disarm();
        fs.arm(rule(nth, fault, Call::Read));
        let table = Arc::new(Table::open(&context, &path(), &meta).unwrap());
        assert_eq!(scan(&table).unwrap(), rows.len());
        assert_eq!(&table.get(key, key_hash(0, key), SEQNO_MAX).unwrap().unwrap().value[..], b"value 700");
    }
    assert!(fs.injected().len() > 10);
    fs.disarm();
    let table = Arc::new(Table::open(&context, &path(), &meta).unwrap());
    fs.arm(rule(0, Fault::Eio, Call::Read).sticky());
    let errors = [
        scan(&table).unwrap_err(),
        table.get(key, key_hash(0, key), SEQNO_MAX).unwrap_err(),
        Table::open(&context, &path(), &meta).unwrap_err(),
    ];
    for error in errors {
        assert_eq!(error.kind(), ErrorKind::Io);
        assert_eq!(error.location().unwrap().file, path());
    }
    fs.disarm();
    assert_eq!(scan(&table).unwrap(), rows.len());
}

#[test]
fn a_writer_that_failed_stays_failed() {
    for (fault, call) in [(Fault::Eio, Call::Write), (Fault::PartialWrite, Call::Write), (Fault::Eio, Call::Sync)] {
        let (context, fs) = failing();
        fs.arm(rule(0, fault, call));
        let mut writer = TableWriter::create(&context, &TableOptions::default(), path(), TableId(7)).unwrap();
        let big = Row::new("key", 1, vec![7; 3 << 20]);
        let added = writer.add(big.internal(), RowFlags::NONE, &big.value);
        if call == Call::Write {
            let later = Row::new("later", 1, "");
            assert_eq!(added.unwrap_err().kind(), ErrorKind::Io);
            assert_eq!(writer.add(later.internal(), RowFlags::NONE, b"").unwrap_err().kind(), ErrorKind::Io);
        }
        assert_eq!(writer.finish().unwrap_err().kind(), ErrorKind::Io);
        assert!(Table::open_alone(&context, &path()).is_err() || call == Call::Sync);
    }
}

#[test]
fn readers_share_a_cache_that_is_far_too_small() {
    let context = context(&orders()[0], 40_000);
    let rows = rows();
    let options = TableOptions { block_bytes: 1024, ..TableOptions::default() };
    let meta = write(&context, &options, &rows);
    let table = Arc::new(Table::open(&context, &path(), &meta).unwrap());
    std::thread::scope(|scope| {
        for seed in 0..4 {
            let (table, rows) = (Arc::clone(&table), &rows);
            scope.spawn(move || {
                let random = SeededRandom::new(seed);
                for _ in 0..3000 {
                    let row = &rows[random.below(rows.len() as u64) as usize];
                    let found = table.get(&row.key, key_hash(0, &row.key), SEQNO_MAX).unwrap().unwrap();
                    assert_eq!(found.value[..], row.value[..]);
                    if random.below(500) == 0 {
                        assert_eq!(scan(&table).unwrap(), rows.len());
                    }
                }
            });
        }
    });
    assert!(context.cache.used_bytes() <= context.cache.capacity_bytes());
    assert!(context.cache.misses() > 100);
    drop(table);
    assert_eq!(context.cache.used_bytes(), 0);
}
