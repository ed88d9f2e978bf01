//! Merge operators (API 9).

use crate::common::{World, appending, keys};
use lsm_tree::{AbstractTree, Error, Guard, Result, SeqNo, compaction::PullDown};

#[test]
fn operands_come_oldest_first_on_the_value_below() -> Result<()> {
    let world = World::with(appending)?;
    world.put("k", "a");
    let second = world.merge("k", "b");
    world.flush();
    world.merge("k", "c");
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
    let world = World::with(appending)?;
    for (key, how) in [("p", 0), ("w", 1), ("r", 2)] {
        world.put(key, "old");
        world.write(|tree, now| {
            match how {
                0 => tree.remove(key, now).0,
                1 => tree.remove_weak(key, now).0,
                _ => tree.remove_range(key, "s", now),
            };
        });
        world.merge(key, "new");
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
    let world = World::with(appending)?;
    world.merge("k", "bad");
    assert!(matches!(world.tree.get("k", SeqNo::MAX), Err(Error::MergeOperator)));
    let row = world.tree.iter(SeqNo::MAX, None).next().expect("an error, from the guard");
    assert!(matches!(row.key(), Err(Error::MergeOperator)));
    Ok(())
}

#[test]
fn without_an_operator_the_newest_operand_is_read_and_all_are_kept() -> Result<()> {
    let world = World::new()?;
    world.put("k", "base");
    world.merge("k", "one");
    world.merge("k", "two");
    for _ in 0..2 {
        assert_eq!(world.get("k").as_deref(), Some("two"));
        assert_eq!(world.tree.iter(SeqNo::MAX, None).next().expect("there").value()?, b"two");
        world.flush();
    }
    world.major(SeqNo::MAX);
    assert_eq!(world.tree.approximate_len(), 3);
    let world = world.reopened(appending)?;
    assert_eq!(world.get("k").as_deref(), Some("baseonetwo"));
    Ok(())
}

#[test]
fn operands_above_the_watermark_keep_what_is_below() -> Result<()> {
    let world = World::with(appending)?;
    world.put("k", "a");
    let second = world.merge("k", "b");
    world.merge("k", "c");
    world.flush_with(second);
    assert_eq!(world.tree.approximate_len(), 3);
    Ok(())
}

#[test]
fn operands_without_a_base_become_one_operand() -> Result<()> {
    let world = World::with(appending)?;
    world.put("k", "base");
    world.flush();
    world.compact(PullDown(0, 6), 0);
    world.merge("k", "a");
    let newest = world.merge("k", "b");
    world.flush_with(SeqNo::MAX);
    assert_eq!(world.rows(), ["k@0".to_owned(), format!("k@{newest} M")]);
    assert_eq!(world.get("k").as_deref(), Some("baseab"));
    Ok(())
}

#[test]
fn operands_on_a_base_or_a_tombstone_become_a_value_of_the_newest_number() -> Result<()> {
    for is_removed in [false, true] {
        let world = World::with(appending)?;
        world.put("k", "base");
        if is_removed {
            world.remove("k");
        }
        world.merge("k", "a");
        let newest = world.merge("k", "b");
        world.flush_with(SeqNo::MAX);
        assert_eq!(world.rows(), [format!("k@{newest}")]);
        assert_eq!(world.get("k").as_deref(), Some(if is_removed { "ab" } else { "baseab" }));
    }
    Ok(())
}

#[test]
fn operands_below_a_range_tombstone_are_not_merged() -> Result<()> {
    let world = World::with(appending)?;
    world.merge("k", "old");
    world.remove_range("a", "z");
    assert_eq!(world.get("k"), None);
    world.merge("k", "new");
    for round in 0..3 {
        assert_eq!(world.get("k").as_deref(), Some("new"), "{round}");
        assert!(!world.tree.is_empty(world.visible.get(), None)?);
        if round == 0 { world.flush() } else { world.major(SeqNo::MAX) }
    }
    Ok(())
}

/// Otherwise than in the family, where it ends the compaction.
#[test]
fn a_compaction_keeps_operands_that_can_not_be_merged() -> Result<()> {
    let world = World::with(appending)?;
    world.put("k", "base");
    world.merge("k", "bad");
    world.put("l", "base");
    world.merge("l", "more");
    world.flush();
    world.major(SeqNo::MAX);
    assert_eq!(world.rows(), ["k@0", "k@1 M", "l@0"]);
    assert!(matches!(world.tree.get("k", SeqNo::MAX), Err(Error::MergeOperator)));
    assert_eq!(world.get("l").as_deref(), Some("basemore"));
    Ok(())
}
