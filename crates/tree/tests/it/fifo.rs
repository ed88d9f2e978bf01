//! First in, first out: the newest tables stay, whoever has begun to read goes on, and nothing older comes to light.

use crate::model::{Pair, go_on, small_options};
use sediment_base::{ErrorKind, KeyOrder, Result};
use sediment_env::{Env, MemFs, fs::CrashPlan};
use sediment_tree::{CompactionContext, Fifo, Tree};
use std::{collections::HashSet, sync::Arc};

const BYTES_MAX: u64 = 20 << 10;

fn pair() -> Result<Pair> {
    let pair = Pair::create_with(Env::simulated(MemFs::new(), 1), small_options(KeyOrder::bytewise()))?;
    pair.tree.set_strategy(Arc::new(Fifo::new(BYTES_MAX)));
    Ok(pair)
}

/// Writes ten rows whose keys ascend with time, and flushes.
fn flush_ten(pair: &mut Pair) -> Result<()> {
    for _ in 0..10 {
        pair.write(format!("key-{:05}", pair.next).as_bytes(), Some(&[7; 100]))?;
    }
    pair.flush()
}

/// Runs what is due, with stamps; how many plans that were.
fn compact(pair: &mut Pair) -> Result<usize> {
    let mut count = 0;
    while let Some(plan) = pair.tree.pick_compaction(9) {
        let stamp = pair.next;
        pair.next += 1;
        let take_stamp = || Ok(stamp);
        let context = CompactionContext { take_stamp: Some(&take_stamp), ..pair.compaction(&go_on) };
        let report = pair.tree.compact(plan, &context)?;
        assert_eq!((report.tables_in, report.tables_out, report.rows_out), (report.tables_dropped, 0, 0));
        count += 1;
    }
    Ok(count)
}

fn bytes(pair: &Pair) -> u64 {
    pair.tree.stats().levels.iter().map(|level| level.bytes).sum()
}

#[test]
fn the_newest_stay_as_many_as_fit() -> Result<()> {
    let mut pair = pair()?;
    let mut discards = 0;
    for round in 1..=60 {
        flush_ten(&mut pair)?;
        discards += compact(&mut pair)?;
        assert!(bytes(&pair) <= BYTES_MAX, "round {round}");
        let keys: Vec<_> = pair.tree.range::<Vec<u8>, _>(.., pair.next).map(|row| row.expect("readable").0.to_vec()).collect();
        assert_eq!(keys.last().map(|key| key.to_vec()), pair.keys().last().cloned());
        let newest: Vec<_> = pair.keys().skip(pair.keys().count() - keys.len()).cloned().collect();
        assert_eq!(keys, newest, "what stays is what came last");
    }
    assert!(discards > 20, "{discards}");
    pair.reopen()?;
    assert!(pair.tree.verify()?.faults.is_empty());
    Ok(())
}

#[test]
fn reads_from_before_go_on_and_need_a_stamp() -> Result<()> {
    let mut pair = pair()?;
    (0..15).try_for_each(|_| flush_ten(&mut pair))?;
    let (before, table_bytes) = (pair.next, bytes(&pair) / 15);
    let plan = pair.tree.pick_compaction(9).expect("it is over");
    let refused = pair.tree.compact(plan, &pair.compaction(&go_on)).unwrap_err();
    assert!(refused.kind() == ErrorKind::InvalidInput && refused.to_string().contains("take_stamp"), "{refused}");
    assert_eq!(pair.tree.len(before)?, 150);
    pair.pins.push(before);
    assert_eq!(compact(&mut pair)?, 1);
    let left = pair.tree.len(pair.next)?;
    assert!(left < 150 && bytes(&pair) <= BYTES_MAX && bytes(&pair) + table_bytes * 3 / 2 > BYTES_MAX, "{left}");
    assert_eq!(pair.tree.len(before)?, 150, "a snapshot goes on");
    assert_eq!(pair.tree.get(b"key-00001", before)?.as_deref(), Some(&[7; 100][..]));
    assert_eq!(pair.tree.get(b"key-00001", pair.next)?, None);
    pair.tree.forget_history(pair.next);
    assert_eq!(pair.tree.get(b"key-00001", before).unwrap_err().kind(), ErrorKind::HistoryGone, "its time is over");
    Ok(())
}

#[test]
fn what_is_too_old_goes_when_its_time_has_come() -> Result<()> {
    let mut pair = pair()?;
    pair.tree.set_strategy(Arc::new(Fifo::new(1 << 40).with_ttl_s(10)));
    assert_eq!(pair.tree.compaction_due_us(), None, "nothing is there");
    (0..3).try_for_each(|_| flush_ten(&mut pair))?;
    // All is flushed at 5.
    let due_us = 10_000_005;
    assert_eq!(pair.tree.compaction_due_us(), Some(due_us));
    assert!(pair.tree.compaction_score(due_us - 1) < 1.0 && pair.tree.pick_compaction(due_us - 1).is_none());
    assert!(pair.tree.compaction_score(due_us) >= 1.0, "the score is worked out again when its time is over");
    let plan = pair.tree.pick_compaction(due_us).expect("it is due");
    let take_stamp = || Ok(pair.next);
    pair.tree.compact(plan, &CompactionContext { take_stamp: Some(&take_stamp), ..pair.compaction(&go_on) })?;
    assert_eq!((bytes(&pair), pair.tree.len(pair.next + 1)?), (0, 0));
    assert_eq!(pair.tree.len(pair.next)?, 30, "for reads from before it is there");
    assert_eq!(pair.tree.compaction_due_us(), None);
    Ok(())
}

#[test]
fn what_was_overwritten_or_removed_does_not_come_to_light() -> Result<()> {
    let mut pair = pair()?;
    for round in 0_u32..80 {
        for key in 0..12 {
            let is_removed = (round + key) % 4 == 0;
            let value = format!("{round:<100}").into_bytes();
            pair.write(format!("key-{key}").as_bytes(), (!is_removed).then_some(&value[..]))?;
        }
        pair.flush()?;
        compact(&mut pair)?;
        for key in 0..12 {
            let key = format!("key-{key}").into_bytes();
            let found = pair.tree.get(&key, pair.next)?.map(|value| value.to_vec());
            assert!(found.is_none() || found == pair.expected(&key, pair.next), "round {round}");
        }
    }
    Ok(())
}

#[test]
fn a_crash_inside_leaves_everything_or_what_stays() -> Result<()> {
    let disk = MemFs::new();
    let mut pair = Pair::create_with(Env::simulated(disk.clone(), 1), small_options(KeyOrder::bytewise()))?;
    pair.tree.set_strategy(Arc::new(Fifo::new(BYTES_MAX)));
    (0..12).try_for_each(|_| flush_ten(&mut pair))?;
    disk.record();
    assert_eq!(compact(&mut pair)?, 1);
    let left = pair.tree.len(pair.next)?;
    let history = disk.history();
    let mut found = HashSet::new();
    for point in history.points() {
        history.for_each_image(point, &CrashPlan::ci(), &mut |name, image| {
            let tree = Tree::open(&Env::simulated(image, 9), &pair.dir, pair.options.clone()).expect("it opens");
            let rows = tree.len(pair.next).expect("it can be read");
            assert!(rows == 120 || rows == left, "{name}: {rows}");
            assert!(tree.verify().expect("verify reports").faults.is_empty(), "{name}");
            found.insert(rows);
        });
    }
    assert_eq!(found.len(), 2, "both: {found:?}");
    Ok(())
}
