//! A BuRR filter: bumped ribbon retrieval, a few thousandths above the least space that a filter can take.
//!
//! The filter is the solution of a system of linear equations over single bits, one of each key: of `bits` columns it adds up those
//! rows that the key's *coefficients* choose, a *band* of 64 or 128 rows from its *start* on, and that must give the key's *value*.
//! For a hash that no key has it does so by chance alone, once in 2 to the power of `bits`. There are a little fewer rows than keys.
//! Keys whose equations find no room are *bumped*: a *bucket* of rows has a *threshold*, and keys that start less than so many rows
//! behind its begin are not in this layer but in the next, which is built in the same way of the few that are left. Those that the
//! last one bumps are in a list. A question goes where its key would have gone.
//!
//! ```text
//!  0 bits u8 | 1 band u8 | 2 layers u8 | 3 zero u8 | 4 listed u32 | 8 rows u32 of each of four layers, 0 where there is none
//! 24 codes of thresholds of each layer | listed, u32 each, ascending | 1 zero | solution of each layer | 8 zeros
//! ```
//!
//! What comes before the solutions is the *head*. Of a filter in pages it alone is in memory: it says where the one window of a solution is
//! that a question looks at, and answers what is not about a solution.
//!
//! A code is three bits per bucket, the first in the lowest of a layer's first byte; [`band`] says what it means. Eight rows of a solution
//! are `bits` bytes, one of each column, so that what a question looks at lies in one piece: nine times `bits` bytes where the band is 64.
//! How a key's hash gives start, coefficients and value, [`key`] says.
//!
//! After Dillinger, Huebschle-Schneider, Sanders and Walzer, "Fast Succinct Retrieval and Approximate Membership using Ribbon", 2022.

#![deny(clippy::indexing_slicing, clippy::unwrap_used, clippy::arithmetic_side_effects)]

mod band;
mod build;
mod key;
mod solution;
mod solve;
#[cfg(test)]
mod tests;

use crate::format::Content;
use band::{Band, Buckets, Width, threshold};
use key::Key;
use sediment_base::{Error, Result};
use sediment_codec::coding::Reader;
use sediment_raw::simd;
use solution::gives_value;
use std::ops::Range;

/// Most layers, of which each holds nearly all that the one before bumped.
const LAYERS_MAX: usize = 4;
/// What lies behind everything, so that eight bytes can be read wherever one can.
const SPARE_BYTES: usize = 8;
/// What ends the head, so that two bytes can be read wherever there is one with codes.
const HEAD_SPARE_BYTES: usize = 1;
const LISTED_BYTES: usize = size_of::<u32>();
/// The longest window of a solution that a question looks at.
pub(crate) const WINDOW_BYTES_MAX: usize = 17 * BITS_MAX as usize + SPARE_BYTES;
/// Most columns. With each the rate is halved.
const BITS_MAX: u8 = 32;
/// Rows that share a byte of each column.
const BLOCK_ROWS: usize = 8;

/// A filter, where it was read to.
#[derive(Debug)]
pub(crate) struct Burr {
    /// All of it, or its head.
    content: Content,
    bits: u8,
    width: Width,
    layers: [Layer; LAYERS_MAX],
    /// How many of those there are.
    count: usize,
    /// Where the list begins, and where it ends.
    listed: (usize, usize),
    head_bytes: usize,
    /// Length of the whole region.
    len: usize,
}

/// What of a solution is looked at for a hash.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sought {
    key: Key,
    /// The row in which its band begins, and where that block of rows is.
    start: u32,
    at: usize,
}

/// Where a layer lies.
#[derive(Clone, Copy, Debug, Default)]
struct Layer {
    /// In how many rows a key can start.
    starts: u32,
    buckets: Buckets,
    codes_at: usize,
    solution_at: usize,
}

impl Burr {
    /// The content of the filter region over these hashes, one of each key or more, which says *maybe* of other hashes once in 2 to the
    /// power of `bits`, and how long its head is. At least one bit is taken, and at most 32.
    pub(crate) fn encode(hashes: &[u64], bits: u8) -> (Vec<u8>, usize) {
        build::encode(hashes, bits.clamp(1, BITS_MAX))
    }

    /// Memory that [`Burr::encode`] takes for so many keys.
    pub(crate) fn build_bytes(keys: usize, bits: u8) -> usize {
        build::bytes(keys, bits.clamp(1, BITS_MAX))
    }

    /// Takes the filter region.
    pub(crate) fn decode(content: Content) -> Result<Self> {
        let len = content.len();
        Self::decode_head(content, len)
    }

