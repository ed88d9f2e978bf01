//! Keys that were removed one by one are passed over at once, from the flush of their removes on.

use sedimentdb::{Db, Keyspace, Result, Slice, stats::Counter};

const KEYS: usize = 6000;

fn key_of(row: Option<Result<(Slice, Slice)>>) -> Option<String> {
    row.map(|row| String::from_utf8(row.unwrap().0.to_vec()).unwrap())
}

/// Looks for rows behind and before all of these keys, and for one among them. Returns how many blocks that took and how many runs were passed.
fn ends(db: &Db, keyspace: &Keyspace) -> (u64, u64) {
    let before = db.stats().counted;
    assert_eq!(key_of(keyspace.range("b"..).next()).as_deref(), Some("z"));
    assert_eq!(key_of(keyspace.range("a1".."y").next()), None);
    assert_eq!(key_of(keyspace.range(.."z").next_back()).as_deref(), Some("a"));
    let since = db.stats().counted.since(&before);
    let blocks = since.counter(Counter::BlockCacheHits) + since.counter(Counter::BlockCacheMisses);
    (blocks, since.counter(Counter::RemovedRunsPassed))
}

#[test]
fn what_was_removed_one_by_one_is_passed_over_once_it_is_flushed() {
    let dir = tempfile::tempdir().unwrap();
    let db = Db::open(dir.path()).unwrap();
    let keyspace = db.keyspace("k").unwrap();
    let key = |number: usize| format!("key-{number:05}");
    (0..KEYS).for_each(|number| keyspace.insert(key(number), [7; 100]).unwrap());
    keyspace.insert("a", "first").unwrap();
    keyspace.insert("z", "last").unwrap();
    db.flush().unwrap();
    db.compact().unwrap();
    let snapshot = db.snapshot();
    (0..KEYS).for_each(|number| keyspace.remove(key(number)).unwrap());
    let unflushed = ends(&db, &keyspace);
    assert!(unflushed.0 > 200 && unflushed.1 == 0, "{unflushed:?}");
    db.flush().unwrap();
    assert_eq!(db.stats().counted.counter(Counter::RemovedRunsFound), 1);
    let flushed = ends(&db, &keyspace);
    assert!(flushed.0 < 40 && flushed.1 == 3, "{flushed:?}");
    assert_eq!(snapshot.iter(&keyspace).count(), KEYS + 2);
    keyspace.insert(key(KEYS / 2), "again").unwrap();
    assert_eq!(key_of(keyspace.range("b"..).next()), Some(key(KEYS / 2)));
    keyspace.remove(key(KEYS / 2)).unwrap();
    drop((snapshot, keyspace));
    db.close().unwrap();
    let db = Db::open(dir.path()).unwrap();
    let reopened = ends(&db, &db.keyspace("k").unwrap());
    assert!(reopened.0 < 40 && reopened.1 == 3, "{reopened:?}");
}
