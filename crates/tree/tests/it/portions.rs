//! Compactions in several portions: what they make, what a failure or a stop leaves, and when there are any.

use crate::{
    compare::{key, range, row},
    model::{Helping, Pair, go_on, small_options},
};
use sediment_base::{
    CompactionFilter, CompactionFilterFactory, ErrorKind, KeyOrder, Kind, Result, SeqNo,
    compaction_filter::{FilterContext, FilterRow, Verdict},
};
use sediment_env::{
    Env, Fs, ThreadSpawn,
    fs::{Fault, FaultFs, FaultRule, MemFs},
    random::SeededRandom,
};
use sediment_tree::{Helpers, TreeOptions};
use std::{
    collections::BTreeSet,
    ops::{Bound, ControlFlow},
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, AtomicUsize, Ordering::SeqCst},
    },
};

fn options() -> TreeOptions {
    TreeOptions { table_bytes: 1 << 10, ..small_options(KeyOrder::bytewise()) }
}

/// Rows of all kinds in level 0 and below, with pins, and a key that has more versions than go into a table.
fn filled(env: Env, seed: u64) -> Result<Pair> {
    let random = SeededRandom::new(seed);
    let mut pair = Pair::create_with(env, options())?;
    for round in 0..12 {
        for _ in 0..50 {
            pair.write_row(&key(&random), row(&random))?;
        }
        for _ in 0..3 {
            let (start, end) = range(&random, &pair.options.order);
            pair.remove_range(&start, &end)?;
        }
        for _ in 0..4 {
            pair.write(b"longer-key-0050-hot", Some(&[random.below(256) as u8; 300]))?;
            pair.pins.push(pair.visible());
        }
        if round == 5 {
            pair.flush()?;
            pair.compact_all()?;
        }
        pair.flush()?;
    }
    Ok(pair)
}

fn compacted(disk: &MemFs, seed: u64, helping: Option<Helping>) -> Result<Pair> {
    let mut pair = filled(Env::simulated(disk.clone(), seed), seed)?;
    pair.helping = helping;
    pair.compact_all()?;
    Ok(pair)
}

type RawRows = Vec<(Vec<u8>, SeqNo, Kind, Vec<u8>)>;

fn rows(pair: &Pair) -> Result<RawRows> {
    let rows = pair.tree.raw_rows::<Vec<u8>, _>(..);
    rows.map(|row| row.map(|row| (row.key.to_vec(), row.seqno, row.kind, row.value.to_vec()))).collect()
}

/// Which range tombstones cover each key, wherever they are cut.
fn covers(pair: &Pair) -> Result<Vec<(Vec<u8>, BTreeSet<SeqNo>)>> {
    let ranges = pair.tree.raw_range_tombstones()?;
    let covering = |key: &Vec<u8>| {
        let covering = ranges.iter().filter(|range| range.contains(key, &pair.options.order));
        (key.clone(), covering.map(|range| range.seqno).collect())
    };
    Ok(pair.keys().map(covering).collect())
}

/// Everybody reads what was written.
fn check(pair: &Pair, place: &str) -> Result<()> {
    let all = (Bound::Unbounded, Bound::Unbounded);
    for read_seqno in pair.pins.iter().copied().chain([pair.visible()]) {
        assert_eq!(pair.scanned(&all, read_seqno)?, pair.expected_range(&all, read_seqno), "{place} at {read_seqno}");
        for key in pair.keys() {
            let found = pair.tree.get(key, read_seqno)?.map(|value| value.to_vec());
            assert_eq!(found, pair.expected(key, read_seqno), "{place} at {read_seqno}: {key:?}");
        }
    }
    let faults = pair.tree.verify()?.faults;
    assert!(faults.is_empty(), "{place}: {faults:?}");
    Ok(())
}

/// No key is in two tables.
fn check_borders(pair: &Pair, place: &str) {
    for run in pair.tree.table_metas().concat() {
        for tables in run.windows(2) {
            assert!(tables[0].range.is_before(&tables[1].range, &pair.options.order), "{place}: {tables:?}");
        }
    }
}

fn table_files(disk: &MemFs) -> BTreeSet<PathBuf> {
    disk.tree().into_keys().filter(|path| path.starts_with("/tree/tables")).collect()
}

