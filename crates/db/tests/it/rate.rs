//! Compactions keep to what they may write in a second.

use crate::disks::{DIR, open_env, small};
use sediment_env::{Env, MemFs};
use sedimentdb::{Db, ErrorKind, Keyspace, stats::Counter};

const LIMIT: u64 = 64 << 10;

fn write_and_compact(db: &Db, keyspace: &Keyspace) {
    for number in 0..300 {
        keyspace.insert(format!("{number:04}"), vec![number as u8; 1000]).unwrap();
    }
    db.compact().unwrap();
}

/// Bytes that compactions have written, and for how long they were held up.
fn counted(db: &Db) -> (u64, u64) {
    let counted = db.stats().counted;
    (counted.counter(Counter::CompactionBytesWritten), counted.counter(Counter::CompactionWaitUs))
}

#[test]
fn together_they_take_the_time_that_the_limit_says() {
    // Time moves on only where somebody waits for it.
    let (env, _stepper) = Env::stepped(MemFs::new(), 3);
    let mut options = small();
    options.expert.compaction_bytes_per_s = Some(LIMIT);
    let db = Db::builder(DIR).options(options).env(env).open().unwrap();
    let (a, b) = (db.keyspace("a").unwrap(), db.keyspace("b").unwrap());
    write_and_compact(&db, &a);
    write_and_compact(&db, &b);
    let (written, waited_us) = counted(&db);
    let due_us = written * 1_000_000 / LIMIT;
    assert!(written > 600_000 && waited_us.abs_diff(due_us) < due_us / 50, "{written} bytes in {waited_us}, not {due_us}");
    db.limit_compaction(None).unwrap();
    write_and_compact(&db, &a);
    assert!(counted(&db).0 > written);
    assert_eq!(counted(&db).1, waited_us, "nobody is held up any more");
    db.limit_compaction(Some(2 * LIMIT)).unwrap();
    let (before, _) = counted(&db);
    write_and_compact(&db, &b);
    let (written, waited_us) = (counted(&db).0 - before, counted(&db).1 - waited_us);
    let due_us = written * 500_000 / LIMIT;
    assert!(waited_us.abs_diff(due_us) < due_us / 50, "{written} bytes in {waited_us}, not {due_us}");
}

#[test]
fn a_limit_out_of_range_is_refused_and_changes_nothing() {
    let db = open_env(Env::simulated(MemFs::new(), 7)).unwrap();
    for bytes in [0, LIMIT - 1, (1 << 40) + 1] {
        assert_eq!(db.limit_compaction(Some(bytes)).unwrap_err().kind(), ErrorKind::InvalidInput);
    }
    write_and_compact(&db, &db.keyspace("a").unwrap());
    assert_eq!(counted(&db).1, 0);
}
