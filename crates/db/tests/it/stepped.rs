//! Stepped: the same seed, the same disk, whatever else the process does.

use crate::disks::{DIR, list, recorded, small};
use sediment_env::{Env, MemFs, fs::History};
use sedimentdb::{Db, Keyspace};
use std::{
    sync::atomic::{AtomicBool, Ordering},
    thread,
};

/// What becomes of a disk under a seed: tables come and go, and keyspaces are cleared and dropped.
fn run(seed: u64) -> History {
    let disk = recorded();
    let (env, _stepper) = Env::stepped(disk.clone(), seed);
    let mut options = small();
    options.expert.background_threads = Some(3);
    let db = Db::builder(DIR).options(options).env(env).open().unwrap();
    let [a, b] = ["a", "b"].map(|name| db.keyspace(name).unwrap());
    for number in 0..900_u32 {
        a.insert(format!("{:05}", number * 7919 % 900), number.to_le_bytes().repeat(80)).unwrap();
        b.insert(format!("{number:05}"), "short").unwrap();
        if number % 300 == 299 {
            assert_eq!(a.iter().count() as u32, number + 1);
            b.clear().unwrap();
        }
    }
    db.drop_keyspace("b").unwrap();
    db.compact().unwrap();
    drop((a, b));
    db.close().unwrap();
    assert_eq!(list(&disk, "trees").len(), 1, "those of the other keyspace are gone");
    disk.history()
}

fn assert_same(history: &History, expected: &History) {
    let ops = 0..history.len().max(expected.len());
    for op in ops {
        assert_eq!(history.describe(op), expected.describe(op), "op {op}");
    }
    assert_eq!(history.digest(), expected.digest());
}

fn read_all_the_time(keyspace: &Keyspace, is_over: &AtomicBool) {
    while !is_over.load(Ordering::Relaxed) {
        keyspace.get("key").unwrap();
    }
}

/// Tables and trees went once no thread of the process was in the middle of a read, of whichever database: then the thread that removes files
/// had something to do, and others were drawn from there on.
#[test]
fn the_same_seed_gives_the_same_disk_beside_other_databases() {
    let other = Db::builder(DIR).options(small()).env(Env::simulated(MemFs::new(), 1)).open().unwrap();
    let read = other.keyspace("a").unwrap();
    read.insert("key", "value").unwrap();
    let (alone, is_over) = (run(3), AtomicBool::new(false));
    thread::scope(|scope| {
        // More than there are processors for: some are always stopped in the middle.
        let readers = thread::available_parallelism().map_or(1, usize::from) + 1;
        (0..readers).for_each(|_| drop(scope.spawn(|| read_all_the_time(&read, &is_over))));
        let beside = run(3);
        is_over.store(true, Ordering::Relaxed);
        assert_same(&beside, &alone);
    });
    assert_ne!(run(4).digest(), alone.digest(), "seeds matter");
}
