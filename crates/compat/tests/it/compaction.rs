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

fn flushed(world: &World, key: &str) {
    world.put(key, key);
    world.flush();
}

#[test]
fn leveled_moves_what_meets_nothing_to_the_last_level() -> Result<()> {
    let world = World::new()?;
    for key in ["a", "b", "c", "d", "e", "f"] {
        flushed(&world, key);
        let result = world.compact(Leveled::default(), 0);
        assert_eq!(
            result,
            CompactionResult { action: CompactionAction::Moved, dest_level: Some(6), tables_in: 1, tables_out: 1 }
        );
    }
    assert_eq!(world.levels(), [0, 0, 0, 0, 0, 0, 6]);
    flushed(&world, "d");
    assert_eq!(world.compact(Leveled::default(), 0), CompactionResult::nothing());
    assert_eq!(world.levels(), [1, 0, 0, 0, 0, 0, 6]);
    Ok(())
}

#[test]
fn leveled_merges_level_0_in_place_and_then_downwards() -> Result<()> {
    let world = World::new()?;
    let strategy = || Leveled::default().with_l0_threshold(3).with_table_target_size(1 << 20);
    flushed(&world, "a");
    world.compact(PullDown(0, 6), 0);
    flushed(&world, "a");
    flushed(&world, "a");
    let result = world.compact(strategy(), 0);
    assert_eq!((result.action, result.dest_level, world.levels()[0]), (CompactionAction::Merged, Some(0), 1));
    flushed(&world, "a");
    flushed(&world, "b");
    let result = world.compact(strategy(), 0);
    assert_eq!((result.action, result.dest_level), (CompactionAction::Merged, Some(1)));
    assert_eq!(world.keys(), ["a", "b"]);
    // A level whose next one is empty goes on, as it is.
    let result = world.compact(strategy(), 0);
    assert_eq!((result.action, result.dest_level), (CompactionAction::Moved, Some(2)));
    Ok(())
}

#[test]
fn leveled_keeps_levels_within_their_sizes() -> Result<()> {
    let world = World::new()?;
    let strategy =
        || Leveled::default().with_table_target_size(4 << 10).with_level_ratio_policy(vec![2.0]).with_multi_level(true);
    for round in 0..30_u32 {
        for n in 0..40_u32 {
            world.put(&format!("{:04}", (n * 37 + round * 11) % 1000), &"v".repeat(100));
        }
        world.flush();
        for _ in 0..3 {
            world.compact(strategy(), 0);
        }
    }
    assert!(world.levels()[1..].iter().filter(|tables| **tables > 0).count() > 1, "{:?}", world.levels());
    let keys = world.keys();
    assert!(keys.is_sorted() && keys.len() > 300);
    assert!(keys.iter().all(|key| world.get(key).is_some()));
    Ok(())
}

