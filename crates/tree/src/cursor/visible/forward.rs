//! The visible rows of a range in ascending order.

use super::{Bounds, STEPS_MAX, Seen, View, as_bytes, next_in_segment, oldest_of, seen, take_in_at_cursor};
use crate::cursor::Segmented;
use sediment_base::{InternalKey, Kind, Result, Slice, range, seqno::is_visible};
use sediment_table::Segment;
use std::ops::Bound;

/// The visible rows of a range in ascending order, lent one after the other.
pub(crate) struct Forward<C> {
    cursor: C,
    view: View,
    bounds: Bounds,
    is_started: bool,
    /// The key that is decided; its other rows are skipped.
    decided: Option<Vec<u8>>,
    /// Whether the cursor stands on a row of the key that was decided last.
    is_on_decided: bool,
    /// Whether that row is the last of its key, which then is not in `decided`.
    is_last_of_decided: bool,
    segment: Segment,
    /// Whether the row given last is in the segment; the cursor then stands on the last row of it.
    is_in_segment: bool,
}

impl<C: Segmented> Forward<C> {
    /// Before the first row. `cursor` stands anywhere.
    pub(crate) fn new(cursor: C, view: View, bounds: Bounds) -> Self {
        Self {
            cursor,
            view,
            bounds,
            is_started: false,
            decided: None,
            is_on_decided: false,
            is_last_of_decided: false,
            segment: Segment::default(),
            is_in_segment: false,
        }
    }

    /// What it walks over.
    pub(crate) fn cursor(&self) -> &C {
        &self.cursor
    }

    /// Begins again at another lower bound: before the first row above it.
    pub(crate) fn restart(&mut self, lower: Bound<Slice>) {
        self.bounds.0 = lower;
        self.decided = None;
        (self.is_started, self.is_in_segment) = (false, false);
        (self.is_on_decided, self.is_last_of_decided) = (false, false);
    }

    /// Stands on the next row; false at the end.
    #[inline]
    pub(crate) fn next(&mut self) -> Result<bool> {
        self.view.fold.forget();
        if self.is_in_segment && self.next_in_segment()? { Ok(true) } else { self.next_by_cursor() }
    }

    /// The user key of the row. It has to stand on one.
    #[inline]
    pub(crate) fn key(&self) -> &[u8] {
        match &self.decided {
            _ if self.is_in_segment => self.segment.key(),
            // Folding has moved the cursor on.
            Some(decided) if self.view.fold.is_done() => decided,
            _ => self.cursor.key().user_key,
        }
    }

    /// The value of the row. It has to stand on one.
    #[inline]
    pub(crate) fn value(&self) -> &[u8] {
        if self.view.fold.is_done() {
            self.view.fold.value()
        } else if self.is_in_segment {
            self.segment.value()
        } else {
            self.cursor.value()
        }
    }

    #[inline]
    fn next_in_segment(&mut self) -> Result<bool> {
        next_in_segment(&mut self.segment, &mut self.view, Segment::next_key)
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
            if self.enter_segment() && self.next_in_segment()? {
                return Ok(true);
            }
            if self.is_in_segment {
                self.leave_segment();
            }
            self.skip_decided()?;
            if !self.cursor.is_valid() || !self.cursor.may_begin_key() {
                return Ok(false);
            }
            let InternalKey { user_key, seqno, .. } = self.cursor.key();
            if !range::is_within_upper(user_key, as_bytes(&self.bounds.1), &self.view.order) {
                return Ok(false);
            }
            self.view.cover.enter(user_key);
            let cover = self.view.cover.seqno();
            if cover > 0 && self.cursor.skip_below(cover, self.view.cover.to())? {
                continue;
            }
            if !is_visible(seqno, self.view.read_seqno) && !self.skip_invisible()? {
                continue;
            }
            let InternalKey { seqno, kind, .. } = self.cursor.key();
            self.decide(kind);
            if seqno < cover {
                continue;
            }
            match seen(kind, self.cursor.flags())? {
                Seen::Value => return Ok(true),
                Seen::Gone => {}
                Seen::Operand => return self.fold().map(|()| true),
            }
        }
    }

    fn start(&mut self) -> Result<()> {
        match &self.bounds.0 {
            Bound::Unbounded => self.cursor.seek_to_first(),
            Bound::Included(key) => self.cursor.seek(InternalKey::seek_to(key, self.view.read_seqno)),
            Bound::Excluded(key) => {
                self.decided = Some(key.to_vec());
                self.cursor.seek(oldest_of(key))
            }
        }
    }

    /// The key of the cursor's row, which is of this kind, is decided by that row.
    #[inline]
    fn decide(&mut self, kind: Kind) {
        self.is_on_decided = true;
        // Folding moves the cursor on, and needs the key.
        self.is_last_of_decided = kind != Kind::Operand && self.cursor.is_last_of_key();
        if self.is_last_of_decided {
            return;
        }
        let decided = self.decided.get_or_insert_default();
        decided.clear();
        decided.extend_from_slice(self.cursor.key().user_key);
    }

    /// Takes the rows behind the decided key that come from one source.
    fn enter_segment(&mut self) -> bool {
        if !std::mem::take(&mut self.is_on_decided) {
            return false;
        }
        let (upper, order) = (as_bytes(&self.bounds.1), &self.view.order);
        let upper = match self.view.cover.to() {
            Some(to) if range::is_within_upper(to, upper, order) => Bound::Excluded(to),
            _ => upper,
        };
        let enters = self.cursor.segment_after(upper, &mut self.segment);
        self.is_in_segment |= enters;
        enters
    }

    /// Folds the decided key, on whose newest visible row the cursor stands: an operand.
    #[cold]
    fn fold(&mut self) -> Result<()> {
        let decided = self.decided.as_deref().unwrap_or_default();
        self.view.fold.begin();
        take_in_at_cursor(&mut self.cursor, decided, &mut self.view)?;
        self.is_on_decided = false;
        self.view.fold.finish(decided)
    }

    /// Every key of the segment is decided, and the cursor stands on a row of the last one.
    fn leave_segment(&mut self) {
        self.is_in_segment = false;
        self.decide(self.cursor.key().kind);
        self.is_on_decided = false;
    }

    fn skip_decided(&mut self) -> Result<()> {
        if std::mem::take(&mut self.is_last_of_decided) {
            return self.cursor.next();
        }
        let Some(decided) = &self.decided else { return Ok(()) };
        let mut steps = 0;
        while self.cursor.is_valid() && self.cursor.key().user_key == decided.as_slice() {
            steps += 1;
            if steps == STEPS_MAX {
                self.cursor.seek(oldest_of(decided))?;
            } else {
                self.cursor.next()?;
            }
        }
        Ok(())
    }

    /// Passes versions of one key that are too new, on the first of which the cursor stands; whether it now stands on a visible one of
    /// that key.
    fn skip_invisible(&mut self) -> Result<bool> {
        let user_key = self.cursor.key().user_key.to_vec();
        let mut steps = 0;
        loop {
            steps += 1;
            if steps == STEPS_MAX {
                self.cursor.seek(InternalKey::seek_to(&user_key, self.view.read_seqno))?;
            } else {
                self.cursor.next()?;
            }
            if !self.cursor.is_valid() || self.cursor.key().user_key != user_key {
                return Ok(false);
            }
            if is_visible(self.cursor.key().seqno, self.view.read_seqno) {
                return Ok(true);
            }
        }
    }
}
