//! The visible rows of a range in descending order.

use super::{Bounds, STEPS_MAX, as_bytes, found_value, next_in_segment, oldest_of};
use crate::cursor::Segmented;
use sediment_base::{InternalKey, KeyOrder, Kind, Result, RowFlags, SeqNo, range, seqno::is_visible};
use sediment_table::Segment;
use std::ops::Bound;

/// The visible rows of a range in descending order, lent one after the other.
pub(crate) struct Backward<C> {
    cursor: C,
    order: KeyOrder,
    read_seqno: SeqNo,
    bounds: Bounds,
    is_started: bool,
    /// The key whose rows are being walked.
    group: Vec<u8>,
    /// Value of the newest visible row of that key so far: the cursor has gone on.
    value: Vec<u8>,
    segment: Segment,
    /// Whether the row given last is in the segment; the cursor then stands on the first row of it.
    is_in_segment: bool,
}

/// What the newest visible row of a group is.
type Newest = Option<(Kind, RowFlags)>;

impl<C: Segmented> Backward<C> {
    /// After the last row. `cursor` stands anywhere.
    pub(crate) fn new(cursor: C, order: KeyOrder, read_seqno: SeqNo, bounds: Bounds) -> Self {
        let (segment, is_in_segment) = (Segment::default(), false);
        let (group, value) = (Vec::new(), Vec::new());
        Self { cursor, order, read_seqno, bounds, is_started: false, group, value, segment, is_in_segment }
    }

    /// Stands on the next row towards the front; false at the end.
    #[inline]
    pub(crate) fn next(&mut self) -> Result<bool> {
        if self.is_in_segment && self.next_in_segment()? { Ok(true) } else { self.next_by_cursor() }
    }

    /// The user key of the row. It has to stand on one.
    #[inline]
    pub(crate) fn key(&self) -> &[u8] {
        if self.is_in_segment { self.segment.key() } else { &self.group }
    }

    /// The value of the row. It has to stand on one.
    #[inline]
    pub(crate) fn value(&self) -> &[u8] {
        if self.is_in_segment { self.segment.value() } else { &self.value }
    }

    #[inline]
    fn next_in_segment(&mut self) -> Result<bool> {
        next_in_segment(&mut self.segment, self.read_seqno, Segment::next_key_back)
    }

    fn next_by_cursor(&mut self) -> Result<bool> {
        if self.read_seqno == 0 {
            return Ok(false);
        }
        if !self.is_started {
            self.is_started = true;
            self.start()?;
        }
        loop {
            if std::mem::take(&mut self.is_in_segment) {
                self.cursor.prev()?;
            }
            if !self.cursor.is_valid() || !self.is_within() {
                return Ok(false);
            }
            self.is_in_segment = self.cursor.segment_before(as_bytes(&self.bounds.0), &mut self.segment);
            if self.is_in_segment {
                if self.next_in_segment()? {
                    return Ok(true);
                }
                continue;
            }
            self.group.clear();
            self.group.extend_from_slice(self.cursor.key().user_key);
            let Some((kind, flags)) = self.walk_group()? else { continue };
            if found_value(kind, flags, || ())?.is_some() {
                return Ok(true);
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

    fn is_within(&self) -> bool {
        range::is_within_lower(self.cursor.key().user_key, as_bytes(&self.bounds.0), &self.order)
    }

    /// Leaves the cursor before all rows of the group and returns the newest visible one, whose value it keeps.
    fn walk_group(&mut self) -> Result<Newest> {
        let mut newest = None;
        for _ in 0..STEPS_MAX {
            if !self.is_in_group() {
                return Ok(newest);
            }
            if is_visible(self.cursor.key().seqno, self.read_seqno) {
                newest = self.keep();
            }
            self.cursor.prev()?;
        }
        if self.is_in_group() {
            if is_visible(self.cursor.key().seqno, self.read_seqno) {
                self.cursor.seek(InternalKey::seek_to(&self.group, self.read_seqno))?;
                newest = self.keep();
            }
            self.cursor.seek_before(InternalKey::before(&self.group))?;
        }
        Ok(newest)
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
