//! Counts and sizes (API 1.4, 1.10, 4).

use crate::common::World;
use lsm_tree::{AbstractTree, Result, SeqNo, TreeType};

#[test]
fn rows_are_counted_exactly_and_about() -> Result<()> {
    let world = World::new()?;
    assert!(world.tree.is_empty(SeqNo::MAX, None)?);
    world.put("a", "1");
    world.put("a", "2");
    world.flush();
    world.remove("a");
    world.put("b", "b");
    assert_eq!((world.tree.len(world.visible.get(), None)?, world.tree.approximate_len()), (1, 4));
    assert!(!world.tree.is_empty(world.visible.get(), None)?);
    assert_eq!(world.tree.len(2, None)?, 1);
    Ok(())
}

#[test]
fn tables_levels_and_bytes_are_told() -> Result<()> {
    let world = World::new()?;
    for key in ["a", "b", "c", "d", "e"] {
        world.put(key, key);
        world.flush();
    }
    assert_eq!((world.tree.table_count(), world.tree.l0_run_count()), (5, 1), "disjoint tables are one run");
    assert_eq!(
        (world.tree.level_table_count(0), world.tree.level_table_count(6), world.tree.level_table_count(7)),
        (Some(5), Some(0), None)
    );
    let files: u64 = std::fs::read_dir(world.folder.path().join("tables"))?
        .map(|file| file.and_then(|file| file.metadata()).map_or(0, |file| file.len()))
        .sum();
    assert_eq!(world.tree.disk_space(), files);
    assert_eq!(
        (world.tree.blob_file_count(), world.tree.stale_blob_bytes(), world.tree.tree_type()),
        (0, 0, TreeType::Standard)
    );
    assert!(world.tree.filter_size() > 0 && world.tree.pinned_block_index_size() > 0);
    world.major(0);
    assert_eq!((world.tree.table_count(), world.tree.level_table_count(6)), (1, Some(1)));
    Ok(())
}

#[test]
fn tombstones_of_tables_are_counted() -> Result<()> {
    let world = World::new()?;
    world.put("a", "a");
    world.put("b", "b");
    world.remove("a");
    world.write(|tree, now| {
        tree.remove_weak("b", now);
    });
    assert_eq!(world.tree.tombstone_count(), 0, "not those in memory");
    world.flush();
    assert_eq!((world.tree.tombstone_count(), world.tree.weak_tombstone_count()), (2, 1));
    assert_eq!(world.tree.weak_tombstone_reclaimable_count(), 1);
    Ok(())
}

#[test]
fn the_highest_numbers_are_told_by_place() -> Result<()> {
    let world = World::new()?;
    assert_eq!((world.tree.get_highest_seqno(), world.tree.get_highest_memtable_seqno()), (None, None));
    let first = world.put("a", "a");
    world.flush();
    let second = world.put("b", "b");
    assert_eq!(world.tree.get_highest_seqno(), Some(second));
    assert_eq!(
        (world.tree.get_highest_memtable_seqno(), world.tree.get_highest_persisted_seqno()),
        (Some(second), Some(first))
    );
    let mut rows = world.tree.ingestion()?;
    rows.write("c", "c")?;
    rows.finish()?;
    assert!(world.tree.get_highest_persisted_seqno() > Some(second));
    Ok(())
}

#[test]
fn numbers_of_tables_go_on() -> Result<()> {
    let world = World::new()?;
    let next = world.tree.next_table_id();
    assert_eq!((world.tree.next_table_id(), world.tree.get_next_table_id()), (next, next));
    assert_eq!(world.tree.next_table_id(), next + 1);
    let other = World::new()?;
    assert_ne!(world.tree.id(), other.tree.id());
    Ok(())
}

#[test]
fn a_value_of_another_table_is_not_reclaimable() -> Result<()> {
    let world = World::new()?;
    world.put("a", "a");
    world.flush();
    world.remove_weak("a");
    world.put("b", "b");
    world.flush();
    assert_eq!((world.tree.weak_tombstone_count(), world.tree.weak_tombstone_reclaimable_count()), (1, 0));
    Ok(())
}

#[test]
fn rows_of_all_memtables_are_counted() -> Result<()> {
    let world = World::new()?;
    let sealed = world.put("a", "1");
    world.tree.rotate_memtable();
    assert_eq!(world.tree.get_highest_memtable_seqno(), Some(sealed), "what is sealed is in memory, too");
    world.remove("a");
    assert_eq!(world.tree.approximate_len(), 2);
    let active = world.tree.active_memtable().size();
    assert!(active > 0 && world.tree.version_memtable_size_sum() > active);
    world.tree.clear_active_memtable();
    assert_eq!(world.tree.version_memtable_size_sum(), world.tree.active_memtable().size());
    Ok(())
}

#[test]
fn tables_that_meet_are_runs_of_their_own() -> Result<()> {
    let world = World::new()?;
    for key in ["a", "b", "a"] {
        world.put(key, key);
        world.flush();
    }
    assert_eq!((world.tree.table_count(), world.tree.l0_run_count()), (3, 2));
    Ok(())
}

/// Otherwise than in the family, where ids begin at 0.
#[test]
fn tables_are_numbered_from_1_on() -> Result<()> {
    let world = World::new()?;
    let ids = |world: &World| world.tree.current_version().iter_tables().map(|table| table.id()).collect::<Vec<_>>();
    world.put("a", "a");
    world.flush();
    assert_eq!(ids(&world), [1]);
    world.put("a", "b");
    world.flush();
    world.major(0);
    assert_eq!(ids(&world), [3], "what a compaction writes goes on");
    Ok(())
}

/// Otherwise than in the family, which accounts for its filters apart.
#[test]
fn filters_are_counted_as_keys_by_bits() -> Result<()> {
    let world = World::new()?;
    for n in 0..100 {
        world.put(&format!("{n:03}"), "v");
    }
    world.put("000", "again");
    world.flush();
    assert_eq!((world.tree.filter_size(), world.tree.pinned_filter_size()), (125, 0));
    Ok(())
}

#[test]
fn open_tables_are_counted() -> Result<()> {
    let world = World::new()?;
    world.put("a", "a");
    world.flush();
    let world = world.reopened(|config| config)?;
    assert_eq!(world.tree.table_file_cache_size(), 0);
    assert!(world.get("a").is_some());
    assert_eq!(world.tree.table_file_cache_size(), 1);
    Ok(())
}
