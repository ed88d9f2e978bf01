//! What a reader at one seqno sees of a cursor over all versions: at most one row per user key.
//!
//! Forward, the versions of a key come newest first: the first visible one decides and the rest is skipped. Backward they come
//! oldest first: the last visible one decides. A long chain of versions is stepped over for a few rows and then jumped by a
//! seek, so that a counter with a million versions costs a walk no more than one with ten.

use sediment_base::{Cursor, Error, InternalKey, KeyOrder, Kind, Result, RowFlags, SeqNo, Slice, range, seqno::is_visible};
use std::ops::Bound;

/// Rows of one key that are stepped over before a seek jumps the rest.
const STEPS_MAX: usize = 8;

/// The ends of a range of user keys.
pub(crate) type Bounds = (Bound<Slice>, Bound<Slice>);

/// The value of the row that decides for its key; `None` if it says that the key is gone.
#[inline]
pub(crate) fn found_value<T>(kind: Kind, flags: RowFlags, value: impl FnOnce() -> T) -> Result<Option<T>> {
    match kind {
        Kind::Value if !flags.contains(RowFlags::BLOB) => Ok(Some(value())),
        Kind::Tombstone | Kind::WeakTombstone => Ok(None),
        Kind::Value => Err(Error::unsupported("a separated value; this version cannot read it")),
        Kind::Operand => Err(Error::unsupported("an operand of a merge operator; this version cannot fold it")),
    }
}

/// The visible rows of a range in ascending order.
pub(crate) struct Forward<C> {
    cursor: C,
    order: KeyOrder,
    read_seqno: SeqNo,
    bounds: Bounds,
    is_started: bool,
    /// The key that is decided; its other rows are skipped.
    decided: Option<Vec<u8>>,
}

impl<C: Cursor> Forward<C> {
    /// Before the first row. `cursor` stands anywhere.
    pub(crate) fn new(cursor: C, order: KeyOrder, read_seqno: SeqNo, bounds: Bounds) -> Self {
        Self { cursor, order, read_seqno, bounds, is_started: false, decided: None }
    }

    /// The next row.
    pub(crate) fn next(&mut self) -> Result<Option<(Slice, Slice)>> {
        if self.read_seqno == 0 {
            return Ok(None);
        }
        if !self.is_started {
            self.is_started = true;
            self.start()?;
        }
        loop {
            self.skip_decided()?;
            if !self.cursor.is_valid() || !self.is_within() {
                return Ok(None);
            }
            if !self.skip_invisible()? {
                continue;
            }
            let key = self.cursor.key();
            let decided = self.decided.get_or_insert_default();
            decided.clear();
            decided.extend_from_slice(key.user_key);
            let pair = || (Slice::new(key.user_key), Slice::new(self.cursor.value()));
            if let Some(pair) = found_value(key.kind, self.cursor.flags(), pair)? {
                return Ok(Some(pair));
            }
        }
    }

    fn start(&mut self) -> Result<()> {
        match &self.bounds.0 {
            Bound::Unbounded => self.cursor.seek_to_first(),
            Bound::Included(key) => self.cursor.seek(InternalKey::seek_to(key, self.read_seqno)),
            Bound::Excluded(key) => {
                self.decided = Some(key.to_vec());
                self.cursor.seek(oldest_of(key))
            }
        }
    }

    fn is_within(&self) -> bool {
        range::is_within_upper(self.cursor.key().user_key, as_bytes(&self.bounds.1), &self.order)
    }

    fn skip_decided(&mut self) -> Result<()> {
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

    /// Passes versions of one key that are too new; whether the cursor now stands on a visible one of that key.
    fn skip_invisible(&mut self) -> Result<bool> {
        if is_visible(self.cursor.key().seqno, self.read_seqno) {
            return Ok(true);
        }
        let user_key = self.cursor.key().user_key.to_vec();
        let mut steps = 0;
        loop {
            steps += 1;
            if steps == STEPS_MAX {
                self.cursor.seek(InternalKey::seek_to(&user_key, self.read_seqno))?;
            } else {
                self.cursor.next()?;
            }
            if !self.cursor.is_valid() || self.cursor.key().user_key != user_key {
                return Ok(false);
            }
            if is_visible(self.cursor.key().seqno, self.read_seqno) {
                return Ok(true);
            }
        }
    }
}

/// The visible rows of a range in descending order.
pub(crate) struct Backward<C> {
    cursor: C,
    order: KeyOrder,
    read_seqno: SeqNo,
    bounds: Bounds,
    is_started: bool,
    /// The key whose rows are being walked.
    group: Vec<u8>,
}

/// The newest visible row of a group so far.
struct Candidate {
    kind: Kind,
    flags: RowFlags,
    value: Slice,
}

impl<C: Cursor> Backward<C> {
    /// After the last row. `cursor` stands anywhere.
    pub(crate) fn new(cursor: C, order: KeyOrder, read_seqno: SeqNo, bounds: Bounds) -> Self {
        Self { cursor, order, read_seqno, bounds, is_started: false, group: Vec::new() }
    }

    /// The next row towards the front.
    pub(crate) fn next(&mut self) -> Result<Option<(Slice, Slice)>> {
        if self.read_seqno == 0 {
            return Ok(None);
        }
        if !self.is_started {
            self.is_started = true;
            self.start()?;
        }
        while self.cursor.is_valid() && self.is_within() {
            self.group.clear();
            self.group.extend_from_slice(self.cursor.key().user_key);
            let Some(newest) = self.walk_group()? else { continue };
            let pair = || (Slice::new(&self.group), newest.value);
            if let Some(pair) = found_value(newest.kind, newest.flags, pair)? {
                return Ok(Some(pair));
            }
        }
        Ok(None)
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

    /// Leaves the cursor before all rows of the group and returns the newest visible one.
    fn walk_group(&mut self) -> Result<Option<Candidate>> {
        let mut newest = None;
        for _ in 0..STEPS_MAX {
            if !self.is_in_group() {
                return Ok(newest);
            }
            if is_visible(self.cursor.key().seqno, self.read_seqno) {
                newest = Some(self.candidate());
            }
            self.cursor.prev()?;
        }
        if self.is_in_group() {
            if is_visible(self.cursor.key().seqno, self.read_seqno) {
                self.cursor.seek(InternalKey::seek_to(&self.group, self.read_seqno))?;
                newest = Some(self.candidate());
            }
            self.cursor.seek_before(InternalKey::before(&self.group))?;
        }
        Ok(newest)
    }

    fn is_in_group(&self) -> bool {
        self.cursor.is_valid() && self.cursor.key().user_key == self.group
    }

    fn candidate(&self) -> Candidate {
        let value = Slice::new(self.cursor.value());
        Candidate { kind: self.cursor.key().kind, flags: self.cursor.flags(), value }
    }
}

/// The last place that a row of `user_key` can have.
fn oldest_of(user_key: &[u8]) -> InternalKey<'_> {
    InternalKey::new(user_key, 0, Kind::Value)
}

fn as_bytes(bound: &Bound<Slice>) -> Bound<&[u8]> {
    bound.as_ref().map(Slice::as_bytes)
}
