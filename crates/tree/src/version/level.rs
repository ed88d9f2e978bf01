//! `Level`: runs of one age class.

use super::{run::Run, sublevels::rearrange, table_file::TableFile};
use sediment_base::{KeyOrder, KeyRange, Result};
use std::sync::Arc;

/// Runs of one age class, newest first. Level 0 has one per sublevel; every other level at most one.
#[derive(Clone, Debug, Default)]
pub(crate) struct Level {
    pub(crate) runs: Vec<Arc<Run>>,
}

impl Level {
    /// The level with this number, once some of its tables have gone and others have come; deeper ones that overlap are refused.
    pub(crate) fn changed(
        &self,
        index: usize,
        gone: &[Arc<TableFile>],
        come: Vec<Arc<TableFile>>,
        order: &KeyOrder,
    ) -> Result<Self> {
        if index == 0 {
            return Ok(Self { runs: rearrange(&self.runs, gone, come, order)? });
        }
        let mut run = self.runs.first().cloned().unwrap_or_default();
        let changed = Arc::make_mut(&mut run);
        let mut places: Vec<_> = gone.iter().filter_map(|file| changed.place_of(file, order)).collect();
        places.sort_unstable();
        changed.remove(&places);
        changed.extend(come, order)?;
        Ok(Self { runs: if run.tables().is_empty() { Vec::new() } else { vec![run] } })
    }

    /// The sublevels of level 0 without some of its tables.
    pub(crate) fn without(&self, gone: &[Arc<TableFile>], order: &KeyOrder) -> Vec<Arc<Run>> {
        rearrange(&self.runs, gone, Vec::new(), order).expect("a part of what does not overlap does not overlap")
    }

    /// What must hold of level 0: each table lies directly above one that it overlaps, and is newer than all it overlaps below.
    pub(crate) fn check_sublevels(&self, order: &KeyOrder) {
        for (index, upper) in self.runs.iter().enumerate() {
            for file in upper.tables() {
                let mut below = self.runs[index + 1..].iter().map(|run| run.overlapping(&file.meta.range, order));
                let is_newer = below.clone().flatten().all(|older| older.age() < file.age());
                assert!(is_newer, "table {} lies above one that is newer", file.meta.id);
                assert!(below.next().is_none_or(|older| !older.is_empty()), "table {} hangs in the air", file.meta.id);
            }
        }
    }

    /// All its tables, run by run.
    pub(crate) fn tables(&self) -> impl Iterator<Item = &Arc<TableFile>> {
        self.runs.iter().flat_map(|run| run.tables())
    }

    /// Those that share a key with `range`, or could, run by run.
    pub(crate) fn overlapping(&self, range: &KeyRange, order: &KeyOrder) -> impl Iterator<Item = &Arc<TableFile>> {
        self.runs.iter().flat_map(move |run| run.overlapping(range, order))
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
