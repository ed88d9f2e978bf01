//! Real threads against each other: writers, readers and background work at once, with what must hold at every moment.
//!
//! Each writer writes *rounds*: a batch that gives all its keys, in two keyspaces, the number of the round. So whatever a reader sees
//! of a writer at one moment is one number, and it never falls.

use crate::disks::small;
use sediment_env::{Env, MemFs};
use sediment_testkit::seed::{Rng, number};
use sedimentdb::{Db, Durability, Keyspace, Options, Slice, Snapshot};
use std::{
    collections::BTreeMap,
    path::Path,
    sync::atomic::{AtomicU64, Ordering::SeqCst},
};

const WRITERS: u64 = 2;
const READERS: u64 = 2;
const KEYS: u64 = 7;

fn options(threads: usize) -> Options {
    let mut options = small();
    options.expert.background_threads = Some(threads);
    options.expert.level0_trigger = Some(2);
    options
}

fn key(writer: u64, index: u64) -> String {
    format!("{writer}/{index}")
}

fn value(round: u64) -> Vec<u8> {
    let mut value = round.to_le_bytes().to_vec();
    value.resize(8 + (round % 97) as usize, round as u8);
    value
}

fn round_of(value: &Slice) -> u64 {
    let round = u64::from_le_bytes(value[..8].try_into().expect("eight bytes"));
    assert_eq!(&value[..], self::value(round), "a value is whole");
    round
}

struct World {
    db: Db,
    spaces: [Keyspace; 2],
    /// The newest round of each writer that has returned.
    returned: [AtomicU64; WRITERS as usize],
    writing: AtomicU64,
}

impl World {
    fn write(&self, writer: u64, rounds: u64) {
        let mut rng = Rng::new(writer);
        for round in 1..=rounds {
            let mut batch = self.db.batch();
            for index in 0..KEYS {
                let space = &self.spaces[(index % 2) as usize];
                // A removed key says nothing; it comes back in the next round.
                if index > 1 && (round + index).is_multiple_of(5) {
                    batch.remove(space, key(writer, index));
                } else {
                    batch.insert(space, key(writer, index), value(round));
                }
            }
            let level = *rng.pick(&[Durability::Memory, Durability::Os, Durability::Os, Durability::Os, Durability::Sync]);
            batch.durability(level).commit().expect("nothing fails");
            let index = round % 2;
            let own = self.spaces[index as usize].get(key(writer, index)).expect("readable").expect("just written");
            assert_eq!(round_of(&own), round, "a thread reads what it wrote");
            self.returned[writer as usize].store(round, SeqCst);
        }
        self.writing.fetch_sub(1, SeqCst);
    }

    fn read(&self, seed: u64) {
        let mut rng = Rng::new(seed);
        let mut seen = [0; WRITERS as usize];
        let mut held: Option<(Snapshot, u64, BTreeMap<String, u64>)> = None;
        while self.writing.load(SeqCst) > 0 {
            let writer = rng.below(WRITERS);
            let before = self.returned[writer as usize].load(SeqCst);
            let round = match rng.below(4) {
                0 => self.point(writer, rng.below(2)),
                1 => self.range(writer),
                _ => {
                    let snapshot = self.db.snapshot();
                    let contents = self.contents(&snapshot, writer);
                    let round = whole(writer, &contents);
                    if rng.one_in(3) {
                        held = Some((snapshot, writer, contents));
                    }
                    round
                }
            };
            assert!(round >= before, "writer {writer}: round {before} had returned, {round} is seen");
            assert!(round >= seen[writer as usize], "writer {writer}: {round} after {}", seen[writer as usize]);
            seen[writer as usize] = round;
            if let Some((snapshot, writer, contents)) = &held {
                assert_eq!(&self.contents(snapshot, *writer), contents, "a snapshot never changes");
            }
        }
    }

    fn point(&self, writer: u64, index: u64) -> u64 {
        self.spaces[index as usize].get(key(writer, index)).expect("readable").map_or(0, |value| round_of(&value))
    }

    /// A scan without a snapshot is of one moment, too.
    fn range(&self, writer: u64) -> u64 {
        let rows = self.spaces[0].prefix(format!("{writer}/")).map(|row| row.expect("readable"));
        let rounds: BTreeMap<String, u64> =
            rows.map(|(key, value)| (String::from_utf8_lossy(&key).into_owned(), round_of(&value))).collect();
        whole_in(writer, &rounds, |index| index % 2 == 0)
    }

    fn contents(&self, snapshot: &Snapshot, writer: u64) -> BTreeMap<String, u64> {
        let mut all = BTreeMap::new();
        for space in &self.spaces {
            for row in snapshot.prefix(space, format!("{writer}/")).rev() {
                let (key, value) = row.expect("readable");
                all.insert(String::from_utf8_lossy(&key).into_owned(), round_of(&value));
            }
        }
        all
    }

    fn maintain(&self) {
        let mut rounds = 0_u64;
        while self.writing.load(SeqCst) > 0 {
            rounds += 1;
            if rounds.is_multiple_of(3) { self.db.compact() } else { self.db.flush() }.expect("nothing fails");
            std::thread::yield_now();
        }
    }
}

/// The one round of which all that is there is; every key that should be there is.
fn whole(writer: u64, contents: &BTreeMap<String, u64>) -> u64 {
    whole_in(writer, contents, |_| true)
}

