//! Runs of removed keys: noted by flushes, passed over by walks, and never in the way of what is there.

use crate::{
    model::{Ends, Held, Pair, Row, compaction_under, go_on, owned, small_options},
    raw::ask,
};
use sediment_base::{
    CompactionFilter, CompactionFilterFactory, KeyOrder, Result, SeqNo, Slice, TableId,
    compaction_filter::{FilterContext, FilterRow, Verdict},
    stats::Counter,
};
use sediment_env::{Env, fs::MemFs};
use sediment_tree::{CompactionContext, Direction, FlushContext, Retention, ScanLimits, TreeOptions, TreeView};
use std::{
    ops::{Bound, Range},
    sync::Arc,
};

const ALL: Ends = (Bound::Unbounded, Bound::Unbounded);

fn key(number: u32) -> Vec<u8> {
    format!("key-{number:06}").into_bytes()
}

fn options(removed_run_rows: u64) -> TreeOptions {
    TreeOptions { removed_run_rows, table_bytes: 1 << 20, ..small_options(KeyOrder::bytewise()) }
}

/// A tree with a row of each of these keys, all in one run.
fn filled(options: TreeOptions, keys: impl IntoIterator<Item = u32>) -> Result<Pair> {
    let mut pair = Pair::create_with(Env::simulated(MemFs::new(), 1), options)?;
    keys.into_iter().try_for_each(|number| pair.write(&key(number), Some(b"a value that takes some room")))?;
    pair.flush()?;
    pair.compact_all()?;
    Ok(pair)
}

fn remove(pair: &mut Pair, keys: impl IntoIterator<Item = u32>) -> Result<()> {
    keys.into_iter().try_for_each(|number| pair.write(&key(number), None))
}

fn found(pair: &Pair) -> u64 {
    pair.options.stats.get(Counter::RemovedRunsFound)
}

fn passed(pair: &Pair) -> u64 {
    pair.options.stats.get(Counter::RemovedRunsPassed)
}

/// Both ways, now and at every pin.
fn check(pair: &Pair, place: &str) -> Result<()> {
    for read_seqno in pair.pins.iter().copied().chain([pair.visible()]) {
        let expected = pair.expected_range(&ALL, read_seqno);
        assert_eq!(pair.scanned(&ALL, read_seqno)?, expected, "{place} at {read_seqno}");
        let mut backward = pair.tree.range(ALL, read_seqno).rev().map(owned).collect::<Result<Vec<_>>>()?;
        backward.reverse();
        assert_eq!(backward, expected, "{place}, backward at {read_seqno}");
    }
    Ok(())
}

/// What scans find is what gets find.
fn check_by_gets(pair: &Pair, keys: Range<u32>, place: &str) -> Result<Vec<u32>> {
    let mut by_gets = Vec::new();
    for number in keys {
        by_gets.extend(pair.tree.get(&key(number), SeqNo::MAX)?.map(|_| number));
    }
    let scanned: Vec<_> = pair.tree.range(ALL, SeqNo::MAX).map(|row| row.map(|row| row.0.to_vec())).collect::<Result<_>>()?;
    assert_eq!(scanned, by_gets.iter().map(|number| key(*number)).collect::<Vec<_>>(), "{place}");
    Ok(by_gets)
}