#[test]
#[cfg_attr(planted_bugs, ignore = "planted bugs are switched on for the whole process")]
fn portions_keep_the_rows_that_the_whole_keeps() -> Result<()> {
    for seed in 0..6 {
        let whole = compacted(&MemFs::new(), seed, None)?;
        assert_eq!(whole.divided.load(SeqCst), 0);
        for (count, is_inline) in [(1, true), (4, true), (1, false), (4, false)] {
            let place = format!("seed {seed}, {count} helpers, inline {is_inline}");
            let helping = if is_inline { Helping::inline(count) } else { Helping::threads(count) };
            let pair = compacted(&MemFs::new(), seed, Some(helping))?;
            assert_eq!(pair.divided.load(SeqCst), 1, "{place}");
            assert_eq!(rows(&pair)?, rows(&whole)?, "{place}");
            assert_eq!(covers(&pair)?, covers(&whole)?, "{place}");
            assert_eq!(pair.tree.history_floor(), whole.tree.history_floor(), "{place}");
            check(&pair, &place)?;
            check_borders(&pair, &place);
        }
    }
    Ok(())
}

#[test]
fn a_range_tombstone_across_every_border_hides_all_that_it_hid() -> Result<()> {
    for helping in [Helping::inline(3), Helping::threads(3)] {
        let mut pair = Pair::create_with(Env::simulated(MemFs::new(), 1), options())?;
        for number in 0..400 {
            pair.write(format!("{number:04}").as_bytes(), Some(&[7; 40]))?;
        }
        pair.flush()?;
        pair.compact_all()?;
        pair.pins.push(pair.visible());
        pair.remove_range(b"0010", b"0390")?;
        for number in (0..400).step_by(3) {
            pair.write(format!("{number:04}").as_bytes(), Some(&[8; 40]))?;
        }
        pair.flush()?;
        pair.helping = Some(helping);
        pair.compact_all()?;
        assert_eq!(pair.divided.load(SeqCst), 1);
        let ranges = pair.tree.raw_range_tombstones()?;
        assert!(ranges.len() >= 4, "a piece in each portion: {ranges:?}");
        let mut pieces: Vec<_> = ranges.iter().map(|range| (range.start.to_vec(), range.end.to_vec())).collect();
        pieces.sort();
        assert_eq!((&pieces[0].0[..], &pieces[pieces.len() - 1].1[..]), (&b"0010"[..], &b"0390"[..]));
        assert!(pieces.windows(2).all(|pair| pair[0].1 == pair[1].0), "without a gap: {pieces:?}");
        check(&pair, "with a pin")?;
        pair.pins.clear();
        pair.compact_all()?;
        assert!(pair.tree.raw_range_tombstones()?.is_empty());
        check(&pair, "without one")?;
    }
    Ok(())
}

#[test]
fn one_after_the_other_makes_the_same_files_every_time() -> Result<()> {
    let files = || -> Result<_> {
        let disk = MemFs::new();
        let pair = compacted(&disk, 3, Some(Helping::inline(3)))?;
        assert_eq!(pair.divided.load(SeqCst), 1);
        drop(pair);
        Ok(disk.tree())
    };
    let (first, second) = (files()?, files()?);
    assert!(first.len() > 8);
    assert!(first == second, "{:?} and {:?}", first.keys(), second.keys());
    Ok(())
}

#[test]
#[cfg_attr(planted_bugs, ignore = "planted bugs are switched on for the whole process")]
fn one_portion_that_fails_is_the_failure_of_all() -> Result<()> {
    let mut struck = 0;
    for (fault, is_inline) in [(Fault::Eio, true), (Fault::Eio, false), (Fault::NoSpace { after_bytes: 700 }, true)] {
        for nth in (0..).step_by(3) {
            let place = format!("{fault:?} at call {nth}, inline {is_inline}");
            let disk = MemFs::new();
            let faulty = Arc::new(FaultFs::new(Arc::new(disk.clone())));
            let env = Env { fs: Arc::clone(&faulty) as Arc<dyn Fs>, ..Env::simulated(disk.clone(), 7) };
            let mut pair = filled(env, 5)?;
            pair.helping = Some(if is_inline { Helping::inline(3) } else { Helping::threads(3) });
            assert!(pair.eventually(
                || pair.tree.stats().levels.iter().map(|level| level.tables).sum::<usize>() == table_files(&disk).len()
            ));
            let before = table_files(&disk);
            faulty.arm(FaultRule::nth(nth, fault).matching(|_, path| path.to_string_lossy().contains("tables")));
            let compacted = pair.compact_all();
            let was_struck = !faulty.injected().is_empty();
            faulty.disarm();
            match compacted {
                Ok(()) => assert_eq!(pair.divided.swap(0, SeqCst), 1, "{place}"),
                Err(error) => {
                    struck += 1;
                    assert!(matches!(error.kind(), ErrorKind::Io | ErrorKind::NoSpace), "{place}: {error:?}");
                    assert_eq!(table_files(&disk), before, "{place}: outputs of all portions go");
                    check(&pair, &place)?;
                    pair.compact_all()?;
                }
            }
            check(&pair, &place)?;
            if !was_struck {
                break;
            }
        }
    }
    assert!(struck > 60, "only {struck}");
    Ok(())
}

