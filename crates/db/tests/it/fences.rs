//! Fences are in memory or in the file, as the keyspace says, and rows are found either way.

use sediment_env::{Env, MemFs};
use sedimentdb::{Db, Keyspace, KeyspaceOptions, Residency, stats::Counter};

/// Of which one table has some 350 blocks.
const ROWS: usize = 12_000;

fn open(disk: &MemFs) -> Db {
    Db::builder("db").env(Env::simulated(disk.clone(), 1)).open().unwrap()
}

fn options(residency: Residency) -> KeyspaceOptions {
    KeyspaceOptions { fence_residency: Some(residency), ..KeyspaceOptions::default() }
}

fn row(number: usize) -> (String, String) {
    (format!("{number:05}"), format!("{number:0100}"))
}

fn fill(keyspace: &Keyspace) {
    (0..ROWS).map(row).for_each(|(key, value)| keyspace.insert(key, value).unwrap());
}

/// Each row alone and what is not there beside it, and all from both ends.
fn assert_answers(keyspace: &Keyspace) {
    for (key, value) in (0..ROWS).map(row) {
        assert_eq!(keyspace.get(&key).unwrap().as_deref(), Some(value.as_bytes()), "{key}");
        assert!(keyspace.get(format!("{key}?")).unwrap().is_none(), "{key}?");
    }
    let is_row = |number: usize, found: sedimentdb::Result<(sedimentdb::Slice, sedimentdb::Slice)>| {
        let ((key, value), found) = (row(number), found.unwrap());
        assert_eq!((&*found.0, &*found.1), (key.as_bytes(), value.as_bytes()));
    };
    assert_eq!(keyspace.iter().enumerate().map(|(number, found)| is_row(number, found)).count(), ROWS);
    assert_eq!(keyspace.iter().rev().enumerate().map(|(number, found)| is_row(ROWS - 1 - number, found)).count(), ROWS);
}

#[test]
fn a_keyspace_says_whether_its_fences_are_in_memory() {
    for (residency, are_left_out) in [(Residency::Paged, true), (Residency::Resident, false)] {
        let disk = MemFs::new();
        let db = open(&disk);
        fill(&db.keyspace_with("k", options(residency)).unwrap());
        db.flush().unwrap();
        db.close().unwrap();
        let db = open(&disk);
        let keyspace = db.open_keyspace("k").unwrap().expect("it is there");
        assert_answers(&keyspace);
        let counted = db.stats().counted;
        assert!(counted.counter(Counter::BlockCacheMisses) > 200, "{residency:?}: blocks that a fence has to tell apart");
        let found = [Counter::FencesLeftOut, Counter::FenceLeavesLoaded, Counter::FenceLeafBytesRead]
            .map(|counter| counted.counter(counter));
        assert_eq!(found.map(|count| count > 0), [are_left_out; 3], "{residency:?}: {found:?}");
    }
}

#[test]
fn a_change_is_of_tables_that_are_opened_from_then_on() {
    let disk = MemFs::new();
    let db = open(&disk);
    let keyspace = db.keyspace_with("k", options(Residency::Resident)).unwrap();
    fill(&keyspace);
    db.flush().unwrap();
    assert_answers(&keyspace);
    for residency in [Residency::Paged, Residency::Resident] {
        let before = db.stats().counted;
        keyspace.set_options(options(residency)).unwrap();
        assert_answers(&keyspace);
        assert_eq!(db.stats().counted.since(&before).counter(Counter::FencesLeftOut), 0, "tables that are open stay");
        fill(&keyspace);
        db.compact().unwrap();
        assert_answers(&keyspace);
        let left_out = db.stats().counted.since(&before).counter(Counter::FencesLeftOut);
        assert_eq!(left_out > 0, residency == Residency::Paged, "{residency:?}: {left_out}");
    }
}
