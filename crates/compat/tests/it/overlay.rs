//! Rows of the caller's that are read with a tree's (API 1.9).

use crate::common::{World, appending, keys};
use lsm_tree::{AbstractTree, DefaultUserComparator, Guard, InternalValue, Memtable, Result, SeqNo, ValueType};
use std::sync::Arc;

fn row(key: &str, seqno: SeqNo, value_type: ValueType) -> InternalValue {
    InternalValue::from_components(key, "overlay", seqno, value_type)
}

#[test]
fn an_overlay_is_read_below_its_own_number() -> Result<()> {
    let world = World::new()?;
    for key in ["a", "c", "e"] {
        world.put(key, key);
    }
    let overlay = Arc::new(Memtable::new(0, Arc::new(DefaultUserComparator)));
    overlay.insert(row("b", 10, ValueType::Value));
    overlay.insert(row("c", 11, ValueType::Tombstone));
    let at = |cutoff| Some((Arc::clone(&overlay), cutoff));
    let now = world.visible.get();
    assert_eq!(keys(world.tree.iter(now, at(10))), ["a", "c", "e"]);
    assert_eq!(keys(world.tree.iter(now, at(11))), ["a", "b", "c", "e"]);
    assert_eq!(keys(world.tree.iter(now, at(12)).rev()), ["e", "b", "a"]);
    assert_eq!(keys(world.tree.range("b"..="c", now, at(12))), ["b"]);
    assert_eq!((world.tree.len(now, at(12))?, world.tree.is_empty(now, at(12))?), (3, false));
    assert!(world.tree.contains_prefix("b", now, at(12))? && !world.tree.contains_prefix("b", now, None)?);
    overlay.insert(row("d", 12, ValueType::Value));
    assert_eq!(keys(world.tree.prefix("d", now, at(13))), ["d"], "what came since is read, too");
    Ok(())
}

#[test]
fn ranges_of_each_are_cut_off_by_its_own_number() -> Result<()> {
    let world = World::new()?;
    for key in ["a", "b", "c"] {
        world.put(key, key);
    }
    let before = world.visible.get();
    world.write(|tree, now| {
        tree.remove_range("c", "d", now);
    });
    let overlay = Arc::new(Memtable::new(0, Arc::new(DefaultUserComparator)));
    assert!(overlay.insert_range_tombstone("a".into(), "b".into(), 20) > 0);
    assert_eq!(overlay.insert_range_tombstone("b".into(), "a".into(), 20), 0);
    let at = |cutoff| Some((Arc::clone(&overlay), cutoff));
    assert_eq!(keys(world.tree.iter(before, at(20))), ["a", "b", "c"]);
    assert_eq!(keys(world.tree.iter(before, at(21))), ["b", "c"]);
    assert_eq!(keys(world.tree.iter(world.visible.get(), at(21))), ["b"]);
    Ok(())
}

#[test]
fn a_memtable_of_ones_own_is_in_order_and_counts() {
    let memtable = Memtable::new(7, Arc::new(DefaultUserComparator));
    assert!(memtable.is_empty() && memtable.get_highest_seqno().is_none());
    memtable.insert(row("b", 1, ValueType::Value));
    memtable.insert(row("a", 1, ValueType::Value));
    memtable.insert(row("a", 4, ValueType::Tombstone));
    memtable.insert_range_tombstone("x".into(), "y".into(), 9);
    let order: Vec<_> = memtable.iter().map(|row| (row.key.user_key.to_vec(), row.key.seqno)).collect();
    assert_eq!(order, [(b"a".to_vec(), 4), (b"a".to_vec(), 1), (b"b".to_vec(), 1)]);
    assert_eq!(memtable.iter().next_back().map(|row| row.key.user_key), Some("b".into()));
    assert_eq!((memtable.id(), memtable.len(), memtable.range_tombstone_count()), (7, 3, 1));
    assert_eq!((memtable.get_highest_seqno(), memtable.is_empty()), (Some(9), false));
    let before = memtable.size();
    let (bytes, after) = memtable.insert_batch(vec![row("c", 1, ValueType::Value), row("c", 2, ValueType::Value)]);
    assert_eq!((after - before, memtable.len()), (bytes, 5));
    assert!(memtable.size() > 0 && memtable.get(b"a", 4).is_some_and(|row| row.key.seqno == 1));
}

#[test]
fn a_memtable_of_a_tree_is_looked_at_and_flagged() -> Result<()> {
    let world = World::new()?;
    world.put("b", "b");
    world.put("a", "a");
    let active = world.tree.active_memtable();
    assert!(active.insert_range_tombstone("x".into(), "y".into(), world.seqno.next()) > 0);
    assert_eq!((active.len(), active.range_tombstone_count(), active.iter().count()), (2, 1, 2));
    assert!(!active.is_flagged_for_rotation());
    active.flag_rotated();
    assert!(world.tree.active_memtable().is_flagged_for_rotation());
    world.tree.rotate_memtable();
    assert!(!world.tree.active_memtable().is_flagged_for_rotation());
    Ok(())
}

#[test]
fn of_a_range_that_both_have_the_larger_cutoff_counts() -> Result<()> {
    let world = World::new()?;
    world.put("a", "a");
    let before = world.visible.get();
    let now = world.write(|tree, now| {
        tree.remove_range("a", "b", now);
    });
    let overlay = Arc::new(Memtable::new(0, Arc::new(DefaultUserComparator)));
    overlay.insert_range_tombstone("a".into(), "b".into(), now);
    let at = |cutoff| Some((Arc::clone(&overlay), cutoff));
    assert_eq!(keys(world.tree.iter(before, at(now))), ["a"], "neither is seen");
    assert!(keys(world.tree.iter(before, at(now + 1))).is_empty(), "that of the overlay is");
    assert!(keys(world.tree.iter(now + 1, at(now))).is_empty(), "that of the tree is");
    Ok(())
}

#[test]
fn an_overlay_is_merged_like_any_other_source() -> Result<()> {
    let world = World::with(appending)?;
    world.put("k", "base");
    let overlay = Arc::new(Memtable::new(0, Arc::new(DefaultUserComparator)));
    overlay.insert(InternalValue::new_merge_operand("k", "more", 10));
    overlay.insert(row("z", 11, ValueType::Value));
    let at = |cutoff| Some((Arc::clone(&overlay), cutoff));
    let first = |cutoff| world.tree.first_key_value(world.visible.get(), at(cutoff)).expect("there").value();
    assert_eq!((first(10)?, first(11)?), ("base".into(), "basemore".into()));
    assert_eq!(world.tree.last_key_value(world.visible.get(), at(12)).expect("there").key()?, "z");
    Ok(())
}

#[test]
fn a_memtable_of_ones_own_is_flagged_once_and_for_all() {
    let memtable = Memtable::new(0, Arc::new(DefaultUserComparator));
    assert!(!memtable.is_flagged_for_rotation());
    memtable.flag_rotated();
    memtable.flag_rotated();
    assert!(memtable.is_flagged_for_rotation());
}
