//! What each level survives, and that syncs are shared.

use crate::disks::{faulty, killed, open, open_env, powerless, put, recorded, rows, text};
use sediment_env::MemFs;
use sedimentdb::Durability::{Memory, Os, Sync};

#[test]
fn each_level_survives_what_it_says() {
    let disk = recorded();
    let db = open(&disk);
    let a = db.keyspace("a").unwrap();
    let contents = |disk: &MemFs| rows(open(disk).keyspace("a").unwrap().iter());
    put(&db, &a, "1", "sync", Sync).unwrap();
    put(&db, &a, "2", "os", Os).unwrap();
    put(&db, &a, "3", "memory", Memory).unwrap();
    assert_eq!(rows(a.iter()).len(), 3);
    assert_eq!(contents(&powerless(&disk)), ["1=sync"]);
    assert_eq!(contents(&killed(&disk)), ["1=sync", "2=os"]);
    db.persist(Os).unwrap();
    assert_eq!(contents(&killed(&disk)), ["1=sync", "2=os", "3=memory"]);
    assert_eq!(contents(&powerless(&disk)), ["1=sync"]);
    db.persist(Sync).unwrap();
    assert_eq!(contents(&powerless(&disk)), ["1=sync", "2=os", "3=memory"]);
}

#[test]
fn a_later_commit_takes_waiting_ones_along() {
    let disk = recorded();
    let db = open(&disk);
    let a = db.keyspace("a").unwrap();
    for i in 0..100 {
        put(&db, &a, &format!("{i:03}"), "waits", Memory).unwrap();
    }
    put(&db, &a, "x", "1", Sync).unwrap();
    assert_eq!(open(&powerless(&disk)).keyspace("a").unwrap().iter().count(), 101);
}

#[test]
fn close_and_flush_keep_commits_that_waited_in_memory() {
    let disk = recorded();
    let db = open(&disk);
    let a = db.keyspace("a").unwrap();
    put(&db, &a, "1", "flushed", Memory).unwrap();
    db.flush().unwrap();
    put(&db, &a, "2", "closed", Memory).unwrap();
    db.close().unwrap();
    drop(a);
    let disk = powerless(&disk);
    disk.record();
    let db = open(&disk);
    let a = db.keyspace("a").unwrap();
    assert_eq!(rows(a.iter()), ["1=flushed", "2=closed"]);
    put(&db, &a, "3", "only this is written in this life", Memory).unwrap();
    db.close().unwrap();
    drop(a);
    let disk = powerless(&disk);
    assert_eq!(open(&disk).keyspace("a").unwrap().iter().count(), 3);
}

#[test]
fn a_close_syncs_also_what_a_killed_process_left() {
    let disk = recorded();
    let db = open(&disk);
    let a = db.keyspace("a").unwrap();
    put(&db, &a, "1", "never synced", Os).unwrap();
    let disk = killed(&disk);
    let db = open(&disk);
    assert_eq!(rows(db.keyspace("a").unwrap().iter()), ["1=never synced"]);
    db.close().unwrap();
    assert_eq!(rows(open(&powerless(&disk)).keyspace("a").unwrap().iter()), ["1=never synced"]);
}

#[test]
fn one_sync_serves_all_who_wait() {
    let disk = MemFs::new();
    let (faults, env) = faulty(&disk);
    let db = open_env(env).unwrap();
    let a = db.keyspace("a").unwrap();
    put(&db, &a, "0", "", Sync).unwrap();
    let before = faults.calls();
    put(&db, &a, "1", "", Os).unwrap();
    assert_eq!(faults.calls() - before, 1, "one record is one write");
    db.persist(Sync).unwrap();
    let synced = faults.calls();
    db.persist(Sync).unwrap();
    assert_eq!(faults.calls(), synced, "what is durable is not synced again");
    std::thread::scope(|scope| {
        for thread in 0..8 {
            let (db, a) = (&db, &a);
            scope.spawn(move || (0..500).for_each(|i| put(db, a, &format!("{thread}-{i}"), "", Sync).unwrap()));
        }
    });
    drop((db, a));
    assert_eq!(text(&open(&disk).keyspace("a").unwrap(), "7-499").as_deref(), Some(""));
}
