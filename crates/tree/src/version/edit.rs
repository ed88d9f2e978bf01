//! `Edit`: a change to the set of live files, and its application.
//!
//! An edit removes first and adds then, so that a table may change its level under its own id. What an edit does not mention
//! stays. A snapshot is the edit that makes the whole from nothing.

use super::{
    History, Identity, Version,
    home::TableHome,
    level::Level,
    register::{Placed, Register},
    table_file::TableFile,
};
use sediment_base::{Error, Result, SeqNo, TableId, limits, seqno::SEQNO_MAX};
use sediment_table::TableMeta;
use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

/// A change to a version.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Edit {
    /// Said once, by the snapshot that begins a manifest.
    pub(crate) identity: Option<Identity>,
    /// Tables that the version no longer has here.
    pub(crate) removed: Vec<TableId>,
    /// Tables whose runs of removed keys hold no more. They are there before the edit.
    pub(crate) outdated_runs: Vec<TableId>,
    /// Tables that it has now.
    pub(crate) added: Vec<AddedTable>,
    /// How far the caller's log is contained in tables.
    pub(crate) mark: Option<SeqNo>,
    /// How far it is contained in tables of all that it is the log of.
    pub(crate) covered: Option<SeqNo>,
    /// How far back reads are exact.
    pub(crate) history: Option<History>,
    /// The highest seqno ever flushed: rewrites may zero the seqnos of rows.
    pub(crate) highest_seqno: Option<SeqNo>,
    /// Name of the merge operator, once operands may have been written.
    pub(crate) operator: Option<String>,
    /// No id from here on was ever given.
    pub(crate) next_table: Option<TableId>,
}

/// A table and its place.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct AddedTable {
    pub(crate) level: usize,
    /// Tables of level 0 with the same number came from one flush; 0 below.
    pub(crate) run: TableId,
    pub(crate) meta: TableMeta,
    /// Bytes of the tables of which its range tombstones hid every row when it was made: what rewriting it with them frees.
    pub(crate) hides_bytes: u64,
}

/// A version in the making. Edits are applied to it one by one, and the version is built once: what they leave as it is, it shares with the
/// version that it began with.
#[derive(Debug)]
pub(crate) struct VersionBuilder<'a> {
    home: &'a Arc<TableHome>,
    /// The levels that it began with.
    levels: Vec<Level>,
    register: Register,
    /// Tables of these levels that are no longer where they were.
    gone: Vec<Placed>,
    /// Tables that are not in these levels, or elsewhere.
    come: BTreeMap<TableId, Placed>,
    identity: Option<Identity>,
    mark: Option<SeqNo>,
    covered: Option<SeqNo>,
    history: History,
    highest_seqno: Option<SeqNo>,
    operator: Option<String>,
}

impl<'a> VersionBuilder<'a> {
    /// Begins with nothing.
    pub(crate) fn empty(home: &'a Arc<TableHome>) -> Self {
        Self {
            home,
            levels: vec![Level::default(); limits::LEVELS_MAX],
            register: Register::default(),
            gone: Vec::new(),
            come: BTreeMap::new(),
            identity: None,
            mark: None,
            covered: None,
            history: History::default(),
            highest_seqno: None,
            operator: None,
        }
    }

    /// Begins with a version.
    pub(crate) fn from_version(home: &'a Arc<TableHome>, version: &Version) -> Self {
        let mut builder = Self::empty(home);
        builder.identity = Some(version.identity.clone());
        builder.mark = version.mark;
        builder.covered = version.covered;
        builder.history = version.history;
        builder.highest_seqno = version.highest_seqno;
        builder.operator = version.operator.clone();
        builder.levels.clone_from(&version.levels);
        builder.register = version.register.clone();
        builder
    }

