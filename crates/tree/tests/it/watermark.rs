//! `docs/semantics.md` on watermarks and stamps, sentence by sentence.

use crate::model::{Numbers, Pair, Row, compaction_under, go_on, owned, small_options};
use sediment_base::{Account, ErrorKind, FileUuid, KeyOrder, Result, SeqNo};
use sediment_env::{Env, Fs, fs::MemFs};
use sediment_raw::epoch;
use sediment_tree::{CompactionContext, Direction, FlushContext, Retention, ScanLimits, SeqnoSource, Tree, TreeOptions};
use std::{
    collections::BTreeMap,
    path::Path,
    sync::{
        Mutex, MutexGuard, RwLock,
        atomic::{AtomicBool, Ordering::SeqCst},
    },
};

fn pair() -> Result<Pair> {
    pair_on(MemFs::new())
}

fn pair_on(disk: MemFs) -> Result<Pair> {
    Pair::stamped(Env::simulated(disk, 1), small_options(KeyOrder::bytewise()), 0)
}

fn numbers(pair: &Pair) -> &Numbers {
    pair.numbers.as_ref().expect("its tree has a source")
}

/// The next seqno, and what is visible.
fn counters(pair: &Pair) -> (SeqNo, SeqNo) {
    (numbers(pair).next.load(SeqCst), numbers(pair).visible.load(SeqCst))
}

fn flush(pair: &mut Pair, watermark: SeqNo) -> Result<()> {
    pair.watermark = Some(watermark);
    pair.flush()
}

fn compact(pair: &mut Pair, watermark: SeqNo) -> Result<()> {
    pair.watermark = Some(watermark);
    pair.compact_all()
}

fn get(pair: &Pair, key: &str, read_seqno: SeqNo) -> Option<String> {
    let found = pair.tree.get(key.as_bytes(), read_seqno).expect("read");
    found.map(|value| String::from_utf8_lossy(&value).into_owned())
}

/// Rows, and tombstones among them, in all tables.
fn rows(pair: &Pair) -> (u64, u64) {
    let levels = pair.tree.stats().levels;
    (levels.iter().map(|level| level.rows).sum(), levels.iter().map(|level| level.tombstones).sum())
}

fn tables(pair: &Pair) -> usize {
    pair.tree.stats().levels.iter().map(|level| level.tables).sum()
}

#[test]
fn a_change_of_the_structure_takes_a_seqno_and_shows_it() -> Result<()> {
    let mut pair = pair()?;
    assert_eq!((counters(&pair), pair.tree.history_len()), ((0, 0), 0));
    pair.write(b"k", Some(b"v"))?;
    flush(&mut pair, 0)?;
    assert_eq!((counters(&pair), pair.tree.history_len()), ((2, 2), 1), "its stamp was 1");
    compact(&mut pair, 0)?;
    assert_eq!((counters(&pair), pair.tree.history_len()), ((3, 3), 2));
    pair.ingest(&[(b"i".to_vec(), Some(b"v".to_vec()))])?;
    assert_eq!((counters(&pair), pair.tree.history_len()), ((5, 5), 3), "one for the rows, and its stamp");
    pair.clear()?;
    assert_eq!((counters(&pair), pair.tree.history_len()), ((6, 6), 4));
    pair.reopen()?;
    assert_eq!(pair.tree.history_len(), 0);
    Ok(())
}

#[test]
fn what_changes_nothing_takes_none() -> Result<()> {
    let mut pair = pair()?;
    flush(&mut pair, 0)?;
    pair.write(b"k", Some(b"v"))?;
    pair.seal();
    assert!(pair.tree.pick_compaction(9).is_none());
    pair.tree.confirm()?;
    assert_eq!((counters(&pair), pair.tree.history_len()), ((1, 0), 0));
    Ok(())
}

