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

#[cfg(test)]
mod tests {
    use super::{Choice, CompactionState, CompactionStrategy, Fifo};
    use crate::{
        config::Config,
        version::{Table, Version},
    };
    use sediment_base::{FileUuid, KeyRange, Slice, TableId};
    use sediment_table::{RangeCounts, RemovedCounts, TableMeta};

    /// A table of 10 bytes that was written in this second.
    fn table(id: u64, second: u64) -> Table {
        let meta = TableMeta {
            id: TableId(id),
            uuid: FileUuid::default(),
            file_bytes: 10,
            root: 0,
            range: KeyRange::closed(Slice::new(b"a"), Slice::new(b"b")),
            min_seqno: 0,
            max_seqno: 0,
            rows: 1,
            tombstones: 0,
            ranges: RangeCounts::default(),
            removed: RemovedCounts::default(),
            oldest_write_us: second * 1_000_000,
        };
        Table::planned(&meta)
    }

    /// Which of three tables go in the hundredth second.
    fn gone(fifo: &Fifo) -> Vec<u64> {
        let runs = [(3, 90), (1, 40), (2, 50)].map(|(id, second)| vec![table(id, second)]);
        let version = Version::new(vec![runs.into()]);
        let state = CompactionState { now_us: 100_000_000, ..CompactionState::default() };
        let Choice::Drop(ids) = fifo.choose(&version, &Config::default(), &state) else { return Vec::new() };
        let mut ids: Vec<u64> = ids.into_iter().collect();
        ids.sort_unstable();
        ids
    }

    #[test]
    fn tables_go_by_age_and_then_the_oldest_by_bytes() {
        assert_eq!(gone(&Fifo::new(30, None)), [] as [u64; 0]);
        assert_eq!(gone(&Fifo::new(30, Some(50))), [1], "one of 50 seconds is not older than 50 seconds");
        assert_eq!(gone(&Fifo::new(30, Some(49))), [1, 2]);
        assert_eq!(gone(&Fifo::new(10, Some(50))), [1, 2]);
        assert_eq!(gone(&Fifo::new(29, None)), [1]);
        assert_eq!(gone(&Fifo::new(0, None)), [1, 2, 3]);
    }

    #[test]
    fn no_seconds_are_no_age() {
        assert_eq!(gone(&Fifo::new(30, Some(0))), [] as [u64; 0]);
    }
}
