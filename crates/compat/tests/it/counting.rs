//! Counts and sizes (API 1.10, 4, 28).

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
fn a_version_tells_of_its_tables() -> Result<()> {
    let world = World::new()?;
    let seqno = world.put("a", "a");
    world.put("b", "b");
    world.flush();
    let version = world.tree.current_version();
    let level = version.level(0).expect("there");
    assert!(!level.is_empty() && version.level(1).is_some_and(|level| level.is_empty()) && version.level(7).is_none());
    let table = &level[0][0];
    assert_eq!((table.id(), table.metadata.id, table.metadata.item_count), (table.metadata.id, table.id(), 2));
    assert_eq!((table.metadata.data_block_count, table.metadata.tombstone_count), (1, 0));
    assert!(table.metadata.key_range.contains_key(b"a") && !table.metadata.key_range.contains_key(b"c"));
    assert!(table.path.exists() && table.checksum().into_u128() > 0 && table.metadata.ecc_params.is_none());
    assert_eq!((table.get_highest_seqno(), table.get_highest_kv_seqno()), (seqno + 1, seqno + 1));
    assert!(table.list_blob_file_references()?.is_none());
    assert!(version.gc_stats().is_empty() && version.blob_files.iter().next().is_none());
    let table = table.clone();
    drop(world);
    assert!(table.iter().next().is_some_and(|row| row.is_err()), "the tree is closed");
    Ok(())
}

#[test]
fn filters_are_counted_as_the_family_does() -> Result<()> {
    let world = World::new()?;
    world.put("a", "a");
    world.put("c", "c");
    world.flush();
    let metrics = world.tree.metrics();
    assert_eq!((metrics.filter_queries(), metrics.filter_efficiency()), (0, 1.0));
    assert_eq!(world.get("b"), None);
    assert_eq!((metrics.filter_queries(), metrics.io_skipped_by_filter(), metrics.filter_efficiency()), (1, 1, 1.0));
    assert!(world.get("a").is_some() && world.get("c").is_some());
    assert_eq!(metrics.filter_efficiency(), 1.0);
    assert!(metrics.data_block_io() > 0 && metrics.block_io() >= metrics.data_block_io() && metrics.block_loads() > 0);
    assert!((0.0..=1.0).contains(&metrics.block_cache_hit_rate()));
    assert!(world.tree.tree_config().cache.size() > 0);
    Ok(())
}

#[test]
fn the_present_state_is_shown_under_its_lock() -> Result<()> {
    let world = World::new()?;
    world.put("a", "a");
    world.flush();
    world.put("b", "b");
    let history = world.tree.get_version_history_lock();
    let latest = history.latest_version();
    assert_eq!((latest.active_memtable.len(), latest.version.iter_tables().count()), (1, 1));
    assert_eq!(world.get("a").as_deref(), Some("a"), "nobody waits for it");
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
    world.put("a", "1");
    world.tree.rotate_memtable();
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

/// Otherwise than in the family: what is read with the opening of a table counts as index.
#[test]
fn reads_are_counted_by_kind() -> Result<()> {
    let world = World::new()?;
    world.put("a", "a");
    world.flush();
    let world = world.reopened(|config| config)?;
    let metrics = std::sync::Arc::clone(world.tree.metrics());
    assert_eq!((metrics.block_loads(), metrics.block_io()), (0, 0));
    assert!(world.get("a").is_some());
    assert_eq!((metrics.data_block_load_count(), metrics.index_block_load_count(), metrics.block_load_io_count()), (1, 1, 2));
    assert_eq!(metrics.data_block_io() + metrics.index_block_io(), metrics.block_io());
    assert!(metrics.data_block_io() > 0 && metrics.index_block_io() > 0);
    assert_eq!((metrics.filter_block_io(), metrics.range_tombstone_block_io()), (0, 0));
    assert_eq!((metrics.filter_block_load_count(), metrics.range_tombstone_block_load_count()), (0, 0));
    assert!(world.get("a").is_some());
    assert_eq!((metrics.data_block_load_cached_count(), metrics.block_load_cached_count(), metrics.block_loads()), (1, 1, 3));
    assert_eq!((metrics.data_block_cache_hit_rate(), metrics.ecc_auto_heal_scheduled_count()), (0.5, 0));
    let rates = [
        metrics.index_block_cache_hit_rate(),
        metrics.filter_block_cache_hit_rate(),
        metrics.range_tombstone_block_cache_hit_rate(),
        metrics.block_cache_hit_rate(),
        metrics.table_file_cache_hit_rate(),
    ];
    assert!(rates.iter().all(|rate| (0.0..=1.0).contains(rate)), "{rates:?}");
    Ok(())
}

#[test]
fn levels_are_walked_run_by_run() -> Result<()> {
    let world = World::new()?;
    for key in ["a", "b", "a"] {
        world.put(key, key);
        world.flush();
    }
    let version = world.tree.current_version().clone();
    let runs: Vec<usize> = version.level(0).expect("there").iter().map(|run| run.len()).collect();
    assert_eq!(runs.iter().sum::<usize>(), 3);
    assert_eq!((runs.len(), version.iter_tables().count()), (2, 3));
    assert_eq!(&**version.gc_stats(), &lsm_tree::HashMap::default());
    let entry = lsm_tree::blob_tree::FragmentationEntry::new(1, 2, 3);
    assert_eq!((entry.len, entry.bytes, entry.on_disk_bytes), (1, 2, 3));
    Ok(())
}

/// Otherwise than in the family, which hashes whole files.
#[test]
fn the_checksum_of_a_table_is_not_that_of_its_file() -> Result<()> {
    let world = World::new()?;
    world.put("a", "a");
    world.flush();
    let table = world.tree.current_version().iter_tables().next().expect("one").clone();
    let checksum = table.checksum().into_u128();
    assert_ne!(checksum, lsm_tree::hash::hash128(&std::fs::read(&*table.path)?));
    let world = world.reopened(|config| config)?;
    let again = world.tree.current_version().iter_tables().next().expect("one").checksum().into_u128();
    assert_eq!(again, checksum, "it is what the manifest keeps");
    Ok(())
}
