//! Replay: what a crash leaves opens by itself, what is damaged is said.

use crate::disks::{
    DIR, bytes, fail, faulty, killed, list, open, open_env, powerless, put, recorded, rows, small, text, try_open,
};
use sediment_env::{
    Env, Fs, MemFs,
    fs::{Call, Fault},
};
use sedimentdb::{
    Db,
    Durability::{Os, Sync},
    ErrorKind, Keyspace, Options,
    stats::Counter,
};
use std::path::Path;

fn wal(id: u64) -> std::path::PathBuf {
    Path::new(DIR).join("wal").join(id.to_string())
}

/// Writes three commits and returns where each begins in the log file.
fn three_commits(disk: &MemFs, durability: sedimentdb::Durability) -> Vec<u64> {
    let db = open(disk);
    let a = db.keyspace("a").unwrap();
    let end = || bytes(disk, &wal(1)).len() as u64;
    ["1", "2", "3"]
        .map(|key| {
            let start = end();
            put(&db, &a, key, "value", durability).unwrap();
            start
        })
        .to_vec()
}

#[test]
fn a_torn_tail_is_dropped_and_the_rest_is_there() {
    let disk = MemFs::new();
    let starts = three_commits(&disk, Os);
    disk.flip(&wal(1), starts[2] + 60, 1).unwrap();
    let db = open(&disk);
    let a = db.keyspace("a").unwrap();
    assert_eq!(rows(a.iter()), ["1=value", "2=value"]);
    put(&db, &a, "4", "new", Sync).unwrap();
    drop((db, a));
    assert_eq!(rows(open(&disk).keyspace("a").unwrap().iter()), ["1=value", "2=value", "4=new"]);
}

#[test]
fn damage_before_a_place_known_to_be_durable_is_corruption() {
    let disk = MemFs::new();
    let starts = three_commits(&disk, Sync);
    disk.flip(&wal(1), starts[1] + 60, 1).unwrap();
    let before = disk.tree();
    let error = try_open(&disk).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Corruption);
    let place = error.location().unwrap();
    assert_eq!((place.file, place.offset), (wal(1), Some(starts[1])), "{error}");
    assert_eq!(disk.tree(), before, "nothing is destroyed");
}

#[test]
fn behind_an_end_mark_nothing_is_forgiven() {
    let disk = MemFs::new();
    let db = open(&disk);
    let a = db.keyspace("a").unwrap();
    put(&db, &a, "1", "value", Os).unwrap();
    let start = bytes(&disk, &wal(1)).len() as u64;
    put(&db, &a, "2", "value", Os).unwrap();
    db.close().unwrap();
    drop(a);
    for offset in [start, start + 50] {
        disk.flip(&wal(1), offset, 3).unwrap();
        assert_eq!(try_open(&disk).unwrap_err().kind(), ErrorKind::Corruption);
        disk.flip(&wal(1), offset, 3).unwrap();
    }
    let end = bytes(&disk, &wal(1)).len() as u64;
    disk.write_raw(&wal(1), end, b"garbage!").unwrap();
    assert_eq!(try_open(&disk).unwrap_err().kind(), ErrorKind::Corruption);
}

#[test]
fn every_flipped_byte_of_the_log_is_a_prefix_or_an_error() {
    let disk = MemFs::new();
    three_commits(&disk, Sync);
    let all = ["1=value", "2=value", "3=value"];
    let len = bytes(&disk, &wal(1)).len() as u64;
    for offset in 0..len {
        disk.flip(&wal(1), offset, (offset % 8) as u8).unwrap();
        match try_open(&disk) {
            Ok(db) => {
                let found = db.open_keyspace("a").unwrap().map_or_else(Vec::new, |a| rows(a.iter()));
                assert!(all.starts_with(&found.iter().map(String::as_str).collect::<Vec<_>>()), "{offset}: {found:?}");
                assert!(found.len() >= 2, "{offset}: only the last record may look torn, {found:?}");
            }
            Err(error) => assert!(matches!(error.kind(), ErrorKind::Corruption | ErrorKind::Unsupported), "{offset}: {error}"),
        }
        disk.flip(&wal(1), offset, (offset % 8) as u8).unwrap();
    }
}

