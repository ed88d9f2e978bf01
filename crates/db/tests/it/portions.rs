//! Large compactions in portions, by threads that are idle.

use crate::disks::{DIR, eventually, rows, small};
use sediment_env::{Env, MemFs};
use sedimentdb::{
    Db, ErrorKind, Keyspace, Options,
    event::{CompactionEnded, EventListener},
    stats::Counter,
};
use std::{
    sync::{Arc, Mutex},
    thread,
};

/// Keeps the portions of each compaction that rewrote tables.
#[derive(Default)]
struct Portions(Mutex<Vec<u64>>);

impl EventListener for Portions {
    fn compaction_ended(&self, event: &CompactionEnded) {
        assert!(event.error.is_none(), "{event:?}");
        assert_eq!(event.portions == 0, event.is_move, "{event:?}");
        self.0.lock().unwrap().extend((!event.is_move).then_some(event.portions));
    }
}

fn options(threads: usize, portions_max: Option<usize>) -> Options {
    let mut options = small();
    options.expert.background_threads = Some(threads);
    options.expert.compaction_portions_max = portions_max;
    options
}

fn opened(options: Options, env: Env) -> (Db, Arc<Portions>) {
    let portions = Arc::new(Portions::default());
    let db = Db::builder(DIR).options(options).env(env).listener(Arc::<Portions>::clone(&portions)).open().unwrap();
    (db, portions)
}

/// Half a megabyte, with some of it removed and overwritten.
fn fill(keyspace: &Keyspace) {
    for number in 0..1500_u32 {
        keyspace.insert(format!("{:05}", number * 7919 % 1500), number.to_le_bytes().repeat(80)).unwrap();
    }
    keyspace.remove_range("00200".."01300").unwrap();
    for number in (0..1500_u32).step_by(3) {
        keyspace.insert(format!("{number:05}"), [3; 300]).unwrap();
    }
}

fn expected() -> Vec<String> {
    let db = Db::builder(DIR).options(small()).env(Env::simulated(MemFs::new(), 1)).open().unwrap();
    let keyspace = db.keyspace("a").unwrap();
    fill(&keyspace);
    rows(keyspace.iter())
}

fn counted(db: &Db) -> (u64, u64) {
    let counted = db.stats().counted;
    (counted.counter(Counter::CompactionCount), counted.counter(Counter::CompactionPortions))
}

#[test]
fn idle_threads_help_with_a_full_compaction() {
    let expected = expected();
    for (threads, portions_max, most) in
        [(4, None, 4), (4, Some(2), 2), (2, None, 2), (4, Some(1), 1), (1, None, 1), (0, None, 1)]
    {
        let (db, portions) = opened(options(threads, portions_max), Env::simulated(MemFs::new(), 1));
        let a = db.keyspace("a").unwrap();
        fill(&a);
        let is_divided = || portions.0.lock().unwrap().iter().any(|portions| *portions > 1);
        for _ in 0..100 {
            db.compact().unwrap();
            // Threads that were still at what the writes made due could not help.
            if most == 1 || is_divided() {
                break;
            }
        }
        assert_eq!(rows(a.iter()), expected, "{threads} threads");
        assert!(db.verify().unwrap().faults.is_empty());
        // What the threads have done is counted first, and told then.
        let told = || portions.0.lock().unwrap().clone();
        let is_all_told = || counted(&db) == (told().len() as u64, told().iter().sum());
        assert!(eventually(&a, is_all_told), "{:?}, {:?}", counted(&db), told());
        let told = told();
        assert!(told.iter().all(|portions| *portions <= most), "{threads} threads: {told:?}");
        assert!(most == 1 || is_divided(), "{threads} threads: {told:?}");
    }
}

/// One after the other, because only one thread runs at a time.
#[test]
fn stepped_there_are_as_many_portions_every_time() {
    let run = || {
        let (env, _stepper) = Env::stepped(MemFs::new(), 3);
        let (db, portions) = opened(options(3, None), env);
        let a = db.keyspace("a").unwrap();
        fill(&a);
        db.compact().unwrap();
        assert_eq!(rows(a.iter()), expected());
        portions.0.lock().unwrap().clone()
    };
    let (first, second) = (run(), run());
    assert!(first.contains(&3), "{first:?}");
    assert_eq!(first, second);
}

/// Every thread has a large compaction of its own and would have help; flushes come between, and nobody waits for ever.
#[test]
fn nobody_waits_for_help() {
    for threads in [1, 3] {
        let (db, portions) = opened(options(threads, Some(8)), Env::simulated(MemFs::new(), 1));
        let spaces: Vec<Keyspace> = (0..4).map(|number| db.keyspace(&format!("k{number}")).unwrap()).collect();
        thread::scope(|scope| {
            for space in &spaces {
                scope.spawn(|| fill(space));
            }
            scope.spawn(|| (0..3).for_each(|_| db.compact().unwrap()));
        });
        db.compact().unwrap();
        let expected = expected();
        for space in &spaces {
            assert_eq!(rows(space.iter()), expected);
        }
        assert!(db.verify().unwrap().faults.is_empty());
        assert!(portions.0.lock().unwrap().iter().all(|portions| *portions <= threads as u64));
    }
}

/// At whatever moment of a compaction the database ends, all its portions have been installed, or none.
#[test]
fn an_end_while_portions_run_loses_nothing() {
    let disk = MemFs::new();
    let db = Db::builder(DIR).options(options(4, None)).env(Env::simulated(disk.clone(), 1)).open().unwrap();
    let a = db.keyspace("a").unwrap();
    fill(&a);
    let expected = rows(a.iter());
    drop(a);
    let other = db.clone();
    let compacted = thread::scope(|scope| {
        let running = scope.spawn(move || other.compact());
        let _ = db.close();
        running.join().unwrap()
    });
    if let Err(error) = compacted {
        assert!(matches!(error.kind(), ErrorKind::Closed | ErrorKind::Cancelled), "{error}");
    }
    let db = Db::builder(DIR).options(small()).env(Env::simulated(disk, 2)).open().unwrap();
    assert_eq!(rows(db.keyspace("a").unwrap().iter()), expected);
    assert!(db.verify().unwrap().faults.is_empty());
}
