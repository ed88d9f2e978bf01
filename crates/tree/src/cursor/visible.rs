//! What a reader at one seqno sees of a cursor over all versions: at most one row per user key.
//!
//! Forward, the versions of a key come newest first: the first visible one decides and the rest is skipped. Backward they come
//! oldest first: the last visible one decides. A long chain of versions is stepped over for a few rows and then jumped by a
//! seek, so that a counter with a million versions costs a walk no more than one with ten. Where one source has many rows
//! in a row, both walk these as a [`Segment`], whose keys are whole: the first visible row of each decides.

mod backward;
mod forward;

pub(crate) use backward::Backward;
pub(crate) use forward::Forward;

use sediment_base::{Error, InternalKey, Kind, Result, RowFlags, SeqNo, Slice, seqno::is_visible};
use sediment_table::{Segment, SegmentRow};
use std::ops::{Bound, Range};

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

/// Stands on the next row of a segment that a reader sees, its keys taken from one end by `next_key`; false where there is none.
#[inline]
fn next_in_segment(
    segment: &mut Segment,
    read_seqno: SeqNo,
    next_key: impl Fn(&mut Segment) -> Option<Range<usize>>,
) -> Result<bool> {
    while let Some(rows) = next_key(segment) {
        let newest = rows.map(|row| segment.row(row)).find(|row| is_visible(row.seqno, read_seqno));
        let Some(SegmentRow { row, kind, flags, .. }) = newest else { continue };
        if found_value(kind, flags, || ())?.is_some() {
            segment.stand(row);
            return Ok(true);
        }
    }
    Ok(false)
}

/// The last place that a row of `user_key` can have.
fn oldest_of(user_key: &[u8]) -> InternalKey<'_> {
    InternalKey::new(user_key, 0, Kind::Value)
}

fn as_bytes(bound: &Bound<Slice>) -> Bound<&[u8]> {
    bound.as_ref().map(Slice::as_bytes)
}