#[test]
fn a_seek_over_removed_keys_looks_at_a_handful_of_blocks() -> Result<()> {
    const KEYS: u32 = 20_000;
    let mut pair = filled(options(4096), 0..KEYS)?;
    pair.write(b"before", Some(b"1"))?;
    pair.write(b"upper", Some(b"2"))?;
    pair.pins.push(pair.next);
    remove(&mut pair, 0..KEYS)?;
    pair.flush()?;
    assert_eq!(found(&pair), 1);
    for is_reopened in [false, true] {
        if is_reopened {
            pair.reopen()?;
        }
        let counted = || {
            let snapshot = pair.options.stats.snapshot();
            let blocks = [Counter::BlockCacheHits, Counter::BlockCacheMisses].map(|counter| snapshot.counter(counter));
            (blocks.iter().sum::<u64>(), snapshot.counter(Counter::RemovedRunsPassed))
        };
        let walk = |what: &str, walk: &dyn Fn() -> Result<Vec<u8>>, expected: &[u8]| -> Result<()> {
            let (blocks, passed) = counted();
            assert_eq!(walk()?, expected, "{what}");
            let (blocks, passed) = (counted().0 - blocks, counted().1 - passed);
            assert!(blocks <= 10 && passed == 1, "{what}: {blocks} blocks, {passed} runs passed");
            Ok(())
        };
        let (tree, now) = (&pair.tree, pair.next);
        let first = |row: Option<Result<(Slice, Slice)>>| row.transpose().map(|row| row.expect("a row").0.to_vec());
        walk("forward", &|| first(tree.range(key(0).., now).next()), b"upper")?;
        walk("from within", &|| first(tree.range(key(KEYS / 2).., now).next()), b"upper")?;
        walk("backward", &|| first(tree.range(..key(KEYS), now).next_back()), b"before")?;
        let cursor = |is_back: bool| {
            let mut cursor = tree.cursor(now);
            let is_there = if is_back { cursor.seek_back(&key(KEYS - 7))? } else { cursor.seek(&key(7))? };
            assert!(is_there);
            Ok(cursor.key().expect("a row").to_vec())
        };
        walk("a cursor", &|| cursor(false), b"upper")?;
        walk("a cursor, backward", &|| cursor(true), b"before")?;
        let part = || {
            let limits = ScanLimits { steps: 20, ..ScanLimits::default() };
            let mut part = tree.scan_part(key(0).., (Direction::Forward, limits), now);
            Ok(part.next_ref()?.expect("within so few steps").0.to_vec())
        };
        walk("a part", &part, b"upper")?;
        // Who reads below sees them all.
        assert_eq!(tree.len(pair.pins[0])?, u64::from(KEYS) + 2);
        assert_eq!(tree.range(ALL, pair.pins[0]).rev().count(), KEYS as usize + 2);
    }
    assert!(pair.tree.verify()?.faults.is_empty());
    pair.compact_all()?;
    check(&pair, "compacted")
}

#[test]
fn rows_inserted_again_are_seen_wherever_they_lie() -> Result<()> {
    let mut pair = filled(options(4), 0..200)?;
    pair.pins.push(pair.next);
    remove(&mut pair, 20..180)?;
    pair.flush()?;
    assert_eq!(found(&pair), 1);
    check(&pair, "removed")?;
    for round in 0..3 {
        for number in [20, 50 + round, 100, 178, 179] {
            pair.write(&key(number), Some(b"again"))?;
        }
        pair.write_row(&key(120), Row::Operand(vec![round as u8]))?;
        check(&pair, "in memory")?;
        pair.flush()?;
        check(&pair, "in a table")?;
    }
    assert!(passed(&pair) > 10, "{}", passed(&pair));
    pair.reopen()?;
    check(&pair, "reopened")?;
    pair.compact_due()?;
    check(&pair, "compacted")?;
    remove(&mut pair, 0..200)?;
    pair.flush()?;
    assert_eq!(found(&pair), 2);
    check(&pair, "removed again")
}

/// A tree in which two rows have their seqno and are on their way, when keys around them are removed and flushed under higher ones: one of
/// a key that is nowhere else, and one of a key that is removed.
fn with_late_rows() -> Result<Pair> {
    let mut pair = filled(options(4), (0..100).filter(|number| number % 2 == 0))?;
    pair.hold(&key(31), Some(b"late"));
    pair.hold(&key(40), Some(b"late, and gone"));
    remove(&mut pair, (0..100).filter(|number| number % 2 == 0))?;
    pair.tree.seal(pair.visible() - 1);
    Ok(pair)
}

