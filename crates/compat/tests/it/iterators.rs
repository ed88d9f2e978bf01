//! Scans and guards (API 4, 6).

use crate::common::{World, keys};
use lsm_tree::{AbstractTree, Guard, Result, SeqNo};

fn letters() -> Result<World> {
    let world = World::new()?;
    for key in ["a", "b", "c", "d", "e"] {
        world.put(key, &key.repeat(3));
        if key == "c" {
            world.flush();
        }
    }
    Ok(world)
}

#[test]
fn both_ends_are_taken_in_turn() -> Result<()> {
    let world = letters()?;
    let mut rows = world.tree.iter(SeqNo::MAX, None);
    let mut taken = Vec::new();
    while let Some(front) = rows.next() {
        taken.push(front.key()?);
        taken.extend(rows.next_back().map(Guard::key).transpose()?);
    }
    assert_eq!(taken, ["a", "e", "b", "d", "c"]);
    assert!(rows.next().is_none() && rows.next_back().is_none());
    Ok(())
}

#[test]
fn ranges_have_all_kinds_of_bounds() -> Result<()> {
    let world = letters()?;
    let tree = &world.tree;
    assert_eq!(keys(tree.range("b".."d", SeqNo::MAX, None)), ["b", "c"]);
    assert_eq!(keys(tree.range("b"..="d", SeqNo::MAX, None)), ["b", "c", "d"]);
    assert_eq!(keys(tree.range("d".., SeqNo::MAX, None)), ["d", "e"]);
    assert_eq!(keys(tree.range(..="b", SeqNo::MAX, None).rev()), ["b", "a"]);
    assert_eq!(keys(tree.range::<&str, _>(.., SeqNo::MAX, None)).len(), 5);
    assert!(keys(tree.range("d".."b", SeqNo::MAX, None)).is_empty());
    Ok(())
}

#[test]
fn the_ends_of_all_are_found() -> Result<()> {
    let world = letters()?;
    let first = world.tree.first_key_value(SeqNo::MAX, None).expect("there").key()?;
    let last = world.tree.last_key_value(SeqNo::MAX, None).expect("there").into_inner()?;
    assert_eq!((first, last), ("a".into(), ("e".into(), "eee".into())));
    assert!(World::new()?.tree.first_key_value(SeqNo::MAX, None).is_none());
    Ok(())
}

#[test]
fn a_guard_gives_what_it_is_asked_for() -> Result<()> {
    let world = letters()?;
    let row = || world.tree.range("b"..="b", SeqNo::MAX, None).next().expect("there");
    assert_eq!((row().key()?, row().size()?, row().value()?), ("b".into(), 3, "bbb".into()));
    assert_eq!(row().into_inner_if(|key| *key == "b")?, ("b".into(), Some("bbb".into())));
    assert_eq!(row().into_inner_if(|key| *key == "x")?, ("b".into(), None));
    Ok(())
}

#[test]
fn a_scan_outlives_its_tree_and_what_happens_to_it() -> Result<()> {
    let world = letters()?;
    let mut rows = world.tree.iter(SeqNo::MAX, None);
    let first = rows.next().expect("there").key()?;
    world.tree.clear()?;
    let World { tree, folder, .. } = world;
    drop(tree);
    let rest = std::thread::scope(|scope| scope.spawn(move || keys(rows)).join().expect("whole"));
    assert_eq!((first, rest), ("a".into(), ["b", "c", "d", "e"].map(str::to_owned).to_vec()));
    drop(folder);
    Ok(())
}

#[test]
fn rows_may_come_without_a_guard() -> Result<()> {
    let world = letters()?;
    let tree: lsm_tree::Tree = world.tree.clone().try_into().expect("standard");
    assert_eq!(tree.create_iter(SeqNo::MAX, None).map(|row| row.map(|row| row.0)).collect::<Result<Vec<_>>>()?.len(), 5);
    let bounds = (std::ops::Bound::Excluded("b".into()), std::ops::Bound::Included("d".into()));
    let rows = tree.create_range(&bounds, SeqNo::MAX, None).rev().collect::<Result<Vec<_>>>()?;
    assert_eq!(rows, [("d".into(), "ddd".into()), ("c".into(), "ccc".into())]);
    assert!(!tree.is_compacting());
    Ok(())
}
