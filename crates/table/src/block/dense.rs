//! The bytes of a dense block: a slotted block without what follows from its rows, in columns. So blocks are stored that are compressed.
//!
//! ```text
//!  0 rows u16 | 2 keys u16 | 4 prefix_len u16 | 6 flags u8 | 7 seq_width u8 (0 to 8) | 8 seq_base u64
//! 16 metas[rows]
//!    suffix_lens[keys]: 255 for one of as many bytes or more
//!    shared[keys]: how many bytes of the suffix are those of the key before
//!    value_lens: low bytes[rows], high bytes[rows]
//!    seqs: seq_width times bytes[rows], the lowest ones first
//!    prefix
//!    long_lens: u16 of each suffix whose length is 255 above
//!    suffixes, each without what it shares
//!    extras of each row: [expiry u64, if flagged] [digest u32, if flagged]
//!    values, up to the end
//! ```
//!
//! Numbers and metas are those of the slotted block. The first key shares nothing. What is left out would say the same again, in bytes
//! that hardly compress: tags follow from the keys and the seed of the table, heads from the keys, offsets from the lengths. Values stand
//! together because the end of one and the beginning of the next are then one match of a compressor, and so are keys.

#![deny(clippy::indexing_slicing, clippy::unwrap_used, clippy::arithmetic_side_effects)]

mod expand;

use super::format::{HEADER_BYTES, LONG_SUFFIX, PAYLOAD_BYTES_MAX, SLOT_BYTES, extra_bytes, flags_of};
use sediment_base::{Error, Result, RowFlags};
use sediment_codec::coding::Reader;

/// Bytes before the columns.
pub(super) const DENSE_HEADER_BYTES: usize = 16;

/// What tags and heads are made with, beside the keys.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Marks {
    /// The seed of the table's key hash.
    pub(crate) hash_seed: u64,
    /// Whether keys are in the order of their bytes: else heads are 0.
    pub(crate) is_lexicographic: bool,
}

/// A dense block, taken apart: its columns, as long as its counts and lengths say.
#[derive(Debug)]
pub(crate) struct DenseBlock<'a> {
    rows: usize,
    keys: usize,
    /// As stored.
    header: &'a [u8],
    metas: &'a [u8],
    suffix_lens: &'a [u8],
    shared: &'a [u8],
    value_lens: (&'a [u8], &'a [u8]),
    seqs: &'a [u8],
    prefix: &'a [u8],
    long_lens: &'a [u8],
    suffixes: &'a [u8],
    extras: &'a [u8],
    values: &'a [u8],
    longest_suffix: usize,
    seq_width: usize,
    slotted_seq_width: u8,
    slotted_len: usize,
}

/// What the lengths of suffixes add up to.
#[derive(Default)]
struct Suffixes {
    bytes: usize,
    own_bytes: usize,
    longest: usize,
}

impl<'a> DenseBlock<'a> {
    /// Takes a block apart. Every column is there and has its length, and nothing is left.
    pub(crate) fn parse(dense: &'a [u8]) -> Result<Self> {
        let mut reader = Reader::new(dense);
        let rows = usize::from(reader.u16()?);
        let keys = usize::from(reader.u16()?);
        let prefix_len = usize::from(reader.u16()?);
        let flags = reader.u8()?;
        let seq_width = usize::from(reader.u8()?);
        reader.u64()?;
        if flags != 0 {
            return Err(Error::unsupported(format!("block flags {flags:#x} are unknown to this version; upgrade Sediment")));
        }
        if keys == 0 || rows < keys {
            return Err(Error::corruption("block with impossible counts").expected_found(format!("1..={rows} keys"), keys));
        }
        let Some(slotted_seq_width) = slotted_seq_width(seq_width) else {
            return Err(Error::corruption("width of sequence numbers").at(7).expected_found("0 to 8", seq_width));
        };
        let metas = reader.bytes(rows)?;
        let (suffix_lens, shared) = (reader.bytes(keys)?, reader.bytes(keys)?);
        let value_lens = (reader.bytes(rows)?, reader.bytes(rows)?);
        let seqs = reader.bytes(rows.saturating_mul(seq_width))?;
        let prefix = reader.bytes(prefix_len)?;
        let long = suffix_lens.iter().filter(|len| **len == LONG_SUFFIX).count();
        let long_lens = reader.bytes(long.saturating_mul(2))?;
        let lens = Suffixes::measure(suffix_lens, shared, long_lens)?;
        let suffixes = reader.bytes(lens.own_bytes)?;
        let extras = reader.bytes(extras_bytes(metas, keys)?)?;
        let values = reader.rest();
        let value_bytes = values_bytes(value_lens);
        if value_bytes != values.len() {
            return Err(Error::corruption("values of a block").expected_found(value_bytes, values.len()));
        }
        // Every part has at most as many bytes as a frame, or 64 KiB for each of 65,535 keys.
        let head_len = HEADER_BYTES.saturating_add(keys.next_multiple_of(8));
        let row_len = SLOT_BYTES.saturating_add(usize::from(slotted_seq_width));
        let parts = [rows.saturating_mul(row_len), prefix_len, lens.bytes, long_lens.len(), extras.len(), values.len()];
        let slotted_len = parts.iter().fold(head_len, |sum, part| sum.saturating_add(*part));
        if slotted_len > PAYLOAD_BYTES_MAX {
            return Err(Error::corruption("block is too long").expected_found(PAYLOAD_BYTES_MAX, slotted_len));
        }
        let header = dense.get(..DENSE_HEADER_BYTES).unwrap_or_default();
        Ok(Self {
            rows,
            keys,
            header,
            metas,
            suffix_lens,
            shared,
            value_lens,
            seqs,
            prefix,
            long_lens,
            suffixes,
            extras,
            values,
            longest_suffix: lens.longest,
            seq_width,
            slotted_seq_width,
            slotted_len,
        })
    }

