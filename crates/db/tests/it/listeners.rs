//! Events: each is told, on the thread that did it, and in order; what a listener may do, and what its mistakes do.

use crate::disks::{DIR, fail, faulty, fill, open_env, put, rows, small};
use sediment_env::{
    Env, MemFs,
    fs::{Call, Fault},
};
use sedimentdb::{
    Db,
    Durability::Os,
    Durability::Sync,
    ErrorKind, Keyspace, Options,
    event::{
        CompactionBegan, CompactionEnded, EventListener, FlushBegan, FlushEnded, NoSpaceBegan, NoSpaceEnded, PaceChanged,
        Poisoned, StatsTaken, StopReason, TableCreated, TableDeleted, WalFileBegun, WalFileRemoved, WritesResumed,
        WritesStopped,
    },
};
use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex, OnceLock},
    thread,
};

/// Writes down what it hears, and on which thread.
#[derive(Default)]
struct Scribe {
    heard: Mutex<Vec<Heard>>,
}

#[derive(Clone, Debug)]
struct Heard {
    kind: &'static str,
    text: String,
    thread: String,
}

macro_rules! hears {
    ($($method:ident: $event:ident,)*) => {
        impl EventListener for Scribe {
            $(fn $method(&self, event: &$event) {
                self.note(stringify!($method), format!("{event:?}"));
            })*
        }

        /// Does the same with every event.
        impl EventListener for Meddler {
            $(fn $method(&self, _: &$event) {
                self.meddle();
            })*
        }

        const KINDS: &[&str] = &[$(stringify!($method)),*];
    };
}

hears! {
    flush_began: FlushBegan,
    flush_ended: FlushEnded,
    compaction_began: CompactionBegan,
    compaction_ended: CompactionEnded,
    table_created: TableCreated,
    table_deleted: TableDeleted,
    wal_file_begun: WalFileBegun,
    wal_file_removed: WalFileRemoved,
    pace_changed: PaceChanged,
    writes_stopped: WritesStopped,
    writes_resumed: WritesResumed,
    no_space_began: NoSpaceBegan,
    no_space_ended: NoSpaceEnded,
    poisoned: Poisoned,
    stats_taken: StatsTaken,
}

impl Scribe {
    fn note(&self, kind: &'static str, text: String) {
        let thread = thread::current().name().unwrap_or_default().to_owned();
        self.heard.lock().unwrap().push(Heard { kind, text, thread });
    }

    /// What was heard since it was asked before.
    fn take(&self) -> Vec<Heard> {
        std::mem::take(&mut self.heard.lock().unwrap())
    }

    fn take_kinds(&self) -> Vec<&'static str> {
        self.take().into_iter().map(|heard| heard.kind).collect()
    }
}

/// A listener that uses the database of which it is told.
#[derive(Default)]
struct Meddler {
    place: OnceLock<(Db, Keyspace)>,
    calls: Mutex<u64>,
}

impl Meddler {
    fn meddle(&self) {
        let Some((db, keyspace)) = self.place.get() else { return };
        let call = {
            let mut calls = self.calls.lock().unwrap();
            *calls += 1;
            *calls
        };
        assert!(db.stats().counted.counter_named("commit_count").is_some());
        let told = keyspace.get("told").unwrap();
        // What it writes makes events, too; it must come to an end.
        if call < 2000 && keyspace.insert("told", call.to_le_bytes()).is_ok() {
            assert!(keyspace.get("told").unwrap().is_some());
        } else {
            assert!(call >= 2000 || told.is_none() || db.stats().poisoned.is_some());
        }
    }
}

fn listened(options: Options, env: Env) -> (Db, Arc<Scribe>) {
    let scribe = Arc::new(Scribe::default());
    let db = Db::builder(DIR).options(options).env(env).listener(Arc::<Scribe>::clone(&scribe)).open().unwrap();
    (db, scribe)
}

fn fill_rows(keyspace: &Keyspace, count: u32) {
    (0..count).for_each(|n| keyspace.insert(format!("{:05}", n * 7919 % count), [n as u8; 100]).unwrap());
}