#[test]
fn size_tiered_merges_runs_of_level_0_where_they_are() -> Result<()> {
    let world = World::new()?;
    flushed(&world, "a");
    assert_eq!(world.compact(SizeTiered::default(), 0).action, CompactionAction::Nothing);
    for _ in 0..3 {
        flushed(&world, "a");
    }
    let result = world.compact(SizeTiered::default(), 0);
    assert_eq!(result, CompactionResult { action: CompactionAction::Merged, dest_level: Some(0), tables_in: 4, tables_out: 1 });
    flushed(&world, "a");
    let shy = SizeTiered::default().with_max_space_amplification_percent(100_000).with_min_merge_width(3).with_size_ratio(1.0);
    assert_eq!(world.compact(shy.clone(), 0).action, CompactionAction::Nothing);
    flushed(&world, "a");
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
        flushed(&world, key);
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
    flushed(&world, "a");
    flushed(&world, "b");
    let result = world.compact(MoveDown(0, 2), 0);
    assert_eq!(result, CompactionResult { action: CompactionAction::Moved, dest_level: Some(2), tables_in: 2, tables_out: 2 });
    flushed(&world, "a");
    assert_eq!(world.compact(MoveDown(0, 2), 0).action, CompactionAction::Nothing, "an older one is there");
    flushed(&world, "a");
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
    flushed(&world, "x");
    let result = world.tree.major_compact(64 << 20, 0)?;
    assert_eq!(
        (result.action, result.dest_level, result.tables_in, result.tables_out),
        (CompactionAction::Merged, Some(2), 2, 1)
    );
    let result = world.tree.major_compact(8 << 10, SeqNo::MAX)?;
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
    flushed(&world, "a");
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
fn leveled_moves_a_run_into_a_level_1_that_it_does_not_meet() -> Result<()> {
    let world = World::new()?;
    flushed(&world, "a");
    world.compact(MoveDown(0, 1), 0);
    flushed(&world, "z");
    let result = world.compact(Leveled::default(), 0);
    assert_eq!((result.action, result.dest_level), (CompactionAction::Moved, Some(1)), "not past a level in use");
    assert_eq!(world.levels()[..2], [0, 2]);
    Ok(())
}

#[test]
fn leveled_takes_two_levels_at_once_where_both_are_full() -> Result<()> {
    for (is_multi, dest) in [(false, 1), (true, 2)] {
        let world = World::with(|mut config| {
            config.level_count = 4;
            config
        })?;
        // No level is in use whose next one is empty.
        for level in [3, 2, 1] {
            flushed(&world, "a");
            world.compact(MoveDown(0, level), 0);
        }
        let bytes = world.tree.disk_space() / 3;
        (0..4).for_each(|_| flushed(&world, "a"));
        assert_eq!(world.levels(), [4, 1, 1, 1]);
        let strategy = Leveled::default().with_l0_threshold(2).with_table_target_size(bytes / 3);
        let strategy = strategy.with_level_ratio_policy(vec![1e9]).with_multi_level(is_multi);
        let result = world.compact(strategy, 0);
        assert_eq!((result.action, result.dest_level), (CompactionAction::Merged, Some(dest)));
    }
    Ok(())
}

#[test]
fn leveled_leaves_the_last_level_as_it_is() -> Result<()> {
    let world = World::new()?;
    for key in ["a", "b", "c"] {
        flushed(&world, key);
    }
    world.major(0);
    let strategy = Leveled::default().with_l0_threshold(1).with_table_target_size(1);
    assert_eq!(world.compact(strategy, 0), CompactionResult::nothing());
    Ok(())
}

#[test]
fn size_tiered_and_fifo_look_at_level_0_alone() -> Result<()> {
    let world = World::new()?;
    flushed(&world, "a");
    world.compact(MoveDown(0, 3), 0);
    flushed(&world, "a");
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
    flushed(&world, "a");
    flushed(&world, "a");
    let before = ages(&world);
    assert!(before > Some(0));
    world.compact(SizeTiered::default().with_min_merge_width(2), 0);
    assert_eq!((world.levels()[0], ages(&world)), (1, before));
    Ok(())
}

#[test]
fn a_hinted_table_is_rewritten_where_it_is() -> Result<()> {
    let world = World::new()?;
    flushed(&world, "a");
    flushed(&world, "b");
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
fn leveled_goes_by_the_size_of_levels() -> Result<()> {
    // Level 1 may have twice the target, and level 2 so many times as much. Of what a table takes, the target is so many parts.
    for (parts, ratio, dest) in [(1.0, 1.0, None), (0.5, 1e9, Some(2)), (1.0, 0.4, Some(3))] {
        let world = World::with(|mut config| {
            config.level_count = 4;
            config
        })?;
        for level in [3, 2, 1] {
            flushed(&world, "a");
            world.compact(MoveDown(0, level), 0);
        }
        let bytes = world.tree.disk_space() as f64 / 3.0;
        let strategy = Leveled::default().with_l0_threshold(2).with_table_target_size((bytes * parts) as u64);
        let result = world.compact(strategy.with_level_ratio_policy(vec![ratio]), 0);
        assert_eq!((result.dest_level, world.keys().len()), (dest, 1), "{parts} {ratio}");
    }
    Ok(())
}

#[test]
fn size_tiered_takes_runs_for_alike_by_its_ratio() -> Result<()> {
    let world = World::new()?;
    for n in 0..200 {
        world.put(&format!("{n:03}"), &"v".repeat(100));
    }
    world.flush();
    flushed(&world, "000");
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
    flushed(&world, "a");
    world.compact(asked.clone(), 0);
    assert_eq!(asked.0.lock().expect("whole").len(), 1);
    Ok(())
}

#[test]
fn leveled_takes_four_tables_of_level_0_for_full() -> Result<()> {
    for (tables, dest) in [(1, None), (3, Some(0)), (4, Some(1))] {
        let world = World::new()?;
        flushed(&world, "a");
        world.major(0);
        (0..tables).for_each(|_| flushed(&world, "a"));
        assert_eq!(world.compact(Leveled::default(), 0).dest_level, dest, "{tables}");
    }
    Ok(())
}

#[test]
fn size_tiered_takes_four_runs_for_many_and_twice_the_oldest_for_much() -> Result<()> {
    for (runs, taken) in [(2, 0), (3, 3)] {
        let world = World::new()?;
        (0..runs).for_each(|_| flushed(&world, "a"));
        assert_eq!(world.compact(SizeTiered::default(), 0).tables_in, taken, "{runs} alike");
    }
    for (runs, taken) in [(3, 0), (4, 4)] {
        let world = World::new()?;
        for n in 0..500 {
            world.put(&format!("{n:03}"), &n.to_string().repeat(100));
        }
        world.flush();
        (0..runs).for_each(|_| flushed(&world, "000"));
        assert_eq!(world.compact(SizeTiered::default(), 0).tables_in, taken, "{runs} behind a large one");
    }
    Ok(())
}
