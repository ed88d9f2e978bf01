//! What a compaction filter removes or replaces is so for whoever reads from then on, and for nobody who has read before.

use crate::disks::{DIR, eventually, list, recorded, rows, small, text};
use sediment_env::{Env, MemFs, fs::CrashPlan};
use sediment_testkit::seed::{Rng, seeds};
use sedimentdb::{
    Db, ErrorKind, Keyspace, KeyspaceOptions, Options, Result, Snapshot,
    compaction_filter::{CompactionFilter, CompactionFilterFactory, FilterContext, FilterRow, Verdict},
    stats::Counter,
};
use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
};

/// Removes values that begin with `x`, and turns a `t` at their beginning into a `k`.
#[derive(Debug, Default)]
struct ByValue {
    /// Where snapshots are taken in the middle of compactions.
    watched: Mutex<Option<(Db, Keyspace)>>,
    /// These, and what each saw when it was taken.
    taken: Mutex<Vec<(Snapshot, Vec<String>)>>,
}

struct Judging;

impl CompactionFilterFactory for ByValue {
    fn name(&self) -> &str {
        "by value"
    }

    fn make(&self, _context: &FilterContext) -> Option<Box<dyn CompactionFilter>> {
        if let Some((db, keyspace)) = &*self.watched.lock().expect("no panic under it") {
            let snapshot = db.snapshot();
            let seen = rows(snapshot.iter(keyspace));
            self.taken.lock().expect("no panic under it").push((snapshot, seen));
        }
        Some(Box::new(Judging))
    }
}

impl CompactionFilter for Judging {
    fn filter(&mut self, row: &FilterRow<'_>) -> Result<Verdict> {
        Ok(match row.value.split_first() {
            Some((b'x', _)) => Verdict::Remove,
            Some((b't', rest)) => Verdict::Replace([b"k", rest].concat()),
            _ => Verdict::Keep,
        })
    }
}

impl ByValue {
    fn watch(&self, db: &Db, keyspace: &Keyspace) {
        *self.watched.lock().expect("no panic under it") = Some((db.clone(), keyspace.clone()));
    }

    /// What each snapshot taken sees is what it has seen.
    fn check_taken(&self, keyspace: &Keyspace) -> usize {
        let taken = self.taken.lock().expect("no panic under it");
        taken.iter().for_each(|(snapshot, seen)| assert_eq!(&rows(snapshot.iter(keyspace)), seen));
        taken.len()
    }

    /// Lets go of all that is held.
    fn end(&self) {
        self.watched.lock().expect("no panic under it").take();
        self.taken.lock().expect("no panic under it").clear();
    }
}

fn open(disk: &MemFs, filter: &Arc<ByValue>, options: Options) -> Db {
    let builder = Db::builder(DIR).options(options).env(Env::simulated(disk.clone(), 7));
    builder.compaction_filter(filter.clone()).open().expect("a sound disk")
}

fn by_value() -> KeyspaceOptions {
    KeyspaceOptions { compaction_filter: Some("by value".into()), ..KeyspaceOptions::default() }
}

#[test]
fn a_snapshot_taken_in_the_middle_goes_on_as_it_began() {
    let (disk, filter) = (MemFs::new(), Arc::new(ByValue::default()));
    let db = open(&disk, &filter, small());
    let a = db.create_keyspace_with("a", by_value()).unwrap();
    for (key, value) in [("k1", "keep"), ("k2", "x"), ("k3", "t3")] {
        a.insert(key, value).unwrap();
    }
    db.flush().unwrap();
    filter.watch(&db, &a);
    let mut begun = a.iter();
    assert_eq!(begun.next().unwrap().unwrap().0, "k1");
    db.compact().unwrap();
    assert_eq!(rows(a.iter()), ["k1=keep", "k3=k3"]);
    assert_eq!((text(&a, "k2"), a.multi_get(["k2", "k3"]).unwrap()), (None, vec![None, Some("k3".into())]));
    assert_eq!(rows(begun), ["k2=x", "k3=t3"], "a scan that has begun goes on");
    assert_eq!(filter.check_taken(&a), 1);
    {
        let taken = filter.taken.lock().unwrap();
        let snapshot = &taken[0].0;
        assert_eq!(snapshot.get(&a, "k2").unwrap().as_deref(), Some(&b"x"[..]));
        assert_eq!(snapshot.multi_get(&a, ["k2", "k3"]).unwrap(), [Some("x".into()), Some("t3".into())]);
        assert_eq!(rows(snapshot.range(&a, "k2"..).rev()), ["k3=t3", "k2=x"]);
    }
    assert_eq!(db.stats().counted.counter(Counter::CompactionRowsFiltered), 2);
    assert_eq!(list(&disk, "trees/1/tables").len(), 2, "its table stays");
    a.insert("k4", "keep").unwrap();
    filter.end();
    assert!(eventually(&a, || list(&disk, "trees/1/tables").len() == 1), "and goes with it");
    assert_eq!(rows(a.iter()), ["k1=keep", "k3=k3", "k4=keep"]);
}

