//! Points read together: as each would be read alone.

use crate::model::Pair;
use sediment_base::{KeyOrder, Result, SeqNo, Slice, stats::Counter};
use sediment_env::random::SeededRandom;
use sediment_raw::epoch::pin;
use sediment_tree::BegunMultiGet;

/// Reads keys drawn at random together.
pub(crate) fn check(
    pair: &Pair,
    random: &SeededRandom,
    read_seqno: SeqNo,
    key: &dyn Fn() -> Vec<u8>,
    place: &str,
) -> Result<()> {
    let count = [0, 1, 5, 40, 100][random.below(5) as usize];
    let keys: Vec<_> = (0..count).map(|_| key()).collect();
    let found = pair.tree.multi_get(&keys, read_seqno)?;
    assert_eq!(found.len(), keys.len());
    for (key, found) in keys.iter().zip(found) {
        let expected = pair.expected(key, read_seqno);
        assert_eq!(found.as_deref(), expected.as_deref(), "{place}: {key:?} of {count} at {read_seqno}");
    }
    Ok(())
}

/// What a batch that is begun now finds, and whether it has its end under the pin.
fn read(pair: &Pair, keys: &[&[u8]]) -> Result<(bool, Vec<Option<Slice>>)> {
    let mut values = vec![Slice::default(); keys.len()];
    let begun = pair.tree.begin_multi_get(&pin(), keys, || pair.next, &mut values)?;
    let has_ended = matches!(begun, BegunMultiGet::Ended(_));
    let found = begun.finish()?;
    Ok((has_ended, values.into_iter().zip(found).map(|(value, is_found)| is_found.then_some(value)).collect()))
}

fn slices(values: &[Option<&str>]) -> Vec<Option<Slice>> {
    values.iter().map(|value| value.map(Slice::from)).collect()
}

#[test]
fn answers_come_in_the_order_of_the_keys_whatever_it_is() -> Result<()> {
    let mut pair = Pair::create(KeyOrder::bytewise(), 1)?;
    pair.write(b"a", Some(b"1"))?;
    pair.write(b"c", Some(b"3"))?;
    pair.flush()?;
    pair.write(b"b", Some(b"2"))?;
    pair.write(b"c", None)?;
    let keys: [&[u8]; 6] = [b"c", b"b", b"a", b"", b"b", b"d"];
    let expected = slices(&[None, Some("2"), Some("1"), None, Some("2"), None]);
    assert_eq!(pair.tree.multi_get(keys, pair.next)?, expected);
    assert_eq!(pair.tree.multi_get::<&[u8]>([], pair.next)?, []);
    assert_eq!(pair.tree.multi_get(keys, 0)?, vec![None; 6]);
    assert_eq!(pair.tree.multi_get(keys, 3)?, slices(&[Some("3"), None, Some("1"), None, None, None]));
    Ok(())
}

#[test]
fn what_is_in_memory_is_read_under_the_pin_and_the_rest_after_it() -> Result<()> {
    let mut pair = Pair::create(KeyOrder::bytewise(), 1)?;
    pair.write(b"a", Some(b"1"))?;
    pair.flush()?;
    pair.write(b"z", Some(b"26"))?;
    let ends_with = |keys: &[&[u8]], values: &[Option<&str>]| {
        pair.eventually(|| read(&pair, keys).expect("read") == (true, slices(values)))
    };
    assert!(ends_with(&[b"z"], &[Some("26")]), "the memtable's is newer than any table");
    let counted = || [Counter::GetCount, Counter::GetTableHits].map(|counter| pair.options.stats.get(counter));
    let before = counted();
    assert_eq!(read(&pair, &[b"z", b"a"])?, (false, slices(&[Some("26"), Some("1")])), "the table was not open");
    assert_eq!(counted(), [before[0] + 2, before[1] + 1], "each key is a read");
    assert!(ends_with(&[b"z", b"a"], &[Some("26"), Some("1")]));
    Ok(())
}

#[test]
fn a_block_is_read_once_for_all_keys_in_it() -> Result<()> {
    let mut pair = Pair::create(KeyOrder::bytewise(), 1)?;
    let keys: Vec<_> = (0..300).map(|number| format!("{number:04}").into_bytes()).collect();
    for key in &keys {
        pair.write(key, Some(key))?;
    }
    pair.flush()?;
    let blocks = pair.tree.verify()?.blocks;
    let shuffled: Vec<_> = (0..keys.len()).map(|index| &keys[index * 7 % keys.len()]).collect();
    let found = pair.tree.multi_get(&shuffled, pair.next)?;
    assert!(shuffled.iter().zip(&found).all(|(key, found)| found.as_deref() == Some(&***key)));
    let misses = pair.options.stats.get(Counter::BlockCacheMisses);
    assert!(misses <= blocks, "{misses} reads of {blocks} blocks");
    Ok(())
}

#[test]
fn a_batch_that_stopped_goes_on_in_what_it_began_with() -> Result<()> {
    let mut pair = Pair::create(KeyOrder::bytewise(), 1)?;
    pair.write(b"a", Some(b"first"))?;
    pair.write(b"b", Some(b"second"))?;
    pair.flush()?;
    let then = pair.next;
    let mut values = vec![Slice::default(); 2];
    let begun = pair.tree.begin_multi_get(&pin(), &[b"b", b"a"], || then, &mut values)?;
    pair.write(b"a", Some(b"later"))?;
    pair.flush()?;
    pair.compact_all()?;
    assert_eq!(begun.finish()?, [true, true]);
    assert_eq!(values, [Slice::from("second"), Slice::from("first")]);
    assert!(pair.tree.multi_get([b"a"], then).is_err(), "that version is gone");
    Ok(())
}
