//! Batches: all or nothing, in order, over keyspaces.

use crate::disks::{killed, open, powerless, recorded, rows, text};
use sediment_env::MemFs;
use sedimentdb::{Durability, ErrorKind};

#[test]
fn later_writes_of_a_batch_win() {
    let db = open(&MemFs::new());
    let a = db.keyspace("a").unwrap();
    let mut batch = db.batch();
    assert!(batch.is_empty());
    batch.insert(&a, "x", "1").remove(&a, "x").insert(&a, "y", "2").insert(&a, "y", "3");
    assert_eq!(batch.len(), 4);
    batch.commit().unwrap();
    assert_eq!(rows(a.iter()), ["y=3"]);
    db.batch().commit().unwrap();
}

#[test]
fn a_batch_that_breaks_a_limit_does_nothing() {
    let db = open(&MemFs::new());
    let a = db.keyspace("a").unwrap();
    let mut batch = db.batch();
    batch.insert(&a, "x", "1").insert(&a, "", "2");
    assert_eq!(batch.commit().unwrap_err().kind(), ErrorKind::InvalidInput);
    assert_eq!(text(&a, "x"), None);
}

#[test]
fn a_dropped_keyspace_fails_the_whole_batch() {
    let db = open(&MemFs::new());
    let (a, b) = (db.keyspace("a").unwrap(), db.keyspace("b").unwrap());
    let mut batch = db.batch();
    batch.insert(&a, "x", "1").insert(&b, "x", "1");
    db.drop_keyspace("b").unwrap();
    assert_eq!(batch.commit().unwrap_err().kind(), ErrorKind::Closed);
    assert_eq!(text(&a, "x"), None);
}

#[test]
fn a_handle_of_another_database_is_refused() {
    let (db, other) = (open(&MemFs::new()), open(&MemFs::new()));
    let (_, foreign) = (db.keyspace("a").unwrap(), other.keyspace("a").unwrap());
    let mut batch = db.batch();
    batch.insert(&foreign, "x", "1");
    assert_eq!(batch.commit().unwrap_err().kind(), ErrorKind::InvalidInput);
    assert_eq!(db.snapshot().get(&foreign, "x").unwrap_err().kind(), ErrorKind::InvalidInput);
}

#[test]
fn a_batch_larger_than_a_log_file_is_whole_after_a_crash() {
    let disk = recorded();
    let db = open(&disk);
    let (a, b) = (db.keyspace("a").unwrap(), db.keyspace("b").unwrap());
    let value = vec![7; 900 << 10];
    let mut batch = db.batch();
    for i in 0..6 {
        batch.insert(if i % 2 == 0 { &a } else { &b }, format!("{i}"), &value);
    }
    batch.durability(Durability::Sync).commit().unwrap();
    for disk in [killed(&disk), powerless(&disk)] {
        let db = open(&disk);
        let counts =
            ["a", "b"].map(|name| db.keyspace(name).unwrap().iter().filter(|row| row.as_ref().unwrap().1 == value[..]).count());
        assert_eq!(counts, [3, 3]);
        assert!(db.verify().unwrap().faults.is_empty());
    }
}
