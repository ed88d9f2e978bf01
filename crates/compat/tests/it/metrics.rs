//! Metrics (API 28).

use crate::common::World;
use lsm_tree::{AbstractTree, Result};
use std::sync::Arc;

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

/// Otherwise than in the family: what is read with the opening of a table counts as index.
#[test]
fn reads_are_counted_by_kind() -> Result<()> {
    let world = World::new()?;
    world.put("a", "a");
    world.flush();
    let world = world.reopened(|config| config)?;
    let metrics = Arc::clone(world.tree.metrics());
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
