//! A row too large for a slotted block.
//!
//! ```text
//!  0 flags u16 | 2 meta u8 | 3 tag u8 | 4 key_len u32 | 8 seqno u64 | 16 value_len u32 | 20 extents u32
//! 24 [expiry u64, if flagged] [digest u32, if flagged] key, then the beginning of the value
//! ```
//!
//! The frame holds up to four MiB of the value; the rest lies in `extents` frames right behind it, each full but the last. Key
//! and flags are as in `format.rs`. An unknown flag of the block refuses it.

#![deny(clippy::indexing_slicing, clippy::unwrap_used, clippy::arithmetic_side_effects)]

use super::{
    ARC_COUNTS_BYTES, FoundRow, Lookup, RowHead, allocated_bytes,
    builder::RowParts,
    format::{flags_of, kind_of},
    slotted::check_unnumbered,
};
use sediment_base::{Error, InternalKey, KeyOrder, Result, RowFlags, SeqNo, Slice, limits};
use sediment_codec::coding::{Reader, Writer};

/// The row of a jumbo block.
#[derive(Debug)]
pub(crate) struct JumboBlock {
    head: RowHead,
    tag: u8,
    digest: Option<u32>,
    key: Slice,
    value: Slice,
}

/// The first frame of a jumbo block, decoded; the extents may be missing yet.
#[derive(Debug)]
pub(crate) struct JumboHead<'a> {
    head: RowHead,
    tag: u8,
    digest: Option<u32>,
    key: &'a [u8],
    /// Length of the whole value.
    pub(crate) value_len: usize,
    /// Frames that follow.
    pub(crate) extents: u32,
    /// The part of the value that is here.
    pub(crate) beginning: &'a [u8],
}

impl<'a> JumboHead<'a> {
    /// With the seqno of an ingested table, whose rows are stored with 0; 0 if it is of another one.
    pub(crate) fn numbered(mut self, global_seqno: SeqNo) -> Result<Self> {
        if global_seqno > 0 {
            check_unnumbered(self.head.seqno, 0)?;
            self.head.seqno = global_seqno;
        }
        Ok(self)
    }

    /// Reads the first frame.
    pub(crate) fn decode(payload: &'a [u8]) -> Result<Self> {
        let mut reader = Reader::new(payload);
        let flags = reader.u16()?;
        let (meta, tag) = (reader.u8()?, reader.u8()?);
        let key_len = reader.u32()? as usize;
        let seqno = reader.u64()?;
        let value_len = reader.u32()? as usize;
        let extents = reader.u32()?;
        if flags != 0 {
            return Err(Error::unsupported(format!(
                "jumbo block flags {flags:#x} are unknown to this version; upgrade Sediment"
            )));
        }
        let head = RowHead { seqno, kind: kind_of(meta)?, flags: flags_of(meta) };
        if head.flags.contains(RowFlags::EXPIRY) {
            reader.u64()?;
        }
        let digest = if head.flags.contains(RowFlags::DIGEST) { Some(reader.u32()?) } else { None };
        let key = reader.bytes(key_len)?;
        let beginning = reader.rest();
        let expected = value_len.saturating_sub(limits::EXTENT_BYTES_MAX).div_ceil(limits::EXTENT_BYTES_MAX);
        if beginning.len() != value_len.min(limits::EXTENT_BYTES_MAX) || extents as usize != expected {
            return Err(Error::corruption("lengths in a jumbo block").at(16).expected_found(expected, extents));
        }
        Ok(Self { head, tag, digest, key, value_len, extents, beginning })
    }

    /// The block, given the whole value.
    pub(crate) fn into_block(self, value: Vec<u8>) -> JumboBlock {
        let Self { head, tag, digest, key, .. } = self;
        JumboBlock { head, tag, digest, key: key.into(), value: value.into() }
    }
}

impl JumboBlock {
    /// Appends the first frame's bytes to `out`; the rest of the value, to be put into extents, is returned.
    pub(crate) fn encode<'a>(row: &RowParts<'a>, out: &mut Vec<u8>) -> &'a [u8] {
        let (beginning, rest) = row.value.split_at(row.value.len().min(limits::EXTENT_BYTES_MAX));
        out.put_u16(0);
        out.put_u8(row.key.kind.tag() | row.flags.0);
        out.put_u8(row.tag);
        out.put_u32(row.key.user_key.len() as u32);
        out.put_u64(row.key.seqno);
        out.put_u32(row.value.len() as u32);
        out.put_u32(rest.len().div_ceil(limits::EXTENT_BYTES_MAX) as u32);
        if row.flags.contains(RowFlags::EXPIRY) {
            out.put_u64(row.expiry_us);
        }
        if row.flags.contains(RowFlags::DIGEST) {
            out.put_u32(row.digest);
        }
        out.put_bytes(row.key.user_key);
        out.put_bytes(beginning);
        rest
    }

    pub(crate) fn key(&self) -> &[u8] {
        &self.key
    }

    pub(crate) fn tag(&self) -> u8 {
        self.tag
    }

    pub(crate) fn value(&self) -> &[u8] {
        &self.value
    }

    /// The value, to be kept without copying it.
    pub(crate) fn shared_value(&self) -> Slice {
        self.value.clone()
    }

    /// As of a slotted block.
    pub(super) fn digested(&self) -> Option<(u32, u8, &[u8])> {
        Some((self.digest?, RowFlags::digested(self.head.kind.tag() | self.head.flags.0), &self.value))
    }

    pub(crate) fn row_head(&self) -> RowHead {
        self.head
    }

    pub(crate) fn heap_bytes(&self) -> usize {
        let shared = |slice: &Slice| allocated_bytes(ARC_COUNTS_BYTES.saturating_add(slice.len()));
        shared(&self.key).saturating_add(shared(&self.value))
    }

    pub(crate) fn lower_bound(&self, target: InternalKey<'_>, order: &KeyOrder) -> usize {
        let own = InternalKey::new(&self.key, self.head.seqno, self.head.kind);
        usize::from(own.compare(target, order).is_lt())
    }

    pub(crate) fn lookup(&self, user_key: &[u8], read_seqno: SeqNo) -> Lookup {
        match &*self.key == user_key {
            true if self.head.seqno < read_seqno => {
                Lookup::Row(FoundRow { row: 0, head: self.head, value: (0, self.value.len()) })
            }
            true => Lookup::Later,
            false => Lookup::Absent,
        }
    }
}
