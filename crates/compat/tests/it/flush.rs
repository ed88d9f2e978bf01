//! Rotation and flush (API 1.3, 1.6).

use crate::common::World;
use lsm_tree::{AbstractTree, Result, SeqNo, compaction::Leveled};
use std::sync::Arc;

#[test]
fn a_rotation_seals_what_is_there() -> Result<()> {
    let world = World::new()?;
    assert!(world.tree.rotate_memtable().is_none());
    assert_eq!((world.tree.active_memtable().id(), world.tree.sealed_memtable_count()), (0, 0));
    world.put("a", "a");
    let sealed = world.tree.rotate_memtable().expect("not empty");
    assert_eq!((sealed.id(), sealed.len(), world.tree.active_memtable().id()), (0, 1, 1));
    assert_eq!((world.tree.sealed_memtable_count(), world.tree.active_memtable().is_empty()), (1, true));
    assert_eq!(world.get("a").as_deref(), Some("a"));
    Ok(())
}

#[test]
fn a_flush_merges_all_that_is_sealed_into_one_run() -> Result<()> {
    let world = World::new()?;
    let mut sealed = 0;
    for key in ["a", "b", "a"] {
        world.put(key, key);
        sealed += world.tree.rotate_memtable().expect("not empty").size();
    }
    let bytes = {
        let lock = world.tree.get_flush_lock();
        world.tree.flush(&lock, 0)?
    };
    assert_eq!(bytes, Some(sealed), "the bytes of what was sealed");
    assert_eq!((world.tree.sealed_memtable_count(), world.tree.table_count(), world.tree.l0_run_count()), (0, 1, 1));
    let lock = world.tree.get_flush_lock();
    assert_eq!(world.tree.flush(&lock, 0)?, None, "nothing is sealed");
    Ok(())
}

#[test]
fn the_argument_is_a_watermark_and_0_keeps_every_version() -> Result<()> {
    let world = World::new()?;
    let (first, second) = (world.put("a", "1"), world.put("a", "2"));
    world.flush_with(0);
    assert_eq!(world.rows(), [format!("a@{first}"), format!("a@{second}")]);
    Ok(())
}

/// A tombstone at 1 above a value at 0.
fn removed_at_1() -> Result<World> {
    let world = World::new()?;
    world.tree.insert("a", "a", world.seqno.next());
    world.tree.remove("a", world.seqno.next());
    Ok(world)
}

#[test]
fn what_lies_behind_a_row_goes_below_the_watermark() -> Result<()> {
    let world = removed_at_1()?;
    world.flush_with(1);
    assert_eq!(world.rows(), ["a@1 T"]);

    let world = removed_at_1()?;
    world.tree.insert("a", "b", world.seqno.next());
    world.flush_with(1);
    assert_eq!(world.rows(), ["a@1 T", "a@2"], "the tombstone is above, what it hides is below");
    Ok(())
}

#[test]
fn a_weak_tombstone_and_its_value_vanish_together() -> Result<()> {
    let world = World::new()?;
    world.tree.insert("a", "a", world.seqno.next());
    world.tree.remove_weak("a", world.seqno.next());
    world.flush_with(1);
    assert_eq!((world.tree.table_count(), world.tree.sealed_memtable_count()), (0, 0));
    Ok(())
}

#[test]
fn the_last_level_ends_what_a_tombstone_has_to_say() -> Result<()> {
    for weak in [false, true] {
        let world = World::new()?;
        world.write(|tree, now| {
            if weak {
                tree.remove_weak("a", now)
            } else {
                tree.remove("a", now)
            };
        });
        world.put("b", "b");
        world.flush();
        assert_eq!(world.tree.tombstone_count(), 1);
        world.major(0);
        assert_eq!((world.tree.tombstone_count(), world.rows().len()), (0, 1), "whatever the watermark");
    }
    let world = removed_at_1()?;
    world.flush_with(0);
    world.major(0);
    assert_eq!(world.rows(), ["a@0", "a@1 T"], "as long as a version behind it stays");
    world.major(SeqNo::MAX);
    assert_eq!(world.tree.table_count(), 0);
    Ok(())
}

