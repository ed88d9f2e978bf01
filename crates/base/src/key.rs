//! The internal key: a user key, the sequence number and the kind of one row, and the order of rows.

use crate::{comparator::KeyOrder, kind::Kind, seqno::SeqNo};
use std::cmp::Ordering;

/// A row's full key. Rows are ordered by user key, then newest first: seqno descending, kind descending.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InternalKey<'a> {
    /// The caller's bytes.
    pub user_key: &'a [u8],
    /// The version.
    pub seqno: SeqNo,
    /// What the row does.
    pub kind: Kind,
}

impl<'a> InternalKey<'a> {
    /// A row's key.
    #[inline]
    pub fn new(user_key: &'a [u8], seqno: SeqNo, kind: Kind) -> Self {
        Self { user_key, seqno, kind }
    }

    /// Where a reader at `read_seqno` begins to look for `user_key`: before every row that it may see (those with a seqno
    /// strictly below `read_seqno`), after every row that it may not. `read_seqno` 0 sees nothing: its position is after
    /// the whole key but for rows at seqno 0, so callers answer such reads without looking.
    #[inline]
    pub fn seek_to(user_key: &'a [u8], read_seqno: SeqNo) -> Self {
        Self { user_key, seqno: read_seqno.saturating_sub(1), kind: Kind::Operand }
    }

    /// Before every row of `user_key`.
    #[inline]
    pub fn before(user_key: &'a [u8]) -> Self {
        Self { user_key, seqno: SeqNo::MAX, kind: Kind::Operand }
    }

    /// The order of rows.
    #[inline]
    pub fn compare(self, other: InternalKey<'_>, order: &KeyOrder) -> Ordering {
        order.compare(self.user_key, other.user_key).then_with(|| self.compare_version(other))
    }

    /// The order of two rows of one user key.
    #[inline]
    pub fn compare_version(self, other: InternalKey<'_>) -> Ordering {
        other.seqno.cmp(&self.seqno).then_with(|| other.kind.cmp(&self.kind))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn newest_row_of_a_key_comes_first() {
        let order = KeyOrder::bytewise();
        let rows = [
            InternalKey::before(b"a"),
            InternalKey::seek_to(b"a", 8),
            InternalKey::new(b"a", 7, Kind::Value),
            InternalKey::new(b"a", 6, Kind::Tombstone),
            InternalKey::new(b"a", 0, Kind::Value),
            InternalKey::new(b"b", 9, Kind::Value),
        ];
        for pair in rows.windows(2) {
            assert_eq!(pair[0].compare(pair[1], &order), Ordering::Less, "{pair:?}");
        }
    }
}
