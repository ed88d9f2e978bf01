//! Range tombstones (API 1.5) and dropping (1.8).

use crate::common::World;
use lsm_tree::{
    AbstractTree, Config, Guard, Result, SeqNo, Version,
    compaction::{Choice, CompactionState, CompactionStrategy, Input, PullDown},
};
use std::sync::Arc;

fn abc() -> Result<World> {
    let world = World::new()?;
    for key in ["a", "b", "c", "d"] {
        world.put(key, key);
    }
    Ok(world)
}

#[test]
fn a_range_hides_what_is_older_in_it_alone() -> Result<()> {
    let world = abc()?;
    let before = world.visible.get();
    let now = world.write(|tree, now| assert!(tree.remove_range("b", "d", now) > 0));
    for round in 0..3 {
        assert_eq!((world.keys(), world.keys_at(before).len()), (vec!["a".to_owned(), "d".to_owned()], 4), "{round}");
        assert_eq!(world.get("b"), None);
        world.flush();
    }
    world.put("b", "new");
    assert_eq!(world.get("b").as_deref(), Some("new"));
    world.tree.insert("c", "same", now);
    assert_eq!(world.get("c").as_deref(), Some("same"), "an entry of the same number survives");
    Ok(())
}

#[test]
fn nothing_between_the_bounds_is_nothing_written() -> Result<()> {
    let world = abc()?;
    let now = world.seqno.next();
    for (start, end) in [("b", "b"), ("c", "b"), ("a", "")] {
        assert_eq!(world.tree.remove_range(start, end, now), 0, "{start} {end}");
    }
    let long = "x".repeat(65_536);
    assert_eq!(world.tree.remove_range("a".to_owned(), long, now), 0);
    for prefix in [&b""[..], b"\xff", b"\xff\xff"] {
        assert_eq!(world.tree.remove_prefix(prefix, now), 0);
    }
    assert_eq!(world.tree.active_memtable().range_tombstone_count(), 0);
    world.visible.fetch_max(now + 1);
    assert_eq!(world.keys().len(), 4);
    Ok(())
}

#[test]
fn a_prefix_is_removed_as_a_range() -> Result<()> {
    let world = World::new()?;
    for key in ["a", "aa", "ab", "b"] {
        world.put(key, key);
    }
    world.write(|tree, now| assert!(tree.remove_prefix("a", now) > 0));
    assert_eq!(world.keys(), ["b"]);
    Ok(())
}

#[test]
fn a_memtable_of_ranges_alone_becomes_a_table() -> Result<()> {
    let world = abc()?;
    world.flush();
    let tables = world.tree.table_count();
    let now = world.write(|tree, now| {
        tree.remove_range("b", "x", now);
    });
    assert!(!world.tree.active_memtable().is_empty());
    world.flush();
    assert_eq!(world.tree.table_count(), tables + 1);
    let version = world.tree.current_version();
    let table = version.iter_tables().find(|table| table.get_highest_seqno() == now).expect("there");
    assert_eq!(table.get_highest_kv_seqno(), 0);
    assert!(table.metadata.key_range.contains_key(b"w"), "its keys are those that it hides");
    let world = world.reopened(|config| config)?;
    assert_eq!((world.keys(), world.tree.get_highest_seqno()), (vec!["a".to_owned()], Some(now)));
    Ok(())
}

#[test]
fn ranges_survive_compactions_and_hide_what_is_ingested_before() -> Result<()> {
    let world = abc()?;
    world.flush();
    world.write(|tree, now| {
        tree.remove_range("b", "d", now);
    });
    world.flush();
    for _ in 0..3 {
        world.major(0);
        assert_eq!(world.keys(), ["a", "d"]);
    }
    let mut rows = world.tree.ingestion()?;
    rows.write("bb", "new")?;
    rows.finish()?;
    assert_eq!(world.keys(), ["a", "bb", "d"], "what is ingested later is newer");
    Ok(())
}

#[test]
fn the_last_level_ends_a_range_below_the_watermark() -> Result<()> {
    let world = abc()?;
    world.flush();
    world.write(|tree, now| {
        tree.remove_range("b", "d", now);
    });
    world.flush();
    world.major(SeqNo::MAX);
    assert_eq!(world.rows(), ["a@0", "d@0"]);
    assert_eq!(world.tree.scan_since_seqno(0)?.count(), 2, "the range is gone");
    Ok(())
}

#[test]
fn a_drop_takes_tables_that_lie_inside_altogether() -> Result<()> {
    let world = World::new()?;
    for (first, second) in [("a", "b"), ("c", "d"), ("e", "f")] {
        world.put(first, first);
        world.put(second, second);
        world.flush();
    }
    world.put("c5", "in memory");
    world.tree.drop_range("b".."f")?;
    assert_eq!(world.keys(), ["a", "b", "c5", "e", "f"]);
    world.tree.drop_range("x".."b")?;
    world.tree.drop_range("c".."c")?;
    assert_eq!(world.keys().len(), 5);
    world.tree.drop_range("e"..="f")?;
    assert_eq!(world.keys(), ["a", "b", "c5"]);
    world.tree.drop_range::<&str, _>(..)?;
    assert_eq!((world.keys(), world.tree.table_count()), (vec!["c5".to_owned()], 0));
    let world = world.reopened(|config| config)?;
    assert!(world.keys().is_empty());
    Ok(())
}

/// Merges level 0 into level 1, in small tables.
struct IntoSmallTables;

impl CompactionStrategy for IntoSmallTables {
    fn get_name(&self) -> &'static str {
        "IntoSmallTables"
    }

    fn choose(&self, version: &Version, _config: &Config, _state: &CompactionState) -> Choice {
        let level0 = version.level(0).into_iter().flat_map(|level| level.tables());
        let table_ids = level0.map(|table| table.id()).collect();
        Choice::Merge(Input { table_ids, dest_level: 1, canonical_level: 1, target_size: 1 })
    }
}