#[test]
fn without_a_source_there_is_no_history_and_no_watermark() -> Result<()> {
    let mut pair = Pair::create(KeyOrder::bytewise(), 1)?;
    pair.write(b"k", Some(b"v"))?;
    pair.flush()?;
    pair.compact_all()?;
    assert_eq!(pair.tree.history_len(), 0);
    pair.write(b"k", Some(b"w"))?;
    pair.watermark = Some(0);
    for error in [pair.flush().unwrap_err(), pair.compact_all().unwrap_err(), pair.clear().unwrap_err()] {
        assert_eq!(error.kind(), ErrorKind::InvalidInput);
        assert!(error.to_string().contains("seqno_source"), "{error}");
    }
    pair.watermark = None;
    pair.flush()?;
    assert_eq!(get(&pair, "k", pair.next).as_deref(), Some("w"), "nothing was lost of what was refused");
    Ok(())
}

/// A snapshot with a value, a tombstone and an operand in it, all of which later writes and rewrites take away.
fn outdated() -> Result<(Pair, SeqNo)> {
    let mut pair = pair()?;
    for key in ["a", "b", "c", "d"] {
        pair.write(key.as_bytes(), Some(b"old"))?;
    }
    flush(&mut pair, 0)?;
    pair.write(b"b", None)?;
    pair.write_row(b"c", Row::Operand(b"er".to_vec()))?;
    let snapshot = pair.visible();
    pair.remove_range(b"", b"")?;
    pair.write(b"b", Some(b"new"))?;
    flush(&mut pair, snapshot)?;
    compact(&mut pair, snapshot)?;
    pair.ingest(&[(b"a".to_vec(), Some(b"ingested".to_vec()))])?;
    compact(&mut pair, snapshot)?;
    Ok((pair, snapshot))
}

const SEEN: [(&str, &str); 3] = [("a", "old"), ("c", "older"), ("d", "old")];
const SEEN_NOW: [(&str, &str); 2] = [("a", "ingested"), ("b", "new")];

#[test]
fn an_old_snapshot_goes_on_seeing_what_it_saw_by_every_kind_of_read() -> Result<()> {
    let (pair, snapshot) = outdated()?;
    let all = |pairs: &[(&str, &str)]| -> Vec<(Vec<u8>, Vec<u8>)> {
        pairs.iter().map(|(key, value)| (key.as_bytes().to_vec(), value.as_bytes().to_vec())).collect()
    };
    for (at, expected) in [(snapshot, all(&SEEN)), (pair.visible(), all(&SEEN_NOW))] {
        let tree = &pair.tree;
        let find = |key: &str| expected.iter().find(|row| row.0 == key.as_bytes()).map(|row| row.1.clone());
        let keys = ["a", "b", "c", "d"];
        for key in keys {
            let key_bytes = key.as_bytes();
            assert_eq!(tree.get(key_bytes, at)?.map(|value| value.to_vec()), find(key), "{key} at {at}");
            assert_eq!(tree.get_at(key_bytes, || at)?.map(|value| value.to_vec()), find(key));
            assert_eq!(tree.contains_key(key_bytes, at)?, find(key).is_some());
            assert_eq!(tree.size_of(key_bytes, at)?, find(key).map(|value| value.len()));
            let overlay = tree.overlay();
            let found = tree.get_with_overlay(key_bytes, at, (&overlay, 9))?;
            assert_eq!(found.map(|value| value.to_vec()), find(key), "beside an overlay");
        }
        let many = tree.multi_get(keys, at)?.into_iter().map(|value| value.map(|value| value.to_vec()));
        assert_eq!(many.collect::<Vec<_>>(), keys.map(find));
        let forward = |scan: sediment_tree::Scan| scan.map(owned).collect::<Result<Vec<_>>>();
        assert_eq!(forward(tree.range::<Vec<u8>, _>(.., at))?, expected);
        assert_eq!(forward(tree.prefix(b"", at)?)?, expected);
        assert_eq!(forward(tree.range_with_overlay::<Vec<u8>, _>(.., at, (&tree.overlay(), 9))?)?, expected);
        let mut backward = tree.range::<Vec<u8>, _>(.., at).rev().map(owned).collect::<Result<Vec<_>>>()?;
        backward.reverse();
        assert_eq!(backward, expected);
        for direction in [Direction::Forward, Direction::Backward] {
            let part = tree.scan_part::<Vec<u8>, _>(.., (direction, ScanLimits::default()), at);
            assert_eq!(part.count(), expected.len());
        }
        let (first, last) = (tree.first(at)?.expect("a row"), tree.last(at)?.expect("a row"));
        assert_eq!((&first.0[..], &last.0[..]), (&expected[0].0[..], &expected[expected.len() - 1].0[..]));
        assert_eq!((tree.len(at)?, tree.is_empty(at)?), (expected.len() as u64, false));
        assert!(tree.contains_prefix(b"a", at)?);
        let mut cursor = tree.cursor(at);
        assert!(cursor.seek_to_last()?);
        assert_eq!(cursor.key(), Some(&expected[expected.len() - 1].0[..]));
        assert!(cursor.seek_to_first()?);
        assert_eq!((cursor.key(), cursor.value()), (Some(&b"a"[..]), Some(&expected[0].1[..])));
    }
    Ok(())
}