#[test]
fn what_an_older_snapshot_sees_is_not_judged_yet() {
    let (disk, filter) = (MemFs::new(), Arc::new(ByValue::default()));
    let db = open(&disk, &filter, small());
    let a = db.create_keyspace_with("a", by_value()).unwrap();
    a.insert("k1", "x").unwrap();
    let before = db.snapshot();
    a.insert("k2", "x").unwrap();
    db.compact().unwrap();
    assert_eq!((rows(a.iter()), rows(before.iter(&a))), (vec!["k1=x".to_owned()], vec!["k1=x".to_owned()]));
    drop(before);
    db.compact().unwrap();
    assert_eq!(rows(a.iter()), [""; 0]);
}

#[test]
fn filters_are_checked_stored_and_changed_like_any_setting() {
    let (disk, filter) = (MemFs::new(), Arc::new(ByValue::default()));
    let db = open(&disk, &filter, small());
    let with = |name: &str| KeyspaceOptions { compaction_filter: Some(name.into()), ..KeyspaceOptions::default() };
    let refused = db.create_keyspace_with("a", with("by heart")).unwrap_err();
    assert!(refused.to_string().contains("DbBuilder::compaction_filter, or choose one of: by value"), "{refused}");
    let a = db.create_keyspace_with("a", KeyspaceOptions::default()).unwrap();
    assert_eq!(a.set_options(with("by heart")).unwrap_err().kind(), ErrorKind::InvalidInput);
    a.insert("k1", "x").unwrap();
    db.compact().unwrap();
    assert_eq!(rows(a.iter()), ["k1=x"]);
    a.set_options(by_value()).unwrap();
    drop(a);
    db.close().unwrap();
    // Without the filter everything is kept, and its name as well.
    let plain = crate::disks::open(&disk);
    let a = plain.keyspace("a").unwrap();
    plain.compact().unwrap();
    assert_eq!((rows(a.iter()), a.options()), (vec!["k1=x".to_owned()], by_value()));
    drop(a);
    plain.close().unwrap();
    let db = open(&disk, &filter, small());
    db.compact().unwrap();
    assert_eq!(rows(db.keyspace("a").unwrap().iter()), [""; 0]);
}

/// What the newest row of a key says, and whether the filter was seen to have had its say.
#[derive(Clone)]
struct Newest {
    value: String,
    is_judged: bool,
}

impl Newest {
    /// Whether a read may find this; once the filter was seen to have had its say, that stands.
    fn allows(&mut self, found: Option<&str>) -> bool {
        if !self.is_judged && found == Some(&self.value) {
            return true;
        }
        self.is_judged = true;
        match self.value.split_at(1) {
            ("x", _) => found.is_none(),
            ("t", rest) => found == Some(&format!("k{rest}")),
            _ => false,
        }
    }
}

#[test]
fn random_histories_agree_with_a_map_and_snapshots_with_themselves() {
    let mut filtered = 0;
    for seed in seeds(1, 60) {
        let mut rng = Rng::new(seed);
        let (disk, filter) = (MemFs::new(), Arc::new(ByValue::default()));
        let mut db = open(&disk, &filter, small());
        let mut a = db.create_keyspace_with("a", by_value()).unwrap();
        let mut newest: BTreeMap<String, Newest> = BTreeMap::new();
        let mut held: Vec<(Snapshot, Vec<String>)> = Vec::new();
        filter.watch(&db, &a);
        for step in 0..400 {
            let key = format!("k{:02}", rng.below(30));
            match rng.below(20) {
                0 | 1 => {
                    a.remove(&key).unwrap();
                    newest.remove(&key);
                }
                2 => {
                    let snapshot = db.snapshot();
                    let seen = rows(snapshot.iter(&a));
                    held.push((snapshot, seen));
                }
                3 if !held.is_empty() => drop(held.swap_remove(rng.below(held.len() as u64) as usize)),
                4 => db.flush().unwrap(),
                5 => db.compact().unwrap(),
                6 => filter.taken.lock().unwrap().clear(),
                7 if rng.one_in(4) => {
                    filtered += db.stats().counted.counter(Counter::CompactionRowsFiltered);
                    held.clear();
                    filter.end();
                    drop((a, db));
                    db = open(&disk, &filter, small());
                    a = db.keyspace("a").unwrap();
                    filter.watch(&db, &a);
                }
                _ => {
                    let value = format!("{}{step:0>199}", rng.pick(&["k", "x", "t"]));
                    a.insert(&key, &value).unwrap();
                    newest.insert(key, Newest { value, is_judged: false });
                }
            }
            if step % 10 == 0 {
                for (snapshot, seen) in &held {
                    assert_eq!(&rows(snapshot.iter(&a)), seen, "seed {seed}, step {step}");
                }
                filter.check_taken(&a);
                for number in 0..30 {
                    let key = format!("k{number:02}");
                    let found = text(&a, &key);
                    let is_right = newest.get_mut(&key).map_or(found.is_none(), |newest| newest.allows(found.as_deref()));
                    assert!(is_right, "seed {seed}, step {step}: {key} is {found:?}");
                }
            }
        }
        filtered += db.stats().counted.counter(Counter::CompactionRowsFiltered);
        db.compact().unwrap();
        assert!(db.verify().unwrap().faults.is_empty(), "seed {seed}");
        filter.end();
    }
    assert!(filtered > 1000, "{filtered}");
}

