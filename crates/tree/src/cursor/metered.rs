//! `Metered`: a cursor that counts, so that a walk over rows that nobody sees comes to an end in time.
//!
//! It counts moves and rows given in segments. When there were as many as were allowed, the walk may begin with no other key, and ends as
//! at the end of the data, but it is known in front of which key. A key is whole before it or behind it, and the first key is always
//! before it, so that a walk in parts gets on.

use super::Segmented;
use sediment_base::{Cursor, InternalKey, Result, RowFlags, SeqNo};
use sediment_table::Segment;
use std::ops::Bound;

/// A cursor that lets a walk go so many steps. One caller at a time.
pub(crate) struct Metered<C> {
    inner: C,
    steps_left: u64,
    /// The key that the walk began with last.
    begun: Vec<u8>,
    is_stopped: bool,
}

impl<C: Segmented> Metered<C> {
    /// Lets a walk over `inner` go so many steps, and to the end of the key where it is then.
    pub(crate) fn new(inner: C, steps: u64) -> Self {
        Self { inner, steps_left: steps, begun: Vec::new(), is_stopped: false }
    }

    /// The user key in front of which the walk ended, if that was for want of steps.
    pub(crate) fn stopped_at(&self) -> Option<&[u8]> {
        self.is_stopped.then(|| self.inner.key().user_key)
    }

    /// How many steps it may still go.
    pub(crate) fn steps_left(&self) -> u64 {
        self.steps_left
    }

    #[inline]
    fn count(&mut self, steps: usize) {
        self.steps_left = self.steps_left.saturating_sub(steps as u64);
    }

    fn segment(&mut self, segment: &mut Segment, give: impl FnOnce(&mut C, &mut Segment) -> bool) -> bool {
        let is_given = self.steps_left > 0 && give(&mut self.inner, segment);
        if is_given {
            self.count(segment.rows());
        }
        is_given
    }
}

impl<C: Segmented> Cursor for Metered<C> {
    #[inline]
    fn is_valid(&self) -> bool {
        self.inner.is_valid()
    }

    #[inline]
    fn key(&self) -> InternalKey<'_> {
        self.inner.key()
    }

    #[inline]
    fn value(&self) -> &[u8] {
        self.inner.value()
    }

    #[inline]
    fn flags(&self) -> RowFlags {
        self.inner.flags()
    }

    fn seek_to_first(&mut self) -> Result<()> {
        self.count(1);
        self.inner.seek_to_first()
    }

    fn seek_to_last(&mut self) -> Result<()> {
        self.count(1);
        self.inner.seek_to_last()
    }

    fn seek(&mut self, target: InternalKey<'_>) -> Result<()> {
        self.count(1);
        self.inner.seek(target)
    }

    fn seek_before(&mut self, target: InternalKey<'_>) -> Result<()> {
        self.count(1);
        self.inner.seek_before(target)
    }

    #[inline]
    fn next(&mut self) -> Result<()> {
        self.count(1);
        self.inner.next()
    }

    #[inline]
    fn prev(&mut self) -> Result<()> {
        self.count(1);
        self.inner.prev()
    }
}

impl<C: Segmented> Segmented for Metered<C> {
    fn may_begin_key(&mut self) -> bool {
        let key = self.inner.key().user_key;
        // No key is empty. Where rows of one are skipped in one source, it may be begun again with those of another.
        self.is_stopped = self.steps_left == 0 && !self.begun.is_empty() && self.begun != key;
        if !self.is_stopped {
            self.begun.clear();
            self.begun.extend_from_slice(key);
        }
        !self.is_stopped
    }

    fn segment_after(&mut self, upper: Bound<&[u8]>, segment: &mut Segment) -> bool {
        self.segment(segment, |inner, segment| inner.segment_after(upper, segment))
    }

    fn segment_before(&mut self, lower: Bound<&[u8]>, segment: &mut Segment) -> bool {
        self.segment(segment, |inner, segment| inner.segment_before(lower, segment))
    }

    fn is_last_of_key(&self) -> bool {
        self.inner.is_last_of_key()
    }

    fn is_first_of_key(&self) -> bool {
        self.inner.is_first_of_key()
    }

    fn skip_below(&mut self, cover: SeqNo, to: Option<&[u8]>) -> Result<bool> {
        self.count(1);
        self.inner.skip_below(cover, to)
    }

    fn skip_back_below(&mut self, cover: SeqNo, from: Option<&[u8]>) -> Result<bool> {
        self.count(1);
        self.inner.skip_back_below(cover, from)
    }
}
