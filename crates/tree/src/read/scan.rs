//! A walk over the visible rows of a range, from both ends at once.
//!
//! Each end has its own stack of cursors, made when that end is first asked, over the same pinned super-version; the ends stop
//! where they meet. Runs and tables outside the range are never touched.

use super::reader::Reader;
use crate::{
    cursor::{Backward, Bounds, Forward, Merging, Source},
    super_version::SuperVersion,
};
use sediment_base::{KeyOrder, Result, Slice, stats::Histogram};
use std::{fmt, ops::Bound, sync::Arc};

/// The visible rows of a range, in key order, from both ends at once. It keeps what it reads alive, the tree itself need not
/// live. After an error it is at its end for ever.
pub struct Scan {
    reader: Reader,
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
    pub(crate) fn new(pinned: Arc<SuperVersion>, reader: Reader, bounds: Bounds) -> Self {
        let state = match pinned.check_history(reader.read_seqno) {
            Err(error) => State::Failed(error),
            Ok(()) if is_empty(&bounds, &reader.order) => State::Ended,
            Ok(()) => State::Walking { pinned },
        };
        Self { reader, bounds, front: None, back: None, rows: 0, state }
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

    /// How many rows are left; copies none.
    pub fn count_rows(mut self) -> Result<u64> {
        let mut count = 0;
        while self.next_ref()?.is_some() {
            count += 1;
        }
        Ok(count)
    }

    #[inline]
    fn step_front(&mut self) -> Result<bool> {
        let State::Walking { pinned } = &self.state else { return Ok(false) };
        let front = match &mut self.front {
            Some(front) => front,
            None => {
                pinned.note_seek();
                self.front.insert(self.reader.forward(pinned, &self.bounds)?)
            }
        };
        let is_given = front.next()?;
        Ok(is_given && self.back.as_ref().is_none_or(|back| self.reader.order.compare(front.key(), back.key()).is_lt()))
    }

    #[inline]
    fn step_back(&mut self) -> Result<bool> {
        let State::Walking { pinned } = &self.state else { return Ok(false) };
        let back = match &mut self.back {
            Some(back) => back,
            None => {
                pinned.note_seek();
                self.back.insert(self.reader.backward(pinned, &self.bounds)?)
            }
        };
        let is_given = back.next()?;
        Ok(is_given && self.front.as_ref().is_none_or(|front| self.reader.order.compare(back.key(), front.key()).is_gt()))
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
            pinned.obsolete.stats().record(Histogram::ScanRows, self.rows);
            pinned.let_go();
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
        f.debug_struct("Scan")
            .field("read_seqno", &self.reader.read_seqno)
            .field("bounds", &self.bounds)
            .finish_non_exhaustive()
    }
}

impl Drop for Scan {
    fn drop(&mut self) {
        self.end();
    }
}

/// A copy of a row.
pub(super) fn owned((key, value): (&[u8], &[u8])) -> (Slice, Slice) {
    (Slice::new(key), Slice::new(value))
}

/// Whether no key can lie between the bounds, the ends the wrong way round included.
pub(crate) fn is_empty(bounds: &Bounds, order: &KeyOrder) -> bool {
    match (&bounds.0, &bounds.1) {
        (Bound::Included(lower), Bound::Included(upper)) => order.compare(lower, upper).is_gt(),
        (Bound::Included(lower) | Bound::Excluded(lower), Bound::Excluded(upper) | Bound::Included(upper)) => {
            order.compare(lower, upper).is_ge()
        }
        _ => false,
    }
}
