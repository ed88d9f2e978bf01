//! Sizes of a tree at one moment.

use crate::{
    compaction::{self, Chosen},
    options::TreeOptions,
    super_version::{SuperVersion, SuperVersions},
    version::Level,
};
use sediment_base::SeqNo;

/// Sizes of a tree at one moment.
#[derive(Clone, Debug, Default, PartialEq)]
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
    /// Bytes that compaction has to rewrite until the tree is in shape.
    pub debt_bytes: u64,
    /// Files that wait for their removal.
    pub obsolete_tables: usize,
}

/// Sizes of a level.
#[derive(Clone, Debug, Default, PartialEq)]
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
    /// Range tombstones beside the rows.
    pub range_tombstones: u64,
    /// Bits of filters for each row, in the mean of the tables that are open; 0 where none is, and where there are no filters.
    pub filter_bits_per_key: f64,
    /// How full it is: from 1.0 on a compaction is due. 0 for the last level, which may hold any amount. While writers go on level 0 may
    /// hold more before it is full.
    pub score: f64,
}

/// Takes the measures.
pub(crate) fn stats(versions: &SuperVersions, strategy: &Chosen) -> TreeStats {
    let (now, settings) = (versions.pin(), versions.settings());
    let pressure = compaction::pressure(&now, strategy.backlog(&now.version, &settings), &settings);
    TreeStats {
        levels: levels(&now, strategy, &settings),
        memtable_bytes: now.active.bytes(),
        sealed_bytes: pressure.sealed_bytes,
        sealed_count: pressure.sealed_count,
        history_floor: now.version.history.floor,
        debt_bytes: pressure.backlog.debt_bytes,
        obsolete_tables: versions.home.garbage_count(),
    }
}

fn levels(now: &SuperVersion, strategy: &Chosen, settings: &TreeOptions) -> Vec<LevelStats> {
    let measure = |(level, score): (&Level, f64)| LevelStats {
        runs: level.runs.len(),
        tables: level.tables().count(),
        bytes: level.bytes(),
        rows: level.tables().map(|file| file.meta.rows).sum(),
        tombstones: level.tables().map(|file| file.meta.tombstones).sum(),
        range_tombstones: level.tables().map(|file| file.meta.ranges.count).sum(),
        filter_bits_per_key: filter_bits_per_key(level),
        score,
    };
    now.version.levels.iter().zip(strategy.scores(now, settings)).map(measure).collect()
}

fn filter_bits_per_key(level: &Level) -> f64 {
    let open = level.tables().filter_map(|file| Some((file.opened()?.filter_bytes(), file.meta.rows)));
    let (bytes, rows) = open.fold((0, 0), |(bytes, rows), of| (bytes + of.0, rows + of.1));
    if rows == 0 { 0.0 } else { bytes as f64 * 8.0 / rows as f64 }
}
