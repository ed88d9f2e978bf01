//! `Change`: what is to be installed, and whether it still can be.
//!
//! A flush or compaction works out its change while others install theirs, and these leave its memtables and tables alone: all but a
//! clear, after which the change is about what is no longer there.

use super::{Sealed, SuperVersion};
use crate::{
    retention::Retention,
    version::{Edit, History},
};
use sediment_base::{SeqNo, TableId};

/// A change of what readers find.
#[derive(Debug)]
pub(crate) struct Change<'a> {
    pub(super) edit: Edit,
    pub(super) memtables: Memtables<'a>,
    /// Whether it brings rows from outside.
    pub(super) is_ingestion: bool,
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

impl<'a> Change<'a> {
    /// These memtables are in tables now.
    pub(crate) fn flush(edit: Edit, flushed: &'a [Sealed], retention: &Retention) -> Self {
        let (memtables, oldest_reader) = (Memtables::Flushed(flushed), Some(retention.oldest_reader()));
        Self { edit, memtables, is_ingestion: false, oldest_reader, stamp: None }
    }

    /// Tables take the place of tables.
    pub(crate) fn compaction(edit: Edit, retention: &Retention) -> Self {
        Self::flush(edit, &[], retention)
    }

    /// With a stamp that the caller has taken. Of two such changes either may be installed first: no read begins above a stamp before
    /// what has taken it is in place.
    pub(crate) fn stamped(self, stamp: Option<SeqNo>) -> Self {
        Self { stamp, ..self }
    }

    /// Rows come from outside.
    pub(crate) fn ingestion(edit: Edit) -> Self {
        let memtables = Memtables::Flushed(&[]);
        Self { edit, memtables, is_ingestion: true, oldest_reader: Some(0), stamp: None }
    }

    /// Nothing is left of what is present. On disk no read is exact that could have seen it: one at or below the stamp, if there is one,
    /// or else below all rows.
    pub(super) fn clear(present: &SuperVersion, retention: &Retention, stamp: Option<SeqNo>) -> Self {
        let highest_seqno = present.highest_seqno().max(stamp);
        let history = highest_seqno.map(|highest| highest.saturating_add(1)).map(|floor| History { oldest: floor, floor });
        let removed = present.version.tables().map(|file| file.meta.id).collect();
        let edit = Edit { removed, history, highest_seqno, ..Edit::default() };
        let oldest_reader = Some(retention.oldest_reader());
        Self { edit, memtables: Memtables::Cleared, is_ingestion: false, oldest_reader, stamp }
    }

    /// All is as it was.
    pub(super) fn nothing() -> Self {
        let (edit, memtables) = (Edit::default(), Memtables::Flushed(&[]));
        Self { edit, memtables, is_ingestion: false, oldest_reader: None, stamp: None }
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
