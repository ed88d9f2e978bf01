//! A full disk refuses writes without applying them, and goes on by itself when there is room.

use crate::disks::{DIR, bytes, eventually_by, faulty, fill, killed, list, open, open_env, put, recorded, rows, small, text};
use sediment_env::{
    FaultFs, MemFs,
    fs::{Fault, FaultRule},
};
use sedimentdb::{Db, Durability::Os, Durability::Sync, ErrorKind, stats::Counter};
use std::{path::Path, sync::Arc};

#[test]
fn a_refused_commit_is_not_applied_and_writing_resumes() {
    for left in [0, 1, 47, 60, 100] {
        let disk = MemFs::new();
        let (faults, env) = faulty(&disk);
        let db = open_env(env).unwrap();
        let a = db.keyspace("a").unwrap();
        put(&db, &a, "1", "before", Sync).unwrap();
        fill(&faults, "wal/", left);
        for _ in 0..3 {
            let error = put(&db, &a, "2", &"lost".repeat(50), Os).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::NoSpace, "{error}");
        }
        assert_eq!(text(&a, "2"), None, "not applied");
        assert_eq!(text(&a, "1").as_deref(), Some("before"), "reads go on");
        faults.disarm();
        put(&db, &a, "3", "after", Sync).unwrap();
        assert_eq!(rows(a.iter()), ["1=before", "3=after"]);
        assert!(db.stats().poisoned.is_none());
        drop((db, a));
        let db = open(&disk);
        assert_eq!(rows(db.keyspace("a").unwrap().iter()), ["1=before", "3=after"], "{left} bytes left");
        assert!(db.verify().unwrap().faults.is_empty());
    }
}

#[test]
fn commits_waiting_in_memory_are_kept_until_there_is_room() {
    let disk = MemFs::new();
    let (faults, env) = faulty(&disk);
    let db = open_env(env).unwrap();
    let a = db.keyspace("a").unwrap();
    fill(&faults, "wal/", 30);
    put(&db, &a, "1", "waits", sedimentdb::Durability::Memory).unwrap();
    assert_eq!(put(&db, &a, "2", "refused", Os).unwrap_err().kind(), ErrorKind::NoSpace);
    assert_eq!(db.persist(Sync).unwrap_err().kind(), ErrorKind::NoSpace);
    faults.disarm();
    db.persist(Sync).unwrap();
    drop((db, a));
    assert_eq!(rows(open(&disk).keyspace("a").unwrap().iter()), ["1=waits"]);
}

#[test]
fn a_flush_without_room_stops_writers_in_time_and_is_made_up_for() {
    let disk = MemFs::new();
    let (faults, env) = faulty(&disk);
    let db = open_env(env).unwrap();
    let a = db.keyspace("a").unwrap();
    fill(&faults, "trees/", 100);
    let mut written = 0;
    let error = loop {
        match a.insert(format!("{written:05}"), "v".repeat(500)) {
            Ok(()) => written += 1,
            Err(error) => break error,
        }
        assert!(written < 10_000, "memory would run over");
    };
    assert_eq!(error.kind(), ErrorKind::NoSpace, "{error}");
    assert_eq!(a.iter().count(), written);
    faults.disarm();
    a.insert("last", "1").unwrap();
    db.flush().unwrap();
    assert_eq!(a.iter().count(), written + 1);
    drop((db, a));
    let db = open(&disk);
    assert_eq!(db.keyspace("a").unwrap().iter().count(), written + 1);
    assert!(db.verify().unwrap().faults.is_empty());
}

/// With 10,000 bytes in reserve.
fn open_with_reserve(disk: &MemFs) -> (Arc<FaultFs>, Db) {
    open_with(disk, 0)
}

fn open_with(disk: &MemFs, threads: usize) -> (Arc<FaultFs>, Db) {
    let (faults, env) = faulty(disk);
    let mut options = small();
    options.expert.background_threads = Some(threads);
    options.expert.reserve_bytes = 10_000;
    (faults, Db::builder(DIR).options(options).env(env).open().unwrap())
}

#[test]
fn what_is_kept_in_reserve_lets_go_on_what_frees_space() {
    let disk = MemFs::new();
    let (faults, db) = open_with_reserve(&disk);
    let a = db.keyspace("a").unwrap();
    put(&db, &a, "1", "before", Sync).unwrap();
    assert_eq!(bytes(&disk, Path::new("db/RESERVE")).len(), 10_000);
    fill(&faults, "wal/", 0);
    assert_eq!(put(&db, &a, "2", "refused", Os).unwrap_err().kind(), ErrorKind::NoSpace);
    assert_eq!(bytes(&disk, Path::new("db/RESERVE")).len(), 2_500, "the rest is given back");
    faults.disarm();
    // As if what was given back were all there is.
    fill(&faults, "", 9_000);
    let error = put(&db, &a, "2", "still refused", Os).unwrap_err();
    assert!(error.kind() == ErrorKind::NoSpace && error.to_string().contains("20000"), "{error}");
    a.remove("1").unwrap();
    db.compact().unwrap();
    assert_eq!(text(&a, "1"), None);
    assert!(db.drop_keyspace("a").unwrap());
    faults.disarm();
    let b = db.keyspace("b").unwrap();
    put(&db, &b, "1", "after", Sync).unwrap();
    assert_eq!(bytes(&disk, Path::new("db/RESERVE")).len(), 10_000, "held again");
    assert_eq!(rows(b.iter()), ["1=after"]);
}

