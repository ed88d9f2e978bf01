//! `SizeTiered`: runs of like size are merged, in level 0.

use super::{Choice, CompactionState, CompactionStrategy, TABLE_BYTES};
use crate::{
    config::Config,
    version::{Run, Version},
};
use std::sync::Arc;

/// The name of [`SizeTiered`].
#[doc(hidden)]
pub const SIZE_TIERED_COMPACTION_NAME: &str = "SizeTieredCompaction";

/// Merges runs of level 0, from the newest on: all, where the newer ones have grown too large for the oldest; or else as many as
/// follow each other without a great step in size.
#[derive(Clone, Debug)]
pub struct SizeTiered {
    size_ratio: f64,
    min_merge_width: usize,
    max_merge_width: usize,
    max_space_amplification_percent: u64,
    table_target_size: u64,
}

impl Default for SizeTiered {
    fn default() -> Self {
        Self {
            size_ratio: 1.0,
            min_merge_width: 4,
            max_merge_width: usize::MAX,
            max_space_amplification_percent: 200,
            table_target_size: TABLE_BYTES,
        }
    }
}

impl SizeTiered {
    /// By how much of what is merged already the next run may be larger.
    #[must_use]
    pub fn with_size_ratio(self, ratio: f64) -> Self {
        Self { size_ratio: ratio, ..self }
    }

    /// Runs that are merged at least.
    #[must_use]
    pub fn with_min_merge_width(self, width: usize) -> Self {
        Self { min_merge_width: width, ..self }
    }

    /// Runs that are merged at most.
    #[must_use]
    pub fn with_max_merge_width(self, width: usize) -> Self {
        Self { max_merge_width: width, ..self }
    }

    /// From this part of the oldest run on, in percent, the newer ones are merged with it.
    #[must_use]
    pub fn with_max_space_amplification_percent(self, percent: u64) -> Self {
        Self { max_space_amplification_percent: percent, ..self }
    }

    /// Target size of tables.
    #[must_use]
    pub fn with_table_target_size(self, bytes: u64) -> Self {
        Self { table_target_size: bytes, ..self }
    }

    /// How many runs, from the newest on.
    fn width(&self, sizes: &[u64]) -> Option<usize> {
        let (oldest, newer) = sizes.split_last()?;
        let newer_bytes: u64 = newer.iter().sum();
        if newer_bytes.saturating_mul(100) >= oldest.saturating_mul(self.max_space_amplification_percent) {
            return Some(sizes.len());
        }
        let mut bytes = sizes[0];
        let is_like = |size: &&u64| {
            let fits = **size as f64 <= bytes as f64 * (1.0 + self.size_ratio);
            bytes = bytes.saturating_add(**size);
            fits
        };
        let alike = 1 + sizes[1..].iter().take_while(is_like).count();
        (alike >= self.min_merge_width.max(2)).then(|| alike.min(self.max_merge_width.max(2)))
    }
}

impl CompactionStrategy for SizeTiered {
    fn get_name(&self) -> &'static str {
        SIZE_TIERED_COMPACTION_NAME
    }

    fn choose(&self, version: &Version, _config: &Config, _state: &CompactionState) -> Choice {
        let runs: &[Arc<Run>] = version.level(0).map_or(&[], |level| level);
        if runs.len() < 2 {
            return Choice::DoNothing;
        }
        let sizes: Vec<u64> = runs.iter().map(|run| run.iter().map(|table| table.metadata.file_size).sum()).collect();
        let Some(width) = self.width(&sizes) else { return Choice::DoNothing };
        let tables = runs[..width].iter().flat_map(|run| run.iter()).map(|table| table.id());
        Choice::merging(tables, 0, self.table_target_size)
    }
}
