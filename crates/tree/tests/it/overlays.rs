//! Overlays: rows beside a tree, read as if they were in it.

use crate::model::{Pair, Row, owned};
use sediment_base::{ErrorKind, KeyOrder, Result, SeqNo};
use sediment_env::random::SeededRandom;
use sediment_tree::Overlay;
use std::{collections::BTreeMap, ops::Bound};

type Rows = BTreeMap<Vec<u8>, Vec<(SeqNo, Option<Vec<u8>>)>>;

fn key(random: &SeededRandom) -> Vec<u8> {
    format!("key-{:03}", random.below(60)).into_bytes()
}

fn put(overlay: &Overlay, rows: &mut Rows, random: &SeededRandom, seqno: SeqNo) -> Result<()> {
    let (key, value) = (key(random), (random.below(3) > 0).then(|| format!("overlay {seqno}").into_bytes()));
    rows.entry(key.clone()).or_default().push((seqno, value.clone()));
    match value {
        Some(value) => overlay.insert(&key, &value, seqno),
        None => overlay.remove(&key, seqno),
    }
}

/// The newest of a key's rows in tree and overlay, each below its bound.
fn expected(pair: &Pair, rows: &Rows, key: &[u8], read_seqno: SeqNo, cutoff: SeqNo) -> Option<Vec<u8>> {
    let in_tree = pair.newest(key, read_seqno);
    let in_overlay = rows.get(key).into_iter().flatten().filter(|row| row.0 < cutoff).max_by_key(|row| row.0);
    match (in_tree, in_overlay) {
        (Some((seqno, value)), Some(row)) if seqno > row.0 => value,
        (_, Some(row)) => row.1.clone(),
        (in_tree, None) => in_tree.and_then(|row| row.1),
    }
}

#[test]
fn an_overlay_is_read_as_another_source_with_a_bound_of_its_own() -> Result<()> {
    for seed in 0..20 {
        let random = SeededRandom::new(seed);
        let mut pair = Pair::create(KeyOrder::bytewise(), seed)?;
        let (overlay, mut rows, mut own) = (pair.tree.overlay(), Rows::new(), 0);
        pair.pins.extend([1, 50, 100]);
        // Whether the overlay's seqnos lie among the tree's, or above all of them.
        let is_among = seed % 2 == 0;
        for step in 0..300 {
            own += 2;
            match random.below(8) {
                0 | 1 => put(&overlay, &mut rows, &random, if is_among { own } else { own + 100_000 })?,
                // A tree forgets removals that hide nothing in it.
                2 if step % 3 == 0 && !is_among => pair.flush()?,
                3 if step % 5 == 0 && !is_among => pair.compact_all()?,
                4 => check(&pair, (&overlay, &rows), &random, &format!("seed {seed} step {step}"))?,
                _ => pair.write(&key(&random), (random.below(4) > 0).then_some(b"tree"))?,
            }
            // The tree's seqnos are odd, the overlay's even.
            pair.next |= 1;
        }
        check(&pair, (&overlay, &rows), &random, &format!("seed {seed} at the end"))?;
    }
    Ok(())
}

fn check(pair: &Pair, (overlay, rows): (&Overlay, &Rows), random: &SeededRandom, place: &str) -> Result<()> {
    for read_seqno in [pair.next, 50.min(pair.next), 0] {
        for cutoff in [SeqNo::MAX, 0, 60, 100_050, pair.next] {
            let place = format!("{place}: at {read_seqno} and {cutoff}");
            let all: BTreeMap<_, _> = (0..60)
                .map(|number| format!("key-{number:03}").into_bytes())
                .filter_map(|key| expected(pair, rows, &key, read_seqno, cutoff).map(|value| (key, value)))
                .collect();
            let asked = key(random);
            let found = pair.tree.get_with_overlay(&asked, read_seqno, (overlay, cutoff))?;
            assert_eq!(found.as_deref(), all.get(&asked).map(Vec::as_slice), "{place}: {asked:?}");
            let (low, high) = (key(random), key(random));
            let ends = (Bound::Included(low.clone()), Bound::Excluded(high.clone()));
            let scan = || pair.tree.range_with_overlay(ends.clone(), read_seqno, (overlay, cutoff));
            let inside: Vec<_> =
                all.iter().filter(|row| *row.0 >= low && *row.0 < high).map(|row| (row.0.clone(), row.1.clone())).collect();
            assert_eq!(scan()?.map(owned).collect::<Result<Vec<_>>>()?, inside, "{place}");
            let mut backward = scan()?.rev().map(owned).collect::<Result<Vec<_>>>()?;
            backward.reverse();
            assert_eq!(backward, inside, "{place}: backward");
        }
    }
    Ok(())
}

