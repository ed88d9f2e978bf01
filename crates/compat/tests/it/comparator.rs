//! Orders of keys (API 10).

use crate::common::{Reverse, World, io_kind, keys};
use lsm_tree::{AbstractTree, Config, DefaultUserComparator, Error, Result, SeqNo, UserComparator, compaction::Leveled};
use std::{cmp::Ordering, sync::Arc};

/// The order of bytes, under a name that may be too long.
struct Named(&'static str);

impl UserComparator for Named {
    fn name(&self) -> &'static str {
        self.0
    }

    fn compare(&self, a: &[u8], b: &[u8]) -> Ordering {
        a.cmp(b)
    }

    fn is_lexicographic(&self) -> bool {
        true
    }
}

fn reversed(config: Config) -> Config {
    config.comparator(Arc::new(Reverse))
}

/// Otherwise than in the family: walks from the end meet every key.
#[test]
fn an_order_governs_memtables_tables_and_both_directions() -> Result<()> {
    let world = World::with(reversed)?;
    for key in ["b", "d", "a", "c"] {
        world.put(key, key);
    }
    for _ in 0..3 {
        assert_eq!(world.keys(), ["d", "c", "b", "a"]);
        assert_eq!(keys(world.tree.iter(SeqNo::MAX, None).rev()), ["a", "b", "c", "d"]);
        assert_eq!(keys(world.tree.range("c"..="b", SeqNo::MAX, None)), ["c", "b"]);
        assert!(keys(world.tree.range("b".."c", SeqNo::MAX, None)).is_empty());
        assert_eq!(world.get("c").as_deref(), Some("c"));
        world.flush();
        world.tree.compact(Arc::new(Leveled::default()), 0)?;
    }
    let world = world.reopened(reversed)?;
    assert_eq!(world.keys(), ["d", "c", "b", "a"]);
    Ok(())
}

/// Otherwise than in the family: a weak tombstone goes with its own value alone.
#[test]
fn weak_tombstones_do_not_take_a_neighbours_value() -> Result<()> {
    let world = World::with(reversed)?;
    world.put("a", "a");
    world.put("b", "b");
    world.flush();
    world.write(|tree, now| {
        tree.remove_weak("b", now);
    });
    world.flush_with(SeqNo::MAX);
    world.major(SeqNo::MAX);
    assert_eq!((world.keys(), world.get("b")), (vec!["a".to_owned()], None));
    Ok(())
}

/// Otherwise than in the family: ranges follow the order when tables are dropped.
#[test]
fn ranges_are_removed_and_dropped_in_the_order() -> Result<()> {
    let world = World::with(reversed)?;
    for key in ["a", "b", "c", "d"] {
        world.put(key, key);
    }
    world.write(|tree, now| {
        assert_eq!(tree.remove_range("a", "b", now), 0, "the wrong way round");
        assert!(tree.remove_range("c", "a", now) > 0);
    });
    assert_eq!(world.keys(), ["d", "a"]);
    world.flush();
    world.tree.drop_range("a".."d")?;
    assert_eq!(world.tree.table_count(), 1);
    world.tree.drop_range("d"..="a")?;
    assert_eq!(world.tree.table_count(), 0);
    Ok(())
}

#[test]
fn ingestions_ascend_in_the_order() -> Result<()> {
    let world = World::with(reversed)?;
    let mut rows = world.tree.ingestion()?;
    rows.write("b", "b")?;
    rows.write("a", "a")?;
    assert!(rows.write("c", "c").is_err());
    rows.finish()?;
    assert_eq!(world.keys(), ["b", "a"]);
    Ok(())
}

/// Otherwise than in the family: no partial answers.
#[test]
fn prefixes_need_the_order_of_bytes() -> Result<()> {
    let world = World::with(reversed)?;
    world.put("ab", "1");
    assert_eq!(world.tree.remove_prefix("a", world.seqno.next()), 0);
    assert!(world.tree.prefix("a", SeqNo::MAX, None).all(|row| lsm_tree::Guard::key(row).is_err()));
    assert!(world.tree.contains_prefix("a", SeqNo::MAX, None).is_err());
    assert_eq!(keys(world.tree.prefix("", SeqNo::MAX, None)), ["ab"]);
    let world = World::with(|config| config.comparator(Arc::new(Named("plain"))))?;
    world.put("ab", "1");
    assert_eq!(keys(world.tree.prefix("a", SeqNo::MAX, None)), ["ab"]);
    Ok(())
}

#[test]
fn the_name_is_kept_and_compared() -> Result<()> {
    let world = World::with(reversed)?;
    let folder = world.folder;
    drop(world.tree);
    let open = |comparator: Arc<dyn UserComparator>| {
        Config::new(&folder, Default::default(), Default::default()).comparator(comparator).open()
    };
    let refused = open(Arc::new(DefaultUserComparator));
    assert!(
        matches!(&refused, Err(Error::ComparatorMismatch { stored, supplied: "default" }) if stored == "reverse"),
        "{refused:?}"
    );
    open(Arc::new(Reverse))?;
    Ok(())
}

#[test]
fn the_default_is_known_by_its_name() -> Result<()> {
    let World { tree, folder, .. } = World::new()?;
    drop(tree);
    let refused = Config::new(&folder, Default::default(), Default::default()).comparator(Arc::new(Reverse)).open();
    assert!(
        matches!(&refused, Err(Error::ComparatorMismatch { stored, supplied: "reverse" }) if stored == "default"),
        "{refused:?}"
    );
    Ok(())
}

#[test]
fn a_name_that_is_too_long_is_refused() {
    let long: &'static str = Box::leak("x".repeat(257).into_boxed_str());
    let opened = World::with(|config| config.comparator(Arc::new(Named(long))));
    assert_eq!(io_kind(opened), Some(std::io::ErrorKind::InvalidInput));
}
