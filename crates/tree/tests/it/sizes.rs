//! Sizes, counts and ends.

use crate::model::Pair;
use sediment_base::{ErrorKind, KeyOrder, Result, stats::Counter};
use sediment_raw::epoch::pin;
use sediment_tree::{BegunGet, ValueLen};

fn flushed(keys: u32) -> Result<Pair> {
    let mut pair = Pair::create(KeyOrder::bytewise(), 1)?;
    for number in 0..keys {
        pair.write(&key(number), Some(&[number as u8; 50]))?;
    }
    pair.flush()?;
    Ok(pair)
}

fn key(number: u32) -> Vec<u8> {
    format!("key-{number:06}").into_bytes()
}

#[test]
fn a_length_is_told_of_a_value_wherever_it_lies() -> Result<()> {
    let mut pair = Pair::create(KeyOrder::bytewise(), 1)?;
    pair.write(b"short", Some(b""))?;
    pair.write(b"long", Some(&[7; 100_000]))?;
    let lengths = |pair: &Pair| -> Result<_> {
        let size = |key: &[u8]| pair.tree.size_of(key, pair.next);
        Ok((size(b"short")?, size(b"long")?, size(b"absent")?))
    };
    assert_eq!(lengths(&pair)?, (Some(0), Some(100_000), None));
    pair.flush()?;
    assert_eq!(lengths(&pair)?, (Some(0), Some(100_000), None));
    pair.write(b"long", None)?;
    assert_eq!(lengths(&pair)?, (Some(0), None, None));
    // Once its block is there, a read of a length ends under the pin.
    pair.settle()?;
    let mut len = ValueLen::default();
    assert!(matches!(pair.tree.begin_get(&pin(), b"short", || pair.next, &mut len)?, BegunGet::Ended(true)));
    Ok(())
}

#[test]
fn ends_and_counts_skip_what_was_removed() -> Result<()> {
    let mut pair = flushed(5)?;
    let then = pair.next;
    pair.pins.push(then);
    pair.write(&key(0), None)?;
    pair.write(&key(4), None)?;
    pair.flush()?;
    let first = |seqno| Ok(pair.tree.first(seqno)?.map(|row| row.0.to_vec()));
    let last = |seqno| Ok(pair.tree.last(seqno)?.map(|row| row.0.to_vec()));
    assert_eq!((first(pair.next)?, last(pair.next)?, pair.tree.len(pair.next)?), (Some(key(1)), Some(key(3)), 3));
    assert_eq!((first(then)?, last(then)?, pair.tree.len(then)?), (Some(key(0)), Some(key(4)), 5));
    assert!(!pair.tree.is_empty(pair.next)? && pair.tree.is_empty(0)?);
    assert_eq!(pair.tree.approximate_len(), 7, "rows of all kinds");
    assert!(pair.tree.contains_prefix(b"key-", pair.next)? && pair.tree.contains_prefix(b"", pair.next)?);
    assert!(!pair.tree.contains_prefix(&key(4), pair.next)? && pair.tree.contains_prefix(&key(4), then)?);
    Ok(())
}

#[test]
fn an_empty_tree_has_no_ends() -> Result<()> {
    let pair = Pair::create(KeyOrder::bytewise(), 1)?;
    assert_eq!((pair.tree.first(9)?, pair.tree.last(9)?, pair.tree.len(9)?), (None, None, 0));
    assert!(pair.tree.is_empty(9)? && !pair.tree.contains_prefix(b"", 9)?);
    assert_eq!((pair.tree.approximate_len(), pair.tree.approximate_bytes::<Vec<u8>, _>(..)?), (0, 0));
    Ok(())
}

#[test]
fn prefixes_need_the_order_of_bytes() -> Result<()> {
    #[derive(Debug)]
    struct Backwards;
    impl sediment_base::Comparator for Backwards {
        fn name(&self) -> &str {
            "backwards"
        }
        fn compare(&self, a: &[u8], b: &[u8]) -> std::cmp::Ordering {
            b.cmp(a)
        }
    }
    let pair = Pair::create(KeyOrder::custom(std::sync::Arc::new(Backwards)), 1)?;
    assert_eq!(pair.tree.contains_prefix(b"a", 1).unwrap_err().kind(), ErrorKind::InvalidInput);
    Ok(())
}

#[test]
fn the_size_of_a_range_is_told_without_a_block() -> Result<()> {
    let pair = flushed(4000)?;
    pair.compact_all()?;
    let whole = pair.tree.approximate_bytes::<Vec<u8>, _>(..)?;
    let on_disk: u64 = pair.tree.stats().levels.iter().map(|level| level.bytes).sum();
    assert_eq!(whole, on_disk);
    let misses = pair.options.stats.get(Counter::BlockCacheMisses);
    let mut sum = 0;
    for tenth in 0..10 {
        let bytes = pair.tree.approximate_bytes(key(tenth * 400)..key((tenth + 1) * 400))?;
        assert!(bytes > whole / 20 && bytes < whole / 5, "{bytes} of {whole}");
        sum += bytes;
    }
    assert!(sum > whole / 2 && sum < whole * 2, "{sum} of {whole}");
    assert_eq!(pair.options.stats.get(Counter::BlockCacheMisses), misses, "no block was read");
    assert_eq!(pair.tree.approximate_bytes(key(7)..key(7))?, 0);
    assert_eq!(pair.tree.approximate_bytes(b"a".to_vec()..b"b".to_vec())?, 0);
    assert_eq!(pair.tree.approximate_bytes(b"x".to_vec()..)?, 0);
    assert!(pair.tree.approximate_bytes(key(7)..=key(7))? > 0, "a key is somewhere");
    Ok(())
}
