//! `docs/semantics.md`, sentence by sentence, on a bare tree.

use crate::model::{Pair, Row, small_options};
use sediment_base::{ErrorKind, KeyOrder, Result, SeqNo, seqno::SEQNO_MAX};
use sediment_env::{Env, fs::MemFs};
use sediment_tree::WriteBatch;
use std::collections::BTreeMap;

fn pair() -> Result<Pair> {
    Pair::create(KeyOrder::bytewise(), 1)
}

fn get(pair: &Pair, key: &str, read_seqno: SeqNo) -> Option<String> {
    let found = pair.tree.get(key.as_bytes(), read_seqno).expect("read");
    found.map(|value| String::from_utf8_lossy(&value).into_owned())
}

fn keys(pair: &Pair, read_seqno: SeqNo) -> Vec<String> {
    let scan = pair.tree.range::<Vec<u8>, _>(.., read_seqno);
    scan.map(|row| String::from_utf8_lossy(&row.expect("read").0).into_owned()).collect()
}

/// What is asked here must hold wherever the rows lie.
fn wherever_it_lies(pair: &mut Pair, check: impl Fn(&Pair)) -> Result<()> {
    check(pair);
    pair.flush()?;
    check(pair);
    pair.compact_all()?;
    check(pair);
    pair.reopen()?;
    check(pair);
    Ok(())
}

#[test]
fn a_read_sees_smaller_seqnos_only() -> Result<()> {
    let pair = pair()?;
    pair.tree.insert(b"k", b"v", 0)?;
    assert_eq!((get(&pair, "k", 0), get(&pair, "k", 1).as_deref()), (None, Some("v")));
    assert_eq!((get(&pair, "k", SEQNO_MAX).as_deref(), get(&pair, "k", SeqNo::MAX).as_deref()), (Some("v"), Some("v")));
    assert!(keys(&pair, 0).is_empty());
    assert_eq!(pair.tree.insert(b"k", b"v", SEQNO_MAX).unwrap_err().kind(), ErrorKind::InvalidInput);
    Ok(())
}

#[test]
fn rows_written_late_count_as_what_their_seqno_says() -> Result<()> {
    let mut pair = pair()?;
    pair.tree.insert(b"k", b"new", 9)?;
    pair.flush()?;
    pair.compact_all()?;
    pair.tree.insert(b"k", b"old", 5)?;
    assert_eq!((get(&pair, "k", 10).as_deref(), get(&pair, "k", 6).as_deref()), (Some("new"), Some("old")));
    assert_eq!(keys(&pair, 10), ["k"]);
    pair.next = 10;
    pair.flush()?;
    assert_eq!(get(&pair, "k", 10).as_deref(), Some("new"));
    Ok(())
}

#[test]
fn a_weak_remove_hides_all_that_is_older() -> Result<()> {
    let mut pair = pair()?;
    pair.write(b"k", Some(b"1"))?;
    pair.write(b"k", Some(b"2"))?;
    pair.write_row(b"k", Row::WeaklyRemoved)?;
    wherever_it_lies(&mut pair, |pair| assert_eq!(get(pair, "k", pair.next), None))?;
    assert_eq!(pair.tree.stats().levels.iter().map(|level| level.rows).sum::<u64>(), 0, "and goes with them");
    Ok(())
}

#[test]
fn a_tombstone_goes_as_soon_as_nothing_below_knows_its_key() -> Result<()> {
    let mut pair = pair()?;
    for number in 0..60 {
        pair.write(format!("deep-{number:02}").as_bytes(), Some(&[1; 60]))?;
    }
    pair.flush()?;
    pair.compact_all()?;
    pair.write(b"deep-07x", Some(b"short-lived"))?;
    pair.write(b"deep-07x", None)?;
    pair.flush()?;
    assert_eq!(pair.tree.stats().levels[0].rows, 0, "the range of the tables below holds the key, their filters do not");
    pair.write(b"deep-07", None)?;
    pair.flush()?;
    assert_eq!(pair.tree.stats().levels[0].tombstones, 1, "this one has something to hide");
    Ok(())
}

