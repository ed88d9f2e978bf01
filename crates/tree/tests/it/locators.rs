//! Which tables of a tree have locators, and what else that changes.

use crate::model::{Pair, small_options};
use sediment_base::{KeyOrder, Result, stats::Counter};
use sediment_env::{Env, MemFs};
use sediment_tree::{FilterWidths, TreeOptions};

const ROWS: u64 = 3000;

fn key(number: u64) -> Vec<u8> {
    format!("key-{number:06}").into_bytes()
}

fn options(locators: bool, filter_widths: FilterWidths) -> TreeOptions {
    let options = small_options(KeyOrder::bytewise());
    TreeOptions { locators, filter_widths, table_bytes: 32 << 10, level_base_bytes: 64 << 10, ..options }
}

fn tree(options: TreeOptions) -> Result<Pair> {
    Pair::create_with(Env::simulated(MemFs::new(), 1), options)
}

/// Of the reads of all keys, and of as many that are not there: asked filters, locators among them, and those that led to their rows.
fn asked(pair: &Pair) -> Result<[u64; 3]> {
    let before = pair.options.stats.snapshot();
    for number in 0..ROWS {
        assert_eq!(pair.tree.get(&key(number), pair.next)?.as_deref(), Some(&b"value"[..]));
        assert_eq!(pair.tree.get(&[&key(number)[..], b"-"].concat(), pair.next)?, None);
    }
    let since = pair.options.stats.snapshot().since(&before);
    Ok([Counter::FilterChecks, Counter::LocatorChecks, Counter::LocatorHits].map(|counter| since.counter(counter)))
}

fn write(pair: &mut Pair, numbers: impl Iterator<Item = u64>) -> Result<()> {
    numbers.map(key).try_for_each(|key| pair.write(&key, Some(b"value")))?;
    pair.flush()
}

#[test]
fn tables_have_one_where_nothing_below_holds_their_keys() -> Result<()> {
    for widths in [FilterWidths::Uniform, FilterWidths::ByLevel] {
        let mut pair = tree(options(true, widths))?;
        write(&mut pair, 0..ROWS)?;
        let [_, checks, hits] = asked(&pair)?;
        assert!(checks > ROWS && hits == ROWS, "the first flush: {checks} {hits}");
        pair.compact_all()?;
        write(&mut pair, (0..ROWS).step_by(3))?;
        let [_, _, hits] = asked(&pair)?;
        assert_eq!(hits, ROWS - ROWS / 3, "what lies above others has a filter");
        let levels = pair.tree.stats().levels;
        assert!(levels.iter().any(|level| level.rows > 0 && level.filter_bits_per_key > 8.0), "{levels:?}");
        pair.compact_all()?;
        let [filters, checks, hits] = asked(&pair)?;
        assert!(filters == checks && hits == ROWS, "a compaction into the last level: {filters} {checks} {hits}");
        assert!(pair.tree.stats().levels.iter().all(|level| level.filter_bits_per_key == 0.0));
    }
    Ok(())
}

#[test]
fn the_setting_changes_what_is_written_from_then_on() -> Result<()> {
    let mut pair = tree(options(false, FilterWidths::ByLevel))?;
    write(&mut pair, 0..ROWS)?;
    pair.compact_all()?;
    assert_eq!(asked(&pair)?[1..], [0, 0]);
    for locators in [true, false] {
        pair.options.locators = locators;
        pair.tree.set_options(&pair.options)?;
        write(&mut pair, 0..ROWS)?;
        pair.compact_all()?;
        assert_eq!(asked(&pair)?[2], if locators { ROWS } else { 0 });
    }
    Ok(())
}

#[test]
fn the_bits_of_filters_are_divided_among_the_levels_that_have_them() -> Result<()> {
    let bits_above = |locators, widths| -> Result<f64> {
        let mut pair = tree(TreeOptions { filter_bits_per_key: 8, ..options(locators, widths) })?;
        write(&mut pair, 0..ROWS)?;
        pair.compact_all()?;
        write(&mut pair, (0..ROWS).step_by(10))?;
        asked(&pair)?;
        Ok(pair.tree.stats().levels[0].filter_bits_per_key)
    };
    let uniform = bits_above(false, FilterWidths::Uniform)?;
    assert_eq!(bits_above(true, FilterWidths::ByLevel)?, uniform, "its own bits");
    let without = bits_above(false, FilterWidths::ByLevel)?;
    assert!(without > uniform + 1.0, "and some that the last level gives: {without}, {uniform}");
    Ok(())
}
