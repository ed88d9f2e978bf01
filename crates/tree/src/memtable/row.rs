//! A row as a record in the arena.
//!
//! ```text
//!   payload  [ seqno 8 ][ key length 2 ][ kind 1 ][ user key ][ value ][ digest 4, in a memtable with digests ]
//! ```

use sediment_base::{InternalKey, Kind, SeqNo};
use sediment_codec::{
    checksum,
    hash::{key_hash, row_digest},
};
use sediment_raw::arena::Record;

const HEADER_BYTES: usize = 11;
const KIND_AT: usize = 10;
pub(super) const DIGEST_BYTES: usize = 4;

/// Bytes of the record of a row without a digest.
pub(super) fn row_bytes(key: InternalKey<'_>, value: &[u8]) -> usize {
    HEADER_BYTES + key.user_key.len() + value.len()
}

/// Writes a row; `record` has `row_bytes`.
#[inline]
pub(super) fn encode(key: InternalKey<'_>, value: &[u8], record: &mut [u8]) {
    let (header, body) = record.split_at_mut(HEADER_BYTES);
    header[..8].copy_from_slice(&key.seqno.to_le_bytes());
    header[8..10].copy_from_slice(&(key.user_key.len() as u16).to_le_bytes());
    header[KIND_AT] = key.kind.tag();
    let (user_key, rest) = body.split_at_mut(key.user_key.len());
    user_key.copy_from_slice(key.user_key);
    rest.copy_from_slice(value);
}

/// Writes a row with its digest, which is made of what the caller gave and not of what lies there by then. `record` has `row_bytes` and those
/// of a digest.
pub(super) fn encode_digested(key: InternalKey<'_>, key_hash: u64, value: &[u8], record: &mut [u8]) {
    let (row, digest) = record.split_at_mut(row_bytes(key, value));
    encode(key, value, row);
    digest.copy_from_slice(&row_digest(key_hash, key.kind.tag(), value).to_le_bytes());
}

/// A row read in place. All of it lives as long as the arena. What memory has lost since it was written reads as some other bytes.
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
        self.payload.get(HEADER_BYTES..HEADER_BYTES + self.key_bytes()).unwrap_or_else(nothing)
    }

    /// The value, in a memtable without digests.
    #[inline]
    pub(super) fn value(self) -> &'a [u8] {
        self.payload.get(HEADER_BYTES + self.key_bytes()..).unwrap_or_else(nothing)
    }

    /// The value and the digest, in a memtable with them. Nothing where the record is too short for what it says.
    #[inline]
    pub(super) fn digested(self) -> Option<(&'a [u8], u32)> {
        let (value, digest) = self.payload.get(HEADER_BYTES + self.key_bytes()..)?.split_last_chunk()?;
        Some((value, u32::from_le_bytes(*digest)))
    }

    /// Whether the row has its digest. `key_hash` is that of its user key.
    #[inline]
    pub(super) fn is_intact(self, key_hash: u64) -> bool {
        let what = self.payload[KIND_AT];
        self.digested().is_some_and(|(value, digest)| checksum::matches(row_digest(key_hash, what, value), digest))
    }

    /// The same where only the seed of the hash is known.
    pub(super) fn is_intact_under(self, hash_seed: u64) -> bool {
        self.is_intact(key_hash(hash_seed, self.user_key()))
    }

    #[inline]
    pub(super) fn kind(self) -> Kind {
        Kind::from_tag(self.payload[KIND_AT]).expect("rows are encoded from kinds")
    }

    #[inline]
    pub(super) fn key(self) -> InternalKey<'a> {
        InternalKey::new(self.user_key(), self.seqno(), self.kind())
    }

    /// Its key, for the order of rows alone. A kind that memory has lost is noticed by who looks at the row.
    #[inline]
    pub(super) fn place(self) -> InternalKey<'a> {
        let kind = Kind::from_tag(self.payload[KIND_AT]).unwrap_or(Kind::Value);
        InternalKey::new(self.user_key(), self.seqno(), kind)
    }

    #[inline]
    fn key_bytes(self) -> usize {
        usize::from(u16::from_le_bytes([self.payload[8], self.payload[9]]))
    }
}

/// Out of line, so that a row that is whole costs a branch and no more.
#[cold]
#[inline(never)]
fn nothing<'a>() -> &'a [u8] {
    &[]
}
