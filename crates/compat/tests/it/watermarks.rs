//! What a watermark lets go (API 1.3).

use crate::common::World;
use lsm_tree::{AbstractTree, Result, SeqNo, compaction::PullDown};

/// Makes tables below a watermark of what is in memory.
type Way = fn(&World, SeqNo);

#[test]
fn flushes_compactions_and_major_ones_have_the_same_watermark() -> Result<()> {
    let ways: [(&str, Way); 3] = [
        ("flush", |world, watermark| world.flush_with(watermark)),
        ("compact", |world, watermark| {
            world.flush();
            world.compact(PullDown(0, 1), watermark);
        }),
        ("major_compact", |world, watermark| {
            world.flush();
            world.major(watermark);
        }),
    ];
    for (what, act) in ways {
        for (watermark, left) in [(0, &["a@0", "a@1", "a@2"][..]), (1, &["a@1", "a@2"]), (2, &["a@2"])] {
            let world = World::new()?;
            for value in ["0", "1", "2"] {
                world.put("a", value);
            }
            act(&world, watermark);
            assert_eq!(world.rows(), left, "{what} below {watermark}");
        }
    }
    Ok(())
}

#[test]
fn a_weak_tombstone_keeps_a_value_that_is_not_below_the_watermark() -> Result<()> {
    let world = World::new()?;
    world.put("a", "a");
    world.remove_weak("a");
    world.flush_with(0);
    assert_eq!((world.rows(), world.get("a")), (vec!["a@0".to_owned(), "a@1 w".to_owned()], None));
    Ok(())
}

/// Otherwise than in the family: what a tombstone hides does not come back.
#[test]
fn a_tombstone_stays_as_long_as_an_older_row_lies_elsewhere() -> Result<()> {
    let world = World::new()?;
    world.tree.remove("a", 5);
    world.seqno.set(6);
    world.flush();
    world.tree.insert("a", "late", 2);
    world.major(SeqNo::MAX);
    assert_eq!((world.tree.tombstone_count(), world.get_at("a", SeqNo::MAX)), (1, None), "it lies in memory");
    world.flush();
    world.major(SeqNo::MAX);
    assert_eq!((world.tree.table_count(), world.get_at("a", SeqNo::MAX)), (0, None));
    Ok(())
}

/// Otherwise than in the family, where the last level alone is the last.
#[test]
fn the_last_level_is_the_deepest_in_use() -> Result<()> {
    let world = World::new()?;
    world.remove("a");
    world.put("b", "b");
    world.flush();
    world.compact(PullDown(0, 2), SeqNo::MAX);
    assert_eq!((world.rows(), world.levels()[2]), (vec!["b@0".to_owned()], 1));
    Ok(())
}

#[test]
fn the_last_level_drops_a_tombstone_above_the_watermark_with_what_is_below() -> Result<()> {
    let world = World::new()?;
    world.put("a", "a");
    world.remove("a");
    world.flush();
    world.major(1);
    assert_eq!(world.tree.table_count(), 0);
    Ok(())
}