#[test]
fn a_read_older_than_what_is_kept_is_refused_by_every_kind_of_read() -> Result<()> {
    let (mut pair, snapshot) = outdated()?;
    let now = pair.visible();
    pair.write(b"d", Some(b"fresh"))?;
    flush(&mut pair, now)?;
    assert_eq!(pair.tree.history_len(), 1, "what a reader at the watermark sees");
    assert_eq!(pair.scanned(&(std::ops::Bound::Unbounded, std::ops::Bound::Unbounded), now)?.len(), SEEN_NOW.len());
    let tree = &pair.tree;
    let overlay = tree.overlay();
    let way = (Direction::Forward, ScanLimits::default());
    let errors = [
        tree.get(b"a", snapshot).unwrap_err(),
        tree.multi_get([b"a"], snapshot).unwrap_err(),
        tree.range::<Vec<u8>, _>(.., snapshot).next().expect("an error").unwrap_err(),
        tree.range::<Vec<u8>, _>(.., snapshot).next_back().expect("an error").unwrap_err(),
        tree.scan_part::<Vec<u8>, _>(.., way, snapshot).next().expect("an error").unwrap_err(),
        tree.cursor(snapshot).seek_to_first().unwrap_err(),
        tree.get_with_overlay(b"a", snapshot, (&overlay, 9)).unwrap_err(),
        tree.len(snapshot).unwrap_err(),
        tree.get(b"a", 1).unwrap_err(),
    ];
    errors.iter().for_each(|error| assert_eq!(error.kind(), ErrorKind::HistoryGone, "{error}"));
    assert_eq!((tree.get(b"a", 0)?, tree.len(0)?), (None, 0), "a read at 0 sees nothing, and needs nothing");
    Ok(())
}

#[test]
fn a_watermark_of_0_keeps_all_that_was_and_another_what_its_reader_needs() -> Result<()> {
    let mut pair = pair()?;
    let mut moments = Vec::new();
    for round in 0..6_u8 {
        pair.write(b"k", Some(&[b'0' + round]))?;
        moments.push(pair.visible());
        flush(&mut pair, 0)?;
    }
    assert_eq!(pair.tree.history_len(), 6);
    for (round, moment) in moments.iter().enumerate() {
        assert_eq!(get(&pair, "k", *moment), Some(round.to_string()));
    }
    // The newest with a stamp below moments[3] is that of the third flush.
    compact(&mut pair, moments[3])?;
    assert_eq!(pair.tree.history_len(), 4);
    assert_eq!(get(&pair, "k", moments[3]).as_deref(), Some("3"));
    assert_eq!(pair.tree.get(b"k", moments[2]).unwrap_err().kind(), ErrorKind::HistoryGone);
    let retention = Retention::Snapshots { pins: vec![moments[5]], horizon: pair.visible(), keep_all_from: SeqNo::MAX };
    let context = compaction_under(retention);
    pair.tree.compact_all(&context)?;
    assert_eq!((pair.tree.history_len(), get(&pair, "k", moments[5]).as_deref()), (3, Some("5")), "pins say the same");
    Ok(())
}

