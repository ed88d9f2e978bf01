//! Prefixes and their extractors (API 11, 18 `util`).

use crate::common::{World, keys};
use lsm_tree::{
    AbstractTree, Config, PrefixExtractor, Result, SeqNo,
    config::PinningPolicy,
    util::{prefix_to_range, prefixed_range},
};
use std::{
    ops::{Bound, RangeBounds},
    sync::Arc,
};

/// What comes before the first `:`, with it.
struct Segment;

impl PrefixExtractor for Segment {
    fn prefixes<'a>(&self, key: &'a [u8]) -> Box<dyn Iterator<Item = &'a [u8]> + 'a> {
        Box::new(key.iter().position(|byte| *byte == b':').map(|at| &key[..=at]).into_iter())
    }
}

/// So many bytes.
struct Fixed(usize);

impl PrefixExtractor for Fixed {
    fn prefixes<'a>(&self, key: &'a [u8]) -> Box<dyn Iterator<Item = &'a [u8]> + 'a> {
        Box::new(key.get(..self.0).into_iter())
    }
}

#[test]
fn a_prefix_is_a_scan() -> Result<()> {
    let world = World::new()?;
    for key in ["a", "ab", "abc", "b"] {
        world.put(key, key);
    }
    assert_eq!(keys(world.tree.prefix("ab", SeqNo::MAX, None)), ["ab", "abc"]);
    assert_eq!(keys(world.tree.prefix("", SeqNo::MAX, None)).len(), 4);
    assert!(keys(world.tree.prefix("x", SeqNo::MAX, None)).is_empty());
    assert!(world.tree.contains_prefix("abc", SeqNo::MAX, None)? && !world.tree.contains_prefix("x", SeqNo::MAX, None)?);
    assert!(world.tree.contains_prefix("", SeqNo::MAX, None)?);
    assert!(!World::new()?.tree.contains_prefix("", SeqNo::MAX, None)?);
    Ok(())
}

fn two_tables(world: &World) {
    world.put("a:1", "1");
    world.put("c:1", "1");
    world.flush();
    world.put("b:1", "1");
    world.put("d:1", "1");
    world.flush();
}

#[test]
fn tables_without_a_prefix_are_passed_over_where_it_is_a_boundary() -> Result<()> {
    let world = World::with(|config| config.prefix_extractor(Arc::new(Segment)))?;
    two_tables(&world);
    assert_eq!(keys(world.tree.prefix("b:", SeqNo::MAX, None)), ["b:1"]);
    assert_eq!(world.tree.metrics().prefix_bloom_skips(), 1);
    assert_eq!(keys(world.tree.prefix("b", SeqNo::MAX, None)), ["b:1"], "no boundary");
    assert_eq!(world.tree.metrics().prefix_bloom_skips(), 1);
    assert!(Segment.is_valid_scan_boundary(b"b:") && !Segment.is_valid_scan_boundary(b"b"));
    let tree: lsm_tree::Tree = world.tree.clone().try_into().expect("standard");
    assert_eq!(tree.create_prefix(b"c:", SeqNo::MAX, None).collect::<Result<Vec<_>>>()?, [("c:1".into(), "1".into())]);
    Ok(())
}

#[test]
fn without_an_extractor_nothing_is_passed_over() -> Result<()> {
    let world = World::new()?;
    two_tables(&world);
    assert_eq!(keys(world.tree.prefix("b:", SeqNo::MAX, None)), ["b:1"]);
    assert_eq!(world.tree.metrics().prefix_bloom_skips(), 0);
    Ok(())
}

/// Otherwise than in the family: no row is lost.
#[test]
fn filters_of_another_extractor_are_not_asked() -> Result<()> {
    let world = World::with(|config| config.prefix_extractor(Arc::new(Fixed(3))))?;
    two_tables(&world);
    let world = world.reopened(|config| config.prefix_extractor(Arc::new(Fixed(2))))?;
    assert_eq!(keys(world.tree.prefix("b:", SeqNo::MAX, None)), ["b:1"]);
    assert_eq!(world.tree.metrics().prefix_bloom_skips(), 0);
    let world = world.reopened(|config| config.prefix_extractor(Arc::new(Fixed(3))))?;
    assert_eq!(keys(world.tree.prefix("b:1", SeqNo::MAX, None)), ["b:1"]);
    assert_eq!(world.tree.metrics().prefix_bloom_skips(), 1);
    Ok(())
}

