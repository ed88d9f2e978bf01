//! `Level`: runs of one age class.

use super::{run::Run, table_file::TableFile};
use std::sync::Arc;

/// Runs of one age class, newest first. Level 0 has one per flush; every other level at most one.
#[derive(Clone, Debug, Default)]
pub(crate) struct Level {
    pub(crate) runs: Vec<Arc<Run>>,
}

impl Level {
    /// All its tables, run by run.
    pub(crate) fn tables(&self) -> impl Iterator<Item = &Arc<TableFile>> {
        self.runs.iter().flat_map(|run| run.tables())
    }

    /// Bytes of all its files.
    pub(crate) fn bytes(&self) -> u64 {
        self.runs.iter().map(|run| run.bytes()).sum()
    }

    /// Whether it has no table.
    pub(crate) fn is_empty(&self) -> bool {
        self.runs.is_empty()
    }
}
