//! A tree whose filters stay in the file.

use crate::model::{Pair, small_options};
use sediment_base::{Account, KeyOrder, MemoryBudget, Result, prefix_extractor::by_name, stats::Counter};
use sediment_env::{Env, fs::MemFs, random::SeededRandom};
use sediment_table::{BlockCache, FilterKind, Residency};
use sediment_tree::{FilterWidths, TreeOptions};
use std::sync::Arc;

const KEYS: u64 = 12_000;

/// Tables with filters of many pages, and fences of some leaves.
fn options(filter: FilterKind, cache_bytes: u64, filter_residency: [Residency; 7]) -> TreeOptions {
    let budget = Arc::new(MemoryBudget::unlimited());
    let cache = Arc::new(BlockCache::with_budget(cache_bytes, Arc::clone(&budget)));
    TreeOptions {
        cache,
        budget,
        filter,
        level0_filter: filter,
        filter_bits_per_key: 20,
        filter_widths: FilterWidths::Uniform,
        filter_residency,
        fence_residency: filter_residency,
        prefix_extractor: by_name("fixed-7"),
        block_bytes: 512,
        table_bytes: 256 << 10,
        level_base_bytes: 128 << 10,
        ..small_options(KeyOrder::bytewise())
    }
}

fn key(number: u64) -> Vec<u8> {
    format!("{:06}/{number:06}", number / 3).into_bytes()
}

/// Writes, removes, flushes and compacts, comparing all along.
fn live(pair: &mut Pair, seed: u64) -> Result<()> {
    let random = SeededRandom::new(seed);
    for round in 0..6 {
        for _ in 0..KEYS / 3 {
            let number = random.below(KEYS);
            let value = number.to_le_bytes();
            pair.write(&key(number), if random.below(5) == 0 { None } else { Some(&value) })?;
        }
        pair.flush()?;
        if round % 2 == 1 {
            pair.compact_all()?;
        }
        compare(pair, &random)?;
    }
    pair.reopen()?;
    compare(pair, &random)?;
    let report = pair.tree.verify()?;
    assert!(report.faults.is_empty(), "{:?}", report.faults);
    Ok(())
}

/// Every key that there may be, and as many that are not there, alone and together; and some prefixes.
fn compare(pair: &Pair, random: &SeededRandom) -> Result<()> {
    let keys: Vec<Vec<u8>> = (0..2 * KEYS).map(key).collect();
    for keys in keys.chunks(97) {
        let together = pair.tree.multi_get(keys, pair.next)?;
        for (key, together) in keys.iter().zip(together) {
            let expected = pair.expected(key, pair.next);
            assert_eq!(pair.tree.get(key, pair.next)?.as_deref(), expected.as_deref(), "{key:?}");
            assert_eq!(together.as_deref(), expected.as_deref(), "{key:?} together with others");
        }
    }
    for prefix in (0..200).map(|_| random.below(KEYS / 2)) {
        let expected = (prefix * 3..prefix * 3 + 3).filter(|number| pair.expected(&key(*number), pair.next).is_some());
        let found = pair.tree.prefix(format!("{prefix:06}/").as_bytes(), pair.next)?.count_rows()?;
        assert_eq!(found, expected.count() as u64, "of prefix {prefix}");
    }
    Ok(())
}

#[test]
fn a_level_says_where_filters_of_its_tables_are_and_memory_where_it_says_nothing() -> Result<()> {
    let of_level = |first, others| std::array::from_fn(|level| if level == 0 { first } else { others });
    let (paged, resident, by_budget) = (Residency::Paged, Residency::Resident, Residency::ByBudget);
    // Two tables, one of level 0 and one below.
    for (first, others, left_out) in [(paged, paged, 2), (paged, resident, 1), (resident, paged, 1), (by_budget, by_budget, 0)]
    {
        let mut options = options(FilterKind::SplitBlock, 4 << 20, of_level(first, others));
        (options.prefix_extractor, options.table_bytes) = (None, 8 << 20);
        let mut pair = Pair::create_with(Env::simulated(MemFs::new(), 1), options)?;
        for round in 0..2 {
            (0..KEYS).try_for_each(|number| pair.write(&key(number), Some(b"value")))?;
            pair.flush()?;
            if round == 0 {
                pair.compact_all()?;
            }
        }
        pair.options.stats = Arc::default();
        pair.options.budget = Arc::new(MemoryBudget::unlimited());
        pair.reopen()?;
        assert!(pair.tree.get(b"000100/", pair.next)?.is_none(), "both are opened");
        let stats = &pair.options.stats;
        assert_eq!(
            (stats.get(Counter::TableOpens), stats.get(Counter::FiltersLeftOut)),
            (2, left_out),
            "{first:?}, {others:?}"
        );
        let metadata = pair.options.budget.used(Account::Metadata);
        let filters = KEYS * 20 / 8;
        assert!(metadata > (2 - left_out) * filters, "{metadata}");
        // What is set now holds for tables that are opened from now on.
        pair.options.filter_residency = [paged; 7];
        pair.tree.set_options(&pair.options)?;
        pair.compact_all()?;
        assert!(pair.tree.get(&key(0), pair.next)?.is_some());
        assert!(stats.get(Counter::FiltersLeftOut) > left_out, "{first:?}, {others:?}");
    }
    Ok(())
}

#[test]
fn it_answers_as_one_whose_metadata_are_in_memory() -> Result<()> {
    for (seed, filter) in [FilterKind::SplitBlock, FilterKind::Burr].into_iter().enumerate() {
        for cache_bytes in [8 << 10, 4 << 20] {
            let options = options(filter, cache_bytes, [Residency::Paged; 7]);
            let stats = Arc::clone(&options.stats);
            let mut pair = Pair::create_with(Env::simulated(MemFs::new(), seed as u64), options)?;
            live(&mut pair, seed as u64)?;
            assert!(stats.get(Counter::FilterPagesLoaded) > 20, "{filter:?}");
            assert!(stats.get(Counter::FenceLeavesLoaded) > 20, "{filter:?}");
            assert!(stats.get(Counter::FilterNegatives) > 0 && stats.get(Counter::PrefixFilterChecks) > 0, "{filter:?}");
        }
    }
    Ok(())
}