#[test]
fn a_crash_in_the_middle_leaves_each_row_judged_or_not() {
    let (disk, filter) = (recorded(), Arc::new(ByValue::default()));
    let db = open(&disk, &filter, small());
    let a = db.create_keyspace_with("a", by_value()).unwrap();
    for number in 0..40 {
        a.insert(format!("k{number:02}"), ["keep", "x"][number % 2]).unwrap();
    }
    db.flush().unwrap();
    let begun = disk.history().len();
    db.compact().unwrap();
    a.insert("k99", "keep").unwrap();
    let history = disk.history();
    let mut images = 0;
    for point in begun..=history.len() {
        history.for_each_image(point, &CrashPlan::ci(), &mut |name, image| {
            images += 1;
            let db = open(&image, &filter, small());
            let a = db.keyspace("a").unwrap();
            for number in 0..40 {
                let (key, value) = (format!("k{number:02}"), text(&a, &format!("k{number:02}")));
                let is_right =
                    if number % 2 == 0 { value.as_deref() == Some("keep") } else { value.is_none_or(|value| value == "x") };
                assert!(is_right, "point {point}, {name}: {key}");
            }
            db.compact().unwrap();
            assert_eq!(a.range("k00".."k40").count(), 20, "point {point}, {name}");
        });
    }
    assert!(images > 50, "{images}");
}

struct Over<'a>(&'a AtomicBool);

impl Drop for Over<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

#[test]
fn snapshots_are_still_while_threads_write_and_compact() {
    let dir = tempfile::tempdir().unwrap();
    let mut options = small();
    options.expert.background_threads = None;
    let filter = Arc::new(ByValue::default());
    let db = Db::builder(dir.path()).options(options).compaction_filter(filter).open().unwrap();
    let a = db.create_keyspace_with("a", by_value()).unwrap();
    let is_over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        // The writer ends even if the snapshots below are not still.
        let over = Over(&is_over);
        let writer = scope.spawn(|| {
            for number in 0_u64.. {
                if is_over.load(Ordering::Relaxed) {
                    return number;
                }
                a.insert(format!("k{:03}", number % 500), format!("{}{number:0>99}", ["k", "x", "t"][number as usize % 3]))
                    .unwrap();
            }
            0
        });
        let filtered = || db.stats().counted.counter(Counter::CompactionRowsFiltered);
        let mut rounds = 0;
        while rounds < 200 || filtered() < 10_000 {
            rounds += 1;
            let snapshot = db.snapshot();
            let seen = rows(snapshot.iter(&a));
            std::thread::yield_now();
            assert_eq!(rows(snapshot.iter(&a)), seen);
        }
        drop(over);
        assert!(writer.join().unwrap() > 1000);
    });
    db.close().unwrap();
}

#[test]
fn a_full_disk_ends_the_compaction_and_nothing_else() {
    let disk = MemFs::new();
    let (faults, env) = crate::disks::faulty(&disk);
    let filter = Arc::new(ByValue::default());
    let db = Db::builder(DIR).options(small()).env(env).compaction_filter(filter).open().unwrap();
    let a = db.create_keyspace_with("a", by_value()).unwrap();
    a.insert("k1", "keep").unwrap();
    a.insert("k2", "x").unwrap();
    db.flush().unwrap();
    crate::disks::fill(&faults, "wal", 0);
    let refused = db.compact().unwrap_err();
    assert_eq!((refused.kind(), rows(a.iter())), (ErrorKind::NoSpace, vec!["k1=keep".to_owned(), "k2=x".to_owned()]));
    faults.disarm();
    db.compact().unwrap();
    assert_eq!(rows(a.iter()), ["k1=keep"]);
    assert!(eventually(&a, || list(&disk, "trees/1/tables").len() == 1));
}
