//! The bytes of a slotted block, and the one validation that everything after it relies on.
//!
//! ```text
//!  0 rows u16 | 2 keys u16 | 4 prefix_len u16 | 6 flags u8 | 7 seq_width u8 (0, 1, 2, 4 or 8) | 8 seq_base u64
//! 16 hints: 12 x u32, the head of every ceil(keys/12)-th key
//! 64 tags[keys]: top byte of the user key's hash; padded with zeros to 8
//!    slots[rows], 8 bytes: head u32 | rec_off u16 | sfx_len u8 | meta u8
//!    seqs[rows], seq_width bytes each: seqno - seq_base
//!    prefix: bytes that all keys share
//!    records: [sfx_len u16, if the slot says 255] suffix [expiry u64, if flagged] [digest u32, if flagged] value
//! ```
//!
//! Little-endian throughout. A *head* is the four bytes of the key behind the prefix, as a big-endian number, padded with
//! zeros; 0 in every slot if the order is not lexicographic, and then the prefix is empty. `rec_off` counts from the beginning of the
//! block; a record ends where the next begins. `meta` is the kind in its low three bits and the row flags above. Rows of one user
//! key stand together, newest first; all but the first have the flag *same key*, the head of the first and an empty suffix: the key is
//! stored once. An unknown flag of the block or unknown kind refuses the block, because it could change what a row means.

#![deny(clippy::indexing_slicing, clippy::unwrap_used, clippy::arithmetic_side_effects)]

use super::slotted::SlottedHead;
use sediment_base::{Error, Kind, Result, RowFlags};
use sediment_codec::coding::Reader;

/// Bytes before the tags.
pub(super) const HEADER_BYTES: usize = 64;
/// Heads kept in the header.
pub(super) const HINTS: usize = 12;
/// Where they are.
pub(super) const HINTS_AT: usize = 16;
/// Bytes of one slot.
pub(super) const SLOT_BYTES: usize = 8;
/// `sfx_len` of a suffix whose length begins its record.
pub(super) const LONG_SUFFIX: u8 = 255;
/// Largest block: every offset in it fits 16 bits.
pub(crate) const PAYLOAD_BYTES_MAX: usize = 65_535;
/// Bytes of the expiry time of a row that has one.
pub(super) const EXPIRY_BYTES: usize = 8;
/// Bytes of the digest of a row that has one.
pub(super) const DIGEST_BYTES: usize = 4;

const KIND_MASK: u8 = Kind::TAG_BITS;

/// One slot, decoded from its eight bytes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Slot(pub(super) u64);

impl Slot {
    pub(super) fn new(head: u32, offset: u16, suffix_len: u8, meta: u8) -> Self {
        Self(u64::from(head) | u64::from(offset) << 32 | u64::from(suffix_len) << 48 | u64::from(meta) << 56)
    }

    #[inline]
    pub(super) fn head(self) -> u32 {
        self.0 as u32
    }

    #[inline]
    pub(super) fn offset(self) -> usize {
        usize::from((self.0 >> 32) as u16)
    }

    #[inline]
    pub(super) fn suffix_len(self) -> u8 {
        (self.0 >> 48) as u8
    }

    #[inline]
    pub(super) fn meta(self) -> u8 {
        (self.0 >> 56) as u8
    }

    #[inline]
    pub(super) fn flags(self) -> RowFlags {
        flags_of(self.meta())
    }
}

/// The kind in a row's meta byte; an unknown one is from a newer version.
#[inline]
pub(super) fn kind_of(meta: u8) -> Result<Kind> {
    Kind::from_tag(meta & KIND_MASK)
}

/// The flags in a row's meta byte.
#[inline]
pub(super) fn flags_of(meta: u8) -> RowFlags {
    RowFlags(meta & !KIND_MASK)
}

/// Bytes of a record between its suffix and its value.
#[inline]
pub(super) fn extra_bytes(flags: RowFlags) -> usize {
    let expiry = if flags.contains(RowFlags::EXPIRY) { EXPIRY_BYTES } else { 0 };
    let digest = if flags.contains(RowFlags::DIGEST) { DIGEST_BYTES } else { 0 };
    expiry.wrapping_add(digest)
}

/// Four key bytes as a number, in the order of the bytes.
#[inline]
pub(super) fn head_of(suffix: &[u8]) -> u32 {
    if let Some(first) = suffix.first_chunk::<4>() {
        return u32::from_le_bytes(*first).swap_bytes();
    }
    let mut bytes = [0; 4];
    for (to, from) in bytes.iter_mut().zip(suffix) {
        *to = *from;
    }
    u32::from_le_bytes(bytes).swap_bytes()
}

