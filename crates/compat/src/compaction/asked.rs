//! `Asked`: a strategy of the interface, asked by the tree.

use super::{Choice, CompactionState, CompactionStrategy, Input};
use crate::{
    config::Config,
    version::{Table, Version},
};
use sediment_base::TableId;
use sediment_tree::{Backlog, Plan, Strategy, TreeView};
use std::{fmt, sync::OnceLock};

/// A strategy, asked once.
pub(crate) struct Asked<'a> {
    strategy: &'a dyn CompactionStrategy,
    config: &'a Config,
    chosen: OnceLock<Choice>,
}

impl<'a> Asked<'a> {
    /// To ask `strategy`.
    pub(crate) fn new(strategy: &'a dyn CompactionStrategy, config: &'a Config) -> Self {
        Self { strategy, config, chosen: OnceLock::new() }
    }

    /// What it wanted, if it was asked.
    pub(crate) fn chosen(self) -> Choice {
        self.chosen.into_inner().unwrap_or(Choice::DoNothing)
    }
}

impl fmt::Debug for Asked<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Asked").field(&self.strategy.get_name()).finish()
    }
}

impl Strategy for Asked<'_> {
    fn name(&self) -> &str {
        self.strategy.get_name()
    }

    fn pick(&self, tree: &TreeView<'_>) -> Option<Plan> {
        let levels = (0..tree.levels())
            .map(|level| tree.runs(level).map(|run| run.map(Table::planned).collect::<Vec<_>>()).collect::<Vec<_>>());
        let version = Version::new(levels.collect());
        let all = (0..tree.levels()).flat_map(|level| tree.tables(level));
        let busy = all.filter(|table| tree.is_busy(table)).map(|table| table.id.0).collect();
        let state = CompactionState { busy, now_us: tree.now_us() };
        let choice = self.chosen.get_or_init(|| self.strategy.choose(&version, self.config, &state));
        match choice {
            Choice::DoNothing => None,
            Choice::Move(input) => tree.relocate(tables(input), input.dest_level.into()),
            Choice::Merge(input) => {
                let plan = tree.rewrite(tables(input), input.dest_level.into())?;
                Some(plan.with_table_bytes(input.target_size))
            }
            Choice::Drop(ids) => tree.drop_tables(ids.iter().copied().map(TableId)),
        }
    }

    fn scores(&self, _tree: &TreeView<'_>) -> Vec<f64> {
        Vec::new()
    }

    fn backlog(&self, _tree: &TreeView<'_>) -> Backlog {
        Backlog::default()
    }
}

fn tables(input: &Input) -> impl Iterator<Item = TableId> + '_ {
    input.table_ids.iter().copied().map(TableId)
}
