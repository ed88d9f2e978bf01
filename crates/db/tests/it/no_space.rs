//! A full disk refuses writes without applying them, and goes on by itself when there is room.

use crate::disks::{faulty, fill, open, open_env, put, rows, text};
use sediment_env::MemFs;
use sedimentdb::{Durability::Os, Durability::Sync, ErrorKind};

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
