//! Compactions and their strategies (API 15).

use crate::common::World;
use lsm_tree::{
    AbstractTree, Config, Result, SeqNo, Version,
    compaction::{
        Choice, CompactionAction, CompactionResult, CompactionState, CompactionStrategy, EccHeal, Fifo, Leveled, MoveDown,
        PullDown, SizeTiered,
    },
    config::CompressionPolicy,
    heal_hints::HealHints,
};
use std::{
    collections::HashSet,
    sync::{Arc, Mutex},
};

#[test]
fn size_tiered_merges_runs_of_level_0_where_they_are() -> Result<()> {
    let world = World::new()?;
    world.flushed("a");
    assert_eq!(world.compact(SizeTiered::default(), 0).action, CompactionAction::Nothing);
    for _ in 0..3 {
        world.flushed("a");
    }
    let result = world.compact(SizeTiered::default(), 0);
    assert_eq!(result, CompactionResult { action: CompactionAction::Merged, dest_level: Some(0), tables_in: 4, tables_out: 1 });
    world.flushed("a");
    let shy = SizeTiered::default().with_max_space_amplification_percent(100_000).with_min_merge_width(3).with_size_ratio(1.0);
    assert_eq!(world.compact(shy.clone(), 0).action, CompactionAction::Nothing);
    world.flushed("a");
    let result = world.compact(shy.with_max_merge_width(2).with_table_target_size(1 << 20), 0);
    assert_eq!(result.tables_in, 2);
    assert_eq!(world.get("a").as_deref(), Some("a"));
    Ok(())
}

/// Otherwise than in the family: updates do not panic.
#[test]
fn fifo_drops_the_oldest_beyond_its_limit() -> Result<()> {
    let world = World::new()?;
    assert_eq!(world.compact(Fifo::new(1, None), 0), CompactionResult::nothing());
    for key in ["a", "b", "a"] {
        world.flushed(key);
    }
    let bytes = world.tree.disk_space();
    assert_eq!(world.compact(Fifo::new(bytes, None), 0), CompactionResult::nothing());
    let result = world.compact(Fifo::new(bytes - 1, Some(0)), 0);
    assert_eq!((result.action, result.tables_in, result.tables_out), (CompactionAction::Dropped, 1, 0));
    assert_eq!(world.compact(Fifo::new(bytes - 1, None), 0), CompactionResult::nothing());
    assert_eq!(world.keys(), ["a", "b"]);
    let fifo = Fifo::new(0, Some(3600));
    assert_eq!((fifo.limit, fifo.ttl_seconds), (0, Some(3600)));
    world.compact(fifo, 0);
    assert!(world.keys().is_empty());
    Ok(())
}

#[test]
fn levels_are_moved_and_pulled_down() -> Result<()> {
    let world = World::new()?;
    world.flushed("a");
    world.flushed("b");
    let result = world.compact(MoveDown(0, 2), 0);
    assert_eq!(result, CompactionResult { action: CompactionAction::Moved, dest_level: Some(2), tables_in: 2, tables_out: 2 });
    world.flushed("a");
    assert_eq!(world.compact(MoveDown(0, 2), 0).action, CompactionAction::Nothing, "an older one is there");
    world.flushed("a");
    assert_eq!(world.compact(MoveDown(0, 1), 0).action, CompactionAction::Nothing, "they meet each other");
    let result = world.compact(PullDown(0, 2), 0);
    assert_eq!((result.action, result.tables_in, result.tables_out), (CompactionAction::Merged, 4, 1));
    assert_eq!((world.levels()[2], world.keys()), (1, vec!["a".to_owned(), "b".to_owned()]));
    assert_eq!(world.compact(PullDown(3, 4), 0), CompactionResult::nothing());
    Ok(())
}

#[test]
fn a_major_compaction_merges_all_into_the_last_level() -> Result<()> {
    let world = World::with(|mut config| {
        config.level_count = 3;
        config
    })?;
    let result = world.tree.major_compact(1 << 20, 0)?;
    assert_eq!(result, CompactionResult { action: CompactionAction::Merged, dest_level: Some(2), tables_in: 0, tables_out: 0 });
    for n in 0..500 {
        world.put(&format!("{n:04}"), &"v".repeat(100));
    }
    world.flush();
    world.flushed("x");
    let result = world.tree.major_compact(64 << 20, 0)?;
    assert_eq!(
        (result.action, result.dest_level, result.tables_in, result.tables_out),
        (CompactionAction::Merged, Some(2), 2, 1)
    );
    let result = world.tree.major_compact(2 << 10, SeqNo::MAX)?;
    assert!(result.tables_out > 1, "cut at their target size: {result:?}");
    assert_eq!((world.keys().len(), world.tree.level_table_count(3)), (501, None));
    Ok(())
}

/// Drops the first table that it sees.
struct DropFirst;

impl CompactionStrategy for DropFirst {
    fn get_name(&self) -> &'static str {
        "DropFirst"
    }

    fn choose(&self, version: &Version, config: &Config, state: &CompactionState) -> Choice {
        assert!(config.level_count == 7 && state.now_us() > 0);
        let first = version.iter_tables().find(|table| !state.is_busy(table.id()));
        first.map_or(Choice::DoNothing, |table| Choice::Drop(std::iter::once(table.id()).collect::<HashSet<_, _>>()))
    }
}

#[test]
fn a_strategy_of_the_callers_is_asked() -> Result<()> {
    let world = World::new()?;
    assert_eq!(world.compact(DropFirst, 0).action, CompactionAction::Nothing);
    world.flushed("a");
    assert_eq!(world.compact(DropFirst, 0).action, CompactionAction::Dropped);
    assert!(world.keys().is_empty());
    let names = [Leveled::default().get_name(), SizeTiered::default().get_name(), Fifo::new(0, None).get_name()];
    assert_eq!(names, ["LeveledCompaction", "SizeTieredCompaction", "FifoCompaction"]);
    Ok(())
}

