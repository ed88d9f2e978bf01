//! A row as a record in the arena.
//!
//! ```text
//!   payload  [ seqno 8 ][ key length 2 ][ kind 1 ][ user key ][ value ]
//! ```

use sediment_base::{InternalKey, Kind, SeqNo};
use sediment_raw::arena::Record;

const HEADER_BYTES: usize = 11;

/// Bytes of the record of a row.
pub(super) fn row_bytes(key: InternalKey<'_>, value: &[u8]) -> usize {
    HEADER_BYTES + key.user_key.len() + value.len()
}

/// Writes a row; `record` has `row_bytes`.
#[inline]
pub(super) fn encode(key: InternalKey<'_>, value: &[u8], record: &mut [u8]) {
    let (header, body) = record.split_at_mut(HEADER_BYTES);
    header[..8].copy_from_slice(&key.seqno.to_le_bytes());
    header[8..10].copy_from_slice(&(key.user_key.len() as u16).to_le_bytes());
    header[10] = key.kind.tag();
    let (user_key, rest) = body.split_at_mut(key.user_key.len());
    user_key.copy_from_slice(key.user_key);
    rest.copy_from_slice(value);
}

/// A row read in place. All of it lives as long as the arena.
#[derive(Clone, Copy)]
pub(super) struct Row<'a> {
    record: Record<'a>,
    payload: &'a [u8],
}

impl<'a> Row<'a> {
    #[inline]
    pub(super) fn of(record: Record<'a>) -> Self {
        Self { record, payload: record.payload() }
    }

    #[inline]
    pub(super) fn record(self) -> Record<'a> {
        self.record
    }

    #[inline]
    pub(super) fn seqno(self) -> SeqNo {
        SeqNo::from_le_bytes(*self.payload.first_chunk().expect("a row has a header"))
    }

    #[inline]
    pub(super) fn user_key(self) -> &'a [u8] {
        &self.payload[HEADER_BYTES..HEADER_BYTES + self.key_bytes()]
    }

    #[inline]
    pub(super) fn value(self) -> &'a [u8] {
        &self.payload[HEADER_BYTES + self.key_bytes()..]
    }

    #[inline]
    pub(super) fn kind(self) -> Kind {
        Kind::from_tag(self.payload[10]).expect("rows are encoded from kinds")
    }

    #[inline]
    pub(super) fn key(self) -> InternalKey<'a> {
        InternalKey::new(self.user_key(), self.seqno(), self.kind())
    }

    #[inline]
    fn key_bytes(self) -> usize {
        usize::from(u16::from_le_bytes([self.payload[8], self.payload[9]]))
    }
}