#[test]
fn a_stop_ends_all_portions_and_leaves_everything_as_it_was() -> Result<()> {
    for (is_inline, last) in [(true, 1), (true, 2), (true, 4), (false, 1), (false, 4)] {
        let disk = MemFs::new();
        let mut pair = filled(Env::simulated(disk.clone(), 7), 5)?;
        pair.helping = Some(if is_inline { Helping::inline(3) } else { Helping::threads(3) });
        let before = rows(&pair)?;
        let asked = AtomicUsize::new(0);
        let stop = |_| match asked.fetch_add(1, SeqCst) + 1 >= last {
            true => ControlFlow::Break(()),
            false => ControlFlow::Continue(()),
        };
        let error = pair.tree.compact_all(&pair.compaction(&stop)).expect_err("stopped");
        assert_eq!(error.kind(), ErrorKind::Cancelled);
        assert!(!is_inline || asked.into_inner() == last, "no portion begins after that");
        assert_eq!(rows(&pair)?, before);
        let tables: usize = pair.tree.stats().levels.iter().map(|level| level.tables).sum();
        assert!(pair.eventually(|| table_files(&disk).len() == tables), "no file is left of any portion");
        pair.compact_all()?;
        check(&pair, "afterwards")?;
    }
    Ok(())
}

#[test]
fn the_slices_of_all_portions_are_all_there_is() -> Result<()> {
    for helping in [Helping::inline(3), Helping::threads(3)] {
        let mut pair = filled(Env::simulated(MemFs::new(), 7), 5)?;
        pair.helping = Some(helping);
        let (slices, written) = (AtomicU64::new(0), AtomicU64::new(0));
        let note = |progress: sediment_tree::Progress| {
            slices.fetch_add(1, SeqCst);
            written.fetch_add(progress.bytes_written, SeqCst);
            ControlFlow::Continue(())
        };
        let report = pair.tree.compact_all(&pair.compaction(&note))?;
        assert_eq!(report.portions, 4);
        assert!(slices.into_inner() >= 4);
        assert_eq!(written.into_inner(), report.bytes_out);
        let metas = pair.tree.table_metas().concat().concat();
        assert_eq!(report.rows_out, metas.iter().map(|table| table.rows).sum::<u64>());
        assert_eq!(report.tables_out, metas.len());
    }
    Ok(())
}

#[test]
fn who_can_help_is_asked_once_and_only_where_there_is_much_to_do() -> Result<()> {
    let mut pair = Pair::create_with(Env::simulated(MemFs::new(), 1), options())?;
    let asked = Mutex::new(Vec::new());
    let compact = |pair: &Pair| {
        let ask = |wanted: usize| {
            asked.lock().expect("no panic").push(wanted);
            wanted + 7
        };
        let helpers =
            Helpers { spawn: &ThreadSpawn, priority: sediment_env::Priority::Normal, ask: &ask, portion_bytes: u64::MAX };
        let context = sediment_tree::CompactionContext { helpers: Some(helpers), ..pair.compaction(&go_on) };
        pair.tree.compact_all(&context).map(|report| report.portions)
    };
    for number in 0..20 {
        pair.write(format!("{number:04}").as_bytes(), Some(&[7; 40]))?;
    }
    pair.flush()?;
    assert_eq!(compact(&pair)?, 1);
    assert!(asked.lock().expect("no panic").is_empty(), "a short one");
    for number in 0..400 {
        pair.write(format!("{number:04}").as_bytes(), Some(&[7; 40]))?;
    }
    pair.flush()?;
    let bytes: u64 = pair.tree.table_metas().concat().concat().iter().map(|table| table.file_bytes).sum();
    let useful = (bytes / (2 * pair.options.table_bytes)) as usize;
    let portions = compact(&pair)?;
    assert_eq!(asked.into_inner().expect("no panic"), [useful - 1]);
    assert!(portions > useful / 2 && portions <= useful, "{portions} of {useful}");
    Ok(())
}

#[test]
#[cfg_attr(planted_bugs, ignore = "planted bugs are switched on for the whole process")]
fn what_takes_long_is_divided_for_who_may_help_later() -> Result<()> {
    let portion_bytes = 2 << 10;
    for seed in 0..4 {
        let whole = compacted(&MemFs::new(), seed, None)?;
        for joining in [0, 1, 2, 99] {
            let place = format!("seed {seed}, {joining} join");
            let pair = compacted(&MemFs::new(), seed, Some(Helping::later(portion_bytes, move |wanted| wanted.min(joining))))?;
            assert_eq!(pair.divided.load(SeqCst), 1, "{place}");
            assert_eq!(rows(&pair)?, rows(&whole)?, "{place}");
            assert_eq!(covers(&pair)?, covers(&whole)?, "{place}");
            check(&pair, &place)?;
            check_borders(&pair, &place);
        }
    }
    Ok(())
}