#[test]
fn a_flush_keeps_the_newest_row_and_all_from_the_watermark_on() -> Result<()> {
    let mut pair = pair()?;
    pair.write(b"a", Some(b"0"))?;
    pair.write(b"a", None)?;
    flush(&mut pair, 1)?;
    assert_eq!(rows(&pair), (1, 1), "the tombstone");
    let mut pair = self::pair()?;
    pair.write(b"a", Some(b"0"))?;
    pair.write(b"a", None)?;
    pair.write(b"a", Some(b"2"))?;
    flush(&mut pair, 1)?;
    assert_eq!(rows(&pair), (2, 1));
    let mut pair = self::pair()?;
    for _ in 0..4 {
        pair.write(b"a", Some(b"v"))?;
    }
    flush(&mut pair, 0)?;
    assert_eq!(rows(&pair), (4, 0));
    Ok(())
}

#[test]
fn a_flush_that_leaves_nothing_makes_no_table_and_takes_the_memtables_away() -> Result<()> {
    let mut pair = pair()?;
    pair.write(b"a", Some(b"0"))?;
    pair.write_row(b"a", Row::WeaklyRemoved)?;
    let snapshot = 1;
    flush(&mut pair, 1)?;
    assert_eq!((tables(&pair), pair.tree.is_clean(), pair.tree.history_len()), (0, true, 1));
    assert_eq!((get(&pair, "a", pair.visible()), get(&pair, "a", snapshot).as_deref()), (None, Some("0")));
    Ok(())
}

#[test]
fn a_weak_tombstone_never_brings_an_older_value_back() -> Result<()> {
    let mut pair = pair()?;
    pair.write(b"a", Some(b"deep"))?;
    flush(&mut pair, 0)?;
    compact(&mut pair, 0)?;
    pair.write(b"a", Some(b"newer"))?;
    pair.write_row(b"a", Row::WeaklyRemoved)?;
    let now = pair.visible();
    flush(&mut pair, now)?;
    assert_eq!(rows(&pair), (2, 1), "its value goes, it stays as long as there is something to hide");
    assert_eq!(get(&pair, "a", pair.visible()), None);
    let now = pair.visible();
    compact(&mut pair, now)?;
    assert_eq!((rows(&pair), get(&pair, "a", pair.visible())), ((0, 0), None));
    Ok(())
}

#[test]
fn tombstones_end_on_the_last_level_whatever_the_watermark() -> Result<()> {
    let mut pair = pair()?;
    for number in 0..40 {
        pair.write(format!("{number:02}").as_bytes(), Some(&[1; 60]))?;
    }
    let kept = pair.visible();
    for number in 0..40 {
        pair.write(format!("{number:02}").as_bytes(), None)?;
    }
    pair.write(b"x", None)?;
    flush(&mut pair, 0)?;
    assert_eq!(rows(&pair), (81, 41));
    compact(&mut pair, 0)?;
    assert_eq!(rows(&pair), (80, 40), "those stay that hide what stays");
    assert_eq!(pair.tree.len(kept)?, 40);
    compact(&mut pair, kept)?;
    assert_eq!(rows(&pair), (0, 0));
    assert_eq!((pair.tree.len(pair.visible())?, pair.tree.len(kept)?), (0, 40));
    Ok(())
}