#[test]
fn flushes_and_compactions_are_told_as_they_happen() {
    let (db, scribe) = listened(small(), Env::simulated(MemFs::new(), 1));
    let a = db.keyspace("a").unwrap();
    assert_eq!(scribe.take_kinds(), ["wal_file_begun"]);
    a.insert("1", "one").unwrap();
    assert_eq!(scribe.take_kinds(), [] as [&str; 0], "nothing happened on its own");
    db.flush().unwrap();
    let heard = scribe.take();
    let kinds: Vec<_> = heard.iter().map(|heard| heard.kind).collect();
    assert_eq!(kinds, ["flush_began", "table_created", "flush_ended", "wal_file_begun", "wal_file_removed"]);
    for word in ["keyspace: \"a\"", "memtables: 1", "tables: 1", "rows: 1", "error: None"] {
        assert!(heard[2].text.contains(word), "{word}: {}", heard[2].text);
    }
    assert!(heard[1].text.contains("level: 0"), "{}", heard[1].text);
    a.insert("2", "two").unwrap();
    db.compact().unwrap();
    // When a table goes depends on who still reads, in other tests too.
    let heard: Vec<_> = scribe.take().into_iter().filter(|heard| heard.kind != "table_deleted").collect();
    let kinds: Vec<_> = heard.iter().map(|heard| heard.kind).collect();
    let log = ["wal_file_begun", "wal_file_removed"];
    let expected = [
        &["flush_began", "table_created", "flush_ended"][..],
        &log,
        &["compaction_began", "table_created", "compaction_ended"],
    ];
    assert_eq!(kinds, expected.concat());
    assert!(heard[5].text.contains("rewrite level 0 ("), "{}", heard[5].text);
    for word in ["tables_in: 2", "rows_in: 2", "tables_out: 1", "rows_out: 2", "is_move: false", "error: None"] {
        assert!(heard[7].text.contains(word), "{word}: {}", heard[7].text);
    }
    let threads: BTreeSet<_> = heard.into_iter().map(|heard| heard.thread).collect();
    assert_eq!(threads, BTreeSet::from([thread::current().name().unwrap().to_owned()]), "who did it tells it");
}

#[test]
fn log_files_are_told_when_they_begin_and_when_they_go() {
    let (db, scribe) = listened(small(), Env::simulated(MemFs::new(), 1));
    let a = db.keyspace("a").unwrap();
    fill_rows(&a, 1000);
    db.flush().unwrap();
    let heard = scribe.take();
    let of = |kind| heard.iter().filter(|heard| heard.kind == kind).map(|heard| heard.text.clone()).collect::<Vec<_>>();
    let (begun, removed) = (of("wal_file_begun"), of("wal_file_removed"));
    assert_eq!(db.stats().counted.counter_named("wal_files_begun"), Some(begun.len() as u64));
    assert!(removed.len() > 2 && removed.len() + db.stats().wal_files == begun.len(), "{begun:?} {removed:?}");
    let number = |text: &String| text.chars().filter(char::is_ascii_digit).collect::<String>();
    assert_eq!(removed.iter().map(number).collect::<Vec<_>>(), begun.iter().map(number).collect::<Vec<_>>()[..removed.len()]);
}

#[test]
fn what_a_scan_was_the_last_to_hold_is_told_by_its_thread() {
    let (db, scribe) = listened(small(), Env::simulated(MemFs::new(), 1));
    let a = db.keyspace("a").unwrap();
    // What readers in other tests hold may put off the end of a table by a moment, and it is then told by somebody else.
    let is_told_by_scanner = (0..1000).any(|round| {
        a.insert("1", format!("{round}")).unwrap();
        db.flush().unwrap();
        let mut scan = a.iter();
        assert!(scan.next().is_some());
        a.insert("2", "two").unwrap();
        db.compact().unwrap();
        scribe.take();
        thread::Builder::new().name("scanner".into()).spawn(move || drop(scan)).unwrap().join().unwrap();
        let heard = scribe.take();
        assert!(heard.iter().all(|heard| (heard.kind, heard.thread.as_str()) == ("table_deleted", "scanner")), "{heard:?}");
        !heard.is_empty()
    });
    assert!(is_told_by_scanner);
}

