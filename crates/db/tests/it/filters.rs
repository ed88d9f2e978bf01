//! Filters are built as the keyspace says, level by level, and asked whatever they were built as.

use sediment_env::{Env, MemFs};
use sedimentdb::{Db, FilterKind, Goal, KeyspaceOptions, Residency, dump_file, stats::Counter};
use std::path::{Path, PathBuf};

const ROWS: usize = 3000;

/// The files beneath a directory.
fn files(dir: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path());
    entries.flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] }).collect()
}

/// The kinds of filters that tables have.
fn kinds(dir: &Path) -> Vec<String> {
    let tables = files(dir).into_iter().filter(|path| path.parent().is_some_and(|dir| dir.ends_with("tables")));
    let kind = |path: PathBuf| {
        let mut text = String::new();
        dump_file(&path, &mut text).unwrap();
        let after = text.split("region Filter of kind ").nth(1).expect("it has one");
        after.split(' ').next().unwrap_or_default().to_owned()
    };
    let mut kinds: Vec<String> = tables.map(kind).collect();
    kinds.dedup();
    kinds
}

fn assert_answers(db: &Db) {
    let keyspace = db.keyspace("k").unwrap();
    for number in 0..ROWS {
        assert!(keyspace.get(format!("{number:05}")).unwrap().is_some(), "{number}");
        assert!(keyspace.get(format!("{number:05}x")).unwrap().is_none(), "{number}");
    }
}

#[test]
fn each_level_has_the_filters_that_it_is_told() {
    let burr = KeyspaceOptions { filter: Some(FilterKind::Burr), ..KeyspaceOptions::default() };
    let goal = |goal| KeyspaceOptions { goal: Some(goal), ..KeyspaceOptions::default() };
    let bloom_for_space = KeyspaceOptions { filter: Some(FilterKind::SplitBlock), ..goal(Goal::Space) };
    let cases = [(burr, "2"), (goal(Goal::Space), "2"), (goal(Goal::Balanced), "1"), (bloom_for_space, "1")];
    for (options, below) in cases {
        let dir = tempfile::tempdir().unwrap();
        let db = Db::open(dir.path()).unwrap();
        let keyspace = db.keyspace_with("k", options.clone()).unwrap();
        for number in 0..ROWS {
            keyspace.insert(format!("{number:05}"), "value").unwrap();
        }
        db.flush().unwrap();
        assert_answers(&db);
        drop(keyspace);
        db.close().unwrap();
        assert_eq!(kinds(dir.path()), ["1"], "of level 0 under {options:?}");
        let db = Db::open(dir.path()).unwrap();
        assert_answers(&db);
        db.keyspace("k").unwrap().insert("00007", "again").unwrap();
        db.compact().unwrap();
        assert_answers(&db);
        db.close().unwrap();
        assert_eq!(kinds(dir.path()), [below], "below level 0 under {options:?}");
        assert_answers(&Db::open(dir.path()).unwrap());
    }
}

#[test]
fn locators_take_the_place_of_filters_in_the_last_level_from_then_on() {
    let dir = tempfile::tempdir().unwrap();
    let regions = || {
        let tables = files(dir.path()).into_iter().filter(|path| path.parent().is_some_and(|dir| dir.ends_with("tables")));
        let mut all: Vec<[bool; 2]> = tables
            .map(|path| {
                let mut text = String::new();
                dump_file(&path, &mut text).unwrap();
                ["region Filter ", "region Locator "].map(|region| text.contains(region))
            })
            .collect();
        all.dedup();
        all
    };
    for locators in [None, Some(true), Some(false), Some(true)] {
        let db = Db::open(dir.path()).unwrap();
        let keyspace = db.keyspace("k").unwrap();
        keyspace.set_options(KeyspaceOptions { locators, ..KeyspaceOptions::default() }).unwrap();
        for number in 0..ROWS {
            keyspace.insert(format!("{number:05}"), "value").unwrap();
        }
        db.compact().unwrap();
        let before = db.stats().counted;
        assert_answers(&db);
        let since = db.stats().counted.since(&before);
        let is_on = locators == Some(true);
        assert_eq!(since.counter(Counter::LocatorHits), if is_on { ROWS as u64 } else { 0 });
        assert!(!is_on || since.counter(Counter::LocatorChecks) > ROWS as u64);
        drop(keyspace);
        db.close().unwrap();
        assert_eq!(regions(), [[!is_on, is_on]], "{locators:?}");
    }
    assert_answers(&Db::open(dir.path()).unwrap());
}

#[test]
fn a_keyspace_says_whether_its_filters_are_in_memory() {
    let db = Db::builder("db").env(Env::simulated(MemFs::new(), 1)).open().unwrap();
    for (name, residency, are_left_out) in [("paged", Residency::Paged, true), ("resident", Residency::Resident, false)] {
        let options = KeyspaceOptions { filter_residency: Some(residency), ..KeyspaceOptions::default() };
        let keyspace = db.keyspace_with(name, options).unwrap();
        (0..8000).for_each(|number| keyspace.insert(format!("{number:05}"), "value").unwrap());
        db.flush().unwrap();
        let before = db.stats().counted;
        assert!((0..8000).all(|number| keyspace.get(format!("{number:05}")).unwrap().is_some()));
        assert!((0..8000).all(|number| keyspace.get(format!("{number:05}?")).unwrap().is_none()));
        let counted = db.stats().counted.since(&before);
        let [left_out, loaded] = [Counter::FiltersLeftOut, Counter::FilterPagesLoaded].map(|counter| counted.counter(counter));
        assert_eq!((left_out > 0, loaded > 0), (are_left_out, are_left_out), "{name}: {left_out}, {loaded}");
        assert!(counted.counter(Counter::FilterNegatives) > 7000, "{name}");
    }
}
