//! Ingestion (API 8).

use crate::common::{World, io_kind};
use lsm_tree::{AbstractTree, Result};

#[test]
fn rows_are_seen_at_the_end_and_newer_than_all_before() -> Result<()> {
    let world = World::new()?;
    world.put("a", "old");
    let mut rows = world.tree.ingestion()?;
    rows.write("a", "new")?;
    rows.write("b", "b")?;
    world.put("b", "meanwhile");
    assert_eq!((world.get("a").as_deref(), world.get("b").as_deref()), (Some("old"), Some("meanwhile")));
    rows.finish()?;
    assert_eq!((world.get("a").as_deref(), world.get("b").as_deref()), (Some("new"), Some("b")));
    assert_eq!(
        (world.tree.sealed_memtable_count(), world.tree.active_memtable().is_empty()),
        (0, true),
        "memtables went first"
    );
    assert_eq!(world.visible.get(), world.seqno.get());
    world.put("a", "later");
    assert_eq!(world.get("a").as_deref(), Some("later"));
    let world = world.reopened(|config| config)?;
    assert_eq!((world.get("a").as_deref(), world.get("b").as_deref()), (Some("new"), Some("b")));
    Ok(())
}

#[test]
fn tombstones_of_both_kinds_are_ingested() -> Result<()> {
    let world = World::new()?;
    for key in ["a", "b", "c"] {
        world.put(key, key);
    }
    let mut rows = world.tree.ingestion()?;
    rows.write_tombstone("a")?;
    rows.write_weak_tombstone("b")?;
    rows.finish()?;
    assert_eq!((world.keys(), world.tree.tombstone_count(), world.tree.weak_tombstone_count()), (vec!["c".to_owned()], 2, 1));
    Ok(())
}

#[test]
fn nothing_written_is_nothing_done() -> Result<()> {
    let world = World::new()?;
    world.put("a", "a");
    let before = world.counters();
    world.tree.ingestion()?.finish()?;
    assert_eq!((world.counters(), world.tree.table_count()), (before, 0));
    let mut rows = world.tree.ingestion()?;
    rows.write("b", "b")?;
    drop(rows);
    assert_eq!((world.keys(), world.tree.table_count()), (vec!["a".to_owned()], 0));
    Ok(())
}

/// Otherwise than in the family: an error, and the ingestion goes on.
#[test]
fn keys_that_do_not_ascend_are_refused() -> Result<()> {
    let world = World::new()?;
    let mut rows = world.tree.ingestion()?;
    rows.write("b", "b")?;
    for key in ["b", "a"] {
        let refused = rows.write(key, "x");
        assert!(
            format!("{refused:?}").contains("next key in ingestion must be ordered after last key by configured comparator")
        );
        assert_eq!(io_kind(refused), Some(std::io::ErrorKind::InvalidInput));
    }
    rows.write("c", "c")?;
    rows.finish()?;
    assert_eq!(world.keys(), ["b", "c"]);
    Ok(())
}

#[test]
fn all_three_names_of_a_tree_ingest() -> Result<()> {
    let world = World::new()?;
    let tree: lsm_tree::Tree = world.tree.clone().try_into().expect("standard");
    let mut rows = tree.ingestion()?;
    rows.write("a", "a")?;
    rows.finish()?;
    assert_eq!(world.keys(), ["a"]);
    Ok(())
}