#[test]
fn prefixes_are_ranges() {
    assert_eq!(prefix_to_range(b"ab"), (Bound::Included("ab".into()), Bound::Excluded("ac".into())));
    assert_eq!(prefix_to_range(b"\xff"), (Bound::Included(b"\xff".into()), Bound::Unbounded));
    assert_eq!(prefix_to_range(b"a\xff"), (Bound::Included(b"a\xff".into()), Bound::Excluded("b".into())));
    assert_eq!(prefix_to_range(b""), (Bound::Unbounded, Bound::Unbounded));
    let range = prefixed_range("p", "a".."c");
    assert_eq!((range.start_bound(), range.end_bound()), (Bound::Included(&"pa".into()), Bound::Excluded(&"pc".into())));
    let range = prefixed_range::<_, &str, _>("p", ..);
    assert_eq!((range.start_bound(), range.end_bound()), (Bound::Included(&"p".into()), Bound::Excluded(&"q".into())));
}

/// As [`Segment`], and no prefix is one that filters know.
struct Shy;

impl PrefixExtractor for Shy {
    fn prefixes<'a>(&self, key: &'a [u8]) -> Box<dyn Iterator<Item = &'a [u8]> + 'a> {
        Segment.prefixes(key)
    }

    fn is_valid_scan_boundary(&self, _prefix: &[u8]) -> bool {
        false
    }
}

#[test]
fn an_extractor_says_what_a_boundary_is() -> Result<()> {
    let world = World::with(|config| config.prefix_extractor(Arc::new(Shy)))?;
    two_tables(&world);
    assert_eq!(keys(world.tree.prefix("b:", SeqNo::MAX, None)), ["b:1"]);
    assert_eq!(world.tree.metrics().prefix_bloom_skips(), 0);
    Ok(())
}

#[test]
fn full_keys_are_in_the_filters_of_prefixes_too() -> Result<()> {
    let partitioned = |config: Config| {
        config
            .prefix_extractor(Arc::new(Segment))
            .filter_block_partitioning_policy(PinningPolicy::all(true))
            .filter_block_pinning_policy(PinningPolicy::disabled())
    };
    let world = World::with(partitioned)?;
    two_tables(&world);
    assert!(["a:1", "b:1", "c:1", "d:1"].into_iter().all(|key| world.get(key).is_some()));
    assert_eq!(world.get("a:2"), None);
    assert!(world.tree.metrics().io_skipped_by_filter() > 0);
    assert_eq!(keys(world.tree.prefix("b:", SeqNo::MAX, None)), ["b:1"]);
    assert_eq!(world.tree.metrics().prefix_bloom_skips(), 1);
    Ok(())
}

/// Up to each `:`, with it.
struct Nested;

impl PrefixExtractor for Nested {
    fn prefixes<'a>(&self, key: &'a [u8]) -> Box<dyn Iterator<Item = &'a [u8]> + 'a> {
        Box::new((1..=key.len()).map(|len| &key[..len]).filter(|prefix| prefix.ends_with(b":")))
    }
}

#[test]
fn every_prefix_of_a_key_is_in_the_filter() -> Result<()> {
    let world = World::with(|config| config.prefix_extractor(Arc::new(Nested)))?;
    for (low, high) in [("a:x:1", "e:x:1"), ("b:y:1", "d:y:1")] {
        world.put(low, "1");
        world.put(high, "1");
        world.flush();
    }
    for (skips, prefix) in ["b:", "b:y:", "d:y:"].into_iter().enumerate() {
        assert_eq!(world.tree.metrics().prefix_bloom_skips(), skips);
        assert_eq!(world.tree.prefix(prefix, SeqNo::MAX, None).count(), 1, "{prefix}");
    }
    assert_eq!(world.tree.metrics().prefix_bloom_skips(), 3);
    Ok(())
}
