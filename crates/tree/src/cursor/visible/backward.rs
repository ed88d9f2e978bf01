//! The visible rows of a range in descending order.

use super::{Bounds, STEPS_MAX, Seen, View, as_bytes, next_in_segment, oldest_of, seen, take_in_at_cursor};
use crate::cursor::Segmented;
use sediment_base::{InternalKey, Kind, Result, RowFlags, SeqNo, Slice, range, seqno::is_visible};
use sediment_table::Segment;
use std::ops::Bound;

/// The visible rows of a range in descending order, lent one after the other.
pub(crate) struct Backward<C> {
    cursor: C,
    view: View,
    bounds: Bounds,
    is_started: bool,
    /// The key whose rows are being walked.
    group: Vec<u8>,
    /// Value of the newest visible row of that key so far: the cursor has gone on.
    value: Vec<u8>,
    segment: Segment,
    /// Whether the row given last is in the segment; the cursor then stands on the first row of it.
    is_in_segment: bool,
    /// Whether the row given last is the cursor's, the only one of its key.
    is_on_cursor: bool,
}

/// What the newest visible row of a group is.
type Newest = Option<(Kind, RowFlags)>;

impl<C: Segmented> Backward<C> {
    /// After the last row. `cursor` stands anywhere.
    pub(crate) fn new(cursor: C, view: View, bounds: Bounds) -> Self {
        Self {
            cursor,
            view,
            bounds,
            is_started: false,
            group: Vec::new(),
            value: Vec::new(),
            segment: Segment::default(),
            is_in_segment: false,
            is_on_cursor: false,
        }
    }

    /// What it walks over.
    pub(crate) fn cursor(&self) -> &C {
        &self.cursor
    }

    /// Begins again at another upper bound: after the last row below it.
    pub(crate) fn restart(&mut self, upper: Bound<Slice>) {
        self.bounds.1 = upper;
        (self.is_started, self.is_in_segment, self.is_on_cursor) = (false, false, false);
    }

    /// Stands on the next row towards the front; false at the end.
    #[inline]
    pub(crate) fn next(&mut self) -> Result<bool> {
        self.view.fold.forget();
        if self.is_in_segment && self.next_in_segment()? { Ok(true) } else { self.next_by_cursor() }
    }

    /// The user key of the row. It has to stand on one.
    #[inline]
    pub(crate) fn key(&self) -> &[u8] {
        if self.is_in_segment {
            self.segment.key()
        } else if self.is_on_cursor {
            self.cursor.key().user_key
        } else {
            &self.group
        }
    }

    /// The value of the row. It has to stand on one.
    #[inline]
    pub(crate) fn value(&self) -> &[u8] {
        if self.view.fold.is_done() {
            self.view.fold.value()
        } else if self.is_in_segment {
            self.segment.value()
        } else if self.is_on_cursor {
            self.cursor.value()
        } else {
            &self.value
        }
    }

    #[inline]
    fn next_in_segment(&mut self) -> Result<bool> {
        next_in_segment(&mut self.segment, &mut self.view, Segment::next_key_back)
    }

    fn next_by_cursor(&mut self) -> Result<bool> {
        if self.view.read_seqno == 0 {
            return Ok(false);
        }
        if !self.is_started {
            self.is_started = true;
            self.start()?;
        }
        loop {
            if std::mem::take(&mut self.is_in_segment) || std::mem::take(&mut self.is_on_cursor) {
                self.cursor.prev()?;
            }
            if !self.cursor.is_valid() || !self.cursor.may_begin_key() {
                return Ok(false);
            }
            let InternalKey { user_key, seqno, kind } = self.cursor.key();
            if !range::is_within_lower(user_key, as_bytes(&self.bounds.0), &self.view.order) {
                return Ok(false);
            }
            self.view.cover.enter(user_key);
            let cover = self.view.cover.seqno();
            if cover > 0 && self.cursor.skip_back_below(cover, self.view.cover.from())? {
                continue;
            }
            if self.enter_segment() {
                if self.next_in_segment()? {
                    return Ok(true);
                }
                continue;
            }
            if kind != Kind::Operand && self.cursor.is_first_of_key() {
                // No other row of the key: it need not be kept while the cursor looks for them.
                self.is_on_cursor = true;
                if self.counts(seqno) && seen(kind, self.cursor.flags())? == Seen::Value {
                    return Ok(true);
                }
                continue;
            }
            self.group.clear();
            self.group.extend_from_slice(self.cursor.key().user_key);
            let Some((kind, flags)) = self.walk_group()? else { continue };
            match seen(kind, flags)? {
                Seen::Value => return Ok(true),
                Seen::Gone => {}
                Seen::Operand => return self.fold().map(|()| true),
            }
        }
    }

    fn start(&mut self) -> Result<()> {
        match &self.bounds.1 {
            Bound::Unbounded => self.cursor.seek_to_last(),
            Bound::Excluded(key) => self.cursor.seek_before(InternalKey::before(key)),
            Bound::Included(key) => {
                self.cursor.seek(oldest_of(key))?;
                if self.cursor.is_valid() && self.cursor.key() == oldest_of(key) {
                    return Ok(());
                }
                self.cursor.seek_before(oldest_of(key))
            }
        }
    }

    /// Takes the rows up to here that come from one source.
    fn enter_segment(&mut self) -> bool {
        let (lower, order) = (as_bytes(&self.bounds.0), &self.view.order);
        let lower = match self.view.cover.from() {
            Some(from) if range::is_within_lower(from, lower, order) => Bound::Included(from),
            _ => lower,
        };
        self.is_in_segment = self.cursor.segment_before(lower, &mut self.segment);
        self.is_in_segment
    }

    /// Folds the group, whose newest visible row is an operand, and leaves the cursor before it.
    #[cold]
    fn fold(&mut self) -> Result<()> {
        self.cursor.seek(InternalKey::seek_to(&self.group, self.view.read_seqno))?;
        self.view.fold.begin();
        take_in_at_cursor(&mut self.cursor, &self.group, &mut self.view)?;
        self.cursor.seek_before(InternalKey::before(&self.group))?;
        self.view.fold.finish(&self.group)
    }

    /// Leaves the cursor before all rows of the group and returns the newest visible one, whose value it keeps.
    fn walk_group(&mut self) -> Result<Newest> {
        let mut newest = None;
        for _ in 0..STEPS_MAX {
            if !self.is_in_group() {
                return Ok(newest);
            }
            if self.counts(self.cursor.key().seqno) {
                newest = self.keep();
            }
            self.cursor.prev()?;
        }
        if self.is_in_group() {
            if is_visible(self.cursor.key().seqno, self.view.read_seqno) {
                self.cursor.seek(InternalKey::seek_to(&self.group, self.view.read_seqno))?;
                newest = if self.counts(self.cursor.key().seqno) { self.keep() } else { None };
            }
            self.cursor.seek_before(InternalKey::before(&self.group))?;
        }
        Ok(newest)
    }

    /// Whether the reader sees a row of this seqno, and no range tombstone hides it.
    #[inline]
    fn counts(&self, seqno: SeqNo) -> bool {
        is_visible(seqno, self.view.read_seqno) && seqno >= self.view.cover.seqno()
    }

    fn is_in_group(&self) -> bool {
        self.cursor.is_valid() && self.cursor.key().user_key == self.group
    }

    fn keep(&mut self) -> Newest {
        self.value.clear();
        self.value.extend_from_slice(self.cursor.value());
        Some((self.cursor.key().kind, self.cursor.flags()))
    }
}