#[test]
fn background_threads_tell_what_they_do() {
    let mut options = small();
    options.expert.background_threads = Some(1);
    options.expert.level0_trigger = Some(2);
    let (db, scribe) = listened(options, Env::simulated(MemFs::new(), 1));
    let a = db.keyspace("a").unwrap();
    fill_rows(&a, 3000);
    db.flush().unwrap();
    while db.stats().counted.counter_named("compaction_count") == Some(0) {
        assert!(db.stats().poisoned.is_none());
        thread::yield_now();
    }
    drop(a);
    db.close().unwrap();
    let heard = scribe.take();
    let threads = |kind: &str| {
        heard.iter().filter(|heard| heard.kind == kind).map(|heard| heard.thread.as_str()).collect::<BTreeSet<_>>()
    };
    assert_eq!(threads("flush_ended"), BTreeSet::from(["sediment-flush"]));
    assert_eq!(threads("flush_began"), threads("flush_ended"));
    assert!(threads("compaction_ended").contains("sediment-compact-1"), "{:?}", threads("compaction_ended"));
    // Told as a whole: between a flush's beginning and end its thread tells of its tables.
    let mut open = 0;
    for heard in heard.iter().filter(|heard| heard.thread == "sediment-flush") {
        match heard.kind {
            "flush_began" => open += 1,
            "flush_ended" => open -= 1,
            _ => {}
        }
        assert!((0..=1).contains(&open), "{heard:?}");
    }
    assert_eq!(open, 0);
}

#[test]
fn writers_that_are_slowed_down_or_stopped_are_told() {
    // One thread drives: the background runs only while it waits, so that memory is soon used up.
    let (env, _stepper) = Env::stepped(MemFs::new(), 3);
    let mut options = small();
    options.expert.background_threads = Some(1);
    let (db, scribe) = listened(options, env);
    let a = db.keyspace("a").unwrap();
    fill_rows(&a, 5000);
    let heard = scribe.take();
    let count = |kind| heard.iter().filter(|heard| heard.kind == kind).count() as u64;
    let counter = |name| db.stats().counted.counter_named(name).unwrap();
    assert!(count("writes_stopped") > 0 && count("pace_changed") > 1, "{:?}", db.stats().pace);
    assert_eq!((count("writes_stopped"), count("writes_resumed")), (counter("write_stops"), counter("write_stops")));
    assert!(counter("write_delays") > 0 && counter("write_delay_us") >= counter("write_delays"));
    let stopped = heard.iter().find(|heard| heard.kind == "writes_stopped").unwrap();
    assert_eq!(stopped.text, format!("{:?}", WritesStopped { reason: StopReason::Memory }));
    assert_eq!(db.stats().pace.stopped_writers, 0);
}

#[test]
fn a_full_disk_is_told_when_it_begins_and_when_it_ends() {
    let (faults, env) = faulty(&MemFs::new());
    let mut options = small();
    options.expert.reserve_bytes = 10_000;
    let (db, scribe) = listened(options, env);
    let a = db.keyspace("a").unwrap();
    put(&db, &a, "1", "before", Sync).unwrap();
    scribe.take();
    fill(&faults, "wal/", 0);
    for _ in 0..3 {
        assert_eq!(put(&db, &a, "2", "refused", Os).unwrap_err().kind(), ErrorKind::NoSpace);
        faults.disarm();
        fill(&faults, "", 9_000);
    }
    assert_eq!(scribe.take_kinds(), ["no_space_began"], "once");
    assert!(db.stats().pace.is_disk_full);
    faults.disarm();
    put(&db, &a, "3", "after", Sync).unwrap();
    let kinds = scribe.take_kinds();
    assert_eq!(kinds.iter().filter(|kind| **kind == "no_space_ended").count(), 1, "{kinds:?}");
    assert_eq!(db.stats().counted.counter_named("no_space_events"), Some(1));
    assert!(!db.stats().pace.is_disk_full);
}

#[test]
fn the_first_failure_is_told_once() {
    let (faults, env) = faulty(&MemFs::new());
    let (db, scribe) = listened(small(), env);
    let a = db.keyspace("a").unwrap();
    scribe.take();
    fail(&faults, Call::Sync, "wal/", Fault::SyncLost);
    for _ in 0..2 {
        assert!(put(&db, &a, "1", "in doubt", Sync).is_err());
    }
    let heard = scribe.take();
    assert_eq!(heard.iter().map(|heard| heard.kind).collect::<Vec<_>>(), ["poisoned"]);
    assert!(heard[0].text.contains("injected"), "{}", heard[0].text);
    // A flush that fails tells so.
    let (faults, env) = faulty(&MemFs::new());
    let (db, scribe) = listened(small(), env);
    db.keyspace("a").unwrap().insert("1", "one").unwrap();
    scribe.take();
    fail(&faults, Call::Write, "tables/", Fault::Eio);
    assert!(db.flush().is_err());
    let heard = scribe.take();
    assert_eq!(
        heard.iter().map(|heard| heard.kind).collect::<Vec<_>>(),
        ["flush_began", "table_deleted", "flush_ended", "poisoned"]
    );
    assert!(heard[2].text.contains("memtables: 0") && heard[2].text.contains("injected"), "{}", heard[2].text);
}