#[test]
fn range_tombstones_are_applied_on_the_last_level_and_carried_on_elsewhere() -> Result<()> {
    let mut pair = pair()?;
    pair.write(b"b", Some(b"v"))?;
    pair.write(b"c", Some(b"v"))?;
    pair.remove_range(b"a", b"c")?;
    let now = pair.visible();
    flush(&mut pair, now)?;
    let level = pair.tree.stats().levels[0].clone();
    assert_eq!((level.rows, level.range_tombstones), (2, 1));
    assert_eq!((get(&pair, "b", pair.visible()), get(&pair, "b", now - 1).as_deref()), (None, Some("v")));
    let before = now - 1;
    compact(&mut pair, before)?;
    let ranges: u64 = pair.tree.stats().levels.iter().map(|level| level.range_tombstones).sum();
    assert_eq!((rows(&pair).0, ranges), (2, 1), "it lies at the watermark");
    compact(&mut pair, now)?;
    let ranges: u64 = pair.tree.stats().levels.iter().map(|level| level.range_tombstones).sum();
    assert_eq!((rows(&pair).0, ranges), (1, 0));
    assert_eq!(get(&pair, "c", pair.visible()).as_deref(), Some("v"));
    Ok(())
}

#[test]
fn operands_below_the_watermark_are_folded_and_those_above_leave_all_as_it_is() -> Result<()> {
    let mut pair = pair()?;
    pair.write(b"k", Some(b"0"))?;
    for operand in ["1", "2", "3"] {
        pair.write_row(b"k", Row::Operand(operand.into()))?;
    }
    let snapshot = 2;
    flush(&mut pair, 2)?;
    assert_eq!((rows(&pair), get(&pair, "k", 4).as_deref()), ((4, 0), Some("0123")));
    let now = pair.visible();
    pair.watermark = Some(0);
    compact(&mut pair, now)?;
    assert_eq!((rows(&pair), get(&pair, "k", pair.visible()).as_deref()), ((1, 0), Some("0123")));
    assert_eq!(pair.tree.get(b"k", snapshot).unwrap_err().kind(), ErrorKind::HistoryGone);
    Ok(())
}

#[test]
fn after_reopening_old_seqnos_are_answered_exactly_or_refused() -> Result<()> {
    let (mut pair, snapshot) = outdated()?;
    let now = pair.visible();
    pair.reopen()?;
    assert_eq!((get(&pair, "a", now).as_deref(), get(&pair, "b", now).as_deref()), (Some("ingested"), Some("new")));
    assert_eq!(pair.tree.get(b"a", snapshot).unwrap_err().kind(), ErrorKind::HistoryGone);
    assert_eq!(pair.tree.get(b"a", 3).unwrap_err().kind(), ErrorKind::HistoryGone, "rows went that it would have seen");
    Ok(())
}

#[test]
fn what_earlier_states_hold_stays_and_is_charged_until_they_go() -> Result<()> {
    let disk = MemFs::new();
    let mut pair = pair_on(disk.clone())?;
    let files = || disk.read_dir(Path::new("/tree/tables")).expect("the directory is there").len();
    let pinned = |pair: &Pair| pair.options.budget.used(Account::Pinned);
    for round in 0..3_u8 {
        for key in 0..200_u8 {
            pair.write(&[key], Some(&[round; 50]))?;
        }
        flush(&mut pair, 0)?;
    }
    compact(&mut pair, 0)?;
    let live = tables(&pair);
    assert!(files() > live, "{} files, {live} of them live", files());
    assert!(pinned(&pair) > 3 * 200 * 50, "three memtables: {}", pinned(&pair));
    pair.write(b"x", Some(b"y"))?;
    flush(&mut pair, SeqNo::MAX)?;
    assert_eq!(pair.tree.history_len(), 0);
    assert!(pair.eventually(|| files() == tables(&pair)), "{} files, {} of them live", files(), tables(&pair));
    assert!(pair.eventually(|| pinned(&pair) < 200 * 50), "{}", pinned(&pair));
    Ok(())
}

