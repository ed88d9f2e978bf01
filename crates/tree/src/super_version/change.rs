//! `Change`: what is to be installed, and whether it still can be.
//!
//! A flush or compaction works out its change while others install theirs, and these leave its memtables and tables alone: all but a
//! clear, after which the change is about what is no longer there.

use super::{Sealed, SuperVersion};
use crate::{
    retention::Retention,
    version::{Edit, History, TableFile, Version},
};
use sediment_base::{KeyOrder, KeyRange, SeqNo, TableId};
use sediment_table::RemovedCounts;
use std::sync::Arc;

/// A change of what readers find.
#[derive(Debug)]
pub(crate) struct Change<'a> {
    pub(super) edit: Edit,
    pub(super) memtables: Memtables<'a>,
    /// Whether it brings rows from outside.
    pub(super) is_ingestion: bool,
    /// What runs of removed keys say no longer after it.
    pub(super) outdates: Outdates,
    /// How many changes had unsettled runs of removed keys when its own were found, if there are such.
    pub(super) settled_at: Option<u64>,
    /// Nobody reads below; `None` for a change that readers cannot tell, which takes no stamp.
    pub(super) oldest_reader: Option<SeqNo>,
    /// The stamp, if it was taken already.
    pub(super) stamp: Option<SeqNo>,
}

/// What a change does to memtables.
#[derive(Clone, Copy, Debug)]
pub(super) enum Memtables<'a> {
    /// These are in tables now.
    Flushed(&'a [Sealed]),
    /// An empty one takes the place of all.
    Cleared,
}

/// Which runs of removed keys hold no more after a change: what they hide could then be more than is hidden in any case.
#[derive(Clone, Debug)]
pub(super) enum Outdates {
    None,
    /// Those of tables among whose keys rows could have come at or below their seqno: no row that came is below this one.
    ByRowsFrom(SeqNo),
    /// Those of tables that overlap one of these: something is gone that may have hidden rows.
    Within(Vec<KeyRange>),
}

impl<'a> Change<'a> {
    fn new(edit: Edit, memtables: Memtables<'a>, oldest_reader: Option<SeqNo>) -> Self {
        let (is_ingestion, outdates, settled_at, stamp) = (false, Outdates::None, None, None);
        Self { edit, memtables, is_ingestion, outdates, settled_at, oldest_reader, stamp }
    }

    /// These memtables are in tables now.
    pub(crate) fn flush(edit: Edit, flushed: &'a [Sealed], retention: &Retention) -> Self {
        let least = flushed.iter().filter_map(|sealed| sealed.memtable.min_seqno()).min();
        let outdates = least.map_or(Outdates::None, Outdates::ByRowsFrom);
        Self { outdates, ..Self::new(edit, Memtables::Flushed(flushed), Some(retention.oldest_reader())) }
    }

    /// Tables take the place of tables.
    pub(crate) fn compaction(edit: Edit, retention: &Retention) -> Self {
        Self::new(edit, Memtables::Flushed(&[]), Some(retention.oldest_reader()))
    }

    /// Of what lies in these keys something is gone that may have hidden older rows; nothing, if there are none.
    pub(crate) fn uncovering(self, keys: Vec<KeyRange>) -> Self {
        if keys.is_empty() { self } else { Self { outdates: Outdates::Within(keys), ..self } }
    }

    /// Its tables have runs of removed keys that were found when so many changes had unsettled them.
    pub(crate) fn settled_at(self, unsettled: Option<u64>) -> Self {
        Self { settled_at: unsettled, ..self }
    }

    /// With a stamp that the caller has taken. Of two such changes either may be installed first: no read begins above a stamp before
    /// what has taken it is in place.
    pub(crate) fn stamped(self, stamp: Option<SeqNo>) -> Self {
        Self { stamp, ..self }
    }

    /// Rows come from outside, all with this seqno.
    pub(crate) fn ingestion(edit: Edit, seqno: SeqNo) -> Self {
        let outdates = Outdates::ByRowsFrom(seqno);
        Self { is_ingestion: true, outdates, ..Self::new(edit, Memtables::Flushed(&[]), Some(0)) }
    }

    /// Nothing is left of what is present. On disk no read is exact that could have seen it: one at or below the stamp, if there is one,
    /// or else below all rows.
    pub(super) fn clear(present: &SuperVersion, retention: &Retention, stamp: Option<SeqNo>) -> Self {
        let highest_seqno = present.highest_seqno().max(stamp);
        let history = highest_seqno.map(|highest| highest.saturating_add(1)).map(|floor| History { oldest: floor, floor });
        let removed = present.version.tables().map(|file| file.meta.id).collect();
        let edit = Edit { removed, history, highest_seqno, ..Edit::default() };
        Self::new(edit, Memtables::Cleared, Some(retention.oldest_reader())).stamped(stamp)
    }

    /// All is as it was.
    pub(super) fn nothing() -> Self {
        Self::new(Edit::default(), Memtables::Flushed(&[]), None)
    }

    /// Says in the edit which runs of removed keys hold no more: some of tables that are there, or those of its own tables.
    pub(super) fn outdate_runs(&mut self, present: &SuperVersion, order: &KeyOrder) {
        self.edit.outdated_runs = self.outdated_runs(&present.version, order);
        if self.settled_at.is_some_and(|unsettled| unsettled != present.unsettled) {
            self.edit.added.iter_mut().for_each(|added| added.meta.removed = RemovedCounts::default());
        }
    }

    /// Whether more may be found after it in keys where there was nothing, apart from what writers bring.
    pub(super) fn unsettles(&self) -> bool {
        self.is_ingestion || matches!(self.outdates, Outdates::Within(_))
    }

    fn outdated_runs(&self, version: &Version, order: &KeyOrder) -> Vec<TableId> {
        let meets = |file: &TableFile| self.edit.added.iter().any(|added| added.meta.range.overlaps(&file.meta.range, order));
        let is_outdated = |file: &&Arc<TableFile>| match &self.outdates {
            Outdates::None => false,
            Outdates::ByRowsFrom(least) => *least <= file.removed().seqno && meets(file),
            Outdates::Within(ranges) => ranges.iter().any(|keys| keys.overlaps(&file.meta.range, order)),
        };
        let covering = version.runs.iter().filter(|run| run.has_covers()).flat_map(|run| run.tables());
        let stating = covering.filter(|file| file.removed().count > 0 && !self.edit.removed.contains(&file.meta.id));
        stating.filter(is_outdated).map(|file| file.meta.id).collect()
    }

    /// Whether all is still there that it is about.
    pub(super) fn applies_to(&self, present: &SuperVersion) -> bool {
        let flushed = match self.memtables {
            Memtables::Flushed(flushed) => flushed,
            Memtables::Cleared => &[],
        };
        flushed.iter().all(|flushed| present.sealed.iter().any(|sealed| sealed.is(flushed)))
            && self.edit.removed.iter().all(|id| present.version.table(*id).is_some())
    }

    /// Ids that no version has had.
    pub(super) fn new_tables(&self) -> Vec<TableId> {
        self.edit.added.iter().map(|added| added.meta.id).filter(|id| !self.edit.removed.contains(id)).collect()
    }
}
