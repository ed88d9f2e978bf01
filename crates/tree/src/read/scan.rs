//! A walk over the visible rows of a range, from both ends at once.
//!
//! Each end has its own stack of cursors, made when that end is first asked, over the same pinned super-version; the ends stop
//! where they meet. Runs and tables outside the range are never touched.

use crate::{
    cursor::{Backward, Bounds, Cover, Fold, Forward, Merging, RunCursor, Source, View},
    options::TreeOptions,
    super_version::{Obsolete, SuperVersion},
};
use sediment_base::{KeyOrder, MergeOperator, RangeTombstones, Result, SeqNo, Slice, stats::Histogram};
use std::{fmt, ops::Bound, sync::Arc};

/// The visible rows of a range, in key order, from both ends at once. It keeps what it reads alive, the tree itself need not
/// live. After an error it is at its end for ever.
pub struct Scan {
    order: KeyOrder,
    merge_operator: Option<Arc<dyn MergeOperator>>,
    read_seqno: SeqNo,
    bounds: Bounds,
    /// Each stands on the row that it gave last.
    front: Option<Box<Forward<Merging<Source>>>>,
    back: Option<Box<Backward<Merging<Source>>>>,
    /// Rows given.
    rows: u64,
    state: State,
}

/// Fields drop in order: the cursors above go first, then what they stand on, then files may be swept.
enum State {
    Walking { pinned: Arc<SuperVersion> },
    Failed(sediment_base::Error),
    Ended,
}

impl Scan {
    /// A scan of what `pinned` holds.
    pub(crate) fn new(pinned: Arc<SuperVersion>, options: &TreeOptions, read_seqno: SeqNo, bounds: Bounds) -> Self {
        let (order, merge_operator) = (options.order.clone(), options.merge_operator.clone());
        let state = match pinned.check_history(read_seqno) {
            Err(error) => State::Failed(error),
            Ok(()) if is_empty(&bounds, &order) => State::Ended,
            Ok(()) => State::Walking { pinned },
        };
        Self { order, merge_operator, read_seqno, bounds, front: None, back: None, rows: 0, state }
    }

    /// The next row, lent until the scan is asked again: nothing is copied but the key. As [`Iterator::next`] in all else.
    #[inline]
    pub fn next_ref(&mut self) -> Result<Option<(&[u8], &[u8])>> {
        let is_given = self.step(Self::step_front)?;
        Ok(self.front.as_ref().filter(|_| is_given).map(|front| (front.key(), front.value())))
    }

    /// The last row not given yet, lent until the scan is asked again. As [`DoubleEndedIterator::next_back`] in all else.
    #[inline]
    pub fn next_back_ref(&mut self) -> Result<Option<(&[u8], &[u8])>> {
        let is_given = self.step(Self::step_back)?;
        Ok(self.back.as_ref().filter(|_| is_given).map(|back| (back.key(), back.value())))
    }

    #[inline]
    fn step_front(&mut self) -> Result<bool> {
        let State::Walking { pinned } = &self.state else { return Ok(false) };
        let front = match &mut self.front {
            Some(front) => front,
            None => {
                let merging = merge(pinned, &self.order, &self.bounds);
                self.front.insert(Box::new(Forward::new(merging, self.view(pinned)?, self.bounds.clone())))
            }
        };
        let is_given = front.next()?;
        Ok(is_given && self.back.as_ref().is_none_or(|back| self.order.compare(front.key(), back.key()).is_lt()))
    }

    #[inline]
    fn step_back(&mut self) -> Result<bool> {
        let State::Walking { pinned } = &self.state else { return Ok(false) };
        let back = match &mut self.back {
            Some(back) => back,
            None => {
                let merging = merge(pinned, &self.order, &self.bounds);
                self.back.insert(Box::new(Backward::new(merging, self.view(pinned)?, self.bounds.clone())))
            }
        };
        let is_given = back.next()?;
        Ok(is_given && self.front.as_ref().is_none_or(|front| self.order.compare(back.key(), front.key()).is_gt()))
    }

    /// Who reads, with the range tombstones that lie in the range.
    fn view(&self, pinned: &SuperVersion) -> Result<View> {
        let sets = ranges(pinned, &self.order, self.read_seqno, &self.bounds)?;
        let cover = Cover::new(sets, self.read_seqno, self.order.clone());
        let fold = Fold::new(self.merge_operator.clone());
        Ok(View { order: self.order.clone(), read_seqno: self.read_seqno, cover, fold })
    }