#[test]
fn rows_that_come_late_are_seen_or_stay_removed() -> Result<()> {
    let mut pair = with_late_rows()?;
    pair.flush_sealed()?;
    assert_eq!(found(&pair), 1);
    check(&pair, "before they came")?;
    pair.deliver_all()?;
    check(&pair, "in memory")?;
    pair.flush()?;
    check(&pair, "in a table")?;
    pair.reopen()?;
    check(&pair, "reopened")?;
    assert_eq!(passed(&pair), 0);
    pair.compact_all()?;
    check(&pair, "compacted")
}

/// Brings the rows that are held by ingestions.
fn ingest_held(pair: &Pair, held: &[Held]) -> Result<()> {
    for row in held {
        let Held::Row(key, seqno, Row::Value(value)) = row else { panic!("{row:?}") };
        let mut ingestion = pair.tree.ingest(7);
        ingestion.insert(key, value)?;
        ingestion.finish(*seqno)?;
    }
    Ok(())
}

#[test]
fn what_is_ingested_late_is_seen_or_stays_removed() -> Result<()> {
    for is_during_flush in [false, true] {
        let mut pair = with_late_rows()?;
        let held = std::mem::take(&mut pair.held);
        let visible = held.iter().map(|held| if let Held::Row(_, seqno, _) = held { *seqno } else { 0 }).min().unwrap_or(0);
        let retention = Retention::Snapshots { pins: Vec::new(), horizon: visible, keep_all_from: SeqNo::MAX };
        let before_publish = |_| if is_during_flush { ingest_held(&pair, &held) } else { Ok(()) };
        let context = FlushContext {
            retention,
            now_us: 5,
            through: visible - 1,
            covered: None,
            before_publish: &before_publish,
            on_slice: &go_on,
        };
        assert_eq!(pair.tree.flush(&context)?.memtables, 1);
        assert_eq!(found(&pair), 1);
        if !is_during_flush {
            ingest_held(&pair, &held)?;
        }
        check(&pair, "ingested")?;
        pair.reopen()?;
        check(&pair, "reopened")?;
        assert_eq!(passed(&pair), 0);
    }
    Ok(())
}

#[test]
fn what_shows_divides_a_run_and_scattered_removes_make_none() -> Result<()> {
    let mut pair = filled(options(100), 0..2000)?;
    remove(&mut pair, (0..1000).filter(|number| *number != 500 && *number != 510))?;
    pair.flush()?;
    assert_eq!(found(&pair), 2, "nothing is noted between 500 and 510");
    check(&pair, "divided")?;
    remove(&mut pair, (1000..2000).filter(|number| number % 2 == 0))?;
    pair.flush()?;
    assert_eq!(found(&pair), 2);
    check(&pair, "scattered")?;
    // The rest of them, which lie between those that another table removes.
    remove(&mut pair, (1000..2000).filter(|number| number % 2 == 1))?;
    pair.flush()?;
    assert_eq!(found(&pair), 3);
    check(&pair, "all gone")
}

#[test]
fn weak_removes_operands_and_values_make_no_run() -> Result<()> {
    let mut pair = filled(options(4), 0..100)?;
    for number in 0..100 {
        pair.write_row(&key(number), [Row::WeaklyRemoved, Row::Removed, Row::Removed][number as usize % 3].clone())?;
    }
    pair.flush()?;
    assert_eq!(found(&pair), 0);
    check(&pair, "weak ones in between")
}