#[test]
fn a_range_covers_the_gaps_between_the_tables_that_it_is_cut_into() -> Result<()> {
    let world = World::new()?;
    let key = |n: u32| format!("{n:04}");
    for n in 0..1000 {
        world.put(&key(n), "old");
    }
    world.flush();
    world.tree.compact(Arc::new(PullDown(0, 6)), 0)?;
    world.write(|tree, now| assert!(tree.remove_range(key(0), key(999), now) > 0));
    for n in (0..1000).step_by(100) {
        world.put(&key(n), &"new".repeat(2000));
    }
    world.flush();
    world.tree.compact(Arc::new(IntoSmallTables), 0)?;
    assert!(world.tree.level_table_count(1) > Some(3), "{:?}", world.tree.level_table_count(1));
    let expected: Vec<String> = (0..1000).step_by(100).chain([999]).map(key).collect();
    assert_eq!(world.keys(), expected);
    assert!((0..999).filter(|n| n % 100 != 0).all(|n| world.get(&key(n)).is_none()));
    let world = world.reopened(|config| config)?;
    assert_eq!(world.keys(), expected);
    Ok(())
}

#[test]
fn a_range_is_carried_on_above_the_last_level_whatever_the_watermark() -> Result<()> {
    let world = abc()?;
    world.flush();
    world.tree.compact(Arc::new(PullDown(0, 6)), 0)?;
    world.write(|tree, now| {
        tree.remove_range("b", "d", now);
    });
    world.flush_with(SeqNo::MAX);
    world.tree.compact(Arc::new(PullDown(0, 1)), SeqNo::MAX)?;
    assert_eq!((world.keys(), world.tree.level_table_count(1)), (vec!["a".to_owned(), "d".to_owned()], Some(1)));
    Ok(())
}

#[test]
fn a_range_alone_is_sealed_and_counts_as_written() -> Result<()> {
    let world = World::new()?;
    world.put("b", "b");
    world.flush();
    let now = world.remove_range("a", "c");
    assert_eq!((world.tree.get_highest_memtable_seqno(), world.tree.get_highest_seqno()), (Some(now), Some(now)));
    assert_eq!(world.tree.rotate_memtable().expect("not empty").range_tombstone_count(), 1);
    assert!(world.keys().is_empty(), "it survives the rotation");
    Ok(())
}

#[test]
fn what_was_ingested_before_is_hidden() -> Result<()> {
    let world = World::new()?;
    world.ingest(&[("a", "a"), ("b", "b")]);
    world.remove_range("b", "c");
    for round in 0..3 {
        assert_eq!((world.keys(), world.get("b")), (vec!["a".to_owned()], None), "{round}");
        if round == 0 { world.flush() } else { world.major(SeqNo::MAX) }
    }
    Ok(())
}

#[test]
fn a_row_keeps_its_number_as_long_as_a_range_lies_elsewhere() -> Result<()> {
    for is_flushed in [false, true] {
        let world = World::new()?;
        world.seqno.set(20);
        world.put("a", "a");
        world.flush();
        world.compact(PullDown(0, 6), 0);
        world.tree.remove_range("a", "b", 10);
        if is_flushed {
            world.flush();
        }
        world.compact(PullDown(5, 6), SeqNo::MAX);
        assert_eq!(world.get("a").as_deref(), Some("a"));
        world.flush();
        world.major(SeqNo::MAX);
        assert_eq!((world.get("a").as_deref(), world.rows()), (Some("a"), vec!["a@0".to_owned()]));
    }
    Ok(())
}

#[test]
fn a_prefix_has_an_end_behind_its_last_bytes() -> Result<()> {
    let world = World::new()?;
    for key in [&b"a\xfe"[..], b"a\xff", b"a\xff\xff", b"b"] {
        world.tree.insert(key, "x", world.seqno.next());
    }
    world.write(|tree, now| assert!(tree.remove_prefix(b"a\xff", now) > 0));
    let left: Vec<_> = world.tree.iter(world.visible.get(), None).map(|row| row.key()).collect::<Result<_>>()?;
    assert_eq!(left, [&b"a\xfe"[..], b"b"]);
    Ok(())
}

#[test]
fn drops_have_all_kinds_of_bounds() -> Result<()> {
    use std::ops::Bound::{Excluded, Included, Unbounded};
    let left = |bounds: (std::ops::Bound<&str>, std::ops::Bound<&str>)| {
        let world = World::new().expect("opened");
        for key in ["a", "b", "c"] {
            world.put(key, key);
            world.flush();
        }
        world.tree.drop_range::<&str, _>(bounds).expect("dropped");
        world.keys().concat()
    };
    assert_eq!(left((Excluded("a"), Included("b"))), "ac");
    assert_eq!(left((Included("a"), Excluded("c"))), "c");
    assert_eq!(left((Excluded("a"), Unbounded)), "a");
    assert_eq!(left((Unbounded, Included("b"))), "c");
    assert_eq!(left((Unbounded, Excluded("b"))), "bc");
    assert_eq!(left((Excluded("b"), Excluded("b"))), "abc");
    Ok(())
}

#[test]
fn a_range_at_the_watermark_and_what_it_hides_stay() -> Result<()> {
    let world = World::new()?;
    world.put("b", "b");
    let now = world.remove_range("a", "c");
    world.flush();
    world.major(now);
    assert_eq!((world.rows(), world.keys().len()), (vec!["b@0".to_owned()], 0));
    world.major(now + 1);
    assert_eq!(world.tree.table_count(), 0);
    Ok(())
}
