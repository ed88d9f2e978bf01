//! `RawRows`: the rows as they lie, old versions, tombstones and operands included.
//!
//! For who reads history itself: what was written since a seqno, or all that is there of one key. What a rewrite has left out is not
//! there.

use crate::{
    cursor::{Leaves, Merging, RunCursor, Source},
    memtable::Memtable,
    super_version::SuperVersion,
    version::{Run, TableFile},
};
use sediment_base::{
    Cursor, InternalKey, KeyOrder, Kind, RangeTombstone, Result, SeqNo, Slice,
    range::{is_within_lower, is_within_upper, lent_bounds},
};
use std::{fmt, ops::Bound, sync::Arc};

/// A row as it lies.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RawRow {
    /// The caller's bytes.
    pub key: Slice,
    /// When it was written.
    pub seqno: SeqNo,
    /// What it does to its key.
    pub kind: Kind,
    /// Its value or operand; empty for tombstones.
    pub value: Slice,
}

/// Rows as they lie, in key order, the newest of a key first. After an error it is at its end.
pub struct RawRows {
    merging: Merging<Source>,
    order: KeyOrder,
    bounds: (Bound<Slice>, Bound<Slice>),
    is_begun: bool,
    is_ended: bool,
    /// Keeps the files.
    _pinned: Option<Arc<SuperVersion>>,
}

impl RawRows {
    /// All rows of a range that `pinned` holds.
    pub(crate) fn of_tree(pinned: Arc<SuperVersion>, order: KeyOrder, bounds: (Bound<Slice>, Bound<Slice>)) -> Self {
        let mut sources: Vec<Source> = pinned.memtables().map(|memtable| Source::Memtable(memtable.cursor())).collect();
        let (lower, upper) = lent_bounds(&bounds);
        for run in &pinned.version.runs {
            let tables = run.overlapping_bounds(lower, upper, &order);
            if !tables.is_empty() {
                sources.push(Source::Run(RunCursor::new(Arc::clone(run), tables, order.clone(), Slice::default())));
            }
        }
        Self::new(sources, order, bounds, Some(pinned))
    }

    /// Those of a memtable.
    pub(crate) fn of_memtable(memtable: &Arc<Memtable>, order: KeyOrder) -> Self {
        Self::new(vec![Source::Memtable(memtable.cursor())], order, EVERYTHING, None)
    }

    /// Those of a table.
    pub(crate) fn of_table(pinned: Arc<SuperVersion>, file: Arc<TableFile>, order: KeyOrder) -> Result<Self> {
        let run = Arc::new(Run::new(vec![file], &order)?);
        let cursor = RunCursor::of_all_keys(run, 0..1, order.clone()).leaving(Leaves::Uncached);
        let sources = vec![Source::Run(cursor)];
        Ok(Self::new(sources, order, EVERYTHING, Some(pinned)))
    }

    fn new(
        sources: Vec<Source>,
        order: KeyOrder,
        bounds: (Bound<Slice>, Bound<Slice>),
        pinned: Option<Arc<SuperVersion>>,
    ) -> Self {
        let merging = Merging::new(sources, order.clone());
        Self { merging, order, bounds, is_begun: false, is_ended: false, _pinned: pinned }
    }

    fn step(&mut self) -> Result<Option<RawRow>> {
        let (lower, upper) = lent_bounds(&self.bounds);
        if self.is_begun {
            self.merging.next()?;
        } else {
            self.is_begun = true;
            match lower {
                Bound::Unbounded => self.merging.seek_to_first()?,
                Bound::Included(key) | Bound::Excluded(key) => self.merging.seek(InternalKey::before(key))?,
            }
        }
        while self.merging.is_valid() && !is_within_lower(self.merging.key().user_key, lower, &self.order) {
            self.merging.next()?;
        }
        if !self.merging.is_valid() || !is_within_upper(self.merging.key().user_key, upper, &self.order) {
            return Ok(None);
        }
        let InternalKey { user_key, seqno, kind } = self.merging.key();
        Ok(Some(RawRow { key: user_key.into(), seqno, kind, value: self.merging.value().into() }))
    }
}

impl Iterator for RawRows {
    type Item = Result<RawRow>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.is_ended {
            return None;
        }
        let row = self.step();
        self.is_ended = !matches!(row, Ok(Some(_)));
        row.transpose()
    }
}

impl fmt::Debug for RawRows {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RawRows").field("bounds", &self.bounds).finish_non_exhaustive()
    }
}

/// The range tombstones of all that `pinned` holds, each once, by seqno.
pub(crate) fn range_tombstones(pinned: &SuperVersion) -> Result<Vec<RangeTombstone>> {
    let mut all: Vec<RangeTombstone> = pinned.memtables().flat_map(|memtable| memtable.range_tombstone_list()).collect();
    for file in pinned.version.tables() {
        all.extend(file.range_tombstones()?);
    }
    all.sort_by(|a, b| (a.seqno, &a.start, &a.end).cmp(&(b.seqno, &b.start, &b.end)));
    all.dedup();
    Ok(all)
}

const EVERYTHING: (Bound<Slice>, Bound<Slice>) = (Bound::Unbounded, Bound::Unbounded);
