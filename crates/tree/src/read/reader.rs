//! `Reader`: who walks over a range, and what of it is to be walked over.

use crate::{
    cursor::{Backward, Below, Bounds, Cover, Fold, Forward, Leaves, Merging, RunCursor, Source, View},
    memtable::Memtable,
    options::TreeOptions,
    super_version::SuperVersion,
    version::TableFile,
};
use sediment_base::{
    KeyOrder, RangeTombstones, Result, SeqNo, Slice,
    range::{lent_bounds, shared_by_range},
};
use sediment_table::RemovedCounts;
use std::sync::Arc;

/// What a walk needs to know of its tree and its moment.
pub(crate) struct Reader {
    pub(super) order: KeyOrder,
    pub(super) read_seqno: SeqNo,
    fold: Fold,
    overlaid: Option<Overlaid>,
    leaves: Leaves,
}

/// A memtable that is read with a tree, and the seqno at and above which its rows are hidden.
#[derive(Clone, Debug)]
pub(crate) struct Overlaid {
    pub(crate) memtable: Arc<Memtable>,
    pub(crate) cutoff: SeqNo,
}

impl Reader {
    pub(crate) fn new(options: &TreeOptions, read_seqno: SeqNo) -> Self {
        Self {
            order: options.order.clone(),
            read_seqno,
            fold: Fold::for_reads(options),
            overlaid: None,
            leaves: Leaves::Cached,
        }
    }

    /// Who passes once, and leaves no block behind in the cache.
    pub(crate) fn passing_once(self) -> Self {
        Self { leaves: Leaves::Uncached, ..self }
    }

    /// Who reads the rows of an overlay as well.
    pub(crate) fn with_overlay(self, overlaid: Overlaid) -> Self {
        Self { overlaid: Some(overlaid), ..self }
    }

    /// All that could hold a row of the range, newest first, and what of it is seen. Opens tables that have range tombstones there.
    pub(super) fn begin(&self, pinned: &SuperVersion, bounds: &Bounds) -> Result<(Merging<Source>, View)> {
        let read_seqno = self.overlaid.as_ref().map_or(self.read_seqno, |overlaid| self.read_seqno.max(overlaid.cutoff));
        let cover = self.cover(pinned, bounds)?;
        let fold = self.fold.clone();
        let view = View { order: self.order.clone(), read_seqno, cover, fold };
        Ok((Merging::new(self.sources(pinned, bounds, read_seqno), self.order.clone()), view))
    }

    /// A walk over the range from its lower end.
    pub(super) fn forward(&self, pinned: &SuperVersion, bounds: &Bounds) -> Result<Box<Forward<Merging<Source>>>> {
        let (merging, view) = self.begin(pinned, bounds)?;
        Ok(Box::new(Forward::new(merging, view, bounds.clone())))
    }

    /// A walk over the range from its upper end.
    pub(super) fn backward(&self, pinned: &SuperVersion, bounds: &Bounds) -> Result<Box<Backward<Merging<Source>>>> {
        let (merging, view) = self.begin(pinned, bounds)?;
        Ok(Box::new(Backward::new(merging, view, bounds.clone())))
    }

    /// For a walk that reads at `highest`, what is above the bound of a source is hidden by the source.
    fn sources(&self, pinned: &SuperVersion, bounds: &Bounds, highest: SeqNo) -> Vec<Source> {
        let mut sources: Vec<Source> = Vec::with_capacity(pinned.sealed.len() + 2 + pinned.version.runs.len());
        let hide = |source, read_seqno| {
            if read_seqno < highest { Source::Below(Box::new(Below::new(source, read_seqno))) } else { source }
        };
        let overlay = self.overlaid.as_ref().map(|overlaid| (Source::Memtable(overlaid.memtable.cursor()), overlaid.cutoff));
        sources.extend(overlay.map(|(overlay, cutoff)| hide(overlay, cutoff)));
        let memtables = pinned.memtables().filter(|memtable| !memtable.is_empty());
        sources.extend(memtables.map(|memtable| hide(Source::Memtable(memtable.cursor()), self.read_seqno)));
        let (lower, upper) = lent_bounds(bounds);
        let shared = if self.order.is_lexicographic() { shared_by_range(lower, upper) } else { &[] };
        let shared = Slice::new(shared);
        for run in pinned.version.runs.iter() {
            let tables = run.overlapping_bounds(lower, upper, &self.order);
            if !tables.is_empty() {
                let cursor = RunCursor::new(Arc::clone(run), tables, self.order.clone(), shared.clone());
                sources.push(hide(Source::Run(cursor.leaving(self.leaves)), self.read_seqno));
            }
        }
        sources
    }

    /// What hides many rows at once: range tombstones of all that could hold one for the range, and runs of removed keys, each set with the
    /// bound of its source.
    fn cover(&self, pinned: &SuperVersion, bounds: &Bounds) -> Result<Cover> {
        let mut sets = Vec::new();
        if let Some(Overlaid { memtable, cutoff }) = &self.overlaid {
            sets.extend(memtable.range_tombstones().map(|set| (set, *cutoff)));
        }
        let in_memory = pinned.memtables().filter_map(|memtable| memtable.range_tombstones());
        sets.extend(in_memory.map(|set| (set, self.read_seqno)));
        let (lower, upper) = lent_bounds(bounds);
        let mut noting = Vec::new();
        for run in pinned.version.runs.iter().filter(|run| run.has_covers()) {
            let files = &run.tables()[run.overlapping_bounds(lower, upper, &self.order)];
            let is_seen = |min_seqno| min_seqno < self.read_seqno;
            for file in files.iter().filter(|file| file.meta.ranges.count > 0 && is_seen(file.meta.ranges.min_seqno)) {
                sets.extend(file.open()?.range_tombstones().map(|set| (Arc::clone(set), self.read_seqno)));
            }
            noting.extend(files.iter().filter(|file| file.meta.removed.count > 0));
        }
        let cover = Cover::new(sets, self.order.clone());
        if noting.is_empty() {
            return Ok(cover);
        }
        Ok(cover.with_removed(self.removed(pinned, &noting)?, pinned.obsolete.stats()))
    }

    /// The runs of removed keys of these tables that say something to this reader: it must be above them, and no row in memory below. Such
    /// a row came late, and may be one that shows, or one whose tombstone would be passed over.
    #[cold]
    fn removed(&self, pinned: &SuperVersion, noting: &[&Arc<TableFile>]) -> Result<Vec<(Arc<RangeTombstones>, SeqNo)>> {
        let overlay = self.overlaid.as_ref().map(|overlaid| &overlaid.memtable);
        let least = pinned.memtables().chain(overlay).filter_map(|memtable| memtable.min_seqno()).min();
        let mut sets = Vec::new();
        for file in noting {
            let RemovedCounts { count, seqno } = file.removed();
            if count == 0 || seqno >= self.read_seqno || least.is_some_and(|least| least <= seqno) {
                continue;
            }
            let table = file.open()?;
            if let Some(runs) = table.removed_runs().filter(|_| table.properties().removed_seqno == seqno) {
                // They lie a seqno above the rows, and hide these from who reads right above.
                sets.push((Arc::clone(runs), self.read_seqno.saturating_add(1)));
            }
        }
        Ok(sets)
    }
}
