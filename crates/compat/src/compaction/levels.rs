//! What concerns whole levels or ranges: moving down, pulling down, everything, a range.

use super::{Choice, CompactionState, CompactionStrategy, TABLE_BYTES};
use crate::{
    config::Config,
    descriptor_table::TableId,
    version::{Level, Version},
};
use sediment_base::{
    KeyOrder, Slice,
    range::{is_within_lower, is_within_upper, lent_bounds},
};
use std::ops::Bound;

/// Moves the tables of one level to another as they are.
#[derive(Clone, Debug)]
pub struct MoveDown(pub u8, pub u8);

/// Merges one level into another.
#[derive(Clone, Debug)]
pub struct PullDown(pub u8, pub u8);

/// Merges everything into the last level.
#[derive(Debug)]
pub(crate) struct Major {
    pub(crate) target_size: u64,
}

/// Lets tables go that lie in a range altogether.
#[derive(Debug)]
pub(crate) struct DropRange {
    pub(crate) bounds: (Bound<Slice>, Bound<Slice>),
    pub(crate) order: KeyOrder,
}

fn ids(version: &Version, level: u8) -> impl Iterator<Item = TableId> + '_ {
    version.level(level.into()).into_iter().flat_map(Level::tables).map(|table| table.id())
}

impl CompactionStrategy for MoveDown {
    fn get_name(&self) -> &'static str {
        "MoveDown"
    }

    fn choose(&self, version: &Version, _config: &Config, _state: &CompactionState) -> Choice {
        Choice::moving(ids(version, self.0), self.1.into())
    }
}

impl CompactionStrategy for PullDown {
    fn get_name(&self) -> &'static str {
        "PullDown"
    }

    fn choose(&self, version: &Version, _config: &Config, _state: &CompactionState) -> Choice {
        Choice::merging(ids(version, self.0).chain(ids(version, self.1)), self.1.into(), TABLE_BYTES)
    }
}

impl CompactionStrategy for Major {
    fn get_name(&self) -> &'static str {
        "MajorCompaction"
    }

    fn choose(&self, version: &Version, config: &Config, _state: &CompactionState) -> Choice {
        let all = version.iter_tables().map(|table| table.id());
        Choice::merging(all, usize::from(config.level_count) - 1, self.target_size)
    }
}

impl CompactionStrategy for DropRange {
    fn get_name(&self) -> &'static str {
        "DropRange"
    }

    fn choose(&self, version: &Version, _config: &Config, _state: &CompactionState) -> Choice {
        let (lower, upper) = lent_bounds(&self.bounds);
        // A range without a start or an end reaches beyond every key.
        let is_inside = |range: &sediment_base::KeyRange| {
            let starts = lower == Bound::Unbounded || !range.min.is_empty() && is_within_lower(&range.min, lower, &self.order);
            let upper = match upper {
                Bound::Excluded(end) if range.is_open => Bound::Included(end),
                upper => upper,
            };
            let ends = upper == Bound::Unbounded || !range.max.is_empty() && is_within_upper(&range.max, upper, &self.order);
            starts && ends
        };
        let tables = version.iter_tables().filter(|table| is_inside(&table.metadata.key_range.0));
        let gone: std::collections::HashSet<_, _> = tables.map(|table| table.id()).collect();
        if gone.is_empty() { Choice::DoNothing } else { Choice::Drop(gone) }
    }
}
