//! How far flushes and compactions are behind: the signal from which the database computes its delays. No waiting here.

use super::strategy::Backlog;
use crate::{options::TreeOptions, super_version::SuperVersion};

/// How far a tree is behind its writers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Pressure {
    /// Memtables that wait for their flush.
    pub sealed_count: usize,
    /// Bytes of these.
    pub sealed_bytes: usize,
    /// What compaction has not done yet.
    pub backlog: Backlog,
    /// [`TreeOptions::level_base_bytes`].
    pub level_base_bytes: u64,
}

/// What the next compaction of a tree is worth, and what it takes.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Urgency {
    /// The highest score of a level, as if nothing were under way: from 1.0 on something is due.
    pub score: f64,
    /// About how many bytes of tables the most urgent compaction writes; 0 if nothing is due, or tables are only moved or let go of.
    pub price_bytes: u64,
}

/// Measures it, for a strategy that has this backlog.
pub(crate) fn pressure(now: &SuperVersion, backlog: Backlog, options: &TreeOptions) -> Pressure {
    Pressure {
        sealed_count: now.sealed.len(),
        sealed_bytes: now.sealed.iter().map(|sealed| sealed.memtable.bytes()).sum(),
        backlog,
        level_base_bytes: options.level_base_bytes,
    }
}
