//! `Leveled`: every level but 0 is one run, and holds some times more than the one above.
//!
//! The first rule that has something to say decides:
//!
//! 1. level 0 is one run, no level between it and the last has tables, and the last has none of its keys: it moves there;
//! 2. level 0 is one run, and level 1 has tables, but none of its keys: it moves there;
//! 3. level 0 has several runs, but fewer tables than the threshold: they are merged where they are;
//! 4. the fullest level goes to the next one: level 0 by tables against the threshold, the others by bytes against their size; one
//!    whose next level is empty comes before all. The last has no size.

use super::{Choice, CompactionState, CompactionStrategy, TABLE_BYTES};
use crate::{
    comparator::key_order,
    config::Config,
    version::{Level, Table, Version},
};
use sediment_base::KeyOrder;

/// The name of [`Leveled`].
#[doc(hidden)]
pub const LEVELED_COMPACTION_NAME: &str = "LeveledCompaction";

/// Every level but 0 is one run, and holds some times more than the one above.
#[derive(Clone, Debug)]
pub struct Leveled {
    l0_threshold: u8,
    table_target_size: u64,
    level_ratios: Vec<f32>,
    multi_level: bool,
}

impl Default for Leveled {
    fn default() -> Self {
        Self { l0_threshold: 4, table_target_size: TABLE_BYTES, level_ratios: vec![10.0], multi_level: false }
    }
}

/// A tree that is looked at.
struct Look<'a> {
    levels: Vec<&'a Level>,
    order: KeyOrder,
}

impl Leveled {
    /// How many times larger each level is than the one above, from level 2 on; the last entry stands for all deeper ones.
    #[must_use]
    pub fn with_level_ratio_policy(self, policy: Vec<f32>) -> Self {
        Self { level_ratios: policy, ..self }
    }

    /// Tables of level 0 from which on it is merged into level 1.
    #[must_use]
    pub fn with_l0_threshold(self, threshold: u8) -> Self {
        Self { l0_threshold: threshold, ..self }
    }

    /// Target size of tables.
    #[must_use]
    pub fn with_table_target_size(self, bytes: u64) -> Self {
        Self { table_target_size: bytes, ..self }
    }

    /// Accepted, without effect: levels have the sizes that they would have in a full tree.
    #[must_use]
    pub fn with_dynamic_level_bytes(self, _enabled: bool) -> Self {
        self
    }

    /// Whether level 0 is merged with level 1 into level 2, where both are full.
    #[must_use]
    pub fn with_multi_level(self, enabled: bool) -> Self {
        Self { multi_level: enabled, ..self }
    }

    /// Bytes that a level from 1 on may have.
    fn budget(&self, level: usize) -> f64 {
        let base = self.table_target_size as f64 * f64::from(self.l0_threshold);
        let ratio = |above: usize| self.level_ratios.get(above).or(self.level_ratios.last()).copied().unwrap_or(10.0);
        (1..level).fold(base, |bytes, above| bytes * f64::from(ratio(above - 1)))
    }

    /// The fullest level that is due.
    fn fullest(&self, look: &Look<'_>) -> Option<usize> {
        let last = look.levels.len() - 1;
        let score = |index: usize| match index {
            0 => look.levels[0].tables().count() as f64 / f64::from(self.l0_threshold.max(1)),
            _ if !look.levels[index].is_empty() && look.levels[index + 1].is_empty() => f64::MAX,
            _ => look.levels[index].bytes() as f64 / self.budget(index),
        };
        let scores = (0..last).map(|index| (score(index), index)).filter(|(score, _)| *score >= 1.0);
        scores.max_by(|a, b| a.0.total_cmp(&b.0).then(b.1.cmp(&a.1))).map(|(_, index)| index)
    }

    fn relieve(&self, look: &Look<'_>, index: usize) -> Choice {
        let chosen: Vec<&Table> = match index {
            0 => look.levels[0].tables().collect(),
            _ => look.cheapest(index).into_iter().collect(),
        };
        let is_full = |index: usize| look.levels[index].bytes() as f64 >= self.budget(index);
        if index == 0 && self.multi_level && look.levels.len() > 3 && is_full(1) {
            let both: Vec<&Table> = chosen.into_iter().chain(look.levels[1].tables()).collect();
            let met = look.met(&both, 2);
            return Choice::merging(both.into_iter().chain(met).map(Table::id), 2, self.table_target_size);
        }
        let met = look.met(&chosen, index + 1);
        let is_one_run = index > 0 || look.levels[0].len() == 1;
        match met.is_empty() && is_one_run {
            true => Choice::moving(chosen.into_iter().map(Table::id), index + 1),
            false => Choice::merging(chosen.into_iter().chain(met).map(Table::id), index + 1, self.table_target_size),
        }
    }
}

impl CompactionStrategy for Leveled {
    fn get_name(&self) -> &'static str {
        LEVELED_COMPACTION_NAME
    }

    fn choose(&self, version: &Version, config: &Config, _state: &CompactionState) -> Choice {
        let levels: Vec<&Level> = (0..config.level_count.into()).filter_map(|index| version.level(index)).collect();
        let look = Look { levels, order: key_order(&config.comparator) };
        let Some(last) = look.levels.len().checked_sub(1).filter(|last| *last > 0) else { return Choice::DoNothing };
        let level0: Vec<&Table> = look.levels[0].tables().collect();
        let ids = || level0.iter().map(|table| table.id());
        let has_middle = look.levels[1..last].iter().any(|level| !level.is_empty());
        match look.levels[0].len() {
            1 if !has_middle && look.met(&level0, last).is_empty() => Choice::moving(ids(), last),
            1 if !look.levels[1].is_empty() && look.met(&level0, 1).is_empty() => Choice::moving(ids(), 1),
            2.. if level0.len() < self.l0_threshold.into() => Choice::merging(ids(), 0, self.table_target_size),
            _ => self.fullest(&look).map_or(Choice::DoNothing, |index| self.relieve(&look, index)),
        }
    }
}

impl<'a> Look<'a> {
    /// The tables of a level that have keys within those of the chosen ones, gaps included.
    fn met(&self, chosen: &[&Table], level: usize) -> Vec<&'a Table> {
        let ranges = chosen.iter().map(|table| table.metadata.key_range.0.clone());
        let Some(range) = ranges.reduce(|a, b| a.union(b, &self.order)) else { return Vec::new() };
        self.levels[level].tables().filter(|table| table.metadata.key_range.0.overlaps(&range, &self.order)).collect()
    }

    /// The table of a level that meets the least of the next for its own size.
    fn cheapest(&self, level: usize) -> Option<&'a Table> {
        let cost = |table: &&'a Table| {
            let met: u64 = self.met(&[*table], level + 1).iter().map(|met| met.metadata.file_size).sum();
            met as f64 / table.metadata.file_size.max(1) as f64
        };
        self.levels[level].tables().min_by(|a, b| cost(a).total_cmp(&cost(b)))
    }
}
