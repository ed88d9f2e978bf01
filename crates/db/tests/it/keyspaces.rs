//! Making, dropping and clearing keyspaces.

use crate::disks::{eventually, list, open, recorded, rows, text};
use sediment_env::MemFs;
use sedimentdb::{Durability, ErrorKind};

#[test]
fn keyspaces_are_apart_and_survive_a_power_loss_once_made() {
    let disk = recorded();
    let db = open(&disk);
    let (a, b) = (db.create_keyspace("a").unwrap(), db.keyspace("b").unwrap());
    a.insert("x", "of a").unwrap();
    b.insert("x", "of b").unwrap();
    assert_eq!((text(&a, "x").as_deref(), text(&b, "x").as_deref()), (Some("of a"), Some("of b")));
    assert_eq!(db.create_keyspace("a").unwrap_err().kind(), ErrorKind::InvalidInput);
    assert_eq!(db.keyspace_names(), ["a", "b"]);
    let after = crate::disks::powerless(&disk);
    assert_eq!(open(&after).keyspace_names(), ["a", "b"]);
}

#[test]
fn a_dropped_keyspace_is_gone_also_after_reopening_and_remaking() {
    let disk = MemFs::new();
    let db = open(&disk);
    let a = db.keyspace("a").unwrap();
    a.insert("x", "old").unwrap();
    assert!(db.drop_keyspace("a").unwrap());
    assert!(!db.drop_keyspace("a").unwrap());
    assert_eq!(a.insert("y", "1").unwrap_err().kind(), ErrorKind::Closed);
    assert_eq!(a.get("x").unwrap_err().kind(), ErrorKind::Closed);
    assert!(db.open_keyspace("a").unwrap().is_none());
    let again = db.keyspace("a").unwrap();
    assert_eq!(text(&again, "x"), None);
    again.insert("z", "new").unwrap();
    drop((db, a, again));
    let db = open(&disk);
    assert_eq!(rows(db.keyspace("a").unwrap().iter()), ["z=new"]);
}

#[test]
fn files_of_a_dropped_keyspace_go_with_its_last_handle() {
    let disk = MemFs::new();
    let db = open(&disk);
    let a = db.keyspace("a").unwrap();
    a.insert("x", "1").unwrap();
    db.flush().unwrap();
    let iter = a.iter();
    db.drop_keyspace("a").unwrap();
    drop(a);
    assert_eq!(rows(iter), ["x=1"], "a scan keeps what it reads");
    let tree = disk.tree();
    let files: Vec<_> = tree.keys().filter(|path| path.starts_with("db/trees/1/tables")).collect();
    assert!(files.is_empty(), "{files:?}");
    drop(db);
    let db = open(&disk);
    db.keyspace("b").unwrap();
    assert_eq!(list(&disk, "trees"), ["2"], "what the drop left is deleted with the next open's first write");
    assert!(list(&disk, "lost").is_empty());
}

#[test]
fn a_clear_hides_everything_before_it_and_nothing_after() {
    let disk = MemFs::new();
    let db = open(&disk);
    let a = db.keyspace("a").unwrap();
    a.insert("flushed", "1").unwrap();
    db.flush().unwrap();
    a.insert("in memory", "2").unwrap();
    a.clear().unwrap();
    assert_eq!(rows(a.iter()), Vec::<String>::new());
    a.insert("after", "3").unwrap();
    assert_eq!(rows(a.iter()), ["after=3"]);
    drop((db, a));
    let db = open(&disk);
    assert_eq!(rows(db.keyspace("a").unwrap().iter()), ["after=3"]);
    db.flush().unwrap();
    drop(db);
    let db = open(&disk);
    assert_eq!(rows(db.keyspace("a").unwrap().iter()), ["after=3"]);
}

#[test]
fn snapshots_see_through_clear_and_drop() {
    let disk = MemFs::new();
    let db = open(&disk);
    let a = db.keyspace("a").unwrap();
    a.insert("x", "first").unwrap();
    let first = db.snapshot();
    a.clear().unwrap();
    a.insert("x", "second").unwrap();
    let second = db.snapshot();
    a.clear().unwrap();
    assert_eq!(rows(first.iter(&a)), ["x=first"]);
    assert_eq!(rows(second.iter(&a)), ["x=second"]);
    db.flush().unwrap();
    db.compact().unwrap();
    assert_eq!(first.get(&a, "x").unwrap().as_deref(), Some(&b"first"[..]));
    db.drop_keyspace("a").unwrap();
    assert_eq!(rows(second.iter(&a)), ["x=second"]);
    let again = db.keyspace("a").unwrap();
    assert_eq!(second.get(&again, "x").unwrap(), None, "a keyspace of the same name is another");
    drop(first);
    assert_eq!(rows(second.iter(&a)), ["x=second"]);
}

#[test]
fn old_trees_are_deleted_when_the_last_snapshot_goes() {
    let disk = MemFs::new();
    let db = open(&disk);
    let a = db.keyspace("a").unwrap();
    a.insert("x", "1").unwrap();
    db.flush().unwrap();
    let tables = |tree: &str| list(&disk, &format!("trees/{tree}/tables")).len();
    let snapshot = db.snapshot();
    a.clear().unwrap();
    assert_eq!(tables("1"), 1);
    drop(snapshot);
    assert!(eventually(&a, || tables("1") == 0));
}

#[test]
fn a_failed_catalog_loses_no_change() {
    let disk = MemFs::new();
    let (faults, env) = crate::disks::faulty(&disk);
    let db = crate::disks::open_env(env).unwrap();
    crate::disks::fill(&faults, "catalog-", 10);
    let a = db.keyspace("a").unwrap();
    crate::disks::put(&db, &a, "x", "1", Durability::Sync).unwrap();
    assert!(!faults.injected().is_empty());
    drop((db, a));
    let db = open(&disk);
    assert_eq!(text(&db.keyspace("a").unwrap(), "x").as_deref(), Some("1"));
}
