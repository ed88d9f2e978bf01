//! The strategy `Leveled` (API 15).

use crate::common::World;
use lsm_tree::{
    AbstractTree, Result,
    compaction::{CompactionAction, CompactionResult, Leveled, MoveDown, PullDown},
};

#[test]
fn leveled_moves_what_meets_nothing_to_the_last_level() -> Result<()> {
    let world = World::new()?;
    for key in ["a", "b", "c", "d", "e", "f"] {
        world.flushed(key);
        let result = world.compact(Leveled::default(), 0);
        assert_eq!(
            result,
            CompactionResult { action: CompactionAction::Moved, dest_level: Some(6), tables_in: 1, tables_out: 1 }
        );
    }
    assert_eq!(world.levels(), [0, 0, 0, 0, 0, 0, 6]);
    world.flushed("d");
    assert_eq!(world.compact(Leveled::default(), 0), CompactionResult::nothing());
    assert_eq!(world.levels(), [1, 0, 0, 0, 0, 0, 6]);
    Ok(())
}

#[test]
fn leveled_merges_level_0_in_place_and_then_downwards() -> Result<()> {
    let world = World::new()?;
    let strategy = || Leveled::default().with_l0_threshold(3).with_table_target_size(1 << 20);
    world.flushed("a");
    world.compact(PullDown(0, 6), 0);
    world.flushed("a");
    world.flushed("a");
    let result = world.compact(strategy(), 0);
    assert_eq!((result.action, result.dest_level, world.levels()[0]), (CompactionAction::Merged, Some(0), 1));
    world.flushed("a");
    world.flushed("b");
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
fn leveled_moves_a_run_into_a_level_1_that_it_does_not_meet() -> Result<()> {
    let world = World::new()?;
    world.flushed("a");
    world.compact(MoveDown(0, 1), 0);
    world.flushed("z");
    let result = world.compact(Leveled::default(), 0);
    assert_eq!((result.action, result.dest_level), (CompactionAction::Moved, Some(1)), "not past a level in use");
    assert_eq!(world.levels()[..2], [0, 2]);
    Ok(())
}

/// Levels 1 to 3 of four, with the same key: no level is in use whose next one is empty.
fn a_table_in_each_level() -> Result<World> {
    let world = World::with(|mut config| {
        config.level_count = 4;
        config
    })?;
    for level in [3, 2, 1] {
        world.flushed("a");
        world.compact(MoveDown(0, level), 0);
    }
    Ok(world)
}

#[test]
fn leveled_takes_two_levels_at_once_where_both_are_full() -> Result<()> {
    for (is_multi, dest) in [(false, 1), (true, 2)] {
        let world = a_table_in_each_level()?;
        let bytes = world.tree.disk_space() / 3;
        (0..4).for_each(|_| world.flushed("a"));
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
        world.flushed(key);
    }
    world.major(0);
    let strategy = Leveled::default().with_l0_threshold(1).with_table_target_size(1);
    assert_eq!(world.compact(strategy, 0), CompactionResult::nothing());
    Ok(())
}

#[test]
fn leveled_goes_by_the_size_of_levels() -> Result<()> {
    // Level 1 may have twice the target, and level 2 so many times as much. Of what a table takes, the target is so many parts.
    for (parts, ratio, dest) in [(1.0, 1.0, None), (0.5, 1e9, Some(2)), (1.0, 0.4, Some(3))] {
        let world = a_table_in_each_level()?;
        let bytes = world.tree.disk_space() as f64 / 3.0;
        let strategy = Leveled::default().with_l0_threshold(2).with_table_target_size((bytes * parts) as u64);
        let result = world.compact(strategy.with_level_ratio_policy(vec![ratio]), 0);
        assert_eq!((result.dest_level, world.keys().len()), (dest, 1), "{parts} {ratio}");
    }
    Ok(())
}

#[test]
fn leveled_takes_four_tables_of_level_0_for_full() -> Result<()> {
    for (tables, dest) in [(1, None), (3, Some(0)), (4, Some(1))] {
        let world = World::new()?;
        world.flushed("a");
        world.major(0);
        (0..tables).for_each(|_| world.flushed("a"));
        assert_eq!(world.compact(Leveled::default(), 0).dest_level, dest, "{tables}");
    }
    Ok(())
}