#[test]
fn many_hidden_versions_are_jumped() -> Result<()> {
    let pair = Pair::create(KeyOrder::bytewise(), 1)?;
    let overlay = pair.tree.overlay();
    for seqno in 1..200 {
        for key in [b"a", b"b"] {
            overlay.insert(key, format!("{seqno}").as_bytes(), seqno)?;
        }
    }
    for cutoff in [1, 2, 100, 200] {
        let scan = || pair.tree.range_with_overlay::<Vec<u8>, _>(.., 1000, (&overlay, cutoff));
        let value = format!("{}", cutoff - 1).into_bytes();
        let both: Vec<_> = if cutoff > 1 { vec![(b"a".to_vec(), value.clone()), (b"b".to_vec(), value)] } else { Vec::new() };
        assert_eq!(scan()?.map(owned).collect::<Result<Vec<_>>>()?, both);
        assert_eq!(scan()?.rev().map(owned).collect::<Result<Vec<_>>>()?, both.into_iter().rev().collect::<Vec<_>>());
    }
    Ok(())
}

#[test]
fn an_overlay_refuses_what_a_tree_refuses_and_other_trees() -> Result<()> {
    let pair = Pair::create(KeyOrder::bytewise(), 1)?;
    let overlay = pair.tree.overlay();
    assert_eq!(overlay.insert(b"", b"", 1).unwrap_err().kind(), ErrorKind::InvalidInput);
    assert_eq!(overlay.remove(b"a", SeqNo::MAX).unwrap_err().kind(), ErrorKind::InvalidInput);
    overlay.insert(b"a", b"1", 1)?;
    assert_eq!((overlay.rows(), overlay.bytes() > 0), (1, true));
    let other = Pair::create(KeyOrder::bytewise(), 2)?;
    assert!(other.tree.get_with_overlay(b"a", 9, (&overlay, 9)).is_err());
    assert!(other.tree.range_with_overlay::<Vec<u8>, _>(.., 9, (&overlay, 9)).is_err());
    assert_eq!(pair.tree.get(b"a", 9)?, None, "the tree does not hold it");
    Ok(())
}

#[test]
fn operands_and_range_removes_reach_across() -> Result<()> {
    let mut pair = Pair::create(KeyOrder::bytewise(), 1)?;
    for key in [b"a", b"b", b"c", b"d"] {
        pair.write(key, Some(b"1"))?;
    }
    pair.flush()?;
    pair.write_row(b"d", Row::Operand(b"2".to_vec()))?;
    let read_seqno = pair.next;
    let overlay = pair.tree.overlay();
    overlay.merge(b"a", b"+", 101)?;
    overlay.remove_range(b"b", b"d", 102)?;
    overlay.merge(b"c", b"new", 103)?;
    overlay.merge(b"d", b"3", 104)?;
    overlay.merge(b"d", b"4", 105)?;
    let rows = |rows: &[(&str, &str)]| -> Vec<_> {
        rows.iter().map(|(key, value)| (key.as_bytes().to_vec(), value.as_bytes().to_vec())).collect()
    };
    let cases = [
        (101, rows(&[("a", "1"), ("b", "1"), ("c", "1"), ("d", "12")])),
        (102, rows(&[("a", "1+"), ("b", "1"), ("c", "1"), ("d", "12")])),
        (103, rows(&[("a", "1+"), ("d", "12")])),
        (105, rows(&[("a", "1+"), ("c", "new"), ("d", "123")])),
        (SeqNo::MAX, rows(&[("a", "1+"), ("c", "new"), ("d", "1234")])),
    ];
    for (cutoff, expected) in cases {
        let scan = || pair.tree.range_with_overlay::<Vec<u8>, _>(.., read_seqno, (&overlay, cutoff));
        assert_eq!(scan()?.map(owned).collect::<Result<Vec<_>>>()?, expected, "below {cutoff}");
        let mut backward = scan()?.rev().map(owned).collect::<Result<Vec<_>>>()?;
        backward.reverse();
        assert_eq!(backward, expected, "backward, below {cutoff}");
        for key in [b"a", b"b", b"c", b"d"] {
            let found = pair.tree.get_with_overlay(key, read_seqno, (&overlay, cutoff))?.map(|value| value.to_vec());
            let expected = expected.iter().find(|row| row.0 == key).map(|row| row.1.clone());
            assert_eq!(found, expected, "{key:?} below {cutoff}");
        }
    }
    // The tree's own range removes hide what is below them, and nothing of the overlay.
    pair.remove_range(b"a", b"z")?;
    let found = pair.tree.range_with_overlay::<Vec<u8>, _>(.., pair.next, (&overlay, 102))?;
    assert_eq!(found.map(owned).collect::<Result<Vec<_>>>()?, rows(&[("a", "+")]));
    Ok(())
}
