//! Where the fences of a tree's tables are, level by level.

use crate::model::{Pair, small_options};
use sediment_base::{KeyOrder, MemoryBudget, Result, stats::Counter};
use sediment_env::{Env, fs::MemFs};
use sediment_table::Residency;
use sediment_tree::TreeOptions;
use std::sync::Arc;

/// Of which one table has some hundred blocks.
const KEYS: u64 = 12_000;

fn key(number: u64) -> Vec<u8> {
    format!("{number:06}").into_bytes()
}

/// A tree of two tables, one of level 0 and one below, neither of which is open.
fn two_tables(fence_residency: [Residency; 7]) -> Result<Pair> {
    let options = TreeOptions {
        fence_residency,
        block_bytes: 1024,
        table_bytes: 8 << 20,
        level_base_bytes: 8 << 20,
        ..small_options(KeyOrder::bytewise())
    };
    let mut pair = Pair::create_with(Env::simulated(MemFs::new(), 1), options)?;
    for round in 0..2 {
        (0..KEYS).try_for_each(|number| pair.write(&key(number), Some(&[b'v'; 40])))?;
        pair.flush()?;
        if round == 0 {
            pair.compact_all()?;
        }
    }
    pair.options.stats = Arc::default();
    pair.options.budget = Arc::new(MemoryBudget::unlimited());
    pair.reopen()?;
    Ok(pair)
}

#[test]
fn a_level_says_where_fences_of_its_tables_are_and_memory_where_it_says_nothing() -> Result<()> {
    let (paged, resident, by_budget) = (Residency::Paged, Residency::Resident, Residency::ByBudget);
    for (first, others, left_out) in [(paged, paged, 2), (paged, resident, 1), (resident, paged, 1), (by_budget, by_budget, 0)]
    {
        let mut pair = two_tables(std::array::from_fn(|level| if level == 0 { first } else { others }))?;
        let stats = Arc::clone(&pair.options.stats);
        for number in (0..KEYS).step_by(7) {
            let absent = [&key(number)[..], b"?"].concat();
            assert!(pair.tree.get(&key(number), pair.next)?.is_some() && pair.tree.get(&absent, pair.next)?.is_none());
        }
        assert_eq!(pair.tree.range::<&[u8], _>(.., pair.next).count_rows()?, KEYS, "both are opened");
        let opened = (stats.get(Counter::TableOpens), stats.get(Counter::FencesLeftOut));
        assert_eq!(opened, (2, left_out), "{first:?}, {others:?}");
        assert_eq!(stats.get(Counter::FenceLeavesLoaded) > 0, left_out > 0, "{first:?}, {others:?}");
        // What is set now holds for tables that are opened from now on.
        pair.options.fence_residency = [paged; 7];
        pair.tree.set_options(&pair.options)?;
        pair.compact_all()?;
        assert!(pair.tree.get(&key(0), pair.next)?.is_some());
        assert!(stats.get(Counter::FencesLeftOut) > left_out, "{first:?}, {others:?}");
    }
    Ok(())
}
