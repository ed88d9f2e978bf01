//! How large each level is to be: a ratio less than the one below, counted from the last one, which holds what it holds.
//!
//! The *base* is where level 0 goes. Levels between it and the last are opened as the tree grows: one more once the base is to hold
//! more than a ratio times what level 0 brings at once, since from then on it is cheaper to merge twice. So a small tree is one
//! level beside level 0, whatever is larger has levels that are as full as they are meant to be, and what is obsolete is about one part in
//! the ratio, however large the tree. ("Optimizing Space Amplification in RocksDB": Dong et al., 2017.)
//!
//! ```text
//!   level 0          up to 384 MiB    what it brings at once: level_base_bytes
//!   levels 1 to 4    nothing
//!   level 5, base    up to 1 GiB      a tenth of the last one, and more than level_base_bytes
//!   level 6          10 GiB           whatever there is
//! ```
//!
//! A tree that has shrunk to half of what made it open a level gives that level up again: what is left there sinks. So does what lies in
//! levels that are not to hold anything because another strategy filled them.

use crate::{options::TreeOptions, version::Version};

/// What each level is to hold.
#[derive(Clone, Copy, Debug)]
pub(super) struct Targets {
    /// The level that level 0 is merged into: the first with tables, or one above it.
    pub(super) base: usize,
    /// From here on, levels keep what they hold.
    kept_from: usize,
    last: usize,
    largest_bytes: u64,
    ratio: u64,
    base_bytes: u64,
}

impl Targets {
    pub(super) fn new(version: &Version, options: &TreeOptions) -> Self {
        let (levels, last) = (&version.levels, version.levels.len() - 1);
        let (ratio, base_bytes) = (options.level_ratio, options.level_base_bytes);
        let largest_bytes = levels[1..].iter().map(|level| level.bytes()).max().unwrap_or(0);
        let first_used = (1..=last).find(|level| !levels[*level].is_empty()).unwrap_or(last);
        let base = |bytes: u64| last - levels_above(bytes, base_bytes, ratio).min(last - 1);
        Self {
            base: base(largest_bytes).min(first_used),
            kept_from: base(largest_bytes.saturating_mul(2)),
            last,
            largest_bytes,
            ratio,
            base_bytes,
        }
    }

    /// How full a level with so many bytes is, from 1.0 on too full. A level that is to be empty is too full with anything.
    pub(super) fn fullness(&self, level: usize, bytes: u64) -> f64 {
        match level {
            _ if level >= self.last || bytes == 0 => 0.0,
            _ if level < self.kept_from => 1.0 + bytes as f64 / self.base_bytes as f64,
            _ => bytes as f64 / self.bytes(level) as f64,
        }
    }

    /// By how much a level that keeps what it holds has more than that.
    pub(super) fn surplus(&self, level: usize, bytes: u64) -> u64 {
        if level >= self.last || level < self.kept_from { 0 } else { bytes.saturating_sub(self.bytes(level)) }
    }

    fn bytes(&self, level: usize) -> u64 {
        (level..self.last).fold(self.largest_bytes, |bytes, _| bytes / self.ratio).max(1)
    }
}

/// How many levels lie between level 0 and a last one of so many bytes.
fn levels_above(last_bytes: u64, base_bytes: u64, ratio: u64) -> usize {
    let mut bytes_max = base_bytes.saturating_mul(ratio);
    let mut count = 0;
    while bytes_max < last_bytes {
        bytes_max = bytes_max.saturating_mul(ratio);
        count += 1;
    }
    count
}
