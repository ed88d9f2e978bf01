//! `Fifo`: what is old goes.

use super::{Choice, CompactionState, CompactionStrategy};
use crate::{
    config::Config,
    version::{Level, Table, Version},
};
use std::collections::HashSet;

/// The name of [`Fifo`].
#[doc(hidden)]
pub const FIFO_COMPACTION_NAME: &str = "FifoCompaction";

/// Lets tables of level 0 go that are older than a time, and then the oldest until the rest keeps within a size.
#[derive(Clone, Debug)]
pub struct Fifo {
    /// Bytes that level 0 may have.
    pub limit: u64,
    /// Seconds that a table may live; none, or 0, for no end.
    pub ttl_seconds: Option<u64>,
}

impl Fifo {
    /// With these limits.
    pub fn new(limit: u64, ttl_seconds: Option<u64>) -> Self {
        Self { limit, ttl_seconds }
    }
}

impl CompactionStrategy for Fifo {
    fn get_name(&self) -> &'static str {
        FIFO_COMPACTION_NAME
    }

    fn choose(&self, version: &Version, _config: &Config, state: &CompactionState) -> Choice {
        let mut tables: Vec<&Table> = version.level(0).into_iter().flat_map(Level::tables).collect();
        tables.sort_by_key(|table| (table.metadata.created_at, table.id()));
        let ttl_us = self.ttl_seconds.filter(|seconds| *seconds > 0).map(|seconds| seconds.saturating_mul(1_000_000));
        let born_from = ttl_us.map_or(0, |ttl_us| u128::from(state.now_us().saturating_sub(ttl_us)) * 1000);
        let mut bytes: u64 = tables.iter().map(|table| table.metadata.file_size).sum();
        let mut gone = HashSet::default();
        for table in tables {
            // Oldest first, they go until one stays.
            if table.metadata.created_at >= born_from && bytes <= self.limit {
                break;
            }
            bytes -= table.metadata.file_size;
            gone.insert(table.id());
        }
        if gone.is_empty() { Choice::DoNothing } else { Choice::Drop(gone) }
    }
}
