//! What is on disk: levels of runs of tables, the edits that change them, and the manifest that keeps the edits.
//!
//! A [`Version`] is the immutable set of live tables at one moment. Level 0 has a run per sublevel, newest first; every
//! deeper level is one run. Nobody changes a version: an [`Edit`] makes the next one, and `super_version/install.rs` is the only door
//! through which it becomes visible, once its edit is durable.

mod edit;
mod format;
mod home;
mod level;
mod manifest;
mod register;
mod run;
mod sublevels;
mod table_file;

pub(crate) use edit::{AddedTable, Edit, VersionBuilder};
pub(crate) use format::{RecordPlace, decode_edit, open_payload};
pub(crate) use home::{Garbage, TableHome};
pub(crate) use level::Level;
pub(crate) use manifest::{Manifest, ManifestContext, Replayed, read_manifest, read_whole};
pub(crate) use register::Placed;
pub(crate) use run::{Brief, Run};
pub(crate) use sublevels::arrange;
pub(crate) use table_file::TableFile;

use register::Register;
use sediment_base::{Generation, KeyOrder, Result, SeqNo, TableId};
use std::{fmt, sync::Arc};

/// How far a manifest is durable: the anchor that a log may keep of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ManifestPosition {
    /// The generation that `CURRENT` names.
    pub generation: Generation,
    /// Its length up to the end of the last durable record.
    pub length: u64,
}

impl fmt::Display for ManifestPosition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "generation {} with {} bytes", self.generation, self.length)
    }
}

/// What never changes in the life of a tree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Identity {
    /// Name of the order of user keys.
    pub(crate) order: String,
    /// Version of the key hash.
    pub(crate) hash_version: u8,
    /// Its seed.
    pub(crate) hash_seed: u64,
}

/// How far back reads are exact. Rewrites raise it when they drop versions.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct History {
    /// Below, no read is exact: the lowest boundary that the last rewrite knew.
    pub(crate) oldest: SeqNo,
    /// From here on every read is; between the two, only those that were pins all the time.
    pub(crate) floor: SeqNo,
}

impl History {
    /// What is left of both.
    pub(crate) fn raised(self, other: Self) -> Self {
        Self { oldest: self.oldest.max(other.oldest), floor: self.floor.max(other.floor) }
    }
}

/// The live tables of a tree at one moment.
#[derive(Debug)]
pub(crate) struct Version {
    pub(crate) identity: Identity,
    /// Level 0 first; always all of them.
    pub(crate) levels: Vec<Level>,
    /// Those of all levels, the newest first: what a point read walks over.
    pub(crate) runs: Box<[Arc<Run>]>,
    register: Register,
    pub(crate) mark: Option<SeqNo>,
    pub(crate) covered: Option<SeqNo>,
    pub(crate) history: History,
    pub(crate) highest_seqno: Option<SeqNo>,
    /// Name of the merge operator, once operands may have been written.
    pub(crate) operator: Option<String>,
}

impl Version {
    /// The version after an edit.
    pub(crate) fn apply(&self, home: &Arc<TableHome>, edit: Edit) -> Result<Self> {
        let mut builder = VersionBuilder::from_version(home, self);
        builder.apply(edit)?;
        builder.build()
    }

    /// The edit that makes this version from nothing.
    pub(crate) fn snapshot(&self, next_table: TableId) -> Edit {
        let mut added = Vec::new();
        for (level, tables) in self.levels.iter().enumerate() {
            let mut tables: Vec<_> = tables.tables().collect();
            if level == 0 {
                tables.sort_by_key(|file| (file.run, file.meta.id));
            }
            let run = |file: &TableFile| if level == 0 { file.run } else { TableId(0) };
            added.extend(tables.into_iter().map(|file| file.added(level, run(file))));
        }
        Edit {
            identity: Some(self.identity.clone()),
            removed: Vec::new(),
            outdated_runs: Vec::new(),
            added,
            mark: self.mark,
            covered: self.covered,
            history: Some(self.history),
            highest_seqno: self.highest_seqno,
            operator: self.operator.clone(),
            next_table: Some(next_table),
        }
    }

    /// The table of this id, and its level.
    pub(crate) fn table(&self, id: TableId) -> Option<&Placed> {
        self.register.get(id)
    }

    /// All tables, level by level.
    pub(crate) fn tables(&self) -> impl Iterator<Item = &Arc<TableFile>> {
        self.levels.iter().flat_map(Level::tables)
    }

    /// What must hold of every version, beyond what building it has checked.
    pub(crate) fn check(&self, order: &KeyOrder) {
        self.levels[0].check_sublevels(order);
        for (index, level) in self.levels.iter().enumerate().skip(1) {
            assert!(level.runs.len() <= 1, "level {index} has {} runs", level.runs.len());
        }
        assert!(self.runs.iter().all(|run| !run.tables().is_empty()), "a run without tables");
        assert!(self.history.oldest <= self.history.floor, "history is exact below its floor: {:?}", self.history);
        let is_registered = |level: usize, file: &Arc<TableFile>| {
            self.table(file.meta.id).is_some_and(|placed| placed.level == level && Arc::ptr_eq(&placed.file, file))
        };
        for (index, level) in self.levels.iter().enumerate() {
            assert!(level.tables().all(|file| is_registered(index, file)), "a table of level {index} is not registered");
        }
        let highest = self.tables().map(|file| file.meta.newest_seqno()).max();
        assert!(highest <= self.highest_seqno, "a table holds {highest:?}, the tree {:?}", self.highest_seqno);
    }
}

#[cfg(test)]
pub(crate) mod tests;