#[test]
fn a_missing_log_file_is_noticed() {
    let disk = MemFs::new();
    let db = roomy(&disk);
    let a = db.keyspace("a").unwrap();
    for i in 0..30 {
        put(&db, &a, &format!("{i}"), &"v".repeat(1000), Os).unwrap();
    }
    drop((db, a));
    let files = list(&disk, "wal");
    assert!(files.len() >= 2, "{files:?}");
    // The newest file is known to nobody but itself, until a flush has put something of it into tables.
    for name in &files[..files.len() - 1] {
        let path = Path::new(DIR).join("wal").join(name);
        let aside = Path::new(DIR).join("aside");
        disk.rename(&path, &aside).unwrap();
        let opened = try_open(&disk);
        assert_eq!(opened.map(drop).unwrap_err().kind(), ErrorKind::Corruption, "without {name}");
        disk.rename(&aside, &path).unwrap();
    }
    open(&disk);
}

#[test]
fn a_replayed_tail_is_durable_before_the_next_acknowledged_sync() {
    let disk = recorded();
    let db = open(&disk);
    let a = db.keyspace("a").unwrap();
    put(&db, &a, "1", "sync", Sync).unwrap();
    put(&db, &a, "2", "os", Os).unwrap();
    drop((db, a));
    let disk = killed(&disk);
    disk.record();
    let db = open(&disk);
    let a = db.keyspace("a").unwrap();
    put(&db, &a, "3", "sync", Sync).unwrap();
    let after = powerless(&disk);
    assert_eq!(rows(open(&after).keyspace("a").unwrap().iter()), ["1=sync", "2=os", "3=sync"]);
}

#[test]
fn a_flush_makes_the_log_durable_up_to_its_mark_not_only_to_its_rows() {
    let disk = recorded();
    let (faults, env) = faulty(&disk);
    let db = open_env(env).unwrap();
    let (a, b) = (db.keyspace("a").unwrap(), db.keyspace("b").unwrap());
    put(&db, &a, "1", "in a", Sync).unwrap();
    // Later than what is flushed of `a`, in another keyspace, and only handed to the system.
    put(&db, &b, "2", "in b", Os).unwrap();
    fail(&faults, Call::Create, "trees/2/tables", Fault::Eio);
    assert!(db.flush().is_err(), "only `a` is flushed");
    let disk = powerless(&disk);
    disk.record();
    let db = open(&disk);
    let a = db.keyspace("a").unwrap();
    put(&db, &a, "3", "after", Sync).unwrap();
    let db = open(&powerless(&disk));
    assert_eq!(rows(db.keyspace("a").unwrap().iter()), ["1=in a", "3=after"]);
    assert_eq!(text(&db.keyspace("b").unwrap(), "2").as_deref(), Some("in b"));
}

#[test]
fn many_lives_without_a_clean_close_keep_everything() {
    let mut disk = recorded();
    for life in 0..20 {
        let db = open(&disk);
        let a = db.keyspace("a").unwrap();
        assert_eq!(a.iter().count(), life * 3, "life {life}");
        for i in 0..3 {
            put(&db, &a, &format!("{life}-{i}"), &"v".repeat(500), if i == 1 { Sync } else { Os }).unwrap();
        }
        if life % 7 == 6 {
            db.flush().unwrap();
        }
        drop((db, a));
        disk = killed(&disk);
        disk.record();
    }
    let db = open(&disk);
    assert!(db.stats().wal_files <= 6, "{}", db.stats().wal_files);
    assert!(db.verify().unwrap().faults.is_empty());
}

#[test]
fn log_files_go_once_tables_hold_their_records() {
    let disk = MemFs::new();
    let db = open(&disk);
    let (busy, idle) = (db.keyspace("busy").unwrap(), db.keyspace("idle").unwrap());
    idle.insert("x", "1").unwrap();
    for i in 0..400 {
        busy.insert(format!("{i:04}"), "v".repeat(1000)).unwrap();
    }
    assert!(list(&disk, "wal").len() <= 6, "{:?}", list(&disk, "wal"));
    assert!(!list(&disk, "wal").contains(&"1".to_owned()), "an idle keyspace does not hold the log back");
    drop((db, busy, idle));
    let db = open(&disk);
    assert_eq!(rows(db.keyspace("idle").unwrap().iter()), ["x=1"]);
    assert_eq!(db.keyspace("busy").unwrap().iter().count(), 400);
}

