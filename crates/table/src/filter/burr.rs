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
//! 24 codes of thresholds of each layer | solution of each layer | listed, u32 each, ascending | 8 zeros
//! ```
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

/// Most layers, of which each holds nearly all that the one before bumped.
const LAYERS_MAX: usize = 4;
/// What lies behind everything, so that eight bytes can be read wherever one can.
const SPARE_BYTES: usize = 8;
const LISTED_BYTES: usize = size_of::<u32>();
/// Most columns. With each the rate is halved.
const BITS_MAX: u8 = 32;
/// Rows that share a byte of each column.
const BLOCK_ROWS: usize = 8;

/// A filter, where it was read to.
#[derive(Debug)]
pub(crate) struct Burr {
    content: Content,
    bits: u8,
    width: Width,
    layers: [Layer; LAYERS_MAX],
    /// How many of those there are.
    count: usize,
    /// Where the list begins, and where it ends.
    listed: (usize, usize),
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
    /// The bytes of the filter region over these hashes, one of each key or more, which says *maybe* of other hashes once in 2 to the
    /// power of `bits`. At least one bit is taken, and at most 32.
    pub(crate) fn encode(hashes: &[u64], bits: u8) -> Vec<u8> {
        build::encode(hashes, bits.clamp(1, BITS_MAX))
    }

    /// Memory that [`Burr::encode`] takes for so many keys.
    pub(crate) fn build_bytes(keys: usize, bits: u8) -> usize {
        build::bytes(keys, bits.clamp(1, BITS_MAX))
    }

    /// Takes the filter region.
    pub(crate) fn decode(content: Content) -> Result<Self> {
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
        for (layer, rows) in layers.iter_mut().zip(rows) {
            layer.solution_at = end;
            end = end.saturating_add(solution_bytes(*rows, bits));
        }
        let listed = (end, end.saturating_add(listed.saturating_mul(LISTED_BYTES)));
        let expected = listed.1.saturating_add(SPARE_BYTES);
        if content.len() != expected {
            return Err(Error::corruption("filter length").at(0).expected_found(expected, content.len()));
        }
        Ok(Self { content, bits, width, layers, count, listed })
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
        let mut key = Key::of(hash);
        for layer in self.layers() {
            let start = key.start(layer.starts);
            let (byte, shift) = layer.buckets.code_place(start);
            let codes = self.content.get(layer.codes_at.saturating_add(byte)..).and_then(<[u8]>::first_chunk::<2>);
            let Some(codes) = codes else { return true };
            if layer.buckets.offset(start) >= threshold::<B>(u16::from_le_bytes(*codes) >> shift) {
                let solution = self.content.get(layer.block_at(start, self.bits)..).unwrap_or_default();
                return gives_value::<B>(solution, self.bits, key, start);
            }
            key = key.bumped();
        }
        let listed = self.content.get(self.listed.0..self.listed.1).unwrap_or_default();
        let listed = listed.as_chunks::<LISTED_BYTES>().0;
        listed.binary_search_by_key(&key.listed(), |listed| u32::from_le_bytes(*listed)).is_ok()
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
