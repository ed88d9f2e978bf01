//! Batches (API 7).

use crate::common::{World, appending, io_kind};
use lsm_tree::{AbstractTree, Error, Result, SeqNo, WriteBatch};

#[test]
fn a_batch_is_seen_at_once() -> Result<()> {
    let world = World::new()?;
    world.put("gone", "x");
    world.put("weak", "x");
    let mut batch = WriteBatch::with_capacity(4);
    batch.insert("a", "first");
    batch.insert("a", "last");
    batch.remove("gone");
    batch.remove_weak("weak");
    assert_eq!((batch.len(), batch.is_empty()), (4, false));
    let (before, now) = (world.visible.get(), world.seqno.next());
    let (bytes, memtable) = world.tree.apply_batch(batch.clone(), now)?;
    assert!(bytes > 0 && memtable >= bytes);
    assert_eq!((world.keys_at(before).len(), world.keys_at(now + 1)), (2, vec!["a".to_owned()]));
    assert_eq!(world.get_at("a", now + 1).as_deref(), Some("last"));
    batch.clear();
    assert!(batch.is_empty() && WriteBatch::new().is_empty());
    let size = world.tree.active_memtable().size();
    assert_eq!(world.tree.apply_batch(batch, world.seqno.next())?, (0, size));
    Ok(())
}

#[test]
fn several_operands_of_a_key_are_all_kept_in_order() -> Result<()> {
    let mut batch = WriteBatch::default();
    for operand in ["a", "b", "c"] {
        batch.merge("k", operand);
    }
    let world = World::with(appending)?;
    world.tree.apply_batch(batch.clone(), 0)?;
    assert_eq!(world.get_at("k", 1).as_deref(), Some("abc"));
    // Otherwise than in the family: without an operator none is lost, because none is taken.
    let world = World::new()?;
    assert_eq!(io_kind(world.tree.apply_batch(batch, 0)), Some(std::io::ErrorKind::InvalidInput));
    assert!(world.keys_at(SeqNo::MAX).is_empty());
    Ok(())
}

#[test]
fn a_key_written_in_two_ways_refuses_the_batch() -> Result<()> {
    let world = World::new()?;
    let mut batch = WriteBatch::new();
    batch.insert("a", "a");
    batch.insert("b", "b");
    batch.remove("a");
    assert!(matches!(world.tree.apply_batch(batch, 0), Err(Error::MixedOperationBatch)));
    assert!(world.keys_at(SeqNo::MAX).is_empty());
    Ok(())
}

#[test]
fn a_batch_is_in_memory_alone() -> Result<()> {
    let world = World::new()?;
    let mut batch = WriteBatch::new();
    batch.insert("a", "a");
    world.tree.apply_batch(batch, 0)?;
    let world = world.reopened(|config| config)?;
    assert!(world.keys().is_empty());
    Ok(())
}

#[test]
fn a_batch_is_as_large_as_its_entries() -> Result<()> {
    let world = World::new()?;
    let mut batch = WriteBatch::new();
    batch.insert("a", "value");
    batch.remove("bb");
    let (bytes, _) = world.tree.apply_batch(batch, 0)?;
    let (insert, remove) = (world.tree.insert("a", "value", 1), world.tree.remove("bb", 1));
    assert_eq!(bytes, insert.0 + remove.0);
    Ok(())
}

/// Puts an operation on a key into a batch.
type Put = fn(&mut WriteBatch);

#[test]
fn any_two_kinds_of_operation_on_a_key_refuse_the_batch() -> Result<()> {
    let kinds: [(&str, Put); 4] = [
        ("insert", |batch| batch.insert("k", "v")),
        ("remove", |batch| batch.remove("k")),
        ("remove_weak", |batch| batch.remove_weak("k")),
        ("merge", |batch| batch.merge("k", "v")),
    ];
    let world = World::with(appending)?;
    for (first, begin) in &kinds {
        for (second, go_on) in &kinds {
            let mut batch = WriteBatch::new();
            batch.insert("other", "v");
            begin(&mut batch);
            go_on(&mut batch);
            let now = world.seqno.next();
            let applied = world.tree.apply_batch(batch, now);
            if first == second {
                assert!(applied.is_ok(), "{first} twice: {applied:?}");
            } else {
                assert!(matches!(applied, Err(Error::MixedOperationBatch)), "{first} and {second}: {applied:?}");
                assert!(world.tree.scan_since_seqno(now)?.next().is_none(), "nothing is applied");
            }
        }
    }
    Ok(())
}