    /// Takes the head of a filter region of so many bytes, or all of it.
    pub(crate) fn decode_head(content: Content, len: usize) -> Result<Self> {
        let mut reader = Reader::new(&content);
        let (bits, band, count, zero) = (reader.u8()?, reader.u8()?, usize::from(reader.u8()?), reader.u8()?);
        let listed = reader.u32()? as usize;
        let width = Width::from_rows(band).filter(|_| (1..=BITS_MAX).contains(&bits) && count <= LAYERS_MAX && zero == 0);
        let Some(width) = width else {
            return Err(Error::unsupported("a filter of another shape; upgrade Sediment"));
        };
        let mut rows = [0; LAYERS_MAX];
        for rows in &mut rows {
            *rows = reader.u32()?;
        }
        let (rows, none) = rows.split_at(count);
        let is_sound = |rows: &u32| *rows > width.rows() && rows.is_multiple_of(BLOCK_ROWS as u32);
        if !rows.iter().all(is_sound) || none.iter().any(|rows| *rows != 0) {
            return Err(Error::corruption("rows of a filter").at(8));
        }
        let mut layers = [Layer::default(); LAYERS_MAX];
        let mut end = reader.position();
        for (layer, rows) in layers.iter_mut().zip(rows) {
            layer.starts = rows.saturating_sub(width.rows());
            layer.buckets = width.buckets(layer.starts);
            layer.codes_at = end;
            end = end.saturating_add(layer.buckets.codes_bytes(layer.starts));
        }
        let listed = (end, end.saturating_add(listed.saturating_mul(LISTED_BYTES)));
        let head_bytes = listed.1.saturating_add(HEAD_SPARE_BYTES);
        end = head_bytes;
        for (layer, rows) in layers.iter_mut().zip(rows) {
            layer.solution_at = end;
            end = end.saturating_add(solution_bytes(*rows, bits));
        }
        let expected = end.saturating_add(SPARE_BYTES);
        if len != expected {
            return Err(Error::corruption("filter length").at(0).expected_found(expected, len));
        }
        if content.len() != len && content.len() != head_bytes {
            return Err(Error::corruption("length of the head of a filter").at(0).expected_found(head_bytes, content.len()));
        }
        Ok(Self { content, bits, width, layers, count, listed, head_bytes, len })
    }

    /// False only if no key has this hash.
    #[inline]
    pub(crate) fn may_contain(&self, hash: u64) -> bool {
        match self.width {
            Width::Rows64 => self.may_contain_in::<u64>(hash),
            Width::Rows128 => self.may_contain_in::<u128>(hash),
        }
    }

    /// Asks for the memory that a question about this hash looks at, unless its key was bumped.
    #[inline]
    pub(crate) fn prefetch(&self, hash: u64) {
        let Some(layer) = self.layers().first() else { return };
        let start = Key::of(hash).start(layer.starts);
        let threshold = layer.codes_at.saturating_add(layer.buckets.code_place(start).0);
        if let Some(byte) = self.content.get(threshold) {
            simd::prefetch(&raw const *byte);
        }
        let from = layer.block_at(start, self.bits);
        let bytes = self.width.blocks().saturating_mul(usize::from(self.bits));
        let window = self.content.get(from..from.saturating_add(bytes)).unwrap_or_default();
        window.iter().step_by(64).chain(window.last()).for_each(|byte| simd::prefetch(&raw const *byte));
    }

    #[inline]
    fn layers(&self) -> &[Layer] {
        self.layers.get(..self.count).unwrap_or_default()
    }

    #[inline]
    fn may_contain_in<B: Band>(&self, hash: u64) -> bool {
        match self.find_in::<B>(hash) {
            Ok(sought) => {
                let solution = self.content.get(sought.at..).unwrap_or_default();
                gives_value::<B>(solution, self.bits, sought.key, sought.start)
            }
            Err(is_listed) => is_listed,
        }
    }

    /// What of which solution has to be looked at for this hash, or the answer where it is none.
    #[inline]
    fn find_in<B: Band>(&self, hash: u64) -> std::result::Result<Sought, bool> {
        let mut key = Key::of(hash);
        for layer in self.layers() {
            let start = key.start(layer.starts);
            let (byte, shift) = layer.buckets.code_place(start);
            let codes = self.content.get(layer.codes_at.saturating_add(byte)..).and_then(<[u8]>::first_chunk::<2>);
            let Some(codes) = codes else { return Err(true) };
            if layer.buckets.offset(start) >= threshold::<B>(u16::from_le_bytes(*codes) >> shift) {
                return Ok(Sought { key, start, at: layer.block_at(start, self.bits) });
            }
            key = key.bumped();
        }
        let listed = self.content.get(self.listed.0..self.listed.1).unwrap_or_default();
        let listed = listed.as_chunks::<LISTED_BYTES>().0;
        Err(listed.binary_search_by_key(&key.listed(), |listed| u32::from_le_bytes(*listed)).is_ok())
    }

    /// As [`Burr::may_contain`] by the head alone: the answer, or what has to be looked at, and where that is behind the head.
    pub(crate) fn find(&self, hash: u64) -> std::result::Result<(Sought, Range<usize>), bool> {
        let sought = match self.width {
            Width::Rows64 => self.find_in::<u64>(hash)?,
            Width::Rows128 => self.find_in::<u128>(hash)?,
        };
        let bytes = self.width.blocks().saturating_mul(usize::from(self.bits)).saturating_add(SPARE_BYTES);
        let end = sought.at.saturating_add(bytes).min(self.len);
        Ok((sought, sought.at.saturating_sub(self.head_bytes)..end.saturating_sub(self.head_bytes)))
    }

    /// The answer, by what has to be looked at.
    pub(crate) fn gives_value(&self, sought: &Sought, window: &[u8]) -> bool {
        match self.width {
            Width::Rows64 => gives_value::<u64>(window, self.bits, sought.key, sought.start),
            Width::Rows128 => gives_value::<u128>(window, self.bits, sought.key, sought.start),
        }
    }
}

impl Layer {
    /// Where the block of rows begins in which a key starts.
    #[inline]
    fn block_at(&self, start: u32, bits: u8) -> usize {
        self.solution_at.saturating_add((start as usize / BLOCK_ROWS).saturating_mul(usize::from(bits)))
    }
}

/// Length of a solution.
fn solution_bytes(rows: u32, bits: u8) -> usize {
    (rows as usize / BLOCK_ROWS).saturating_mul(usize::from(bits))
}