    /// How many bytes the slotted block has; at most as many as one can have.
    pub(crate) fn slotted_len(&self) -> usize {
        self.slotted_len
    }
}

impl Suffixes {
    /// Adds up lengths, and proves that no suffix shares more than it has, nor more than the one before has.
    fn measure(lens: &[u8], shared: &[u8], long_lens: &[u8]) -> Result<Self> {
        let mut long_lens = Reader::new(long_lens);
        let (mut sum, mut before) = (Self::default(), 0);
        for (key, (len, shared)) in lens.iter().zip(shared).enumerate() {
            let mut bytes = usize::from(*len);
            if *len == LONG_SUFFIX {
                bytes = usize::from(long_lens.u16()?);
                if bytes < usize::from(LONG_SUFFIX) {
                    return Err(
                        Error::corruption(format!("length of key {key} of a block")).expected_found("255 or more", bytes)
                    );
                }
            }
            let most = bytes.min(before);
            let Some(own) = bytes.checked_sub(usize::from(*shared)).filter(|_| usize::from(*shared) <= most) else {
                let error = Error::corruption(format!("what key {key} of a block shares"));
                return Err(error.expected_found(format!("at most {most}"), shared));
            };
            sum.bytes = sum.bytes.saturating_add(bytes);
            sum.own_bytes = sum.own_bytes.saturating_add(own);
            sum.longest = sum.longest.max(bytes);
            before = bytes;
        }
        Ok(sum)
    }
}

/// Bytes of the extras of all rows, of which so many begin a key, the first one of them.
fn extras_bytes(metas: &[u8], keys: usize) -> Result<usize> {
    let same = RowFlags::SAME_KEY.0;
    let found = metas.iter().filter(|meta| **meta & same == 0).count();
    if found != keys || metas.first().is_none_or(|meta| meta & same != 0) {
        return Err(Error::corruption("block miscounts its keys").at(2).expected_found(found, keys));
    }
    Ok(metas.iter().map(|meta| extra_bytes(flags_of(*meta))).sum())
}

/// Of no more than 65,535 rows: sums do not overflow.
fn values_bytes((low, high): (&[u8], &[u8])) -> usize {
    let sum = |bytes: &[u8]| -> usize { bytes.iter().map(|byte| usize::from(*byte)).sum() };
    sum(low).saturating_add(sum(high).saturating_mul(256))
}

/// How many bytes a slotted block takes for a sequence number that has so many; `None` where no number has.
fn slotted_seq_width(bytes: usize) -> Option<u8> {
    match bytes {
        0 => Some(0),
        1 => Some(1),
        2 => Some(2),
        3 | 4 => Some(4),
        5..=8 => Some(8),
        _ => None,
    }
}

#[cfg(test)]
#[allow(clippy::indexing_slicing, clippy::unwrap_used, clippy::arithmetic_side_effects, reason = "a test may panic")]
mod tests;
