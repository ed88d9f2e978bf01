//! `SuperVersion`: everything that a read has to look at.

use super::{earlier::Earlier, filter_probes::FilterProbes, obsolete::Obsolete, toll::Toll};
use crate::{memtable::Memtable, version::Version};
use sediment_base::{Error, ErrorKind, Result, SeqNo};
use std::sync::Arc;

/// Everything that a read has to look at. Whoever holds it keeps its memory and its files.
#[derive(Clone, Debug)]
pub(crate) struct SuperVersion {
    pub(crate) active: Arc<Memtable>,
    /// Newest first; boundaries never ascend.
    pub(crate) sealed: Vec<Sealed>,
    /// The highest boundary among them, 0 if there are none: a row above it goes into the active memtable.
    pub(crate) sealed_through: SeqNo,
    pub(crate) version: Arc<Version>,
    /// Ingestions that it holds, of all since opening.
    pub(crate) ingestions: u64,
    /// Changes since opening after which more may be found than before in keys where there was nothing.
    pub(crate) unsettled: u64,
    /// Reads at or below it are for an earlier one; 0 for the first, and where there is no source of seqnos.
    pub(crate) stamp: SeqNo,
    /// Reads below it are refused.
    pub(super) exact_from: SeqNo,
    pub(crate) earlier: Earlier,
    /// Of all since opening.
    pub(crate) probes: Arc<FilterProbes>,
    pub(crate) toll: Arc<Toll>,
    // Last, so that the tables are let go before the directory may be removed.
    pub(crate) obsolete: Arc<Obsolete>,
}

/// A memtable that waits for its flush. Until that begins it still takes rows at or below its boundary.
#[derive(Clone, Debug)]
pub(crate) struct Sealed {
    pub(crate) memtable: Arc<Memtable>,
    /// Every row of the caller at or below it is in this memtable or in an older place when the flush begins. Rows above it may
    /// be in here as well: their writers had found the memtable active.
    pub(crate) boundary: SeqNo,
}

impl Sealed {
    /// Whether both are the same memtable.
    pub(crate) fn is(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.memtable, &other.memtable)
    }
}

impl SuperVersion {
    /// The first since opening.
    pub(crate) fn first(active: Arc<Memtable>, version: Arc<Version>, obsolete: &Arc<Obsolete>) -> Arc<Self> {
        let first = Self {
            active,
            sealed: Vec::new(),
            sealed_through: 0,
            version,
            ingestions: 0,
            unsettled: 0,
            stamp: 0,
            exact_from: 0,
            earlier: Earlier::default(),
            probes: Arc::default(),
            toll: Arc::default(),
            obsolete: Arc::clone(obsolete),
        };
        first.completed()
    }

    /// With what follows from the rest.
    pub(crate) fn completed(mut self) -> Arc<Self> {
        self.sealed_through = self.sealed.first().map_or(0, |sealed| sealed.boundary);
        self.exact_from = self.version.history.oldest.max(self.stamp.saturating_add(1));
        Arc::new(self)
    }

    /// What it holds on disk, with those of its sealed memtables that are among these, and no others. `None` if there is none of them.
    pub(crate) fn with_these_alone(&self, memtables: &[Arc<Memtable>]) -> Option<Arc<Self>> {
        let is_among = |sealed: &&Sealed| memtables.iter().any(|memtable| Arc::ptr_eq(memtable, &sealed.memtable));
        let mut sealed: Vec<Sealed> = self.sealed.iter().filter(is_among).cloned().collect();
        let active = Arc::clone(&sealed.first()?.memtable);
        sealed.remove(0);
        Some(Self { active, sealed, ..self.clone() }.completed())
    }

    /// The one that a read at this seqno looks at, if it is an earlier one.
    #[cold]
    pub(crate) fn earlier_at(&self, read_seqno: SeqNo) -> Option<&Arc<Self>> {
        self.earlier.at(read_seqno).filter(|_| read_seqno > 0)
    }

    /// All memtables, newest first.
    pub(crate) fn memtables(&self) -> impl Iterator<Item = &Arc<Memtable>> {
        std::iter::once(&self.active).chain(self.sealed.iter().map(|sealed| &sealed.memtable))
    }

    /// Whether it holds all that this later one has of rows below a seqno that was visible in between. A flush or compaction moves rows
    /// about; a new memtable, or ingested tables, have rows that are nowhere else.
    #[inline]
    pub(crate) fn holds_rows_of(&self, later: &Self) -> bool {
        Arc::ptr_eq(&self.active, &later.active) && self.ingestions == later.ingestions
    }

    /// A walk goes to a place.
    #[inline]
    pub(crate) fn note_seek(&self) {
        self.toll.sought(self.obsolete.stats());
    }

    /// The memtable that takes a row of this seqno: the oldest that is due to hold it, unless its flush has begun. Flushing it
    /// then makes everything up to its boundary durable, whenever the rows came.
    #[inline]
    pub(crate) fn memtable_for(&self, seqno: SeqNo) -> &Memtable {
        if seqno > self.sealed_through { &self.active } else { self.late_memtable_for(seqno) }
    }

    #[cold]
    fn late_memtable_for(&self, seqno: SeqNo) -> &Memtable {
        let takes = |sealed: &&Sealed| sealed.boundary >= seqno && !sealed.memtable.is_closed();
        self.sealed.iter().rev().find(takes).map_or(&self.active, |sealed| &sealed.memtable)
    }

    /// The highest seqno in memory or ever flushed.
    pub(crate) fn highest_seqno(&self) -> Option<SeqNo> {
        self.memtables().filter_map(|memtable| memtable.max_seqno()).max().max(self.version.highest_seqno)
    }

    /// Ends a reader's hold, and has files removed that only it still had.
    pub(crate) fn let_go(self: Arc<Self>) {
        let obsolete = Arc::clone(&self.obsolete);
        drop(self);
        obsolete.reclaim_soon();
    }

    /// Refuses a read below everything that rewrites have kept, and one that an earlier super-version would answer which is no longer
    /// kept. Whether a read between the lowest pin and the floor belongs to a pin, only the caller can know.
    #[inline]
    pub(crate) fn check_history(&self, read_seqno: SeqNo) -> Result<()> {
        if read_seqno >= self.exact_from || read_seqno == 0 {
            return Ok(());
        }
        Err(history_gone(read_seqno, self.exact_from))
    }
}

#[cold]
fn history_gone(read_seqno: SeqNo, oldest: SeqNo) -> Error {
    let message = format!("versions below sequence number {oldest} are gone, a read at {read_seqno} asks for them");
    Error::new(ErrorKind::HistoryGone, message)
}
