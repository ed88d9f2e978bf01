//! Crashes at every call of a script: the tree opens by itself, and holds what its mark says, exactly.

use crate::model::{Ends, Pair, compaction_under, go_on, owned, small_options};
use sediment_base::{FileUuid, KeyOrder, Result, SeqNo, stats::Counter};
use sediment_env::{
    Env, Fs,
    fs::{CrashPlan, MemFs},
    random::SeededRandom,
};
use sediment_tree::{FlushContext, Retention, SeqnoSource, Tree, TreeOptions, is_not_created};
use std::{ops::Bound, path::Path};

const ALL: Ends = (Bound::Unbounded, Bound::Unbounded);

/// What was promised once a call of the script had returned.
pub(crate) struct Promise {
    point: usize,
    /// Whether the tree had been created, and its durable boundary.
    mark: Option<Option<SeqNo>>,
}

impl Promise {
    /// Before there is a tree.
    pub(crate) fn of_nothing() -> Self {
        Self { point: 0, mark: None }
    }

    /// What a tree promises that has come so far.
    pub(crate) fn now(disk: &MemFs, pair: &Pair) -> Self {
        Self { point: disk.op_count(), mark: Some(pair.tree.mark()) }
    }
}

/// The last of these promises that was made before a crash.
pub(crate) fn promised(promises: &[Promise], point: usize) -> Option<Option<SeqNo>> {
    promises.iter().rev().find(|promise| promise.point <= point).and_then(|promise| promise.mark)
}

/// What is done with a tree after a crash.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Further {
    Nothing,
    WithOrphans,
    WithoutOrphans,
}

struct Recorded {
    disk: MemFs,
    pair: Pair,
    promises: Vec<Promise>,
}

fn record(seed: u64, rounds: usize) -> Result<Recorded> {
    let disk = MemFs::new();
    disk.create_dir(Path::new("/tree"))?;
    disk.record();
    let options = TreeOptions { removed_run_rows: 2, ..small_options(KeyOrder::bytewise()) };
    let mut pair = Pair::create_with(Env::simulated(disk.clone(), seed), options)?;
    let mut promises = vec![Promise::of_nothing(), Promise::now(&disk, &pair)];
    let random = SeededRandom::new(seed);
    for round in 0..rounds {
        for _ in 0..40 {
            let key = format!("key-{:03}", random.below(60));
            let value = vec![b'v'; random.below(60) as usize];
            let value = (random.below(4) > 0).then_some(&value[..]);
            if random.below(8) == 0 { pair.hold(key.as_bytes(), value) } else { pair.write(key.as_bytes(), value)? }
        }
        for number in (round * 5)..(round * 5 + 12) {
            pair.write(format!("key-{number:03}").as_bytes(), None)?;
        }
        // The last rows come when the memtable is sealed already.
        pair.seal();
        pair.deliver_all()?;
        pair.flush()?;
        promises.push(Promise::now(&disk, &pair));
        match round % 4 {
            1 => drop(pair.compact_due()?),
            2 => pair.reopen()?,
            3 => pair.compact_all()?,
            _ => {}
        }
        promises.push(Promise::now(&disk, &pair));
    }
    assert!(pair.options.stats.get(Counter::RemovedRunsFound) > 2);
    Ok(Recorded { disk, pair, promises })
}

#[test]
#[cfg_attr(planted_bugs, ignore = "planted bugs are switched on for the whole process")]
fn every_crash_leaves_what_the_mark_says() -> Result<()> {
    let images = sweep()?;
    assert!(images > 1000, "{images} images");
    Ok(())
}

/// How many images were looked at.
pub(crate) fn sweep() -> Result<usize> {
    let recorded = record(3, 8)?;
    let history = recorded.disk.history();
    let plan = CrashPlan { subsets: 2, cuts: 6, singles_back: 6, ..CrashPlan::ci() };
    let mut images = 0;
    for point in history.points() {
        let promise = promised(&recorded.promises, point);
        history.for_each_image(point, &plan, &mut |name, image| {
            images += 1;
            let place = format!("image {name} after {}", history.describe(point.saturating_sub(1)));
            let further = match images % 32 {
                0 => Further::WithOrphans,
                16 => Further::WithoutOrphans,
                _ => Further::Nothing,
            };
            check(&recorded.pair, promise, image, further, &place);
        });
    }
    Ok(images)
}

/// Opens an image and compares what is in it with what was written up to its mark, which is at least what was promised.
pub(crate) fn check(pair: &Pair, promise: Option<Option<SeqNo>>, image: MemFs, further: Further, place: &str) {
    let env = Env::simulated(image, 99);
    let options = pair.options.clone();
    let tree = match Tree::open(&env, &pair.dir, options.clone()) {
        Ok(tree) => tree,
        Err(error) if promise.is_none() && is_not_created(&error) => {
            let created = Tree::create(&env, &pair.dir, FileUuid([1; 16]), options.clone());
            drop(created.unwrap_or_else(|error| panic!("{place}: cannot create: {error}")));
            Tree::open(&env, &pair.dir, options).unwrap_or_else(|error| panic!("{place}: created, but: {error}"));
            return;
        }
        Err(error) => panic!("{place}: {error}"),
    };
    let mark = tree.mark();
    assert!(mark >= promise.flatten(), "{place}: {promise:?} was promised, {mark:?} is there");
    let found = scan(&tree, SeqNo::MAX >> 1, place);
    assert_eq!(found, pair.expected_range(&ALL, mark.map_or(0, |mark| mark + 1)), "{place}");
    let faults = tree.verify().expect("verify reports").faults;
    assert!(faults.is_empty(), "{place}: {faults:?}");
    if further != Further::Nothing {
        let next = pair.numbers.as_ref().map_or(mark.unwrap_or(0) + 1, |numbers| numbers.next());
        carry_on(&tree, further, next, found.len(), place).unwrap_or_else(|error| panic!("{place}: going on: {error}"));
    }
}

fn carry_on(tree: &Tree, further: Further, next: SeqNo, rows: usize, place: &str) -> Result<()> {
    if further == Further::WithoutOrphans {
        tree.move_orphans()?;
    }
    tree.insert(b"later", b"row", next)?;
    tree.seal(next);
    let retention = Retention::newest(next + 1);
    tree.flush(&FlushContext {
        retention: retention.clone(),
        now_us: 1,
        through: SeqNo::MAX,
        covered: None,
        before_publish: &|_| Ok(()),
        on_slice: &go_on,
    })?;
    let context = compaction_under(retention);
    tree.compact_all(&context)?;
    assert_eq!(scan(tree, next + 1, place).len(), rows + 1, "{place}");
    assert!(tree.verify()?.faults.is_empty(), "{place}");
    Ok(())
}

fn scan(tree: &Tree, read_seqno: SeqNo, place: &str) -> Vec<(Vec<u8>, Vec<u8>)> {
    let pairs: Result<Vec<_>> = tree.range(ALL, read_seqno).map(owned).collect();
    pairs.unwrap_or_else(|error| panic!("{place}: {error}"))
}