#[test]
fn a_limit_of_what_is_written_is_kept() -> Result<()> {
    let limited =
        |config: Config| config.compaction_rate_limit(1 << 20).data_block_compression_policy(CompressionPolicy::disabled());
    let (world, asked) = (World::with(limited)?, Asked::default());
    for n in 0..100 {
        world.put(&format!("{n:04}"), &"v".repeat(1000));
    }
    world.flush();
    world.compact(asked.clone(), 0);
    world.compact(PullDown(0, 0), 0);
    world.compact(asked.clone(), 0);
    assert!(world.keys().len() == 100 && world.tree.disk_space() > 100_000);
    let times = asked.0.lock().expect("whole");
    // No machine is too fast for it.
    assert!(times[1] - times[0] >= (world.tree.disk_space() * 1_000_000) >> 20, "{times:?}");
    Ok(())
}

#[test]
fn size_tiered_and_fifo_look_at_level_0_alone() -> Result<()> {
    let world = World::new()?;
    world.flushed("a");
    world.compact(MoveDown(0, 3), 0);
    world.flushed("a");
    assert_eq!(world.compact(SizeTiered::default().with_min_merge_width(1), 0), CompactionResult::nothing());
    let result = world.compact(Fifo::new(0, None), 0);
    assert_eq!((result.action, result.tables_in), (CompactionAction::Dropped, 1));
    assert_eq!(world.compact(Fifo::new(0, None), 0), CompactionResult::nothing());
    assert_eq!(world.levels()[..4], [0, 0, 0, 1]);
    Ok(())
}

/// Otherwise than in the family: a merge does not make rows young.
#[test]
fn a_merged_table_is_as_old_as_its_oldest() -> Result<()> {
    let world = World::new()?;
    let ages = |world: &World| world.tree.current_version().iter_tables().map(|table| table.metadata.created_at).min();
    world.flushed("a");
    world.flushed("a");
    let before = ages(&world);
    assert!(before > Some(0));
    world.compact(SizeTiered::default().with_min_merge_width(2), 0);
    assert_eq!((world.levels()[0], ages(&world)), (1, before));
    Ok(())
}

#[test]
fn a_hinted_table_is_rewritten_where_it_is() -> Result<()> {
    let world = World::new()?;
    world.flushed("a");
    world.flushed("b");
    world.compact(MoveDown(0, 2), 0);
    let hints = HealHints::new_shared(true);
    let heal = || EccHeal::new(Arc::clone(&hints), 1 << 20);
    assert_eq!(heal().get_name(), "EccHealCompaction");
    assert_eq!(world.compact(heal(), 0), CompactionResult::nothing());
    hints.record((world.tree.id(), 2).into());
    let result = world.compact(heal(), 0);
    assert_eq!(result, CompactionResult { action: CompactionAction::Merged, dest_level: Some(2), tables_in: 1, tables_out: 1 });
    let mut ids: Vec<_> = world.tree.current_version().iter_tables().map(|table| table.id()).collect();
    ids.sort_unstable();
    assert_eq!((ids, world.keys()), (vec![1, 3], vec!["a".to_owned(), "b".to_owned()]));
    Ok(())
}

#[test]
fn size_tiered_takes_runs_for_alike_by_its_ratio() -> Result<()> {
    let world = World::new()?;
    for n in 0..200 {
        world.put(&format!("{n:03}"), &"v".repeat(100));
    }
    world.flush();
    world.flushed("000");
    let shy = SizeTiered::default().with_max_space_amplification_percent(100_000).with_min_merge_width(2);
    assert_eq!(world.compact(shy.clone().with_size_ratio(1.0), 0), CompactionResult::nothing());
    assert_eq!(world.compact(shy.with_size_ratio(1000.0), 0).tables_in, 2);
    Ok(())
}

/// Counts how often it is asked, and when; wants nothing.
#[derive(Clone, Default)]
struct Asked(Arc<Mutex<Vec<u64>>>);

impl CompactionStrategy for Asked {
    fn get_name(&self) -> &'static str {
        "Asked"
    }

    fn choose(&self, _version: &Version, _config: &Config, state: &CompactionState) -> Choice {
        self.0.lock().expect("whole").push(state.now_us());
        Choice::DoNothing
    }
}

#[test]
fn a_strategy_is_asked_once_a_round() -> Result<()> {
    let (world, asked) = (World::new()?, Asked::default());
    world.flushed("a");
    world.compact(asked.clone(), 0);
    assert_eq!(asked.0.lock().expect("whole").len(), 1);
    Ok(())
}

#[test]
fn size_tiered_takes_four_runs_for_many_and_twice_the_oldest_for_much() -> Result<()> {
    for (runs, taken) in [(2, 0), (3, 3)] {
        let world = World::new()?;
        (0..runs).for_each(|_| world.flushed("a"));
        assert_eq!(world.compact(SizeTiered::default(), 0).tables_in, taken, "{runs} alike");
    }
    for (runs, taken) in [(3, 0), (4, 4)] {
        let world = World::new()?;
        for n in 0..500 {
            world.put(&format!("{n:03}"), &n.to_string().repeat(100));
        }
        world.flush();
        (0..runs).for_each(|_| world.flushed("000"));
        assert_eq!(world.compact(SizeTiered::default(), 0).tables_in, taken, "{runs} behind a large one");
    }
    Ok(())
}