#[test]
fn a_table_that_sinks_keeps_its_runs() -> Result<()> {
    let mut pair = filled(options(4), 0..100)?;
    remove(&mut pair, 10..90)?;
    pair.flush()?;
    let down = ask(|tree: &TreeView<'_>| tree.relocate(tree.tables(0).map(|table| table.id), 3));
    let plan = pair.tree.pick_with(&down, 1).expect("nothing is in the way");
    assert!(pair.tree.compact(plan, &pair.compaction(&go_on))?.moved);
    for _ in 0..2 {
        let before = passed(&pair);
        check(&pair, "moved")?;
        assert_eq!(passed(&pair) - before, 2);
        pair.reopen()?;
    }
    Ok(())
}

/// Rows of keys below 100 in the last level; a table that removes 30 to 59; and one that removes what lies around, whose run spans
/// both. Returns the id of the second.
fn nested(pair: &mut Pair) -> Result<TableId> {
    remove(pair, 30..60)?;
    pair.flush()?;
    let hiding = pair.tree.table_metas()[0][0][0].id;
    remove(pair, (20..30).chain(60..70))?;
    pair.flush()?;
    assert_eq!(found(pair), 2);
    Ok(hiding)
}

#[test]
fn what_comes_to_light_when_tables_are_dropped_is_seen() -> Result<()> {
    let mut pair = filled(options(4), 0..100)?;
    let hiding = nested(&mut pair)?;
    assert_eq!(check_by_gets(&pair, 0..100, "removed")?.len(), 50);
    let dropping = ask(move |tree: &TreeView<'_>| tree.drop_tables([hiding]));
    let plan = pair.tree.pick_with(&dropping, 1).expect("it is there");
    let take_stamp = || Ok(900);
    pair.tree
        .compact(plan, &CompactionContext { take_stamp: Some(&take_stamp), ..compaction_under(Retention::newest(900)) })?;
    assert_eq!(check_by_gets(&pair, 0..100, "dropped")?.len(), 80);
    pair.reopen()?;
    assert_eq!(check_by_gets(&pair, 0..100, "reopened")?.len(), 80);
    assert!(pair.tree.verify()?.faults.is_empty());
    Ok(())
}

/// Lets values go without a trace that are `x`.
#[derive(Debug)]
struct Destroying;

impl CompactionFilterFactory for Destroying {
    fn name(&self) -> &str {
        "destroying"
    }

    fn make(&self, _context: &FilterContext) -> Option<Box<dyn CompactionFilter>> {
        Some(Box::new(Self))
    }
}

impl CompactionFilter for Destroying {
    fn filter(&mut self, row: &FilterRow<'_>) -> Result<Verdict> {
        Ok(if row.value == b"x" { Verdict::Destroy } else { Verdict::Keep })
    }
}

#[test]
fn what_comes_to_light_when_a_filter_destroys_is_seen() -> Result<()> {
    let mut pair = filled(options(4), 0..100)?;
    let hiding = nested(&mut pair)?;
    pair.write(&key(45), Some(b"x"))?;
    pair.flush()?;
    let newest = pair.tree.table_metas()[0][0][0].id;
    let take_stamp = || Ok(900);
    let merge = |pair: &Pair, ids: Vec<TableId>| -> Result<TableId> {
        let merging = ask(move |tree: &TreeView<'_>| tree.rewrite(ids.iter().copied(), 0));
        let plan = pair.tree.pick_with(&merging, 1).expect("they are there");
        let context = CompactionContext { take_stamp: Some(&take_stamp), ..compaction_under(Retention::newest(pair.next)) };
        pair.tree.compact(plan, &context)?;
        Ok(pair.tree.table_metas()[0].iter().flatten().map(|meta| meta.id).max().expect("tables"))
    };
    let merged = merge(&pair, vec![hiding, newest])?;
    assert_eq!(check_by_gets(&pair, 0..100, "merged")?.len(), 51);
    pair.options.compaction_filter = Some(Arc::new(Destroying));
    pair.tree.set_options(&pair.options)?;
    merge(&pair, vec![merged])?;
    assert!(check_by_gets(&pair, 0..100, "destroyed")?.contains(&45), "what the remove had hidden before that went");
    pair.reopen()?;
    assert!(check_by_gets(&pair, 0..100, "reopened")?.contains(&45));
    Ok(())
}