#[test]
fn orphans_move_to_lost_with_the_first_write() {
    let disk = MemFs::new();
    drop(open(&disk));
    disk.create(&wal(9)).unwrap();
    disk.create_dir(&Path::new(DIR).join("trees/5")).unwrap();
    let db = open(&disk);
    assert_eq!(list(&disk, "wal"), ["9"]);
    db.keyspace("a").unwrap().insert("x", "1").unwrap();
    assert_eq!(list(&disk, "lost"), ["trees-5", "wal-9"]);
    assert_eq!(list(&disk, "wal"), ["10"], "an id is not used again");
    drop(db);
    drop(open(&disk));
}

#[test]
fn a_swapped_log_file_is_corruption() {
    let (disk, other) = (MemFs::new(), MemFs::new());
    three_commits(&disk, Sync);
    three_commits(&other, Sync);
    let stranger = Db::builder("else").options(Options::default()).env(Env::simulated(other.clone(), 99)).open().unwrap();
    stranger.keyspace("a").unwrap().insert("x", "1").unwrap();
    let bytes = bytes(&other, Path::new("else/wal/1"));
    disk.remove_file(&wal(1)).unwrap();
    disk.create(&wal(1)).unwrap().write_at(0, &bytes).unwrap();
    assert_eq!(try_open(&disk).unwrap_err().kind(), ErrorKind::Corruption);
}

#[test]
fn tables_ahead_of_the_log_are_corruption() {
    let disk = recorded();
    let db = open(&disk);
    let a = db.keyspace("a").unwrap();
    put(&db, &a, "1", "value", Sync).unwrap();
    db.flush().unwrap();
    drop((db, a));
    let disk = powerless(&disk);
    for name in list(&disk, "wal") {
        disk.remove_file(&Path::new(DIR).join("wal").join(name)).unwrap();
    }
    assert_eq!(try_open(&disk).unwrap_err().kind(), ErrorKind::Corruption);
}

#[test]
fn a_log_that_nothing_needs_goes_with_the_flush_or_the_close() {
    for memory_holds_rows in [false, true] {
        let disk = MemFs::new();
        let db = Db::builder(DIR).options(small()).env(Env::simulated(disk.clone(), 1)).open().unwrap();
        let (a, b) = (db.keyspace("a").unwrap(), db.keyspace("b").unwrap());
        for i in 0..400 {
            put(&db, &a, &format!("{i:03}"), &"value ".repeat(10), Os).unwrap();
        }
        put(&db, &b, "one", "row", Os).unwrap();
        let before = db.stats().wal_bytes;
        db.flush().unwrap();
        let (files, flushed) = (db.stats().wal_files, db.stats().wal_bytes);
        assert!(files == 1 && flushed < 1500, "{files} files, {flushed} bytes");
        if memory_holds_rows {
            put(&db, &b, "another", "row", Os).unwrap();
        }
        db.close().unwrap();
        drop((a, b));
        let db = open(&disk);
        let (files, after) = (db.stats().wal_files, db.stats().wal_bytes);
        assert!(before > 4000, "{before}");
        if memory_holds_rows {
            assert!(after >= 100, "{after}");
        } else {
            assert!(files == 1 && after < 1500, "{files} files, {after} bytes");
        }
        assert_eq!(rows(db.keyspace("a").unwrap().iter()).len(), 400);
        assert_eq!(rows(db.keyspace("b").unwrap().iter()).len(), 1 + usize::from(memory_holds_rows));
        assert!(db.verify().unwrap().faults.is_empty());
    }
}

/// Writes rows until there is a log file with this number; how many.
fn fill_files(db: &Db, keyspace: &Keyspace, disk: &MemFs, last: u64) -> usize {
    let mut count = 0;
    while list(disk, "wal").iter().all(|name| name.parse::<u64>().unwrap() < last) {
        put(db, keyspace, &format!("{count:04}"), &"v".repeat(1000), Os).unwrap();
        count += 1;
    }
    count
}

fn count_of(db: &Db, counter: Counter) -> u64 {
    db.stats().counted.counter(counter)
}

/// With memory for all that these tests write.
fn roomy(disk: &MemFs) -> Db {
    let mut options = small();
    options.expert.memtable_bytes = Some(1 << 20);
    Db::builder(DIR).options(options).env(Env::simulated(disk.clone(), 7)).open().unwrap()
}

