//! A walk over the visible rows of a range, from both ends at once.
//!
//! Each end has its own stack of cursors, made when that end is first asked, over the same pinned super-version; the ends stop
//! where they meet. Runs and tables outside the range are never touched.

use crate::{
    cursor::{Backward, Bounds, Forward, Merging, RunCursor, Source},
    super_version::{Obsolete, SuperVersion},
};
use sediment_base::{KeyOrder, Result, SeqNo, Slice, stats::Histogram};
use std::{fmt, ops::Bound, sync::Arc};

/// The visible rows of a range, in key order, from both ends at once. It keeps what it reads alive, the tree itself need not
/// live. After an error it is at its end for ever.
pub struct Scan {
    order: KeyOrder,
    read_seqno: SeqNo,
    bounds: Bounds,
    front: Option<Forward<Merging<Source>>>,
    back: Option<Backward<Merging<Source>>>,
    last_front: Option<Slice>,
    last_back: Option<Slice>,
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
    pub(crate) fn new(pinned: Arc<SuperVersion>, order: KeyOrder, read_seqno: SeqNo, bounds: Bounds) -> Self {
        let state = match pinned.check_history(read_seqno) {
            Err(error) => State::Failed(error),
            Ok(()) if is_empty(&bounds, &order) => State::Ended,
            Ok(()) => State::Walking { pinned },
        };
        Self { order, read_seqno, bounds, front: None, back: None, last_front: None, last_back: None, rows: 0, state }
    }

    fn step_front(&mut self) -> Result<Option<(Slice, Slice)>> {
        let State::Walking { pinned } = &self.state else { return Ok(None) };
        if self.front.is_none() {
            let merging = merge(pinned, &self.order, &self.bounds);
            self.front = Some(Forward::new(merging, self.order.clone(), self.read_seqno, self.bounds.clone()));
        }
        let Some(pair) = self.front.as_mut().expect("made above").next()? else { return Ok(None) };
        if self.last_back.as_ref().is_some_and(|last| self.order.compare(&pair.0, last).is_ge()) {
            return Ok(None);
        }
        self.last_front = Some(pair.0.clone());
        Ok(Some(pair))
    }

    fn step_back(&mut self) -> Result<Option<(Slice, Slice)>> {
        let State::Walking { pinned } = &self.state else { return Ok(None) };
        if self.back.is_none() {
            let merging = merge(pinned, &self.order, &self.bounds);
            self.back = Some(Backward::new(merging, self.order.clone(), self.read_seqno, self.bounds.clone()));
        }
        let Some(pair) = self.back.as_mut().expect("made above").next()? else { return Ok(None) };
        if self.last_front.as_ref().is_some_and(|last| self.order.compare(&pair.0, last).is_le()) {
            return Ok(None);
        }
        self.last_back = Some(pair.0.clone());
        Ok(Some(pair))
    }

    fn give(&mut self, step: impl FnOnce(&mut Self) -> Result<Option<(Slice, Slice)>>) -> Option<Result<(Slice, Slice)>> {
        if let State::Failed(error) = &self.state {
            let error = error.clone();
            self.end();
            return Some(Err(error));
        }
        let given = step(self).transpose();
        match given {
            Some(Ok(_)) => self.rows += 1,
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
            obsolete.sweep();
        }
    }
}

impl Iterator for Scan {
    type Item = Result<(Slice, Slice)>;

    fn next(&mut self) -> Option<Self::Item> {
        self.give(Self::step_front)
    }
}

impl DoubleEndedIterator for Scan {
    fn next_back(&mut self) -> Option<Self::Item> {
        self.give(Self::step_back)
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

/// All that could hold a row of the range, newest first.
fn merge(pinned: &SuperVersion, order: &KeyOrder, bounds: &Bounds) -> Merging<Source> {
    let mut sources: Vec<Source> = Vec::new();
    let memtables = pinned.memtables().filter(|memtable| !memtable.is_empty());
    sources.extend(memtables.map(|memtable| Source::Memtable(memtable.cursor())));
    let (lower, upper) = (bounds.0.as_ref().map(Slice::as_bytes), bounds.1.as_ref().map(Slice::as_bytes));
    for run in pinned.version.runs() {
        let tables = run.overlapping_bounds(lower, upper, order);
        if !tables.is_empty() {
            sources.push(Source::Run(RunCursor::new(Arc::clone(run), tables, order.clone())));
        }
    }
    Merging::new(sources, order.clone())
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