#[test]
fn statistics_are_told_at_each_interval() {
    let (env, stepper) = Env::stepped(MemFs::new(), 3);
    let mut options = small();
    options.expert.background_threads = Some(1);
    options.expert.stats_file_interval_us = 500_000;
    let (db, scribe) = listened(options, env.clone());
    let a = db.keyspace("a").unwrap();
    a.insert("1", "one").unwrap();
    stepper.run(1000);
    scribe.take();
    let mut commits = Vec::new();
    for _ in 0..3 {
        a.insert("2", "two").unwrap();
        env.clock.sleep_us(500_000);
        env.park.wake_all();
        stepper.run(1000);
        let heard: Vec<_> = scribe.take().into_iter().filter(|heard| heard.kind == "stats_taken").collect();
        commits.push(heard.len());
        assert!(heard.iter().all(|heard| heard.thread == "sediment-stats"));
    }
    assert_eq!(commits, [1, 1, 1]);
}

#[test]
fn every_kind_has_a_test_here() {
    let this = include_str!("listeners.rs");
    for kind in KINDS {
        assert!(this.matches(&format!("\"{kind}\"")).count() > 0, "no test asks for {kind}");
    }
    let kinds = include_str!("../../../base/src/event/kinds.rs");
    let is_listed = |line: &&str| {
        let named = line.strip_prefix("    ").and_then(|line| line.strip_suffix(" {")).and_then(|line| line.split_once(": "));
        named.is_some_and(|(method, event)| !(method.contains(' ') || event.contains(' ')))
    };
    let listed = kinds.lines().filter(is_listed).count();
    assert_eq!(listed, KINDS.len(), "a kind is missing in the list above");
}

#[test]
fn a_listener_may_read_write_and_ask() {
    let mut threaded = small();
    threaded.expert.background_threads = Some(1);
    for options in [small(), threaded] {
        for stepped in [false, true] {
            let env = if stepped { Env::stepped(MemFs::new(), 5).0 } else { Env::simulated(MemFs::new(), 5) };
            let meddler = Arc::new(Meddler::default());
            let builder = Db::builder(DIR).options(options.clone()).env(env);
            let db = builder.listener(Arc::<Meddler>::clone(&meddler)).open().unwrap();
            let a = db.keyspace("a").unwrap();
            assert!(meddler.place.set((db.clone(), db.keyspace("told").unwrap())).is_ok());
            fill_rows(&a, 2000);
            db.flush().unwrap();
            db.compact().unwrap();
            db.drop_keyspace("a").unwrap();
            let stats = db.stats();
            assert_eq!(stats.listener_panics, 0);
            assert!(stats.poisoned.is_none() && *meddler.calls.lock().unwrap() > 10);
            assert!(db.verify().unwrap().faults.is_empty());
            db.close().unwrap();
        }
    }
}

#[test]
fn a_listener_that_panics_harms_nobody() {
    struct Fragile;
    impl EventListener for Fragile {
        fn flush_ended(&self, _: &FlushEnded) {
            // Not `panic!`, whose message would be printed.
            std::panic::resume_unwind(Box::new("a mistake of a listener"));
        }
    }
    let scribe = Arc::new(Scribe::default());
    let builder = Db::builder(DIR).options(small()).env(Env::simulated(MemFs::new(), 1));
    let db = builder.listener(Arc::new(Fragile)).listener(Arc::<Scribe>::clone(&scribe)).open().unwrap();
    let a = db.keyspace("a").unwrap();
    a.insert("1", "one").unwrap();
    db.flush().unwrap();
    assert_eq!(db.stats().listener_panics, 1);
    assert!(scribe.take_kinds().contains(&"flush_ended"), "the others are told");
    assert_eq!(rows(a.iter()), ["1=one"]);
    drop((a, db));
    assert!(open_env(Env::simulated(MemFs::new(), 1)).is_ok());
}
