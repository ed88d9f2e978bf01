//! Point reads and writes (API 1.4, 3, 4).

use crate::common::World;
use lsm_tree::{AbstractTree, Result, SeqNo, Slice, UserValue, ValueType};

#[test]
fn the_newest_visible_row_decides() -> Result<()> {
    let world = World::new()?;
    let first = world.put("a", "1");
    world.put("a", "2");
    world.remove("a");
    world.put("b", "b");
    for round in ["in memory", "in tables", "merged"] {
        assert_eq!((world.get("a"), world.get_at("a", first + 1).as_deref()), (None, Some("1")), "{round}");
        assert!(!world.tree.contains_key("a", world.visible.get())?);
        assert!(world.tree.contains_key("b", world.visible.get())?);
        if round == "in memory" { world.flush() } else { world.major(0) }
    }
    Ok(())
}

#[test]
fn a_tombstone_of_either_kind_hides_its_key() -> Result<()> {
    let world = World::new()?;
    world.put("s", "1");
    world.put("w", "1");
    world.remove("s");
    world.write(|tree, now| {
        tree.remove_weak("w", now);
    });
    assert_eq!((world.get("s"), world.get("w"), world.keys()), (None, None, vec![]));
    Ok(())
}

/// Otherwise than in the family: the older value does not come back.
#[test]
fn a_weak_tombstone_of_a_key_that_was_written_twice_removes_it() -> Result<()> {
    let world = World::new()?;
    world.put("a", "old");
    world.flush();
    world.put("a", "new");
    world.write(|tree, now| {
        tree.remove_weak("a", now);
    });
    assert_eq!(world.get("a"), None);
    world.flush_with(SeqNo::MAX);
    assert_eq!(world.get("a"), None, "an older row lies elsewhere: the tombstone stays");
    world.major(SeqNo::MAX);
    assert_eq!((world.tree.table_count(), world.get("a")), (0, None));
    Ok(())
}

#[test]
fn lengths_and_sizes_are_told() -> Result<()> {
    let world = World::new()?;
    let (item, memtable) = world.tree.insert("key", "value", world.seqno.next());
    world.visible.fetch_max(world.seqno.get());
    assert!(item >= 8 && memtable >= item, "{item} {memtable}");
    assert_eq!(world.tree.size_of("key", world.visible.get())?, Some(5));
    assert_eq!(world.tree.size_of("none", world.visible.get())?, None);
    let (_, after) = world.tree.insert("key2", "x".repeat(100_000), world.seqno.next());
    assert!(after > memtable + 90_000);
    Ok(())
}

#[test]
fn several_keys_come_in_their_order() -> Result<()> {
    let world = World::new()?;
    for key in ["a", "b", "c"] {
        world.put(key, key);
        world.flush();
    }
    let found = world.tree.multi_get(["c", "x", "a", "c"], world.visible.get())?;
    assert_eq!(found, [Some(Slice::from("c")), None, Some(Slice::from("a")), Some(Slice::from("c"))]);
    assert!(world.tree.multi_get(Vec::<&str>::new(), world.visible.get())?.is_empty());
    Ok(())
}

#[test]
fn a_pinned_value_is_the_value() -> Result<()> {
    let world = World::new()?;
    world.put("a", "value");
    for _ in 0..2 {
        let pinned = world.tree.get_pinned("a", world.visible.get())?.expect("there");
        // Otherwise than in the family: the value owns or shares its bytes, and holds no block.
        assert!(!pinned.is_pinned() && format!("{pinned:?}").contains("Owned"));
        assert_eq!((pinned.value(), pinned.len(), pinned.is_empty()), (&b"value"[..], 5, false));
        assert!(pinned == *b"value".as_slice() && pinned == b"value".as_slice() && pinned.as_ref() == b"value");
        assert_eq!(UserValue::from(pinned.clone()), pinned.into_value());
        world.flush();
    }
    assert!(world.tree.get_pinned("b", world.visible.get())?.is_none());
    Ok(())
}

#[test]
fn the_raw_row_is_shown_and_a_tombstone_is_none() -> Result<()> {
    let world = World::new()?;
    world.put("a", "0");
    let second = world.put("a", "1");
    let row = world.tree.get_internal_entry(b"a", world.visible.get())?.expect("there");
    assert_eq!((&*row.key.user_key, row.key.seqno, row.key.value_type), (&b"a"[..], second, ValueType::Value));
    assert_eq!((&*row.value, row.is_tombstone()), (&b"1"[..], false));
    assert_eq!(world.tree.get_internal_entry(b"a", second)?.expect("older").value, b"0");
    world.remove("a");
    assert!(world.tree.get_internal_entry(b"a", world.visible.get())?.is_none());
    world.tree.print_trace(b"a")
}

#[test]
#[should_panic(expected = "key may not be empty")]
fn an_empty_key_panics() {
    let world = World::new().expect("opened");
    world.tree.insert("", "a", 0);
}

#[test]
#[should_panic(expected = "length of a key")]
fn a_key_that_is_too_long_panics() {
    let world = World::new().expect("opened");
    world.tree.insert("x".repeat(65_536), "a", 0);
}

#[test]
fn a_key_of_the_greatest_length_is_kept_and_a_read_of_a_longer_one_finds_nothing() -> Result<()> {
    let world = World::new()?;
    let longest = "x".repeat(65_535);
    world.put(&longest, "a");
    world.flush();
    assert_eq!(world.get(&longest).as_deref(), Some("a"));
    // Otherwise than in the family: no panic.
    assert_eq!(world.get(&"x".repeat(65_536)), None);
    Ok(())
}

#[test]
fn every_write_tells_its_size_and_that_of_the_memtable() -> Result<()> {
    let world = World::new()?;
    let tree = &world.tree;
    let told = [tree.insert("a", "a", 0), tree.remove("b", 1), tree.remove_weak("c", 2), tree.merge("d", "d", 3)];
    assert!(told.iter().all(|(item, memtable)| *item > 0 && memtable >= item));
    assert!(told.is_sorted_by_key(|(_, memtable)| *memtable), "{told:?}");
    assert!(tree.active_memtable().size() >= told[3].1, "counted now and then");
    Ok(())
}

/// Otherwise than in the family: values lie with their keys, and are shorter.
#[test]
#[should_panic(expected = "length of a value")]
fn a_value_that_is_too_long_panics() {
    let world = World::new().expect("opened");
    world.tree.insert("a", vec![0; (64 << 20) + 1], 0);
}

#[test]
fn several_keys_are_read_at_one_number() -> Result<()> {
    let world = World::new()?;
    world.put("a", "old");
    world.put("b", "old");
    let snapshot = world.visible.get();
    world.put("a", "new");
    world.remove("b");
    for _ in 0..2 {
        assert_eq!(world.tree.multi_get(["a", "b"], snapshot)?, [Some(Slice::from("old")), Some(Slice::from("old"))]);
        assert_eq!(world.tree.multi_get(["a", "b"], world.visible.get())?, [Some(Slice::from("new")), None]);
        world.flush();
    }
    Ok(())
}

#[test]
fn a_row_that_a_range_hides_is_not_shown_raw() -> Result<()> {
    let world = World::new()?;
    world.put("a", "a");
    world.remove_range("a", "b");
    assert!(world.tree.get_internal_entry(b"a", world.visible.get())?.is_none());
    Ok(())
}
