//! How far flushes and compactions are behind: the signal from which the database computes its delays. No waiting here.

use crate::{options::TreeOptions, super_version::SuperVersion};

/// How far a tree is behind its writers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Pressure {
    /// Bytes of memtables that wait for their flush.
    pub sealed_bytes: usize,
    /// Runs in level 0.
    pub level0_runs: usize,
    /// Runs at which a compaction of level 0 is due.
    pub level0_trigger: usize,
    /// Bytes that lie above the size of their level, level 0 included once it is due.
    pub debt_bytes: u64,
    /// Target size of level 1.
    pub level_base_bytes: u64,
}

/// Measures it.
pub(crate) fn pressure(now: &SuperVersion, options: &TreeOptions) -> Pressure {
    let levels = &now.version.levels;
    let level0 = levels.first();
    let level0_runs = level0.map_or(0, |level| level.runs.len());
    let level0_debt = level0.filter(|_| level0_runs >= options.level0_trigger).map_or(0, |level| level.bytes());
    let surplus =
        |(index, level): (usize, &crate::version::Level)| level.bytes().saturating_sub(options.level_bytes_max(index));
    let last = levels.len().saturating_sub(1);
    Pressure {
        sealed_bytes: now.sealed.iter().map(|sealed| sealed.memtable.bytes()).sum(),
        level0_runs,
        level0_trigger: options.level0_trigger,
        debt_bytes: level0_debt + levels.iter().enumerate().take(last).skip(1).map(surplus).sum::<u64>(),
        level_base_bytes: options.level_base_bytes,
    }
}