impl SlottedHead {
    /// Finds the parts of a block in its plain bytes, after proving that every later access stays inside these.
    pub(crate) fn decode(payload: &[u8]) -> Result<Self> {
        if payload.len() > PAYLOAD_BYTES_MAX {
            return Err(Error::corruption("block is too long").expected_found(PAYLOAD_BYTES_MAX, payload.len()));
        }
        let mut reader = Reader::new(payload);
        let rows = usize::from(reader.u16()?);
        let keys = usize::from(reader.u16()?);
        let prefix_len = usize::from(reader.u16()?);
        let flags = reader.u8()?;
        let seq_width = reader.u8()?;
        let seq_base = reader.u64()?;
        reader.bytes(HINTS.wrapping_mul(4))?;
        if flags != 0 {
            return Err(Error::unsupported(format!("block flags {flags:#x} are unknown to this version; upgrade Sediment")));
        }
        if keys == 0 || rows < keys {
            return Err(Error::corruption("block with impossible counts").expected_found(format!("1..={rows} keys"), keys));
        }
        if !matches!(seq_width, 0 | 1 | 2 | 4 | 8) {
            return Err(Error::corruption("width of sequence numbers").at(7).expected_found("0, 1, 2, 4 or 8", seq_width));
        }
        reader.bytes(keys.next_multiple_of(8))?;
        let slots_at = reader.position();
        let slots = reader.bytes(rows.saturating_mul(SLOT_BYTES))?;
        let seqs_at = reader.position();
        let seqs = reader.bytes(rows.saturating_mul(usize::from(seq_width)))?;
        check_seqs(seqs, seq_base, seq_width).map_err(|error| error.at(seqs_at as u64))?;
        let prefix_at = reader.position();
        reader.bytes(prefix_len)?;
        let key_rows = check_slots(slots, payload, reader.position(), keys)?;
        // Lossless: places in a block have 16 bits.
        let [rows, keys, prefix_len] = [rows, keys, prefix_len].map(|count| count as u16);
        let [slots_at, seqs_at, prefix_at] = [slots_at, seqs_at, prefix_at].map(|place| place as u16);
        Ok(Self { rows, keys, slots_at, seqs_at, prefix_at, prefix_len, seq_width, seq_base, key_rows })
    }
}

/// No sequence number may overflow.
fn check_seqs(seqs: &[u8], base: u64, width: u8) -> Result<()> {
    if width == 0 {
        return Ok(());
    }
    let largest = seqs.chunks_exact(usize::from(width)).map(|delta| {
        let mut bytes = [0; 8];
        for (to, from) in bytes.iter_mut().zip(delta) {
            *to = *from;
        }
        u64::from_le_bytes(bytes)
    });
    match base.checked_add(largest.max().unwrap_or(0)) {
        Some(_) => Ok(()),
        None => Err(Error::corruption("sequence number overflows")),
    }
}

/// Every record lies inside the block, behind the one before it, and is long enough for what its slot says of it. Returns the
/// first row of each key, or nothing where each row is a key of its own.
fn check_slots(slots: &[u8], payload: &[u8], records_at: usize, keys: usize) -> Result<Box<[u16]>> {
    let starts = slots.chunks_exact(SLOT_BYTES).map(slot_at);
    let ends = starts.clone().skip(1).map(Slot::offset).chain([payload.len()]);
    let mut key_rows = Vec::with_capacity(keys);
    let mut expected = records_at;
    for (row, (slot, end)) in starts.zip(ends).enumerate() {
        if row == 0 && slot.offset() != expected || slot.offset() > end {
            return Err(bad_record(row, slot.offset()).expected_found(expected, slot.offset()));
        }
        expected = end;
        let record = payload.get(slot.offset()..end).ok_or_else(|| bad_record(row, slot.offset()))?;
        kind_of(slot.meta())?;
        let mut reader = Reader::new(record);
        let suffix = if slot.suffix_len() == LONG_SUFFIX { usize::from(reader.u16()?) } else { usize::from(slot.suffix_len()) };
        let needed = suffix.saturating_add(extra_bytes(slot.flags()));
        reader.bytes(needed).map_err(|_| bad_record(row, slot.offset()))?;
        if !slot.flags().contains(RowFlags::SAME_KEY) {
            key_rows.push(row as u16);
        } else if row == 0 || suffix != 0 {
            return Err(bad_record(row, slot.offset()));
        }
    }
    if key_rows.len() != keys {
        return Err(Error::corruption("block miscounts its keys").at(2).expected_found(key_rows.len(), keys));
    }
    let rows = slots.len().checked_div(SLOT_BYTES).unwrap_or(0);
    Ok(if rows == keys { Box::default() } else { key_rows.into_boxed_slice() })
}

fn slot_at(bytes: &[u8]) -> Slot {
    Slot(u64::from_le_bytes(bytes.first_chunk::<8>().copied().unwrap_or_default()))
}

#[cold]
fn bad_record(row: usize, offset: usize) -> Error {
    Error::corruption(format!("record of row {row} does not fit its block")).at(offset as u64)
}
