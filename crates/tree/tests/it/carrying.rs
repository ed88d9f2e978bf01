//! Blocks that compactions take over as they are: which, and that nobody can tell.

use crate::model::{Pair, small_options};
use sediment_base::{KeyOrder, Result, stats::Counter};
use sediment_codec::compress::Method;
use sediment_env::{Env, fs::MemFs};
use sediment_table::Properties;
use sediment_tree::TreeOptions;
use std::ops::Bound;

const ROWS: u32 = 600;

fn key(number: u32) -> Vec<u8> {
    format!("key-{number:06}").into_bytes()
}

fn options() -> TreeOptions {
    TreeOptions { table_bytes: 16 << 10, codec: Method::Lz4, level0_codec: Method::Lz4, ..small_options(KeyOrder::bytewise()) }
}

/// All rows on the last level, without their sequence numbers.
fn filled(options: TreeOptions) -> Result<Pair> {
    let mut pair = Pair::create_with(Env::simulated(MemFs::new(), 3), options)?;
    for number in 0..ROWS {
        pair.write(&key(number * 2), Some(format!("value {number:040}").as_bytes()))?;
    }
    pair.flush()?;
    pair.compact_all()?;
    Ok(pair)
}

fn properties(pair: &Pair) -> Vec<Properties> {
    let tables = pair.tree.table_metas().concat().concat();
    tables.iter().map(|meta| pair.tree.table_properties(meta.id).expect("it opens")).collect()
}

fn blocks(pair: &Pair) -> u64 {
    properties(pair).iter().map(|properties| properties.blocks).sum()
}

fn carried(pair: &Pair) -> u64 {
    pair.options.stats.get(Counter::CompactionBlocksCarried)
}

/// Compacts all of it; how many blocks were carried. Everybody reads what was written.
fn compact(pair: &mut Pair) -> Result<u64> {
    let before = carried(pair);
    pair.compact_all()?;
    let all = (Bound::Unbounded, Bound::Unbounded);
    for read_seqno in pair.pins.iter().copied().chain([pair.visible()]) {
        assert_eq!(pair.scanned(&all, read_seqno)?, pair.expected_range(&all, read_seqno), "at {read_seqno}");
    }
    let faults = pair.tree.verify()?.faults;
    assert!(faults.is_empty(), "{faults:?}");
    Ok(carried(pair) - before)
}

#[test]
#[cfg_attr(planted_bugs, ignore = "planted bugs are switched on for the whole process")]
fn blocks_stay_where_nothing_new_lies_between_their_keys() -> Result<()> {
    let mut pair = filled(options())?;
    let all = blocks(&pair);
    for number in 300..320 {
        pair.write(&key(number), Some(b"new"))?;
    }
    pair.flush()?;
    let carried = compact(&mut pair)?;
    assert!(carried > all * 4 / 5 && carried < all, "{carried} of {all}");
    Ok(())
}

#[test]
#[cfg_attr(planted_bugs, ignore = "planted bugs are switched on for the whole process")]
fn a_removed_range_ends_its_blocks_and_no_others() -> Result<()> {
    let mut pair = filled(options())?;
    let all = blocks(&pair);
    pair.remove_range(&key(200), &key(900))?;
    pair.flush()?;
    let carried = compact(&mut pair)?;
    assert!(carried > all / 4 && carried < all / 2, "{carried} of {all}");
    Ok(())
}

#[test]
#[cfg_attr(planted_bugs, ignore = "planted bugs are switched on for the whole process")]
fn where_every_block_has_something_new_hardly_one_stays() -> Result<()> {
    let mut pair = filled(options())?;
    let all = blocks(&pair);
    for number in 0..ROWS {
        pair.write(&key(number * 2 + 1), Some(&[7; 40]))?;
    }
    pair.flush()?;
    let carried = compact(&mut pair)?;
    assert!(carried < all / 20, "{carried} of {all}: those of one row");
    Ok(())
}

#[test]
#[cfg_attr(planted_bugs, ignore = "planted bugs are switched on for the whole process")]
fn another_codec_takes_hold_of_all_blocks() -> Result<()> {
    let mut pair = filled(options())?;
    pair.options.codec = Method::None;
    pair.tree.set_options(&pair.options)?;
    pair.write(&key(ROWS), Some(b"new"))?;
    pair.flush()?;
    assert_eq!(compact(&mut pair)?, 0);
    assert!(properties(&pair).iter().all(|properties| properties.compression.is_empty()));
    Ok(())
}

#[test]
#[cfg_attr(planted_bugs, ignore = "planted bugs are switched on for the whole process")]
fn above_the_last_level_rows_stay_with_their_numbers() -> Result<()> {
    let mut pair = filled(options())?;
    let mut above = 0;
    for round in 0..12 {
        for number in 0..100 {
            pair.write(&key(round * 100 + number), Some(&[round as u8; 60]))?;
        }
        pair.flush()?;
        let before = carried(&pair);
        pair.compact_due()?;
        let levels = pair.tree.table_metas();
        let last = levels.iter().rposition(|runs| !runs.is_empty()).unwrap_or_default();
        let has_numbers = levels[1..last].concat().concat().iter().any(|meta| meta.max_seqno > 0);
        above += if has_numbers { carried(&pair) - before } else { 0 };
    }
    assert!(above > 0, "where rows have numbers and lie above others");
    compact(&mut pair)?;
    Ok(())
}

#[test]
#[cfg_attr(planted_bugs, ignore = "planted bugs are switched on for the whole process")]
fn a_table_that_is_begun_for_a_block_and_does_not_take_it_is_not_ended_empty() -> Result<()> {
    let mut pair = filled(options())?;
    // Shorter than what every file begins with.
    (pair.options.table_bytes, pair.options.codec) = (1, Method::None);
    pair.tree.set_options(&pair.options)?;
    pair.write(&key(ROWS), Some(b"new"))?;
    pair.flush()?;
    assert_eq!(compact(&mut pair)?, 0);
    Ok(())
}
