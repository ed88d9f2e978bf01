//! After a failure that puts durability in doubt nothing more is promised; reads go on, the first cause is kept.

use crate::disks::{builder, fail, faulty, open, open_env, powerless, put, recorded, rows, text};
use sediment_env::{
    Fs, MemFs,
    fs::{Call, Fault},
};
use sedimentdb::{
    Comparator,
    Durability::{Os, Sync},
    ErrorKind, ExpertOptions, KeyspaceOptions, Options,
};
use std::{
    cmp::Ordering,
    panic::{self, AssertUnwindSafe},
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::SeqCst},
    },
};

#[test]
fn a_failed_sync_is_never_believed_again() {
    let disk = recorded();
    let (faults, env) = faulty(&disk);
    let db = open_env(env).unwrap();
    let a = db.keyspace("a").unwrap();
    put(&db, &a, "1", "durable", Sync).unwrap();
    fail(&faults, Call::Sync, "wal/", Fault::SyncLost);
    assert_eq!(put(&db, &a, "2", "in doubt", Sync).unwrap_err().kind(), ErrorKind::Io);
    for durability in [Os, Sync] {
        let error = put(&db, &a, "3", "refused", durability).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Poisoned);
        assert!(error.to_string().contains("injected"), "the cause is told: {error}");
    }
    assert_eq!(db.persist(Sync).unwrap_err().kind(), ErrorKind::Poisoned);
    assert_eq!(db.flush().unwrap_err().kind(), ErrorKind::Poisoned);
    assert_eq!(db.keyspace("new").unwrap_err().kind(), ErrorKind::Poisoned);
    assert!(db.stats().poisoned.is_some_and(|cause| cause.kind() == ErrorKind::Io));
    assert_eq!(text(&a, "1").as_deref(), Some("durable"), "reads go on");
    assert_eq!(text(&a, "3"), None);
    assert_eq!(db.close().unwrap_err().kind(), ErrorKind::Poisoned);
    drop(a);
    // The bytes of the failed sync can still be read; the next life must not take them for durable.
    let db = open(&disk);
    let a = db.keyspace("a").unwrap();
    assert_eq!(rows(a.iter()), ["1=durable", "2=in doubt"]);
    put(&db, &a, "4", "durable", Sync).unwrap();
    let after = open(&powerless(&disk));
    assert_eq!(rows(after.keyspace("a").unwrap().iter()), ["1=durable", "2=in doubt", "4=durable"]);
}

#[test]
fn a_failed_append_poisons_and_the_commit_is_not_applied() {
    for fault in [Fault::Eio, Fault::PartialWrite] {
        let disk = MemFs::new();
        let (faults, env) = faulty(&disk);
        let db = open_env(env).unwrap();
        let a = db.keyspace("a").unwrap();
        put(&db, &a, "1", "before", Os).unwrap();
        fail(&faults, Call::Write, "wal/", fault);
        assert_eq!(put(&db, &a, "2", "failed", Os).unwrap_err().kind(), ErrorKind::Io);
        assert_eq!(put(&db, &a, "3", "refused", Os).unwrap_err().kind(), ErrorKind::Poisoned);
        assert_eq!(rows(a.iter()), ["1=before"]);
        drop((db, a));
        let db = open(&disk);
        let a = db.keyspace("a").unwrap();
        assert_eq!(rows(a.iter()), ["1=before"]);
        put(&db, &a, "4", "after", Sync).unwrap();
        drop((db, a));
        assert_eq!(rows(open(&disk).keyspace("a").unwrap().iter()), ["1=before", "4=after"]);
    }
}

#[test]
fn a_failed_flush_refuses_writes_and_loses_nothing() {
    let disk = MemFs::new();
    let (faults, env) = faulty(&disk);
    let db = open_env(env).unwrap();
    let a = db.keyspace("a").unwrap();
    a.insert("1", "kept").unwrap();
    fail(&faults, Call::Sync, "tables/", Fault::Eio);
    assert!(db.flush().is_err());
    assert_eq!(a.insert("2", "refused").unwrap_err().kind(), ErrorKind::Poisoned);
    assert_eq!(rows(a.iter()), ["1=kept"]);
    drop((db, a));
    let db = open(&disk);
    let a = db.keyspace("a").unwrap();
    assert_eq!(rows(a.iter()), ["1=kept"]);
    db.flush().unwrap();
    assert!(db.verify().unwrap().faults.is_empty());
}

#[test]
fn a_damaged_table_is_said_and_is_not_compacted_away() {
    let disk = MemFs::new();
    let db = open(&disk);
    let a = db.keyspace("a").unwrap();
    for i in 0..200 {
        a.insert(format!("{i:04}"), format!("{i:0>100}")).unwrap();
    }
    db.flush().unwrap();
    drop((db, a));
    let dir = Path::new("db/trees/1/tables");
    let name = disk.read_dir(dir).unwrap()[0].name.clone();
    disk.flip(&dir.join(&name), 4000, 2).unwrap();
    let db = open(&disk);
    let a = db.keyspace("a").unwrap();
    assert!(!db.verify().unwrap().faults.is_empty());
    let read: Vec<_> = a.iter().collect();
    let error = read.last().unwrap().as_ref().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Corruption);
    assert!(error.to_string().contains(&name), "{error}");
    assert_eq!(db.compact().unwrap_err().kind(), ErrorKind::Corruption);
    assert_eq!(a.insert("x", "1").unwrap_err().kind(), ErrorKind::Poisoned, "a failed background job ends writing");
    assert!(a.get("0199").unwrap().is_some(), "other places read on");
}

/// The order of bytes, which can be made to panic.
#[derive(Debug, Default)]
struct Fragile(AtomicBool);

impl Comparator for Fragile {
    fn name(&self) -> &'static str {
        "fragile"
    }

    fn compare(&self, a: &[u8], b: &[u8]) -> Ordering {
        assert!(!self.0.load(SeqCst), "the comparator panics");
        a.cmp(b)
    }
}

#[test]
fn a_panic_while_a_commit_is_applied_refuses_writes_and_nobody_waits_for_it() {
    let fragile = Arc::new(Fragile::default());
    let options = KeyspaceOptions { comparator: Some("fragile".into()), ..KeyspaceOptions::default() };
    let expert = ExpertOptions { background_threads: Some(0), ..ExpertOptions::default() };
    let in_memory = Options { expert, ..Options::default() };
    let db = builder(&MemFs::new()).options(in_memory).comparator(Arc::clone(&fragile) as Arc<dyn Comparator>).open().unwrap();
    let a = db.keyspace_with("a", options).unwrap();
    put(&db, &a, "1", "before", Os).unwrap();
    assert_eq!(rows(a.iter()), ["1=before"], "from the first scan on, writes keep the keys in order");
    fragile.0.store(true, SeqCst);
    let write = || (2..100_000).try_for_each(|number: u32| put(&db, &a, &number.to_string(), "in doubt", Os));
    panic::catch_unwind(AssertUnwindSafe(write)).expect_err("the comparator is asked now and then");
    fragile.0.store(false, SeqCst);
    let error = put(&db, &a, "3", "refused", Os).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Poisoned);
    assert!(error.to_string().contains("panicked while it applied a commit"), "{error}");
    assert_eq!(text(&a, "1").as_deref(), Some("before"), "reads go on");
    assert!(rows(a.iter()).contains(&"1=before".to_owned()));
}
