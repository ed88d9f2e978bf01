//! `ReadCounts`: what point reads met, counted where it costs nothing and added to the statistics once.

use sediment_base::stats::{Counter, LocalStats};

/// What point reads met in tables.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ReadCounts {
    /// Filters asked.
    pub filter_checks: u64,
    /// Filters that said no.
    pub filter_negatives: u64,
    /// Filters that said maybe where there was no row for the read.
    pub filter_false_positives: u64,
    /// Locators asked; they are among the filters as well.
    pub locator_checks: u64,
    /// Locators that led to a row for the read.
    pub locator_hits: u64,
    /// Blocks looked into.
    pub blocks: u64,
    /// Those of them that were not in memory.
    pub blocks_loaded: u64,
    /// Bytes read to load them.
    pub block_bytes_read: u64,
}

impl ReadCounts {
    /// Adds them to the statistics.
    #[inline]
    pub fn add_to(&self, stats: LocalStats<'_>) {
        stats.add_some(Counter::FilterChecks, self.filter_checks);
        stats.add_some(Counter::FilterNegatives, self.filter_negatives);
        stats.add_some(Counter::FilterFalsePositives, self.filter_false_positives);
        if self.locator_checks > 0 {
            stats.add(Counter::LocatorChecks, self.locator_checks);
            stats.add_some(Counter::LocatorHits, self.locator_hits);
        }
        stats.add_some(Counter::BlockCacheHits, self.blocks - self.blocks_loaded);
        if self.blocks_loaded > 0 {
            stats.add(Counter::BlockCacheMisses, self.blocks_loaded);
            stats.add(Counter::BlockBytesRead, self.block_bytes_read);
        }
    }
}
