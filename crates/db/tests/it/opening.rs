//! Opening, making, locking, refusing.

use crate::disks::{DIR, bytes, list, open, rows, small, text, try_open};
use sediment_env::{Env, Fs, MemFs};
use sedimentdb::{Create, Db, ErrorKind};
use std::path::Path;

fn builder(disk: &MemFs) -> sedimentdb::DbBuilder {
    Db::builder(DIR).options(small()).env(Env::simulated(disk.clone(), 3))
}

#[test]
fn a_missing_directory_is_made_with_its_parents() {
    let disk = MemFs::new();
    let db = Db::builder("a/b/c").env(Env::simulated(disk.clone(), 3)).open().unwrap();
    db.keyspace("k").unwrap().insert("x", "1").unwrap();
    db.close().unwrap();
    let db = Db::builder("a/b/c").create(Create::MustExist).env(Env::simulated(disk, 4)).open().unwrap();
    assert_eq!(text(&db.keyspace("k").unwrap(), "x").as_deref(), Some("1"));
}

#[test]
fn create_says_what_may_be_made() {
    let disk = MemFs::new();
    let error = builder(&disk).create(Create::MustExist).open().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidInput);
    assert!(disk.tree().is_empty(), "a refusal writes nothing");
    drop(builder(&disk).create(Create::New).open().unwrap());
    let error = builder(&disk).create(Create::New).open().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidInput);
    assert!(builder(&disk).create(Create::MustExist).open().is_ok());
}

#[test]
fn a_foreign_directory_is_refused_and_left_alone() {
    let disk = MemFs::new();
    disk.create_dir(Path::new(DIR)).unwrap();
    disk.create(&Path::new(DIR).join("holiday.jpg")).unwrap().write_at(0, b"sun").unwrap();
    let before = disk.tree();
    let error = try_open(&disk).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidInput);
    assert!(error.to_string().contains("holiday.jpg"), "{error}");
    assert_eq!(disk.tree(), before);
}

#[test]
fn a_lost_current_is_not_taken_for_a_new_directory() {
    let disk = MemFs::new();
    let db = open(&disk);
    db.keyspace("k").unwrap().insert("x", "1").unwrap();
    drop(db);
    disk.remove_file(&Path::new(DIR).join("CURRENT")).unwrap();
    let before = disk.tree();
    assert_eq!(try_open(&disk).unwrap_err().kind(), ErrorKind::Corruption);
    assert_eq!(disk.tree(), before);
}

#[test]
fn a_creation_that_was_cut_short_is_done_again() {
    let disk = MemFs::new();
    drop(open(&disk));
    disk.remove_file(&Path::new(DIR).join("CURRENT")).unwrap();
    let db = open(&disk);
    db.keyspace("k").unwrap().insert("x", "1").unwrap();
    drop(db);
    assert_eq!(text(&open(&disk).keyspace("k").unwrap(), "x").as_deref(), Some("1"));
    assert!(list(&disk, "lost").contains(&"catalog-1".to_owned()), "{:?}", list(&disk, "lost"));
}

#[test]
fn a_newer_format_is_unsupported_and_nothing_is_written() {
    let disk = MemFs::new();
    drop(open(&disk));
    let path = Path::new(DIR).join("CURRENT");
    let mut bytes = bytes(&disk, &path);
    bytes[8] = 2;
    let sum = sediment_codec::checksum::crc32c(0, &bytes[..124]);
    bytes[124..128].copy_from_slice(&sum.to_le_bytes());
    disk.write_raw(&path, 0, &bytes).unwrap();
    let before = disk.tree();
    let error = try_open(&disk).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unsupported, "{error}");
    assert!(error.to_string().contains('2'), "{error}");
    assert_eq!(disk.tree(), before);
}

#[test]
fn a_second_handle_is_locked_out_until_the_last_one_goes() {
    let disk = MemFs::new();
    let db = open(&disk);
    assert_eq!(try_open(&disk).unwrap_err().kind(), ErrorKind::Locked);
    assert_eq!(builder(&disk).read_only(true).open().unwrap_err().kind(), ErrorKind::Locked);
    let keyspace = db.keyspace("k").unwrap();
    let iter = keyspace.iter();
    db.close().unwrap();
    assert_eq!(try_open(&disk).unwrap_err().kind(), ErrorKind::Locked, "a handle is left");
    drop(keyspace);
    assert!(try_open(&disk).is_ok(), "an iterator holds no lock");
    assert_eq!(iter.count(), 0);
}

#[test]
fn a_reader_sees_everything_and_changes_nothing() {
    let disk = MemFs::new();
    let db = open(&disk);
    let keyspace = db.keyspace("k").unwrap();
    keyspace.insert("flushed", "1").unwrap();
    db.flush().unwrap();
    keyspace.insert("logged", "2").unwrap();
    drop((db, keyspace));
    let before = disk.tree();
    let db = builder(&disk).read_only(true).open().unwrap();
    let keyspace = db.open_keyspace("k").unwrap().unwrap();
    assert_eq!(rows(keyspace.iter()), ["flushed=1", "logged=2"]);
    let refused = [
        keyspace.insert("x", "3"),
        keyspace.clear(),
        db.flush(),
        db.compact(),
        db.drop_keyspace("k").map(drop),
        db.keyspace("new").map(drop),
    ];
    for error in refused {
        assert_eq!(error.unwrap_err().kind(), ErrorKind::InvalidInput);
    }
    drop(keyspace);
    db.close().unwrap();
    assert_eq!(disk.tree(), before);
}

#[test]
fn opening_and_closing_writes_nothing() {
    let disk = MemFs::new();
    let db = open(&disk);
    db.keyspace("k").unwrap().insert("x", "1").unwrap();
    drop(db);
    let before = disk.tree();
    let db = open(&disk);
    assert_eq!(text(&db.keyspace("k").unwrap(), "x").as_deref(), Some("1"));
    drop(db);
    assert_eq!(disk.tree(), before, "a log that was not closed is only read");
    open(&disk).close().unwrap();
    let before = disk.tree();
    let db = open(&disk);
    assert_eq!(text(&db.keyspace("k").unwrap(), "x").as_deref(), Some("1"));
    db.close().unwrap();
    assert_eq!(disk.tree(), before, "one that was closed need not be closed again");
}

#[test]
fn closed_handles_say_so() {
    let disk = MemFs::new();
    let db = open(&disk);
    let keyspace = db.keyspace("k").unwrap();
    keyspace.insert("x", "1").unwrap();
    let (snapshot, mut iter, other) = (db.snapshot(), keyspace.iter(), db.clone());
    db.close().unwrap();
    let errors = [
        keyspace.get("x").map(drop),
        keyspace.insert("x", "2"),
        snapshot.get(&keyspace, "x").map(drop),
        keyspace.iter().next().unwrap().map(drop),
        other.flush(),
        other.open_keyspace("k").map(drop),
    ];
    for error in errors {
        assert_eq!(error.unwrap_err().kind(), ErrorKind::Closed);
    }
    assert_eq!(rows(iter.by_ref()), ["x=1"], "iterators go on");
    other.close().unwrap();
}

#[test]
fn handles_are_send_and_static() {
    fn check<T: Send + Sync + 'static>() {}
    fn check_iter<T: Send + 'static>() {}
    check::<(Db, sedimentdb::Keyspace, sedimentdb::Snapshot)>();
    check_iter::<(sedimentdb::Iter, sedimentdb::WriteBatch)>();
}
