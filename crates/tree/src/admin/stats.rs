//! Sizes of a tree at one moment.

use sediment_base::SeqNo;

/// Sizes of a tree at one moment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TreeStats {
    /// Level by level, from 0 on.
    pub levels: Vec<LevelStats>,
    /// Bytes of the active memtable.
    pub memtable_bytes: usize,
    /// Bytes of the sealed memtables.
    pub sealed_bytes: usize,
    /// Sealed memtables.
    pub sealed_count: usize,
    /// From here on every read is exact; below, only those of snapshots that were open all the time.
    pub history_floor: SeqNo,
    /// Bytes that compaction has to move down until every level has its size.
    pub debt_bytes: u64,
    /// Files that no version names and some reader still holds, or that wait for their removal.
    pub obsolete_tables: usize,
}

/// Sizes of a level.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LevelStats {
    /// Sorted runs: what a scan has to merge.
    pub runs: usize,
    /// Table files.
    pub tables: usize,
    /// Bytes in them.
    pub bytes: u64,
    /// Rows in them.
    pub rows: u64,
    /// Tombstones among the rows.
    pub tombstones: u64,
}