    /// Takes one step; after the last, or one that failed, the scan is at its end.
    #[inline]
    fn step(&mut self, step: impl FnOnce(&mut Self) -> Result<bool>) -> Result<bool> {
        let given = match &self.state {
            State::Walking { .. } => step(self),
            State::Failed(error) => Err(error.clone()),
            State::Ended => return Ok(false),
        };
        match given {
            Ok(true) => self.rows += 1,
            _ => self.end(),
        }
        given
    }

    /// Lets go of everything, and removes files that only this scan still held.
    fn end(&mut self) {
        (self.front, self.back) = (None, None);
        if let State::Walking { pinned } = std::mem::replace(&mut self.state, State::Ended) {
            let obsolete: Arc<Obsolete> = Arc::clone(&pinned.obsolete);
            drop(pinned);
            obsolete.stats().record(Histogram::ScanRows, self.rows);
            obsolete.reclaim_soon();
        }
    }
}

impl Iterator for Scan {
    type Item = Result<(Slice, Slice)>;

    fn next(&mut self) -> Option<Self::Item> {
        self.next_ref().map(|row| row.map(owned)).transpose()
    }
}

impl DoubleEndedIterator for Scan {
    fn next_back(&mut self) -> Option<Self::Item> {
        self.next_back_ref().map(|row| row.map(owned)).transpose()
    }
}

impl std::iter::FusedIterator for Scan {}

impl fmt::Debug for Scan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Scan").field("read_seqno", &self.read_seqno).field("bounds", &self.bounds).finish_non_exhaustive()
    }
}

impl Drop for Scan {
    fn drop(&mut self) {
        self.end();
    }
}

fn owned((key, value): (&[u8], &[u8])) -> (Slice, Slice) {
    (Slice::new(key), Slice::new(value))
}

/// All that could hold a row of the range, newest first.
fn merge(pinned: &SuperVersion, order: &KeyOrder, bounds: &Bounds) -> Merging<Source> {
    let mut sources: Vec<Source> = Vec::with_capacity(pinned.sealed.len() + 1 + pinned.version.runs.len());
    let memtables = pinned.memtables().filter(|memtable| !memtable.is_empty());
    sources.extend(memtables.map(|memtable| Source::Memtable(memtable.cursor())));
    let (lower, upper) = (bounds.0.as_ref().map(Slice::as_bytes), bounds.1.as_ref().map(Slice::as_bytes));
    for run in pinned.version.runs.iter() {
        let tables = run.overlapping_bounds(lower, upper, order);
        if !tables.is_empty() {
            sources.push(Source::Run(RunCursor::new(Arc::clone(run), tables, order.clone())));
        }
    }
    Merging::new(sources, order.clone())
}

/// The range tombstones of all that could hold one for the range. Opens the tables that have some.
fn ranges(pinned: &SuperVersion, order: &KeyOrder, read_seqno: SeqNo, bounds: &Bounds) -> Result<Vec<Arc<RangeTombstones>>> {
    let mut sets: Vec<_> = pinned.memtables().filter_map(|memtable| memtable.range_tombstones()).collect();
    let (lower, upper) = (bounds.0.as_ref().map(Slice::as_bytes), bounds.1.as_ref().map(Slice::as_bytes));
    for run in pinned.version.runs.iter().filter(|run| run.has_range_tombstones()) {
        let files = &run.tables()[run.overlapping_bounds(lower, upper, order)];
        for file in files.iter().filter(|file| file.meta.ranges.count > 0 && file.meta.ranges.min_seqno < read_seqno) {
            sets.extend(file.open()?.range_tombstones().cloned());
        }
    }
    Ok(sets)
}

/// Whether no key can lie between the bounds, the ends the wrong way round included.
fn is_empty(bounds: &Bounds, order: &KeyOrder) -> bool {
    match (&bounds.0, &bounds.1) {
        (Bound::Included(lower), Bound::Included(upper)) => order.compare(lower, upper).is_gt(),
        (Bound::Included(lower) | Bound::Excluded(lower), Bound::Excluded(upper) | Bound::Included(upper)) => {
            order.compare(lower, upper).is_ge()
        }
        _ => false,
    }
}
