//! `EccHeal`: rewrites tables that parity has mended.

use super::{Choice, CompactionState, CompactionStrategy};
use crate::{config::Config, heal_hints::HealHints, version::Version};
use std::sync::Arc;

/// Rewrites, in its level, one table that was recorded.
#[derive(Clone, Debug)]
pub struct EccHeal {
    hints: Arc<HealHints>,
    target_size: u64,
}

impl EccHeal {
    /// Of these tables, into tables of this size.
    pub fn new(hints: Arc<HealHints>, target_size: u64) -> Self {
        Self { hints, target_size }
    }
}

impl CompactionStrategy for EccHeal {
    fn get_name(&self) -> &'static str {
        "EccHealCompaction"
    }

    fn choose(&self, version: &Version, config: &Config, _state: &CompactionState) -> Choice {
        let Some(hint) = self.hints.pop() else { return Choice::DoNothing };
        let has_it = |level: &u8| {
            version.level((*level).into()).is_some_and(|level| level.tables().any(|table| table.id() == hint.table_id()))
        };
        match (0..config.level_count).find(has_it) {
            Some(level) => Choice::merging([hint.table_id()], level.into(), self.target_size),
            None => Choice::DoNothing,
        }
    }
}
