//! How far flushes and compactions are behind: the signal from which the database computes its delays. No waiting here.

use crate::{options::TreeOptions, super_version::SuperVersion, version::Level};

/// How far a tree is behind its writers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Pressure {
    /// Memtables that wait for their flush.
    pub sealed_count: usize,
    /// Bytes of these.
    pub sealed_bytes: usize,
    /// Sublevels of level 0: what a get or a scan meets there at most.
    pub level0_sublevels: usize,
    /// Sublevels at which a compaction of level 0 is due.
    pub level0_trigger: usize,
    /// Bytes in level 0.
    pub level0_bytes: u64,
    /// Bytes that lie above the size of their level, all of level 0 once it is due.
    pub debt_bytes: u64,
    /// Target size of level 1.
    pub level_base_bytes: u64,
}

/// Measures it.
pub(crate) fn pressure(now: &SuperVersion, options: &TreeOptions) -> Pressure {
    let levels = &now.version.levels;
    let (level0_sublevels, level0_bytes) = (levels[0].runs.len(), levels[0].bytes());
    let is_level0_due = level0_sublevels >= options.level0_trigger || level0_bytes >= options.level0_bytes_max();
    let surplus = |(index, level): (usize, &Level)| level.bytes().saturating_sub(options.level_bytes_max(index));
    let deeper: u64 = levels.iter().enumerate().take(levels.len() - 1).skip(1).map(surplus).sum();
    Pressure {
        sealed_count: now.sealed.len(),
        sealed_bytes: now.sealed.iter().map(|sealed| sealed.memtable.bytes()).sum(),
        level0_sublevels,
        level0_trigger: options.level0_trigger,
        level0_bytes,
        debt_bytes: deeper + if is_level0_due { level0_bytes } else { 0 },
        level_base_bytes: options.level_base_bytes,
    }
}