#[test]
fn helpers_that_become_idle_join_and_are_asked_for_while_they_find_something_to_do() -> Result<()> {
    let mut pair = filled(Env::simulated(MemFs::new(), 7), 5)?;
    let asked = Arc::new(Mutex::new(Vec::new()));
    let notes = Arc::clone(&asked);
    // Nobody at the first two portions, one at the third.
    pair.helping = Some(Helping::later(2 << 10, move |wanted| {
        let mut asked = notes.lock().expect("no panic");
        asked.push(wanted);
        usize::from(asked.len() == 3)
    }));
    let threads = Mutex::new(BTreeSet::new());
    let has_joined = || asked.lock().expect("no panic").len() >= 3;
    let note = |_| {
        let count = || {
            let mut threads = threads.lock().expect("no panic");
            threads.insert(format!("{:?}", std::thread::current().id()));
            threads.len()
        };
        // Until the other one is there.
        assert!(!has_joined() || pair.eventually(|| count() == 2));
        count();
        ControlFlow::Continue(())
    };
    let report = pair.tree.compact_all(&pair.compaction(&note))?;
    assert_eq!(threads.into_inner().expect("no panic").len(), 2);
    let asked = asked.lock().expect("no panic");
    assert_eq!(asked[..3], [report.portions - 1, report.portions - 2, report.portions - 3], "{asked:?}");
    assert!(asked[3..].iter().all(|wanted| *wanted <= report.portions - 3), "{asked:?}");
    check(&pair, "two threads")
}

/// Keeps everything, and notes the keys that each of its filters was asked about.
#[derive(Debug, Default)]
struct Listing(Arc<Mutex<Vec<Vec<Vec<u8>>>>>, AtomicUsize);

struct Listed {
    all: Arc<Mutex<Vec<Vec<Vec<u8>>>>>,
    own: Vec<Vec<u8>>,
}

impl CompactionFilterFactory for Listing {
    fn name(&self) -> &str {
        "listing"
    }

    fn make(&self, _context: &FilterContext) -> Option<Box<dyn CompactionFilter>> {
        self.1.fetch_add(1, SeqCst);
        Some(Box::new(Listed { all: Arc::clone(&self.0), own: Vec::new() }))
    }
}

impl CompactionFilter for Listed {
    fn filter(&mut self, row: &FilterRow<'_>) -> Result<Verdict> {
        self.own.push(row.key.to_vec());
        Ok(Verdict::Keep)
    }

    fn finish(self: Box<Self>) {
        self.all.lock().expect("no panic").push(self.own);
    }
}

#[test]
fn each_portion_has_a_filter_of_its_own_for_its_own_keys() -> Result<()> {
    for helping in [Helping::inline(3), Helping::threads(3)] {
        let listing = Arc::new(Listing::default());
        let options = TreeOptions { compaction_filter: Some(listing.clone()), ..options() };
        let mut pair = Pair::create_with(Env::simulated(MemFs::new(), 1), options)?;
        for number in 0..400 {
            pair.write(format!("{number:04}").as_bytes(), Some(&[7; 40]))?;
        }
        pair.flush()?;
        pair.helping = Some(helping);
        let stamp = || Ok(1000);
        let context = sediment_tree::CompactionContext { take_stamp: Some(&stamp), ..pair.compaction(&go_on) };
        assert_eq!(pair.tree.compact_all(&context)?.portions, 4);
        let mut lists = std::mem::take(&mut *listing.0.lock().expect("no panic"));
        assert_eq!((lists.len(), listing.1.load(SeqCst)), (4, 4));
        lists.sort();
        assert!(lists.iter().all(|keys| keys.len() > 40), "about equal");
        let keys: Vec<_> = lists.concat();
        assert_eq!(keys.len(), 400);
        assert!(keys.is_sorted(), "each has its own stretch of keys, in order");
    }
    Ok(())
}

#[test]
fn the_files_of_a_divided_compaction_are_there_after_opening_again() -> Result<()> {
    let disk = MemFs::new();
    let mut pair = compacted(&disk, 2, Some(Helping::threads(3)))?;
    let (before, tables) = (rows(&pair)?, pair.tree.table_metas().concat());
    pair.reopen()?;
    assert_eq!((rows(&pair)?, pair.tree.table_metas().concat()), (before, tables));
    assert!(
        disk.read_dir(Path::new("/tree/lost")).is_ok_and(|entries| entries.is_empty())
            || !disk.tree().keys().any(|path| path.starts_with("/tree/lost"))
    );
    check(&pair, "opened again")
}