#[test]
fn closing_the_tree_removes_what_only_earlier_states_held() -> Result<()> {
    let disk = MemFs::new();
    let mut pair = pair_on(disk.clone())?;
    for key in 0..200_u8 {
        pair.write(&[key], Some(&[1; 50]))?;
    }
    flush(&mut pair, 0)?;
    compact(&mut pair, 0)?;
    let live = tables(&pair);
    drop(pair);
    assert_eq!(disk.read_dir(Path::new("/tree/tables"))?.len(), live);
    Ok(())
}

#[test]
fn a_clear_leaves_older_snapshots_what_they_saw() -> Result<()> {
    let disk = MemFs::new();
    let mut pair = pair_on(disk.clone())?;
    pair.write(b"table", Some(b"v"))?;
    flush(&mut pair, 0)?;
    pair.write(b"sealed", Some(b"v"))?;
    pair.seal();
    pair.write(b"active", Some(b"v"))?;
    let snapshot = pair.visible();
    let scan = pair.tree.range::<Vec<u8>, _>(.., snapshot);
    pair.clear()?;
    assert_eq!((pair.tree.len(pair.visible())?, tables(&pair), pair.tree.is_clean()), (0, 0, true));
    assert_eq!((pair.tree.len(snapshot)?, scan.count_rows()?), (3, 3));
    assert_eq!(pair.tree.highest_seqno(), Some(snapshot), "seqnos go on above its stamp");
    pair.write(b"fresh", Some(b"v"))?;
    assert_eq!((pair.tree.len(pair.visible())?, pair.tree.len(snapshot)?), (1, 3));
    flush(&mut pair, 0)?;
    pair.watermark = Some(SeqNo::MAX);
    pair.clear()?;
    assert_eq!(pair.tree.history_len(), 0);
    assert!(pair.eventually(|| disk.read_dir(Path::new("/tree/tables")).expect("there").is_empty()), "and its space is free");
    pair.reopen()?;
    assert_eq!(pair.tree.len(pair.visible())?, 0);
    assert_eq!(pair.tree.get(b"table", snapshot).unwrap_err().kind(), ErrorKind::HistoryGone);
    Ok(())
}

#[test]
fn a_clear_without_a_source_is_refused_while_snapshots_are_open() -> Result<()> {
    let mut pair = Pair::create(KeyOrder::bytewise(), 1)?;
    pair.write(b"k", Some(b"v"))?;
    pair.flush()?;
    pair.pins.push(pair.next);
    let error = pair.tree.clear(&pair.retention()).unwrap_err();
    assert!(error.kind() == ErrorKind::InvalidInput && error.to_string().contains("range"), "{error}");
    assert_eq!(pair.tree.len(pair.next)?, 1);
    let old = pair.pins.pop().expect("the one above");
    pair.write(b"l", Some(b"v"))?;
    let scan = pair.tree.range::<Vec<u8>, _>(.., old);
    pair.tree.clear(&pair.retention())?;
    assert_eq!((scan.count_rows()?, pair.tree.len(pair.next)?), (1, 0), "who reads already goes on");
    assert_eq!(pair.tree.get(b"k", old).unwrap_err().kind(), ErrorKind::HistoryGone);
    pair.tree.insert(b"m", b"v", pair.next)?;
    assert_eq!(pair.tree.len(pair.next + 1)?, 1);
    Ok(())
}

