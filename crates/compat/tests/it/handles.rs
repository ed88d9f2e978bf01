//! The three names of a tree (API 5).

use crate::common::{World, keys};
use lsm_tree::{AbstractTree, AnyTree, BlobTree, InternalValue, Result, SeqNo, Tree};

/// What a tree says, whatever its name.
fn told(tree: &impl AbstractTree) -> Result<(Vec<String>, [u64; 4])> {
    let value = tree.get("a", SeqNo::MAX)?.expect("there");
    let numbers = [value.len(), tree.len(SeqNo::MAX, None)?, tree.metrics().filter_queries()].map(|number| number as u64);
    Ok((keys(tree.iter(SeqNo::MAX, None)), [numbers[0], numbers[1], numbers[2], tree.id()]))
}

#[test]
fn all_three_names_answer_alike() -> Result<()> {
    let world = World::new()?;
    let tree: Tree = world.tree.clone().try_into().expect("standard");
    let blob = BlobTree { index: tree.clone() };
    let any = AnyTree::from(blob.clone());
    world.put("a", "abc");
    world.put("c", "c");
    blob.flush_active_memtable(0)?;
    assert_eq!(any.get("b", SeqNo::MAX)?, None);
    let expected = (vec!["a".to_owned(), "c".to_owned()], [3, 2, 1, tree.id()]);
    assert_eq!((told(&tree)?, told(&blob)?, told(&any)?), (expected.clone(), expected.clone(), expected));
    for events in [tree.scan_since_seqno(0)?.count(), blob.scan_since_seqno(0)?.count(), any.scan_since_seqno(0)?.count()] {
        assert_eq!(events, 2);
    }
    assert!(matches!(any, AnyTree::Blob(_)));
    let refused: std::result::Result<Tree, &'static str> = any.clone().try_into();
    assert!(refused.is_err());
    let back: BlobTree = any.try_into().expect("it is one");
    assert_eq!(back.index.id(), tree.id());
    Ok(())
}

#[test]
fn a_clone_is_the_same_tree() -> Result<()> {
    let world = World::new()?;
    let clone = world.tree.clone();
    world.put("a", "a");
    assert_eq!(clone.get("a", SeqNo::MAX)?.as_deref(), Some(&b"a"[..]));
    clone.flush_active_memtable(0)?;
    assert_eq!((world.tree.table_count(), world.tree.id()), (1, clone.id()));
    Ok(())
}

#[test]
fn an_entry_is_appended_as_it_is() -> Result<()> {
    let world = World::new()?;
    let tree: Tree = world.tree.clone().try_into().expect("standard");
    let (item, memtable) = tree.append_entry(InternalValue::from_components("a", "a", 3, lsm_tree::ValueType::Value));
    assert!(item > 0 && memtable >= item);
    tree.append_entry(InternalValue::new_tombstone("b", 4));
    assert_eq!((keys(tree.iter(3, None)).len(), keys(tree.iter(4, None))), (0, vec!["a".to_owned()]));
    assert_eq!(tree.get_highest_seqno(), Some(4));
    Ok(())
}

#[test]
fn trees_go_by_three_names() -> Result<()> {
    let world = World::new()?;
    assert!(matches!(world.tree, AnyTree::Standard(_)));
    let tree: Tree = world.tree.clone().try_into().expect("standard");
    let blob: std::result::Result<BlobTree, _> = AnyTree::from(tree.clone()).try_into();
    assert!(blob.is_err());
    world.put("a", "a");
    assert_eq!(tree.get("a", SeqNo::MAX)?.as_deref(), Some(&b"a"[..]));
    tree.update_runtime_config(|config| config.seqno_in_index = true)?;
    drop(tree);
    assert!(world.tree.runtime_config().seqno_in_index && world.tree.heal_hints().is_empty());
    let world = world.reopened(|config| config)?;
    assert!(!world.tree.runtime_config().seqno_in_index, "not kept");
    Ok(())
}
