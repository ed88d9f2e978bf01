//! Ingestion (API 8).

use crate::common::{World, io_kind};
use lsm_tree::{AbstractTree, CompressionType, Result, config::CompressionPolicy};

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

#[test]
fn what_was_in_memory_keeps_its_versions() -> Result<()> {
    let world = World::new()?;
    world.put("a", "old");
    world.tree.rotate_memtable();
    world.put("a", "new");
    world.ingest(&[("b", "b")]);
    assert_eq!(world.rows().len(), 3, "{:?}", world.rows());
    assert_eq!(world.tree.sealed_memtable_count(), 0);
    Ok(())
}

/// Otherwise than in the family, where they are a run of level 0.
#[test]
fn rows_go_as_deep_as_nothing_is_in_their_way() -> Result<()> {
    let world = World::new()?;
    world.put("x", "x");
    world.flush();
    world.major(0);
    world.ingest(&[("a", "1"), ("b", "1")]);
    assert_eq!(world.levels(), [0, 0, 0, 0, 0, 0, 2]);
    world.ingest(&[("b", "2"), ("c", "2")]);
    assert_eq!((world.levels(), world.get("b").as_deref()), (vec![0, 0, 0, 0, 0, 1, 2], Some("2")));
    world.ingest(&[("c", "3")]);
    assert_eq!((world.levels()[4], world.get("c").as_deref(), world.get("b").as_deref()), (1, Some("3"), Some("2")));
    Ok(())
}

#[test]
fn an_ingestion_that_is_dropped_leaves_no_file() -> Result<()> {
    let world = World::new()?;
    world.put("a", "a");
    world.flush();
    let mut rows = world.tree.ingestion()?;
    for n in 0..2000 {
        rows.write(format!("{n:04}"), "v".repeat(1000))?;
    }
    drop(rows);
    world.put("b", "b");
    world.flush();
    let files = std::fs::read_dir(world.folder.path().join("tables"))?.count();
    assert_eq!((files, world.keys()), (2, vec!["a".to_owned(), "b".to_owned()]));
    let world = world.reopened(|config| config)?;
    assert_eq!(world.keys(), ["a", "b"]);
    Ok(())
}

#[test]
fn all_rows_of_an_ingestion_have_its_number() -> Result<()> {
    let world = World::new()?;
    world.put("x", "x");
    let now = world.seqno.get();
    let mut rows = world.tree.ingestion()?;
    rows.write("a", "a")?;
    rows.write_tombstone("b")?;
    rows.write_weak_tombstone("c")?;
    rows.finish()?;
    let numbers: Vec<_> = world.tree.scan_since_seqno(now)?.map(|event| event.seqno()).collect();
    // The flush before it has taken one.
    assert_eq!(numbers, [now + 1; 3]);
    Ok(())
}

#[test]
fn rows_are_compressed_as_below_level_0() -> Result<()> {
    let bytes = |policy: [CompressionType; 2]| {
        let world = World::with(|config| config.data_block_compression_policy(CompressionPolicy::new(policy))).expect("opened");
        world.ingest(&[("a", &"v".repeat(4000))]);
        world.tree.disk_space()
    };
    let (plain, packed) = ([CompressionType::Lz4, CompressionType::None], [CompressionType::None, CompressionType::Lz4]);
    assert!(bytes(plain) > bytes(packed) + 3000);
    Ok(())
}