#[test]
fn a_flush_or_compaction_that_a_clear_overtakes_changes_nothing() -> Result<()> {
    let disk = MemFs::new();
    let mut pair = pair_on(disk.clone())?;
    for key in 0..200_u8 {
        pair.write(&[key], Some(&[1; 50]))?;
    }
    let clear = |_| {
        pair.tree.clear(&Retention::Watermark(SeqNo::MAX)).expect("cleared");
        std::ops::ControlFlow::Continue(())
    };
    pair.seal();
    let (retention, through) = (Retention::Watermark(0), SeqNo::MAX);
    let context = FlushContext { retention, now_us: 1, through, covered: None, before_publish: &|_| Ok(()), on_slice: &clear };
    assert_eq!(pair.tree.flush(&context).unwrap_err().kind(), ErrorKind::Cancelled);
    assert_eq!((pair.tree.len(pair.visible())?, tables(&pair), pair.tree.sealed_count()), (0, 0, 0));
    for key in 0..200_u8 {
        pair.tree.insert(&[key], &[2; 50], numbers(&pair).next())?;
    }
    pair.flush()?;
    let context =
        CompactionContext { retention: Retention::Watermark(0), now_us: 1, on_slice: &clear, take_stamp: None, helpers: None };
    assert_eq!(pair.tree.compact_all(&context).unwrap_err().kind(), ErrorKind::Cancelled);
    assert_eq!((pair.tree.len(pair.visible())?, tables(&pair)), (0, 0));
    assert!(pair.eventually(|| disk.read_dir(Path::new("/tree/tables")).expect("there").is_empty()));
    pair.reopen()?;
    assert_eq!(pair.tree.len(pair.visible())?, 0);
    Ok(())
}

#[test]
fn a_read_that_begins_while_history_goes_is_not_refused() -> Result<()> {
    let (source, options) = Drawn::options();
    let tree = Tree::create(&Env::simulated(MemFs::new(), 1), Path::new("/tree"), FileUuid([1; 16]), options)?;
    source.place(|seqno| tree.insert(b"k", b"v", seqno));
    let is_over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            for _ in 0..300 {
                source.place(|seqno| tree.insert(b"k", b"v", seqno));
                tree.seal(source.visible() - 1);
                flush_all(&tree, SeqNo::MAX).expect("flushed");
            }
            is_over.store(true, SeqCst);
        });
        while !is_over.load(SeqCst) {
            assert!(tree.get_at(b"k", || source.visible()).expect("not refused").is_some());
            assert_eq!(tree.range_at::<Vec<u8>, _>(.., || source.visible()).count_rows().expect("not refused"), 1);
        }
    });
    Ok(())
}

/// Seqnos of several threads: nothing is visible before all below it is in place.
#[derive(Debug, Default)]
struct Drawn(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    next: SeqNo,
    on_their_way: BTreeMap<SeqNo, ()>,
    /// Open snapshots, and how many of each.
    open: BTreeMap<SeqNo, usize>,
}

impl SeqnoSource for Drawn {
    fn next(&self) -> SeqNo {
        let mut state = self.lock();
        let seqno = state.next;
        state.next += 1;
        state.on_their_way.insert(seqno, ());
        seqno
    }

    fn show(&self, seqno: SeqNo) {
        self.lock().on_their_way.remove(&(seqno - 1));
    }
}

impl State {
    fn visible(&self) -> SeqNo {
        self.on_their_way.keys().next().copied().unwrap_or(self.next)
    }
}

impl Drawn {
    fn options() -> (std::sync::Arc<Self>, TreeOptions) {
        let source = std::sync::Arc::new(Self::default());
        let seqno_source = Some(std::sync::Arc::clone(&source) as std::sync::Arc<dyn SeqnoSource>);
        (source, TreeOptions { seqno_source, ..small_options(KeyOrder::bytewise()) })
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().expect("no panic")
    }

    fn visible(&self) -> SeqNo {
        self.lock().visible()
    }

    fn place(&self, put: impl FnOnce(SeqNo) -> Result<()>) {
        let seqno = self.next();
        put(seqno).expect("put");
        self.show(seqno + 1);
    }

    fn open(&self) -> SeqNo {
        let mut state = self.lock();
        let seqno = state.visible();
        *state.open.entry(seqno).or_default() += 1;
        seqno
    }

    fn close(&self, seqno: SeqNo) {
        let mut state = self.lock();
        let count = state.open.get_mut(&seqno).expect("open");
        *count -= 1;
        if *count == 0 {
            state.open.remove(&seqno);
        }
    }

