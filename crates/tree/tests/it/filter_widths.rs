//! How wide filters become in trees that grow.

use crate::model::{Pair, small_options};
use sediment_base::{KeyOrder, Result, stats::Counter};
use sediment_env::{Env, MemFs};
use sediment_table::FilterKind;
use sediment_tree::{FilterWidths, TreeOptions};

const ROWS: u64 = 12_000;
const FLUSHED_ROWS: u64 = 400;

/// Rows in this order, twice, and compactions as they become due.
fn grown(filter_widths: FilterWidths, filter: FilterKind, row: impl Fn(u64) -> u64) -> Result<Pair> {
    let mut options = TreeOptions { filter_widths, filter, level_ratio: 6, ..small_options(KeyOrder::bytewise()) };
    options.level0_filter = filter;
    (options.table_bytes, options.level_base_bytes) = (32 << 10, 16 << 10);
    let mut pair = Pair::create_with(Env::simulated(MemFs::new(), 1), options)?;
    for number in 0..2 * ROWS {
        pair.write(&key(row(number)), Some(b"value"))?;
        if number % FLUSHED_ROWS == FLUSHED_ROWS - 1 {
            pair.flush()?;
            pair.compact_due()?;
        }
    }
    Ok(pair)
}

fn key(number: u64) -> Vec<u8> {
    format!("key-{number:06}").into_bytes()
}

/// In an order that has nothing to do with that of keys.
fn scattered(number: u64) -> u64 {
    number * 4751 % ROWS
}

/// Reads that met no row behind a filter that said maybe, of a key each that is not there.
fn asked_in_vain(pair: &Pair) -> Result<u64> {
    let before = pair.options.stats.snapshot();
    for number in 0..ROWS {
        let absent = [&key(number)[..], b"-"].concat();
        assert_eq!(pair.tree.get(&absent, pair.next)?, None);
        assert_eq!(pair.tree.get(&key(number), pair.next)?.as_deref(), Some(&b"value"[..]));
    }
    Ok(pair.options.stats.snapshot().since(&before).counter(Counter::FilterFalsePositives))
}

/// Bits for each key of all levels, and of each that has rows.
fn bits(pair: &Pair) -> (f64, Vec<f64>) {
    let levels = pair.tree.stats().levels;
    let rows: u64 = levels.iter().map(|level| level.rows).sum();
    let all: f64 = levels.iter().map(|level| level.filter_bits_per_key * level.rows as f64).sum();
    let each = levels.iter().filter(|level| level.rows > 0).map(|level| level.filter_bits_per_key);
    (all / rows as f64, each.collect())
}

#[test]
fn by_level_small_levels_are_wider_and_fewer_reads_in_vain() -> Result<()> {
    for kind in [FilterKind::SplitBlock, FilterKind::Burr] {
        let uniform = grown(FilterWidths::Uniform, kind, scattered)?;
        let by_level = grown(FilterWidths::ByLevel, kind, scattered)?;
        let (more, fewer) = (asked_in_vain(&uniform)?, asked_in_vain(&by_level)?);
        let ((mean, _), (mean_by_level, levels)) = (bits(&uniform), bits(&by_level));
        assert!(
            levels.len() >= 3 && levels.is_sorted_by(|above, below| above > below),
            "{kind:?}: {levels:?} {:?}",
            by_level.tree.stats().levels
        );
        assert!(mean_by_level < mean * 1.05, "{kind:?}: {mean_by_level} bits per key against {mean}, {levels:?}");
        assert!(fewer * 4 < more * 3, "{kind:?}: {fewer} reads in vain against {more}, {levels:?}");
    }
    Ok(())
}

#[test]
fn what_sinks_as_it_is_has_the_width_of_the_level_where_it_ends() -> Result<()> {
    let uniform = grown(FilterWidths::Uniform, FilterKind::SplitBlock, |number| number % ROWS)?;
    let by_level = grown(FilterWidths::ByLevel, FilterKind::SplitBlock, |number| number % ROWS)?;
    asked_in_vain(&uniform)?;
    asked_in_vain(&by_level)?;
    let ((mean, _), (mean_by_level, levels)) = (bits(&uniform), bits(&by_level));
    assert!(levels.len() >= 2, "{levels:?}");
    assert!(mean_by_level < mean * 1.05, "{mean_by_level} bits per key against {mean}, {levels:?}");
    Ok(())
}

#[test]
fn another_setting_holds_for_what_is_written_from_then_on() -> Result<()> {
    let mut pair = grown(FilterWidths::Uniform, FilterKind::SplitBlock, scattered)?;
    asked_in_vain(&pair)?;
    let (_, uniform) = bits(&pair);
    // Filters of a few rows have bits to spare.
    assert!(uniform.iter().all(|bits| (10.0..15.0).contains(bits)), "{uniform:?}");
    pair.options.filter_widths = FilterWidths::ByLevel;
    pair.tree.set_options(&pair.options)?;
    for number in 0..FLUSHED_ROWS {
        pair.write(&key(number * 30), Some(b"value"))?;
    }
    pair.flush()?;
    asked_in_vain(&pair)?;
    let (_, levels) = bits(&pair);
    assert!(levels[0] > uniform[0] + 1.0, "{levels:?} after {uniform:?}");
    assert_eq!(levels[1..], uniform[1..]);
    Ok(())
}

#[test]
fn levels_that_are_not_asked_in_vain_have_narrower_filters() -> Result<()> {
    let rewritten = |reads: u64| -> Result<Vec<f64>> {
        let mut pair = grown(FilterWidths::ByLevel, FilterKind::Burr, scattered)?;
        for number in 0..reads {
            assert!(pair.tree.get(&key(scattered(number)), pair.next)?.is_some());
        }
        for number in 0..ROWS {
            pair.write(&key(scattered(number)), Some(b"value"))?;
            if number % FLUSHED_ROWS == FLUSHED_ROWS - 1 {
                pair.flush()?;
                pair.compact_due()?;
            }
        }
        asked_in_vain(&pair)?;
        Ok(bits(&pair).1)
    };
    let (unread, read) = (rewritten(0)?, rewritten(150_000)?);
    let last = unread.len() - 1;
    assert!(read[last] < unread[last] - 0.25, "{read:?} bits where all reads find, and {unread:?} where nothing is known");
    Ok(())
}