#[test]
fn a_range_remove_hides_smaller_seqnos_within_its_bounds_only() -> Result<()> {
    let mut pair = pair()?;
    for key in ["a", "b", "c", "d"] {
        pair.tree.insert(key.as_bytes(), b"old", 3)?;
    }
    pair.tree.insert(b"b", b"with it", 5)?;
    pair.tree.remove_range(b"b", b"d", 5)?;
    pair.tree.insert(b"c", b"later", 6)?;
    pair.next = 7;
    assert_eq!(keys(&pair, 5), ["a", "b", "c", "d"], "a reader at 5 does not see it");
    assert_eq!(get(&pair, "c", 6), None);
    wherever_it_lies(&mut pair, |pair| {
        assert_eq!(keys(pair, 7), ["a", "b", "c", "d"]);
        assert_eq!(get(pair, "b", 7).as_deref(), Some("with it"), "one of the same seqno stays");
        assert_eq!(get(pair, "c", 7).as_deref(), Some("later"));
    })
}

#[test]
fn a_range_without_keys_removes_nothing_and_writes_nothing() -> Result<()> {
    let pair = pair()?;
    pair.tree.insert(b"b", b"v", 3)?;
    let before = pair.tree.memtable_bytes();
    pair.tree.remove_range(b"c", b"a", 5)?;
    pair.tree.remove_range(b"b", b"b", 5)?;
    assert_eq!((keys(&pair, 9), pair.tree.memtable_bytes()), (vec!["b".to_owned()], before));
    let long = vec![7; 65_537];
    assert_eq!(pair.tree.remove_range(b"a", &long, 5).unwrap_err().kind(), ErrorKind::InvalidInput);
    Ok(())
}

#[test]
fn prefixes_are_removed_whole_or_not_at_all() -> Result<()> {
    let pair = pair()?;
    for key in [&b"a"[..], b"a\xff", b"b", b"\xff", b"\xff\xff\x01"] {
        pair.tree.insert(key, b"v", 1)?;
    }
    pair.tree.remove_prefix(b"\xff", 2)?;
    assert_eq!(keys(&pair, 9).len(), 3);
    pair.tree.remove_prefix(b"a", 3)?;
    assert_eq!(keys(&pair, 9), ["b"]);
    pair.tree.remove_prefix(b"", 4)?;
    assert!(keys(&pair, 9).is_empty());
    Ok(())
}

#[test]
fn a_memtable_of_range_tombstones_alone_is_sealed_and_flushed() -> Result<()> {
    let mut pair = pair()?;
    pair.write(b"b", Some(b"v"))?;
    pair.flush()?;
    pair.pins.push(pair.next);
    pair.remove_range(b"a", b"c")?;
    assert!(!pair.tree.is_clean());
    assert_eq!(pair.tree.highest_seqno(), Some(pair.next - 1), "seqnos of range tombstones count");
    pair.flush()?;
    assert!(pair.tree.is_clean());
    let level = &pair.tree.stats().levels[0];
    assert_eq!((level.tables, level.rows, level.range_tombstones), (2, 1, 1));
    pair.reopen()?;
    assert_eq!((keys(&pair, pair.next), keys(&pair, pair.pins[0])), (vec![], vec!["b".to_owned()]));
    assert!(pair.tree.verify()?.faults.is_empty());
    Ok(())
}

#[test]
fn gaps_between_the_tables_of_a_rewrite_stay_covered() -> Result<()> {
    let mut pair = pair()?;
    for number in (0..400).step_by(2) {
        pair.write(format!("{number:03}").as_bytes(), Some(&[1; 60]))?;
    }
    pair.flush()?;
    pair.compact_all()?;
    for number in (1..400).step_by(2) {
        pair.write(format!("{number:03}").as_bytes(), Some(&[2; 60]))?;
    }
    pair.flush()?;
    pair.pins.push(pair.next);
    pair.remove_range(b"", b"")?;
    for number in (3..400).step_by(4) {
        pair.write(format!("{number:03}").as_bytes(), Some(&[3; 60]))?;
    }
    wherever_it_lies(&mut pair, |pair| {
        assert_eq!(keys(pair, pair.next).len(), 100);
        assert_eq!(keys(pair, pair.pins[0]).len(), 400);
    })?;
    let tables: usize = pair.tree.stats().levels.iter().map(|level| level.tables).sum();
    assert!(tables > 4, "{tables}");
    Ok(())
}