#[test]
fn what_tables_hold_is_never_synced_in_the_log() {
    let disk = recorded();
    let db = open(&disk);
    let a = db.keyspace("a").unwrap();
    let syncs = || count_of(&db, Counter::WalSyncs) - count_of(&db, Counter::WalFilesBegun);
    let before = syncs();
    let count = fill_files(&db, &a, &disk, 9);
    assert!(list(&disk, "wal").len() < 5, "the first files are gone: {:?}", list(&disk, "wal"));
    assert_eq!(syncs() - before, 0, "only the beginnings of files were synced");
    let after = powerless(&disk);
    after.record();
    let again = open(&after);
    let kept = again.keyspace("a").unwrap().iter().count();
    assert!(kept > count / 2 && kept <= count, "what was flushed of {count} rows, but {kept}");
    assert_eq!(text(&again.keyspace("a").unwrap(), &format!("{:04}", kept - 1)), Some("v".repeat(1000)), "a prefix");
    // And it goes on from there.
    put(&again, &again.keyspace("a").unwrap(), "next", "row", Sync).unwrap();
    let last = open(&powerless(&after));
    assert_eq!(last.keyspace("a").unwrap().iter().count(), kept + 1);
    assert!(last.verify().unwrap().faults.is_empty());
}

#[test]
fn rows_of_others_that_only_the_log_has_make_a_flush_sync_it() {
    let disk = recorded();
    let db = open(&disk);
    let (a, b) = (db.keyspace("a").unwrap(), db.keyspace("b").unwrap());
    put(&db, &b, "1", "in b", Os).unwrap();
    let count = fill_files(&db, &a, &disk, 3);
    assert!(count_of(&db, Counter::FlushCount) > 0);
    let db = open(&powerless(&disk));
    assert_eq!(text(&db.keyspace("b").unwrap(), "1").as_deref(), Some("in b"));
    let kept = db.keyspace("a").unwrap().iter().count();
    assert!(kept > 0 && kept <= count, "{kept} of {count}");
}

#[test]
fn an_unsynced_log_ends_where_it_is_torn_and_later_files_are_set_aside() {
    let disk = MemFs::new();
    let db = roomy(&disk);
    let a = db.keyspace("a").unwrap();
    let count = fill_files(&db, &a, &disk, 3);
    drop((db, a));
    let torn = bytes(&disk, &wal(2)).len() as u64 / 2;
    disk.flip(&wal(2), torn, 1).unwrap();
    let db = roomy(&disk);
    let a = db.keyspace("a").unwrap();
    let kept = a.iter().count();
    assert!(kept > count / 3 && kept < count * 4 / 5, "{kept} of {count}");
    put(&db, &a, "next", "row", Sync).unwrap();
    assert!(list(&disk, "lost").contains(&"wal-3".to_owned()), "{:?}", list(&disk, "lost"));
    drop((db, a));
    let db = roomy(&disk);
    assert_eq!(db.keyspace("a").unwrap().iter().count(), kept + 1);
    assert!(db.verify().unwrap().faults.is_empty());
}

#[test]
fn a_synced_commit_makes_the_files_before_it_durable() {
    for torn in [false, true] {
        let disk = recorded();
        let db = roomy(&disk);
        let a = db.keyspace("a").unwrap();
        let count = fill_files(&db, &a, &disk, 3);
        put(&db, &a, "synced", "row", Sync).unwrap();
        put(&db, &a, "that", "says so", Os).unwrap();
        if torn {
            let disk = killed(&disk);
            disk.flip(&wal(2), bytes(&disk, &wal(2)).len() as u64 / 2, 1).unwrap();
            assert_eq!(try_open(&disk).unwrap_err().kind(), ErrorKind::Corruption);
        } else {
            let rows = open(&powerless(&disk)).keyspace("a").unwrap().iter().count();
            assert!(rows > count, "{rows} of {}", count + 2);
        }
    }
}

#[test]
fn what_a_dropped_keyspace_said_of_the_log_is_remembered() {
    let disk = recorded();
    let db = open(&disk);
    let (a, b) = (db.keyspace("a").unwrap(), db.keyspace("b").unwrap());
    let _ = fill_files(&db, &a, &disk, 6);
    db.drop_keyspace("a").unwrap();
    put(&db, &b, "1", "in b", Sync).unwrap();
    drop((a, b));
    let db = open(&powerless(&disk));
    assert_eq!(db.keyspace_names(), ["b"]);
    assert_eq!(text(&db.keyspace("b").unwrap(), "1").as_deref(), Some("in b"));
    assert!(db.verify().unwrap().faults.is_empty());
}