    /// Applies an edit.
    pub(crate) fn apply(&mut self, edit: Edit) -> Result<()> {
        for id in edit.outdated_runs {
            let Some(placed) = self.register.get(id) else {
                return Err(Error::corruption(format!("an edit speaks of table {id}, which is not there")));
            };
            placed.file.outdate_removed();
        }
        let mut leaving = HashMap::new();
        for id in edit.removed {
            let Some(placed) = self.register.remove(id) else {
                return Err(Error::corruption(format!("an edit removes table {id}, which is not there")));
            };
            leaving.insert(id, Arc::clone(&placed.file));
            if self.come.remove(&id).is_none() {
                self.gone.push(placed);
            }
        }
        for added in edit.added {
            self.add(added, &mut leaving)?;
        }
        if let Some(next) = edit.next_table {
            check_id(next)?;
            self.home.raise_next_id(next);
        }
        if let Some(identity) = edit.identity
            && *self.identity.get_or_insert_with(|| identity.clone()) != identity
        {
            return Err(Error::corruption("an edit says that this is another tree"));
        }
        if let Some(operator) = edit.operator
            && *self.operator.get_or_insert_with(|| operator.clone()) != operator
        {
            return Err(Error::corruption("an edit says that this tree has another merge operator"));
        }
        check_seqno(edit.mark.max(edit.covered).max(edit.highest_seqno))?;
        self.mark = edit.mark.max(self.mark);
        self.covered = edit.covered.max(self.covered);
        self.highest_seqno = edit.highest_seqno.max(self.highest_seqno);
        if let Some(history) = edit.history {
            if history.oldest > history.floor {
                let error = Error::corruption("history is said to be exact below where it begins");
                return Err(error.expected_found(format!("at most {}", history.floor), history.oldest));
            }
            self.history = self.history.raised(history);
        }
        Ok(())
    }

    /// The version.
    pub(crate) fn build(self) -> Result<Version> {
        let identity = self.identity.ok_or_else(|| Error::corruption("a manifest does not say which tree it is of"))?;
        let order = &self.home.context.order;
        let mut levels = self.levels;
        let mut changes: BTreeMap<usize, (Vec<_>, Vec<_>)> = BTreeMap::new();
        self.gone.into_iter().for_each(|placed| changes.entry(placed.level).or_default().0.push(placed.file));
        self.come.into_values().for_each(|placed| changes.entry(placed.level).or_default().1.push(placed.file));
        for (index, (gone, come)) in changes {
            levels[index] = levels[index].changed(index, &gone, come, order)?;
        }
        if self.history.floor > self.highest_seqno.map_or(0, |highest| highest.saturating_add(1)) {
            let error = Error::corruption("history is said to begin above every row that there ever was");
            return Err(error.expected_found(format!("{:?} at most", self.highest_seqno), self.history.floor));
        }
        let Self { register, mark, covered, history, highest_seqno, operator, .. } = self;
        let runs = levels.iter().flat_map(|level| &level.runs).cloned().collect();
        Ok(Version { identity, levels, runs, register, mark, covered, history, highest_seqno, operator })
    }

    fn add(&mut self, added: AddedTable, leaving: &mut HashMap<TableId, Arc<TableFile>>) -> Result<()> {
        let AddedTable { level, run, meta, hides_bytes } = added;
        let (id, keys) = (meta.id, &meta.range);
        check_id(id)?;
        check_seqno(Some(meta.newest_seqno().max(meta.removed.seqno)))?;
        self.highest_seqno = self.highest_seqno.max(Some(meta.newest_seqno()));
        if level >= limits::LEVELS_MAX {
            return Err(Error::corruption(format!("table {id} lies in level {level}")));
        }
        let is_bounded = meta.ranges.count > 0 || !(keys.min.is_empty() || keys.max.is_empty() || keys.is_open);
        let ascends = meta.min_seqno <= meta.max_seqno && meta.ranges.min_seqno <= meta.ranges.max_seqno;
        if !is_bounded || !ascends || keys.is_empty(&self.home.context.order) {
            return Err(Error::corruption(format!("bounds of table {id} are the wrong way round")));
        }
        let file = match leaving.remove(&id) {
            Some(file) if is_same_file(&file.meta, &meta) && (level > 0 || file.run == run) => {
                if meta.removed.count == 0 {
                    file.outdate_removed();
                }
                file
            }
            _ => TableFile::new(self.home, run, meta, hides_bytes),
        };
        file.move_to(level);
        let placed = Placed { level, file };
        if !self.register.insert(placed.clone()) {
            return Err(Error::corruption(format!("an edit adds table {id} twice")));
        }
        self.come.insert(id, placed);
        Ok(())
    }
}

/// Whether both are of one file, whose runs of removed keys may hold no more by one of them.
fn is_same_file(meta: &TableMeta, other: &TableMeta) -> bool {
    let other = TableMeta { removed: meta.removed, ..other.clone() };
    *meta == other
}

fn check_id(id: TableId) -> Result<()> {
    if id.0 < limits::ID_END { Ok(()) } else { Err(Error::corruption(format!("{id} is no table's id"))) }
}

/// The bit above is not a seqno's, and who counts on from one needs room.
fn check_seqno(seqno: Option<SeqNo>) -> Result<()> {
    if seqno < Some(SEQNO_MAX) { Ok(()) } else { Err(Error::corruption(format!("{seqno:?} is no row's seqno"))) }
}
