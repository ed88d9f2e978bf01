//! Caches and tables of descriptors (API 17).

use crate::common::World;
use lsm_tree::{AbstractTree, Cache, DescriptorTable, Result, fs::MemFs};
use std::{path::Path, sync::Arc};

#[test]
fn caches_are_shared_and_count() -> Result<()> {
    let cache = Arc::new(Cache::with_capacity_bytes(1 << 20));
    let worlds = [
        World::with(|config| config.use_cache(Arc::clone(&cache)))?,
        World::with(|config| config.use_cache(Arc::clone(&cache)))?,
    ];
    for world in &worlds {
        world.put("a", "a");
        world.flush();
        let before = cache.size();
        assert!(world.get("a").is_some() && cache.size() > before);
    }
    assert_eq!(cache.capacity(), 1 << 20);
    Ok(())
}

#[test]
fn descriptors_are_kept_up_to_their_number() -> Result<()> {
    use lsm_tree::{
        GlobalTableId,
        fs::{Fs, FsOpenOptions},
    };
    let (table, fs) = (DescriptorTable::new(2), MemFs::new());
    let open = |name: &str| fs.open(Path::new(name), &FsOpenOptions::new().write(true).create(true)).map(Arc::from);
    let id = |table| GlobalTableId::from((1, table));
    for number in 0..3 {
        table.insert_for_table(id(number), open(&number.to_string())?);
    }
    assert!(table.access_for_table(&id(0)).is_none() && table.access_for_table(&id(2)).is_some());
    table.remove_for_table(&id(2));
    assert!(table.access_for_table(&id(2)).is_none() && table.access_for_blob_file(&id(1)).is_none());
    table.insert_for_blob_file(id(9), open("9")?);
    assert!(table.access_for_blob_file(&id(9)).is_some());
    table.remove_for_blob_file(&id(9));
    assert!(table.access_for_blob_file(&id(9)).is_none());
    assert_eq!((id(7).tree_id(), id(7).table_id()), (1, 7));
    Ok(())
}

#[test]
fn a_cache_of_no_bytes_keeps_nothing() -> Result<()> {
    let cache = Arc::new(Cache::with_capacity_bytes(0));
    let world = World::with(|config| config.use_cache(Arc::clone(&cache)))?;
    world.put("a", "a");
    world.flush();
    assert!(world.get("a").is_some() && world.get("a").is_some());
    assert_eq!((cache.size(), cache.capacity(), world.tree.metrics().data_block_load_cached_count()), (0, 0, 0));
    Ok(())
}
