//! Snapshots hold a moment, over flushes and compactions, and say who made them.

use crate::disks::{open, rows, text};
use sediment_env::MemFs;

#[test]
fn a_snapshot_outlives_overwrites_flush_and_compaction() {
    let db = open(&MemFs::new());
    let (a, b) = (db.keyspace("a").unwrap(), db.keyspace("b").unwrap());
    let mut held = Vec::new();
    for round in 0..5 {
        a.insert("x", format!("{round}")).unwrap();
        if round % 2 == 0 {
            b.insert("y", "there").unwrap()
        } else {
            b.remove("y").unwrap()
        }
        held.push(db.snapshot());
        db.flush().unwrap();
    }
    db.compact().unwrap();
    for (round, snapshot) in held.iter().enumerate() {
        assert_eq!(rows(snapshot.iter(&a)), [format!("x={round}")]);
        assert_eq!(snapshot.contains_key(&b, "y").unwrap(), round % 2 == 0);
    }
    drop(held);
    db.compact().unwrap();
    assert_eq!(text(&a, "x").as_deref(), Some("4"));
    let rows_stored: u64 = db.stats().keyspaces[0].levels.iter().map(|level| level.rows).sum();
    assert_eq!(rows_stored, 1, "nobody holds the old versions any more");
}

#[test]
fn stats_name_the_line_that_made_a_snapshot() {
    let db = open(&MemFs::new());
    let line = line!() + 1;
    let snapshot = db.snapshot();
    let stats = db.stats();
    assert_eq!(stats.snapshots.len(), 1);
    assert!(stats.snapshots[0].made_at.file().ends_with("snapshots.rs"));
    assert_eq!(stats.snapshots[0].made_at.line(), line);
    drop(snapshot.clone());
    assert_eq!(db.stats().snapshots.len(), 1);
    drop(snapshot);
    assert!(db.stats().snapshots.is_empty());
}

#[test]
fn an_iterator_shows_the_moment_it_began_from_both_ends() {
    let db = open(&MemFs::new());
    let a = db.keyspace("a").unwrap();
    for key in ["a", "b", "c", "d"] {
        a.insert(key, "1").unwrap();
    }
    let mut iter = a.range("a"..="d");
    assert_eq!(iter.next().unwrap().unwrap().0, "a");
    a.insert("b", "2").unwrap();
    a.remove("c").unwrap();
    a.insert("e", "2").unwrap();
    db.flush().unwrap();
    assert_eq!(iter.next_back().unwrap().unwrap().0, "d");
    assert_eq!(rows(iter), ["b=1", "c=1"]);
    assert_eq!(rows(a.iter().rev()), ["e=2", "d=1", "b=2", "a=1"]);
}

#[test]
fn readers_see_batches_whole_while_writers_flush() {
    let db = open(&MemFs::new());
    let (a, b) = (db.keyspace("a").unwrap(), db.keyspace("b").unwrap());
    std::thread::scope(|scope| {
        let writer = scope.spawn(|| {
            for i in 0..2000 {
                let mut batch = db.batch();
                let value = format!("{i:0>64}");
                batch.insert(&a, "x", &value).insert(&b, "x", &value).insert(&a, format!("{i}"), &value);
                batch.commit().unwrap();
            }
        });
        while !writer.is_finished() {
            let first = a.get("x").unwrap();
            let second = b.get("x").unwrap();
            assert!(first <= second, "{first:?} {second:?}");
            let snapshot = db.snapshot();
            assert_eq!(snapshot.get(&a, "x").unwrap(), snapshot.get(&b, "x").unwrap());
        }
    });
    assert_eq!(a.iter().count(), 2001);
    assert!(db.verify().unwrap().faults.is_empty());
}