fn whole_in(writer: u64, contents: &BTreeMap<String, u64>, is_asked: impl Fn(u64) -> bool) -> u64 {
    let Some(round) = contents.values().next().copied() else { return 0 };
    let is_there = |index: u64| index <= 1 || !(round + index).is_multiple_of(5);
    let expected: BTreeMap<String, u64> =
        (0..KEYS).filter(|index| is_asked(*index) && is_there(*index)).map(|index| (key(writer, index), round)).collect();
    assert_eq!(contents, &expected, "a batch is whole");
    round
}

fn run(env: Env, dir: &Path, options: Options, rounds: u64) {
    let open = || Db::builder(dir).options(options.clone()).env(env.clone()).open().expect("opens");
    let db = open();
    let spaces = ["a", "b"].map(|name| db.keyspace(name).expect("made"));
    let world = World { db, spaces, returned: std::array::from_fn(|_| AtomicU64::new(0)), writing: AtomicU64::new(WRITERS) };
    std::thread::scope(|scope| {
        let world = &world;
        (0..WRITERS).for_each(|writer| drop(scope.spawn(move || world.write(writer, rounds))));
        (0..READERS).for_each(|reader| drop(scope.spawn(move || world.read(reader))));
        scope.spawn(|| world.maintain());
    });
    let World { db, spaces, .. } = world;
    assert!(db.verify().expect("readable").faults.is_empty());
    drop(spaces);
    db.close().expect("closes");
    let db = open();
    let world = World {
        spaces: ["a", "b"].map(|name| db.keyspace(name).expect("there")),
        db,
        returned: Default::default(),
        writing: AtomicU64::new(0),
    };
    for writer in 0..WRITERS {
        assert_eq!(whole(writer, &world.contents(&world.db.snapshot(), writer)), rounds);
    }
}

#[test]
fn readers_and_writers_agree_with_background_work_on() {
    let rounds = number("SEDIMENT_THREAD_ROUNDS", 1500);
    run(Env::simulated(MemFs::new(), 1), Path::new("db"), options(2), rounds);
}

#[test]
fn readers_and_writers_agree_without_threads_of_our_own() {
    let rounds = number("SEDIMENT_THREAD_ROUNDS", 1000);
    run(Env::simulated(MemFs::new(), 2), Path::new("db"), options(0), rounds);
}

/// One thread gives a key the number of the round, moves it into a table or not, and clears the keyspace; the numbers of the last
/// round that got as far as each of these are known.
#[derive(Default)]
struct Rounds {
    begun: AtomicU64,
    written: AtomicU64,
    clearing: AtomicU64,
    cleared: AtomicU64,
}

impl Rounds {
    fn run(&self, db: &Db, keyspace: &Keyspace, rounds: u64) {
        for round in 1..=rounds {
            self.begun.store(round, SeqCst);
            keyspace.insert("key", value(round)).expect("nothing fails");
            self.written.store(round, SeqCst);
            match round % 4 {
                0 => db.flush().expect("nothing fails"),
                1 => db.compact().expect("nothing fails"),
                _ => std::thread::yield_now(),
            }
            self.clearing.store(round, SeqCst);
            keyspace.clear().expect("nothing fails");
            self.cleared.store(round, SeqCst);
        }
    }

    /// What is read now is neither gone nor to come, and what was written is there unless a clear has begun.
    fn check(&self, read: impl FnOnce() -> Option<u64>) {
        let (written, cleared) = (self.written.load(SeqCst), self.cleared.load(SeqCst));
        match read() {
            Some(round) => {
                assert!(round > cleared, "round {round} is back, {cleared} was cleared");
                assert!(round >= written && round <= self.begun.load(SeqCst), "round {round} after {written}");
            }
            None => assert!(self.clearing.load(SeqCst) >= written, "round {written} is lost"),
        }
    }
}

#[test]
fn readers_agree_with_a_thread_that_flushes_compacts_and_clears() {
    let options = Options { durability: Durability::Memory, ..options(2) };
    let db = Db::builder("db").options(options).env(Env::simulated(MemFs::new(), 3)).open().expect("opens");
    let keyspace = db.keyspace("a").expect("made");
    let count = number("SEDIMENT_THREAD_ROUNDS", 400);
    let rounds = Rounds::default();
    std::thread::scope(|scope| {
        scope.spawn(|| rounds.run(&db, &keyspace, count));
        for _ in 0..READERS {
            scope.spawn(|| {
                while rounds.cleared.load(SeqCst) < count {
                    rounds.check(|| keyspace.get("key").expect("readable").as_ref().map(round_of));
                    rounds.check(|| keyspace.get_with("key", |value| round_of(&value.into())).expect("readable"));
                    rounds.check(|| keyspace.prefix("k").next().map(|row| round_of(&row.expect("readable").1)));
                    let snapshot = db.snapshot();
                    let get = || snapshot.get(&keyspace, "key").expect("readable");
                    assert_eq!(get(), get(), "a snapshot never changes");
                }
            });
        }
    });
    assert_eq!(keyspace.get("key").expect("readable"), None);
    assert!(db.verify().expect("readable").faults.is_empty());
}

#[test]
fn readers_and_writers_agree_on_a_real_disk() {
    let dir = tempfile::tempdir().expect("a place for it");
    run(Env::system(), dir.path(), options(1), number("SEDIMENT_THREAD_ROUNDS", 300));
}
