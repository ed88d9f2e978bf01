//! What versions and tables show of themselves (API 4, 30.2).

use crate::common::World;
use lsm_tree::{AbstractTree, Result};

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
