//! Merge operators (API 9).

use crate::common::{World, keys};
use lsm_tree::{AbstractTree, Error, Guard, MergeOperator, Result, SeqNo, UserValue};
use std::sync::Arc;

/// Appends, and fails on `bad`.
struct Append;

impl MergeOperator for Append {
    fn merge(&self, _key: &[u8], base_value: Option<&[u8]>, operands: &[&[u8]]) -> Result<UserValue> {
        if operands.contains(&&b"bad"[..]) {
            return Err(Error::MergeOperator);
        }
        Ok([base_value.unwrap_or_default(), &operands.concat()].concat().into())
    }
}

fn appending() -> Result<World> {
    World::with(|config| config.with_merge_operator(Some(Arc::new(Append))))
}

fn merge(world: &World, key: &str, operand: &str) -> SeqNo {
    world.write(|tree, now| {
        tree.merge(key, operand, now);
    })
}

#[test]
fn operands_come_oldest_first_on_the_value_below() -> Result<()> {
    let world = appending()?;
    world.put("k", "a");
    let second = merge(&world, "k", "b");
    world.flush();
    merge(&world, "k", "c");
    for round in 0..3 {
        assert_eq!(world.get("k").as_deref(), Some("abc"), "{round}");
        assert!(round > 0 || world.get_at("k", second + 1).as_deref() == Some("ab"));
        assert_eq!(world.tree.size_of("k", world.visible.get())?, Some(3));
        assert!(world.tree.contains_key("k", world.visible.get())?);
        assert_eq!(world.tree.multi_get(["k"], world.visible.get())?[0].as_deref(), Some(&b"abc"[..]));
        for end in [world.tree.first_key_value(SeqNo::MAX, None), world.tree.last_key_value(SeqNo::MAX, None)] {
            assert_eq!(end.expect("there").value()?, b"abc");
        }
        assert_eq!(world.tree.len(SeqNo::MAX, None)?, 1);
        assert_eq!(keys(world.tree.prefix("k", SeqNo::MAX, None).rev()), ["k"]);
        if round == 0 { world.flush() } else { world.major(SeqNo::MAX) }
    }
    assert_eq!(world.rows(), ["k@0"], "folded for good");
    Ok(())
}

#[test]
fn a_removed_value_is_no_base() -> Result<()> {
    let world = appending()?;
    for (key, how) in [("p", 0), ("w", 1), ("r", 2)] {
        world.put(key, "old");
        world.write(|tree, now| {
            match how {
                0 => tree.remove(key, now).0,
                1 => tree.remove_weak(key, now).0,
                _ => tree.remove_range(key, "s", now),
            };
        });
        merge(&world, key, "new");
    }
    for _ in 0..2 {
        for key in ["p", "w", "r"] {
            assert_eq!(world.get(key).as_deref(), Some("new"), "{key}");
        }
        world.flush();
    }
    Ok(())
}

#[test]
fn an_error_reaches_who_asks() -> Result<()> {
    let world = appending()?;
    merge(&world, "k", "bad");
    assert!(matches!(world.tree.get("k", SeqNo::MAX), Err(Error::MergeOperator)));
    let row = world.tree.iter(SeqNo::MAX, None).next().expect("an error, from the guard");
    assert!(matches!(row.key(), Err(Error::MergeOperator)));
    Ok(())
}

#[test]
fn without_an_operator_the_newest_operand_is_read_and_all_are_kept() -> Result<()> {
    let world = World::new()?;
    world.put("k", "base");
    merge(&world, "k", "one");
    merge(&world, "k", "two");
    for _ in 0..2 {
        assert_eq!(world.get("k").as_deref(), Some("two"));
        assert_eq!(world.tree.iter(SeqNo::MAX, None).next().expect("there").value()?, b"two");
        world.flush();
    }
    world.major(SeqNo::MAX);
    assert_eq!(world.tree.approximate_len(), 3);
    let world = world.reopened(|config| config.with_merge_operator(Some(Arc::new(Append))))?;
    assert_eq!(world.get("k").as_deref(), Some("baseonetwo"));
    Ok(())
}

#[test]
fn operands_above_the_watermark_keep_what_is_below() -> Result<()> {
    let world = appending()?;
    world.put("k", "a");
    let second = merge(&world, "k", "b");
    merge(&world, "k", "c");
    world.flush_with(second);
    assert_eq!(world.tree.approximate_len(), 3);
    Ok(())
}