    fn watermark(&self) -> SeqNo {
        let state = self.lock();
        state.open.keys().next().copied().unwrap_or(SeqNo::MAX).min(state.visible())
    }
}

fn flush_all(tree: &Tree, watermark: SeqNo) -> Result<()> {
    let (retention, through) = (Retention::Watermark(watermark), SeqNo::MAX);
    tree.flush(&FlushContext { retention, now_us: 1, through, covered: None, before_publish: &|_| Ok(()), on_slice: &go_on })
        .map(drop)
}

const KEYS: u8 = 40;

/// What a snapshot finds, by points and by a scan.
fn look(tree: &Tree, at: SeqNo) -> Vec<(Vec<u8>, Vec<u8>)> {
    let rows: Vec<_> = tree.range::<Vec<u8>, _>(.., at).map(|row| owned(row).expect("readable")).collect();
    let keys: Vec<[u8; 1]> = (0..KEYS).map(|key| [key]).collect();
    let mut values = vec![sediment_base::Slice::default(); keys.len()];
    let begun = tree.begin_multi_get(&epoch::pin(), &keys, || at, &mut values).expect("readable");
    let found = begun.finish().expect("readable");
    let points = keys.iter().zip(values).zip(found).filter(|(_, is_found)| *is_found);
    let points: Vec<_> = points.map(|((key, value), _)| (key.to_vec(), value.to_vec())).collect();
    assert_eq!(points, rows, "at {at}");
    rows
}

/// Writers, a flusher and a compactor with the highest watermark that is allowed, beside readers who look twice.
#[test]
fn snapshots_stay_what_they_are_beside_writers_flushes_and_compactions() -> Result<()> {
    let (source, options) = Drawn::options();
    let tree = Tree::create(&Env::simulated(MemFs::new(), 1), Path::new("/tree"), FileUuid([1; 16]), options)?;
    let (is_over, between_writes) = (AtomicBool::new(false), RwLock::new(()));
    let write = |round: u64| {
        for key in 0..KEYS {
            let _writing = between_writes.read().expect("no panic");
            let value = round.to_le_bytes();
            match (round + u64::from(key)) % 7 {
                0 => source.place(|seqno| tree.remove(&[key], seqno)),
                1 => source.place(|seqno| tree.remove_weak(&[key], seqno)),
                2 => source.place(|seqno| tree.remove_range(&[key], &[key + 3], seqno)),
                3 => source.place(|seqno| tree.merge(&[key], &value, seqno)),
                _ => source.place(|seqno| tree.insert(&[key], &value, seqno)),
            }
        }
    };
    let compact = || {
        let context = |watermark| compaction_under(Retention::Watermark(watermark));
        while let Some(plan) = tree.pick_compaction(9) {
            tree.compact(plan, &context(source.watermark())).expect("compacted");
        }
        tree.compact_all(&context(source.watermark())).expect("compacted");
    };
    std::thread::scope(|scope| {
        scope.spawn(|| {
            (0..400).for_each(write);
            is_over.store(true, SeqCst);
        });
        scope.spawn(|| {
            while !is_over.load(SeqCst) {
                {
                    let _no_write = between_writes.write().expect("no panic");
                    tree.seal(source.visible().saturating_sub(1));
                }
                flush_all(&tree, source.watermark()).expect("flushed");
            }
        });
        scope.spawn(|| {
            while !is_over.load(SeqCst) {
                compact();
            }
        });
        for _ in 0..2 {
            scope.spawn(|| {
                let mut open: Vec<(SeqNo, Vec<_>)> = Vec::new();
                while !is_over.load(SeqCst) {
                    let at = source.open();
                    open.push((at, look(&tree, at)));
                    open.iter().for_each(|(at, rows)| assert_eq!(look(&tree, *at), *rows, "at {at}"));
                    if open.len() > 5 {
                        source.close(open.remove(open.len() / 2).0);
                    }
                }
            });
        }
    });
    Ok(())
}