#[test]
fn a_row_of_the_last_level_loses_its_number_below_the_watermark() -> Result<()> {
    let world = World::new()?;
    world.put("x", "x");
    let seqno = world.put("a", "a");
    world.flush();
    world.major(seqno);
    assert_eq!(world.rows(), [format!("a@{seqno}"), "x@0".to_owned()]);
    world.major(seqno + 1);
    assert_eq!((world.rows(), world.get("a").as_deref()), (vec!["a@0".to_owned(), "x@0".to_owned()], Some("a")));
    Ok(())
}

#[test]
fn what_was_not_flushed_is_lost() -> Result<()> {
    let world = World::new()?;
    world.put("a", "a");
    world.flush();
    world.put("b", "b");
    let world = world.reopened(|config| config)?;
    assert_eq!(world.keys(), ["a"]);
    Ok(())
}

#[test]
fn what_is_in_memory_can_be_forgotten() -> Result<()> {
    let world = World::in_all_places()?;
    world.tree.clear_active_memtable();
    assert_eq!((world.keys(), world.tree.sealed_memtable_count()), (vec!["a".to_owned()], 0));
    assert!(world.tree.active_memtable().is_empty());
    world.put("d", "d");
    assert_eq!(world.keys(), ["a", "d"]);
    Ok(())
}

#[test]
fn a_weak_tombstone_in_front_of_anything_else_is_like_a_strong_one() -> Result<()> {
    let world = World::new()?;
    world.put("a", "old");
    world.remove("a");
    world.write(|tree, now| {
        tree.remove_weak("a", now);
    });
    world.flush_with(SeqNo::MAX);
    assert_eq!(world.get("a"), None);
    world.major(SeqNo::MAX);
    assert_eq!((world.get("a"), world.tree.table_count()), (None, 0));
    Ok(())
}

#[test]
fn who_holds_the_flush_lock_may_do_anything_but_flush_by_the_short_way() -> Result<()> {
    let world = World::new()?;
    world.put("a", "a");
    world.tree.rotate_memtable();
    let lock = world.tree.get_flush_lock();
    world.tree.flush(&lock, 0)?;
    world.tree.compact(Arc::new(Leveled::default()), 0)?;
    world.major(0);
    world.tree.drop_range("x".."y")?;
    assert_eq!(world.keys(), ["a"]);
    world.tree.clear()?;
    drop(lock);
    assert!(world.keys().is_empty());
    Ok(())
}

#[test]
fn threads_write_flush_and_compact_at_once() -> Result<()> {
    let world = World::new()?;
    let key = |thread: usize, n: usize| format!("{thread}-{n:04}");
    std::thread::scope(|scope| {
        for thread in 0..3 {
            let world = &world;
            scope.spawn(move || (0..500).for_each(|n| _ = world.put(&key(thread, n), "value")));
        }
        let world = &world;
        scope.spawn(move || (0..20).for_each(|_| world.flush()));
        scope.spawn(move || {
            for _ in 0..20 {
                world.tree.compact(Arc::new(Leveled::default()), 0).expect("compacted");
            }
        });
    });
    assert_eq!(world.keys().len(), 1500);
    world.flush();
    let world = world.reopened(|config| config)?;
    assert_eq!(world.keys().len(), 1500);
    Ok(())
}

#[test]
fn tables_of_a_flush_are_cut_at_64_mib() -> Result<()> {
    let world = World::new()?;
    let value = lsm_tree::Slice::from(vec![0; 1 << 20]);
    for n in 0..66_u64 {
        world.tree.insert(format!("{n:02}"), value.clone(), n);
    }
    world.flush();
    assert_eq!((world.tree.table_count(), world.tree.l0_run_count()), (2, 1));
    Ok(())
}
