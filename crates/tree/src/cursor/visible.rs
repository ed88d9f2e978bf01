//! What a reader at one seqno sees of a cursor over all versions: at most one row per user key.
//!
//! Forward, the versions of a key come newest first: the first visible one decides and the rest is skipped. Backward they come
//! oldest first: the last visible one decides. A long chain of versions is stepped over for a few rows and then jumped by a
//! seek, so that a counter with a million versions costs a walk no more than one with ten. Where one source has many rows
//! in a row, both walk these as a [`Segment`], whose keys are whole: the first visible row of each decides. Where the deciding row is
//! an operand, it and the older ones are folded down to the first that is none.
//!
//! A row below the newest range tombstone that covers it does not count, nor does anything older of its key. Sources that hold
//! nothing above such a tombstone are moved to its end without a look at their rows.

mod backward;
mod forward;

pub(crate) use backward::Backward;
pub(crate) use forward::Forward;

use super::{STEPS_MAX, cover::Cover, fold::Fold};
use sediment_base::{Cursor, Error, InternalKey, KeyOrder, Kind, Result, RowFlags, SeqNo, Slice, seqno::is_visible};
use sediment_table::{Segment, SegmentRow};
use std::ops::{Bound, Range};

/// The ends of a range of user keys.
pub(crate) type Bounds = (Bound<Slice>, Bound<Slice>);

/// Who reads, and what that needs.
#[derive(Clone, Debug)]
pub(crate) struct View {
    pub(crate) order: KeyOrder,
    pub(crate) read_seqno: SeqNo,
    pub(crate) cover: Cover,
    pub(crate) fold: Fold,
}

/// What the newest row that counts says of its key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Seen {
    /// It has the row's value.
    Value,
    /// It is gone.
    Gone,
    /// It has the value that the row and older ones fold to.
    Operand,
}

/// What a row says that decides for its key.
#[inline]
pub(crate) fn seen(kind: Kind, flags: RowFlags) -> Result<Seen> {
    if flags.contains(RowFlags::BLOB) {
        return Err(separated());
    }
    Ok(match kind {
        Kind::Value => Seen::Value,
        Kind::Tombstone | Kind::WeakTombstone => Seen::Gone,
        Kind::Operand => Seen::Operand,
    })
}

#[cold]
fn separated() -> Error {
    Error::unsupported("a separated value; this version cannot read it")
}

/// Stands on the next row of a segment that a reader sees, its keys taken from one end by `next_key`; false where there is none. All
/// of it lies in the stretch that was entered.
#[inline]
fn next_in_segment(
    segment: &mut Segment,
    view: &mut View,
    next_key: impl Fn(&mut Segment) -> Option<Range<usize>>,
) -> Result<bool> {
    while let Some(rows) = next_key(segment) {
        let end = rows.end;
        if segment.is_digested() {
            segment.check(&rows)?;
        }
        let newest = rows.map(|row| segment.row(row)).find(|row| is_visible(row.seqno, view.read_seqno));
        let Some(SegmentRow { row, kind, flags, seqno }) = newest else { continue };
        if seqno < view.cover.seqno() {
            continue;
        }
        match seen(kind, flags)? {
            Seen::Gone => {}
            Seen::Value => {
                segment.stand(row);
                return Ok(true);
            }
            Seen::Operand => {
                fold_in_segment(segment, row..end, view)?;
                return Ok(true);
            }
        }
    }
    Ok(false)
}

/// Folds rows of one key in a segment, the newest of them an operand, and stands on that.
#[cold]
fn fold_in_segment(segment: &mut Segment, rows: Range<usize>, view: &mut View) -> Result<()> {
    let newest = rows.start;
    view.fold.begin();
    for row in rows {
        let SegmentRow { seqno, kind, flags, .. } = segment.row(row);
        segment.stand(row);
        if seqno < view.cover.seqno() || !take_in(&mut view.fold, seen(kind, flags)?, segment.value()) {
            break;
        }
    }
    segment.stand(newest);
    view.fold.finish(segment.key())
}

/// Takes the next older row into a fold; whether the one behind counts as well.
pub(crate) fn take_in(fold: &mut Fold, row: Seen, value: &[u8]) -> bool {
    match row {
        Seen::Operand => fold.push(value),
        Seen::Value => fold.set_base(value),
        Seen::Gone => {}
    }
    row == Seen::Operand
}

/// Takes the rows of `user_key` from the cursor's on into the fold, which was begun, down to the last that counts, and leaves the
/// cursor there or behind.
fn take_in_at_cursor<C: Cursor>(cursor: &mut C, user_key: &[u8], view: &mut View) -> Result<()> {
    while cursor.is_valid() {
        let InternalKey { user_key: found, seqno, kind } = cursor.key();
        let is_over = found != user_key || seqno < view.cover.seqno();
        if is_over || !take_in(&mut view.fold, seen(kind, cursor.flags())?, cursor.value()) {
            break;
        }
        cursor.next()?;
    }
    Ok(())
}

/// The last place that a row of `user_key` can have.
fn oldest_of(user_key: &[u8]) -> InternalKey<'_> {
    InternalKey::new(user_key, 0, Kind::Value)
}

fn as_bytes(bound: &Bound<Slice>) -> Bound<&[u8]> {
    bound.as_ref().map(Slice::as_bytes)
}
