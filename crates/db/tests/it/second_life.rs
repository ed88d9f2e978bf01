//! A process is killed, the next one goes on over what was never synced, and then the power fails. And what else must not go
//! before that which makes it superfluous is durable.

use crate::disks::{DIR, faulty, fill, killed, open_env, put, recorded, rows, small, try_open};
use sediment_env::{
    Env, MemFs,
    fs::{CrashPlan, Variant},
};
use sedimentdb::{
    Db,
    Durability::{Os, Sync},
    Goal, KeyspaceOptions, Options, Result,
};

/// What a life did: after how many ops of the disk, to which contents, and whether that is durable for certain.
struct Life {
    states: Vec<(usize, Vec<String>, bool)>,
}

impl Life {
    fn note(&mut self, disk: &MemFs, db: &Db, is_durable: bool) {
        self.states.push((disk.op_count(), contents(db), is_durable));
    }

    /// What a crash at this point may leave.
    fn allows(&self, point: usize, found: &[String]) -> bool {
        let done = self.states.iter().rposition(|(at, _, is_durable)| *at <= point && *is_durable).unwrap_or(0);
        self.states[done..].iter().any(|(_, contents, _)| contents == found)
    }
}

fn contents(db: &Db) -> Vec<String> {
    let mut all = Vec::new();
    for name in db.keyspace_names() {
        let keyspace = db.open_keyspace(&name).unwrap().unwrap();
        all.push(format!("{name} {:?}", keyspace.options()));
        all.extend(keyspace.iter().map(|row| {
            let (key, value) = row.unwrap();
            format!("{}={}", String::from_utf8_lossy(&key), value.len())
        }));
    }
    all
}

fn options() -> Options {
    let mut options = small();
    (options.expert.memtable_bytes, options.expert.level0_trigger) = (Some(8 << 10), Some(2));
    options.expert.wal_file_bytes = 2 << 10;
    options
}

fn open_small(disk: &MemFs, seed: u64) -> Result<Db> {
    Db::builder(DIR).options(options()).env(Env::simulated(disk.clone(), seed)).open()
}

fn live(disk: &MemFs, seed: u64) -> Life {
    let db = open_small(disk, seed).unwrap();
    let mut life = Life { states: Vec::new() };
    life.note(disk, &db, false);
    for round in 0..3 {
        let is_new = |name| db.open_keyspace(name).unwrap().is_none();
        let (makes_a, makes_b) = (is_new("a"), is_new("b"));
        let a = db.keyspace("a").unwrap();
        life.note(disk, &db, makes_a);
        let b = db.keyspace_with("b", KeyspaceOptions { level_ratio: Some(5), ..KeyspaceOptions::default() }).unwrap();
        life.note(disk, &db, makes_b);
        put(&db, &a, "1", &"x".repeat(100 + round), Sync).unwrap();
        life.note(disk, &db, true);
        put(&db, &b, "1", &"x".repeat(900), Os).unwrap();
        life.note(disk, &db, false);
        if round == 1 {
            a.clear().unwrap();
            life.note(disk, &db, true);
            put(&db, &a, "2", &"x".repeat(800), Os).unwrap();
            life.note(disk, &db, false);
            a.set_options(KeyspaceOptions { block_bytes: Some(256), ..KeyspaceOptions::default() }).unwrap();
            life.note(disk, &db, true);
            assert!(db.drop_keyspace("b").unwrap());
            life.note(disk, &db, true);
        }
        db.flush().unwrap();
        life.note(disk, &db, false);
        put(&db, &a, "3", &"x".repeat(1200), Os).unwrap();
        life.note(disk, &db, false);
        db.compact().unwrap();
        life.note(disk, &db, false);
        if round == 2 {
            a.set_options(KeyspaceOptions { goal: Some(Goal::Write), ..a.options() }).unwrap();
            life.note(disk, &db, true);
        }
    }
    life
}

fn check(life: &Life, disk: &MemFs, stride: usize, what: &str) {
    let history = disk.history();
    let plan = CrashPlan { singles_back: 3, subsets: 1, cuts: 0, ..CrashPlan::ci() };
    for point in (0..=history.len()).filter(|point| point % stride == 0 || *point == history.len()) {
        history.for_each_image(point, &plan, &mut |name, image| {
            let found = open_small(&image, 9).map(|db| contents(&db));
            let found = found.unwrap_or_else(|error| panic!("{what}, {name:?}: {error}\n{}", tail(&history, point)));
            assert!(life.allows(point, &found), "{what}, {name:?}: {found:?}\n{}", tail(&history, point));
        });
    }
}

fn tail(history: &sediment_env::fs::History, point: usize) -> String {
    (point.saturating_sub(12)..point).map(|at| format!("{at} {}\n", history.describe(at))).collect()
}

#[test]
fn what_one_life_leaves_the_power_may_not_take() {
    let disk = recorded();
    let life = live(&disk, 7);
    check(&life, &disk, 1, "first life");
}

#[test]
fn a_second_life_rests_on_nothing_that_is_not_durable() {
    let disk = recorded();
    let first = live(&disk, 7);
    let history = disk.history();
    let mut killed = Vec::new();
    let plan = CrashPlan { singles_back: 0, subsets: 0, cuts: 0, ..CrashPlan::ci() };
    for point in 0..=history.len() {
        history.for_each_image(point, &plan, &mut |name, image| {
            if name.variant == Variant::Killed {
                killed.push((point, image));
            }
        });
    }
    for (point, disk) in killed {
        let what = format!("second life after {point}\n{}", tail(&history, point));
        let done = first.states.iter().rposition(|(at, _, is_durable)| *at <= point && *is_durable).unwrap_or(0);
        let mut life = live(&disk, 8 + point as u64);
        // Before its first sync, all that the first life could leave may be left.
        let earlier = first.states[done..].iter().map(|(_, contents, _)| (0, contents.clone(), false));
        life.states.splice(0..0, earlier);
        check(&life, &disk, 37 + point % 7, &what);
    }
}

#[test]
fn a_trim_keeps_the_file_that_its_own_record_ended() {
    let mut options = small();
    options.expert.wal_file_bytes = 2 << 10;
    for size in (1_400..1_800).step_by(8) {
        let disk = MemFs::new();
        let open = || Db::builder(DIR).options(options.clone()).env(Env::simulated(disk.clone(), 7)).open();
        let db = open().unwrap();
        let a = db.keyspace("a").unwrap();
        put(&db, &a, "1", &"x".repeat(1_500), Os).unwrap();
        put(&db, &a, "2", &"x".repeat(size), Os).unwrap();
        db.flush().unwrap();
        drop((db, a));
        let db = open().unwrap_or_else(|error| panic!("{size}: {error}"));
        assert_eq!(db.keyspace("a").unwrap().iter().count(), 2);
    }
}

#[test]
fn a_cleared_tree_stays_until_the_catalog_no_longer_names_it() {
    let disk = MemFs::new();
    disk.record();
    let (faults, env) = faulty(&disk);
    let db = open_env(env).unwrap();
    let a = db.keyspace("a").unwrap();
    put(&db, &a, "1", "old", Sync).unwrap();
    let before = db.snapshot();
    fill(&faults, "catalog", 0);
    a.clear().unwrap();
    drop(before);
    db.flush().unwrap();
    let disk = killed(&disk);
    let db = try_open(&disk).unwrap();
    assert!(rows(db.keyspace("a").unwrap().iter()).is_empty());
}