#[test]
fn operands_end_at_whatever_is_below_them() -> Result<()> {
    let mut pair = pair()?;
    let operand = |text: &str| Row::Operand(text.as_bytes().to_vec());
    pair.write(b"value", Some(b"x"))?;
    pair.write(b"removed", Some(b"x"))?;
    pair.write(b"ranged", Some(b"x"))?;
    pair.write(b"removed", None)?;
    pair.remove_range(b"r", b"re")?;
    for key in [&b"value"[..], b"removed", b"ranged", b"fresh"] {
        pair.write_row(key, operand("1"))?;
        pair.write_row(key, operand("2"))?;
    }
    let pinned = pair.next - 1;
    pair.pins.push(pinned);
    pair.write_row(b"value", operand("3"))?;
    wherever_it_lies(&mut pair, |pair| {
        let now = ["value", "removed", "ranged", "fresh"].map(|key| get(pair, key, pair.next).expect("there"));
        assert_eq!(now, ["x123", "12", "12", "12"]);
        assert_eq!((get(pair, "value", pinned).as_deref(), get(pair, "fresh", pinned).as_deref()), (Some("x12"), Some("1")));
    })
}

#[test]
fn without_its_operator_operands_are_kept_and_not_guessed() -> Result<()> {
    let mut pair = pair()?;
    pair.write(b"k", Some(b"x"))?;
    // Held apart, so that the flush does not fold them.
    pair.pins.push(pair.next);
    pair.write_row(b"k", Row::Operand(b"1".to_vec()))?;
    pair.flush()?;
    let operator = pair.options.merge_operator.take();
    pair.reopen()?;
    pair.compact_all()?;
    assert_eq!(pair.tree.get(b"k", pair.next).unwrap_err().kind(), ErrorKind::InvalidInput);
    assert!(pair.tree.range::<Vec<u8>, _>(.., pair.next).next().expect("an error").is_err());
    pair.options.merge_operator = Some(std::sync::Arc::new(sediment_base::merge_operator::Max));
    assert_eq!(pair.reopen().unwrap_err().kind(), ErrorKind::InvalidInput, "another operator is refused");
    pair.options.merge_operator = operator;
    pair.reopen()?;
    assert_eq!(get(&pair, "k", pair.next).as_deref(), Some("x1"));
    Ok(())
}

#[test]
fn a_batch_of_a_tree_has_one_seqno_and_no_order() -> Result<()> {
    let mut pair = pair()?;
    let operand = |text: &str| Row::Operand(text.as_bytes().to_vec());
    pair.write(b"gone", Some(b"x"))?;
    let before = pair.next;
    let rows = [(b"a".to_vec(), Row::Value(b"v".to_vec())), (b"m".to_vec(), operand("1234")), (b"gone".to_vec(), Row::Removed)];
    pair.write_batch(BTreeMap::from(rows))?;
    assert_eq!((keys(&pair, before), keys(&pair, before + 1)), (vec!["gone".to_owned()], vec!["a".into(), "m".into()]));
    assert_eq!(get(&pair, "m", pair.next).as_deref(), Some("1234"), "operands of one key, in their order");
    let mut batch = WriteBatch::new();
    batch.insert("a", "1");
    batch.insert("a", "2");
    pair.tree.apply(&batch, pair.next)?;
    assert_eq!(get(&pair, "a", pair.next + 1).as_deref(), Some("2"), "the last value of a key counts");
    batch.remove("b");
    batch.insert("b", "1");
    let error = pair.tree.apply(&batch, pair.next + 1).unwrap_err();
    assert!(error.kind() == ErrorKind::InvalidInput && error.to_string().contains("\"b\""), "{error}");
    assert_eq!(pair.tree.highest_seqno(), Some(pair.next), "nothing of a batch that is refused");
    Ok(())
}

#[test]
fn a_read_below_what_was_kept_is_refused() -> Result<()> {
    let mut pair = pair()?;
    for round in 0..3 {
        pair.write(b"k", Some(&[round]))?;
    }
    pair.flush()?;
    assert_eq!(pair.tree.get(b"k", 2).unwrap_err().kind(), ErrorKind::HistoryGone);
    assert_eq!(pair.tree.range::<Vec<u8>, _>(.., 2).next().expect("an error").unwrap_err().kind(), ErrorKind::HistoryGone);
    Ok(())
}

#[test]
fn an_order_of_keys_is_stored_by_name_and_another_is_refused() -> Result<()> {
    let env = Env::simulated(MemFs::new(), 1);
    drop(Pair::create_with(env.clone(), small_options(KeyOrder::bytewise()))?);
    let options = small_options(KeyOrder::custom(std::sync::Arc::new(crate::compare::Odd)));
    let error = sediment_tree::Tree::open(&env, std::path::Path::new("/tree"), options).unwrap_err();
    assert!(error.kind() == ErrorKind::InvalidInput && error.to_string().contains("odd"), "{error}");
    Ok(())
}
