//! `Metrics`: what a tree has counted, in the words of the interface.
//!
//! The tree reads fence, filters, properties and range tombstones of a table together when it opens it, so those bytes and loads all
//! stand under *index*. Of filters and fences that stay in the file, what is read later stands under its own name.

use sediment_base::{Stats, stats::Counter};
use std::sync::Arc;

/// What a tree has counted since it was opened.
#[derive(Debug, Default)]
pub struct Metrics {
    stats: Arc<Stats>,
}

macro_rules! counts {
    ($($(#[$doc:meta])* $name:ident -> $type:ty = $($counter:ident)|*;)*) => {
        impl Metrics {
            $($(#[$doc])*
            pub fn $name(&self) -> $type {
                let counters: &[Counter] = &[$(Counter::$counter),*];
                counters.iter().map(|counter| self.stats.get(*counter) as $type).sum()
            })*
        }
    };
}

counts! {
    /// Bytes of data blocks that were read.
    data_block_io -> u64 = BlockBytesRead;
    /// Bytes that were read to open tables, and of indexes since.
    index_block_io -> u64 = TableOpenBytesRead | FenceLeafBytesRead;
    /// Bytes that were read of filters of open tables; what opening reads of them is counted with the index.
    filter_block_io -> u64 = FilterPageBytesRead;
    /// Counted with the index.
    range_tombstone_block_io -> u64 =;
    /// All bytes that were read.
    block_io -> u64 = BlockBytesRead | TableOpenBytesRead | FenceLeafBytesRead | FilterPageBytesRead;
    /// Data blocks that were read.
    data_block_load_count -> usize = BlockCacheMisses;
    /// Tables that were opened, and parts of their indexes that were read since.
    index_block_load_count -> usize = TableOpens | FenceLeavesLoaded;
    /// Parts of filters that were read once their tables were open.
    filter_block_load_count -> usize = FilterPagesLoaded;
    /// Counted with the index.
    range_tombstone_block_load_count -> usize =;
    /// Nothing heals yet.
    ecc_auto_heal_scheduled_count -> usize =;
    /// All reads of files.
    block_load_io_count -> usize = BlockCacheMisses | TableOpens | FenceLeavesLoaded | FilterPagesLoaded;
    /// Data blocks that were in memory.
    data_block_load_cached_count -> usize = BlockCacheHits;
    /// What open tables keep in memory is not counted.
    index_block_load_cached_count -> usize =;
    /// What open tables keep in memory is not counted.
    filter_block_load_cached_count -> usize =;
    /// What open tables keep in memory is not counted.
    range_tombstone_block_load_cached_count -> usize =;
    /// All that was in memory.
    block_load_cached_count -> usize = BlockCacheHits;
    /// All that was asked for.
    block_loads -> usize = BlockCacheHits | BlockCacheMisses | TableOpens | FenceLeavesLoaded | FilterPagesLoaded;
    /// Filters that said no, and those that should have.
    filter_queries -> usize = FilterNegatives | FilterFalsePositives;
    /// Filters that said no.
    io_skipped_by_filter -> usize = FilterNegatives;
    /// Tables that scans of a prefix passed over.
    prefix_bloom_skips -> usize = PrefixFilterNegatives;
}

impl Metrics {
    pub(crate) fn new(stats: Arc<Stats>) -> Self {
        Self { stats }
    }

    /// The part of opened tables whose file was open: all that were asked again.
    pub fn table_file_cache_hit_rate(&self) -> f64 {
        let opened = self.stats.get(Counter::TableOpens) as usize;
        rate(self.block_loads() - opened, self.block_loads())
    }

    /// The part of data blocks that were in memory.
    pub fn data_block_cache_hit_rate(&self) -> f64 {
        rate(self.data_block_load_cached_count(), self.data_block_load_cached_count() + self.data_block_load_count())
    }

    /// 1 as long as all filters of open tables are in memory: what is there is not counted.
    pub fn filter_block_cache_hit_rate(&self) -> f64 {
        rate(self.filter_block_load_cached_count(), self.filter_block_load_count())
    }

    /// The part of what an index was asked that was in memory.
    pub fn index_block_cache_hit_rate(&self) -> f64 {
        rate(self.index_block_load_cached_count(), self.index_block_load_cached_count() + self.index_block_load_count())
    }

    /// Range tombstones of open tables are in memory: 1.
    pub fn range_tombstone_block_cache_hit_rate(&self) -> f64 {
        rate(self.range_tombstone_block_load_cached_count(), self.range_tombstone_block_load_count())
    }

    /// The part of all that was in memory.
    pub fn block_cache_hit_rate(&self) -> f64 {
        rate(self.block_load_cached_count(), self.block_loads())
    }

    /// The part of filters that said no among those that should.
    pub fn filter_efficiency(&self) -> f64 {
        rate(self.io_skipped_by_filter(), self.filter_queries())
    }
}

/// 1 of nothing.
fn rate(part: usize, all: usize) -> f64 {
    if all == 0 { 1.0 } else { part as f64 / all as f64 }
}
