//! Orders of keys (API 10).

use crate::common::{Reverse, World, io_kind, keys};
use lsm_tree::{
    AbstractTree, Config, DefaultUserComparator, Error, Guard, Result, SeqNo, UserComparator,
    compaction::{Leveled, SizeTiered},
};
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
    assert!(world.tree.prefix("a", SeqNo::MAX, None).all(|row| row.key().is_err()));
    assert!(world.tree.contains_prefix("a", SeqNo::MAX, None).is_err());
    assert_eq!(keys(world.tree.prefix("", SeqNo::MAX, None)), ["ab"]);
    let world = World::with(|config| config.comparator(Arc::new(Numbers)))?;
    world.put("ab", "1");
    assert_eq!(world.tree.remove_prefix("a", world.seqno.next()), 0, "though its end comes behind it");
    assert_eq!(
        (world.keys_at(SeqNo::MAX), world.tree.contains_prefix("a", SeqNo::MAX, None).is_err()),
        (vec!["ab".to_owned()], true)
    );
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
    let named = |len| {
        let name: &'static str = Box::leak("x".repeat(len).into_boxed_str());
        World::with(|config| config.comparator(Arc::new(Named(name)))).map(drop)
    };
    // Otherwise than in the family, where 256 bytes are not too many.
    assert_eq!(io_kind(named(256)), Some(std::io::ErrorKind::InvalidInput));
    assert!(named(255).is_ok());
}

/// Numbers of eight bytes, the lowest byte first.
struct Numbers;

impl UserComparator for Numbers {
    fn name(&self) -> &'static str {
        "numbers"
    }

    fn compare(&self, a: &[u8], b: &[u8]) -> Ordering {
        let number = |key: &[u8]| key.iter().rev().fold(0, |number, byte| number << 8 | u64::from(*byte));
        number(a).cmp(&number(b)).then_with(|| a.cmp(b))
    }
}

#[test]
fn numbers_are_in_their_order_wherever_they_lie() -> Result<()> {
    let with = |config: Config| config.comparator(Arc::new(Numbers));
    let world = World::with(with)?;
    let numbers = [3_u64, 256, 1, 65_536, 255, 2];
    for half in numbers.chunks(3) {
        for number in half {
            world.write(|tree, now| _ = tree.insert(number.to_le_bytes(), number.to_string(), now));
        }
        world.flush();
    }
    let values = |world: &World| {
        let rows = world.tree.iter(SeqNo::MAX, None).map(|row| row.value().expect("read"));
        rows.map(|value| String::from_utf8_lossy(&value).into_owned()).collect::<Vec<_>>()
    };
    let sorted = ["1", "2", "3", "255", "256", "65536"];
    assert_eq!(values(&world), sorted);
    world.compact(SizeTiered::default().with_min_merge_width(2), SeqNo::MAX);
    assert_eq!((values(&world), world.tree.table_count()), (sorted.map(str::to_owned).to_vec(), 1));
    world.major(SeqNo::MAX);
    assert_eq!(values(&world), sorted);
    let range = world.tree.range(2_u64.to_le_bytes()..256_u64.to_le_bytes(), SeqNo::MAX, None);
    assert_eq!(range.count(), 3);
    let world = world.reopened(with)?;
    world.write(|tree, now| assert!(tree.remove_range(2_u64.to_le_bytes(), 256_u64.to_le_bytes(), now) > 0));
    world.flush();
    assert_eq!(values(&world), ["1", "256", "65536"]);
    Ok(())
}

#[test]
fn an_order_is_not_lexicographic_unless_it_says_so() {
    assert!(!Reverse.is_lexicographic() && DefaultUserComparator.is_lexicographic());
    assert_eq!((DefaultUserComparator.name(), DefaultUserComparator.compare(b"a", b"b")), ("default", Ordering::Less));
}
