//! What a point read asks, how far it may reach, what it met, and who takes the row.

use super::TableRow;
use crate::block::RowHead;
use sediment_base::{SeqNo, Slice};
use sediment_raw::epoch::Pin;

/// What a point read asks a table.
#[derive(Clone, Copy, Debug)]
pub struct PointRead<'a> {
    /// The user key.
    pub key: &'a [u8],
    /// Its hash under the table's own seed.
    pub hash: u64,
    /// Rows at or above it are not seen.
    pub read_seqno: SeqNo,
    /// Which blocks may be looked into.
    pub reach: Reach<'a>,
}

/// Which blocks a point read looks into.
#[derive(Clone, Copy, Debug)]
pub enum Reach<'a> {
    /// Those in memory: it takes no lock, raises no count and waits for nothing.
    Resident(&'a Pin),
    /// All; what is not in memory is loaded. The caller holds no epoch pin.
    All,
}

/// What a point read met in a table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Looked {
    /// The newest row that it sees; it was taken.
    Found,
    /// No row that it sees.
    Absent,
    /// A block out of its reach, which could hold the row. Nothing was taken or counted.
    OutOfReach,
}

/// Takes the row that a point read found, while its stored value lies in place.
pub trait TakeRow {
    /// Takes a row whose value is lent for this call. May run under an epoch pin: it is short, and waits for nothing.
    fn take(&mut self, row: RowHead, value: &[u8]);

    /// Takes a row whose value can be kept without copying it. As [`TakeRow::take`] in all else.
    fn take_shared(&mut self, row: RowHead, value: Slice);
}

impl TakeRow for Option<TableRow> {
    #[inline]
    fn take(&mut self, row: RowHead, value: &[u8]) {
        self.take_shared(row, value.into());
    }

    #[inline]
    fn take_shared(&mut self, row: RowHead, value: Slice) {
        let RowHead { seqno, kind, flags } = row;
        *self = Some(TableRow { seqno, kind, flags, value });
    }
}