/// What a running flush or compaction takes of the last space, it gives back when it fails.
#[test]
fn what_frees_space_is_tried_again_on_a_full_disk() {
    let disk = MemFs::new();
    let (faults, db) = open_with_reserve(&disk);
    let (a, b) = (db.keyspace("a").unwrap(), db.keyspace("b").unwrap());
    put(&db, &a, "1", "before", Sync).unwrap();
    let fail_once = || {
        let rule = FaultRule::nth(0, Fault::NoSpace { after_bytes: 0 });
        faults.arm(rule.matching(|_, path| path.to_string_lossy().contains("wal/")));
    };
    fail_once();
    assert_eq!(put(&db, &a, "2", "refused", Os).unwrap_err().kind(), ErrorKind::NoSpace);
    fail_once();
    a.remove("1").unwrap();
    fail_once();
    a.clear().unwrap();
    fail_once();
    assert!(db.drop_keyspace("a").unwrap());
    assert_eq!((rows(b.iter()), db.keyspace_names()), (vec![], vec!["b".to_owned()]));
}

#[test]
fn a_keyspace_is_made_or_cleared_whole_or_leaves_no_tree() {
    let disk = MemFs::new();
    let (faults, env) = faulty(&disk);
    let db = open_env(env).unwrap();
    let a = db.keyspace("a").unwrap();
    put(&db, &a, "1", "before", Sync).unwrap();
    let before = list(&disk, "trees");
    fill(&faults, "wal/", 0);
    assert_eq!(db.keyspace("b").unwrap_err().kind(), ErrorKind::NoSpace);
    assert_eq!(a.clear().unwrap_err().kind(), ErrorKind::NoSpace);
    assert_eq!((list(&disk, "trees"), rows(a.iter())), (before, vec!["1=before".to_owned()]));
    faults.disarm();
    a.clear().unwrap();
    db.keyspace("b").unwrap();
    assert_eq!(rows(a.iter()), [""; 0]);
}

/// The catalog on disk named it still, and nobody came back to it.
#[test]
fn a_keyspace_that_was_dropped_without_room_for_the_catalog_goes_later() {
    for threads in [0, 1] {
        let disk = MemFs::new();
        let (faults, db) = open_with(&disk, threads);
        let (a, b) = (db.keyspace("a").unwrap(), db.keyspace("b").unwrap());
        put(&db, &a, "1", "before", Sync).unwrap();
        db.flush().unwrap();
        drop(a);
        fill(&faults, "wal/", 0);
        assert_eq!(put(&db, &b, "1", "refused", Os).unwrap_err().kind(), ErrorKind::NoSpace);
        faults.disarm();
        fill(&faults, "catalog", 0);
        assert!(db.drop_keyspace("a").unwrap());
        assert!(list(&disk, "trees").contains(&"1".to_owned()), "the catalog could not be written");
        faults.disarm();
        let tried = || match threads {
            0 => drop(put(&db, &b, "1", "a write sees to it", Os)),
            _ => assert!(b.iter().next().is_none()),
        };
        assert!(eventually_by(tried, || !list(&disk, "trees").contains(&"1".to_owned())), "{threads} threads");
    }
}

#[test]
fn a_compaction_that_might_not_fit_does_not_begin() {
    let disk = MemFs::new();
    let (faults, db) = open_with_reserve(&disk);
    let a = db.keyspace("a").unwrap();
    for number in 0..20 {
        put(&db, &a, &format!("{number:02}"), &"x".repeat(2_000), Os).unwrap();
    }
    db.flush().unwrap();
    let postponed = || db.stats().counted.counter(Counter::CompactionsPostponed);
    fill(&faults, "", 30_000);
    let error = db.compact().unwrap_err();
    assert!(error.kind() == ErrorKind::NoSpace && error.to_string().contains("\"a\" needs up to 4"), "{error}");
    assert_eq!(postponed(), 1);
    assert!(!db.stats().pace.is_disk_full, "it has not tried");
    put(&db, &a, "21", "goes on", Os).unwrap();
    faults.disarm();
    db.compact().unwrap();
    assert_eq!((postponed(), a.iter().count()), (1, 21));
}

/// A flush covered what the process had found, while a full disk kept it from being repeated, and its files were removed: with room again
/// it was still to be repeated, could not be read, and nothing could be written any more.
#[test]
fn what_was_found_need_not_be_repeated_once_tables_hold_it() {
    let disk = recorded();
    let mut options = small();
    options.expert.memtable_bytes = Some(1 << 20);
    let open = |env| Db::builder(DIR).options(options.clone()).env(env).open().unwrap();
    let db = open(faulty(&disk).1);
    let a = db.keyspace("a").unwrap();
    for i in 0..40 {
        put(&db, &a, &format!("{i:02}"), &"v".repeat(1000), Os).unwrap();
    }
    drop((db, a));
    let disk = killed(&disk);
    let (faults, env) = faulty(&disk);
    let db = open(env);
    let a = db.keyspace("a").unwrap();
    fill(&faults, "wal/", 0);
    let before = list(&disk, "wal");
    assert!(before.len() > 2, "{before:?}");
    db.flush().unwrap();
    assert_eq!(list(&disk, "wal"), before[before.len() - 1..], "the last one is there to be continued");
    faults.disarm();
    put(&db, &a, "40", "after", Sync).unwrap();
    drop((db, a));
    assert_eq!(open(faulty(&disk).1).keyspace("a").unwrap().iter().count(), 41);
}
