//! A Bloom filter in lines of 64 bytes: one key sets one bit in each of the eight words of one line, so that a question costs
//! one cache miss.
//!
//! ```text
//!  0 keys u64 | 8 lines u32 | 12 probes u8 (8) | 13 zeros to 64
//! 64 lines, 8 words u64 each
//! ```
//!
//! The upper half of the hash chooses the line, `(hi32 * lines) >> 32`. The lower half times an odd constant per word, top six bits,
//! chooses the bit. The constants are part of the format.

#![deny(clippy::indexing_slicing, clippy::unwrap_used, clippy::arithmetic_side_effects)]

use crate::format::Content;
use sediment_base::{Error, Result};
use sediment_codec::coding::{Reader, Writer};
use sediment_raw::simd;
use std::ops::Range;

const HEADER_BYTES: usize = 64;
const LINE_BYTES: usize = 64;
const LINE_BITS: u64 = 512;
const PROBES: u8 = 8;

/// One odd multiplier per word. DO NOT CHANGE: filters on disk were built with them.
const SALTS: [u32; 8] =
    [0x47B6_137B, 0x4497_4D91, 0x8824_AD5B, 0xA2B7_289D, 0x7054_95C7, 0x2DF1_424B, 0x9EFC_4947, 0x5C6B_FB31];

/// A filter, where it was read to.
#[derive(Debug)]
pub(crate) struct SplitBlock {
    lines: Content,
}

impl SplitBlock {
    /// The content of the filter region over these hashes, one of each key, with this many bits for each, and how long its head is.
    pub(crate) fn encode(hashes: &[u64], bits_per_key: u8) -> (Vec<u8>, usize) {
        let bits = (hashes.len() as u64).saturating_mul(u64::from(bits_per_key));
        let count = bits.div_ceil(LINE_BITS).clamp(1, u64::from(u32::MAX)) as usize;
        let mut lines = vec![[0_u64; 8]; count];
        for hash in hashes {
            if let Some(line) = lines.get_mut(line_of(*hash, count)) {
                for (word, bit) in line.iter_mut().zip(bits_of(*hash)) {
                    *word |= bit;
                }
            }
        }
        let mut out = Vec::with_capacity(count.saturating_mul(LINE_BYTES).saturating_add(HEADER_BYTES));
        out.put_u64(hashes.len() as u64);
        out.put_u32(count as u32);
        out.put_u8(PROBES);
        out.resize(HEADER_BYTES, 0);
        lines.iter().flatten().for_each(|word| out.put_u64(*word));
        (out, HEADER_BYTES)
    }

    /// Memory that [`SplitBlock::encode`] takes for so many hashes: twice what comes out.
    pub(crate) fn build_bytes(hashes: usize, bits_per_key: u8) -> usize {
        hashes.saturating_mul(usize::from(bits_per_key).div_ceil(4))
    }

    /// Takes the filter region.
    pub(crate) fn decode(content: Content) -> Result<Self> {
        Lines::decode(content.get(..HEADER_BYTES).unwrap_or(&content), content.len())?;
        Ok(Self { lines: content.part(HEADER_BYTES..content.len()) })
    }

    /// False only if no key has this hash.
    #[inline]
    pub(crate) fn may_contain(&self, hash: u64) -> bool {
        let lines = self.lines.as_chunks::<LINE_BYTES>().0;
        let Some(line) = lines.get(line_of(hash, lines.len())) else { return true };
        has_bits(line, hash)
    }

    /// Asks for the line that a question about this hash looks at.
    #[inline]
    pub(crate) fn prefetch(&self, hash: u64) {
        let lines = self.lines.as_chunks::<LINE_BYTES>().0;
        if let Some(line) = lines.get(line_of(hash, lines.len())) {
            simd::prefetch(&raw const *line);
        }
    }
}

/// A filter whose lines are elsewhere.
#[derive(Debug)]
pub(crate) struct Lines(usize);

impl Lines {
    /// Takes the head of a filter region of so many bytes.
    pub(crate) fn decode(head: &[u8], len: usize) -> Result<Self> {
        let mut reader = Reader::new(head);
        let _keys = reader.u64()?;
        let lines = reader.u32()? as usize;
        let probes = reader.u8()?;
        let spare = reader.bytes(HEADER_BYTES.saturating_sub(reader.position()))?;
        if probes != PROBES || spare.iter().any(|byte| *byte != 0) {
            return Err(Error::unsupported("a filter of another shape; upgrade Sediment"));
        }
        reader.expect_end()?;
        let remaining = len.saturating_sub(HEADER_BYTES);
        if lines == 0 || lines.checked_mul(LINE_BYTES) != Some(remaining) {
            return Err(Error::corruption("filter length").at(8).expected_found(lines, remaining));
        }
        Ok(Self(lines))
    }

    /// Where the line that a question about this hash looks at is, behind the head.
    pub(crate) fn place(&self, hash: u64) -> Range<usize> {
        let start = line_of(hash, self.0).saturating_mul(LINE_BYTES);
        start..start.saturating_add(LINE_BYTES)
    }

    /// False only if no key has this hash, whose line this is.
    pub(crate) fn may_contain(line: &[u8], hash: u64) -> bool {
        line.first_chunk().is_none_or(|line| has_bits(line, hash))
    }
}

#[inline]
fn has_bits(line: &[u8; LINE_BYTES], hash: u64) -> bool {
    let words = line.as_chunks::<8>().0.iter().map(|word| u64::from_le_bytes(*word));
    words.zip(bits_of(hash)).fold(0, |missing, (word, bit)| missing | (bit & !word)) == 0
}

#[inline]
fn line_of(hash: u64, lines: usize) -> usize {
    ((hash >> 32).wrapping_mul(lines as u64) >> 32) as usize
}

#[inline]
fn bits_of(hash: u64) -> [u64; 8] {
    SALTS.map(|salt| 1 << ((hash as u32).wrapping_mul(salt) >> 26))
}

#[cfg(test)]
#[allow(clippy::indexing_slicing, clippy::unwrap_used, clippy::arithmetic_side_effects, reason = "a test may panic")]
mod tests {
    use super::*;
    use sediment_codec::hash::key_hash;
    use sediment_raw::slab::{Buffer, Pool};

    fn decode(region: &[u8]) -> Result<SplitBlock> {
        let content = Buffer::copied(&Pool::new(), region).share((), 0..region.len());
        SplitBlock::decode(content.part(0..region.len()))
    }

    fn built(hashes: &[u64], bits: u8) -> SplitBlock {
        decode(&SplitBlock::encode(hashes, bits).0).unwrap()
    }

    #[test]
    fn never_says_no_of_a_key_that_is_there() {
        let sets: [Vec<u64>; 6] = [
            vec![0],
            vec![u64::MAX, 0, 1, 1 << 63, 1 << 32, (1 << 32) - 1],
            (0..5000).collect(),
            (0..5000).map(|i| i << 32).collect(),
            (0..5000).map(|i| i << 52 | i).collect(),
            (0..64).map(|i| 1 << i).collect(),
        ];
        for hashes in sets {
            for bits in [1, 7, 10, 16, 255] {
                let filter = built(&hashes, bits);
                assert!(hashes.iter().all(|hash| filter.may_contain(*hash)));
            }
        }
        assert!(!built(&[], 10).may_contain(17));
    }

    #[test]
    fn says_maybe_of_few_others() {
        let hash = |i: u64| key_hash(3, &i.to_le_bytes());
        let keys: Vec<u64> = (0..100_000).map(hash).collect();
        for (bits, most) in [(10, 0.0130), (12, 0.0055), (16, 0.0015)] {
            let filter = built(&keys, bits);
            let wrong = (0..200_000).filter(|i| filter.may_contain(hash(i + 1_000_000))).count();
            let rate = wrong as f64 / 200_000.0;
            assert!(rate < most, "{bits} bits: {rate}");
        }
    }

    #[test]
    fn other_shapes_and_lengths_are_refused() {
        let (sound, _) = SplitBlock::encode(&[1, 2, 3], 10);
        for cut in 0..sound.len() {
            assert!(decode(&sound[..cut]).is_err());
        }
        for at in 8..HEADER_BYTES {
            let mut changed = sound.clone();
            changed[at] ^= 1;
            assert!(decode(&changed).is_err(), "byte {at}");
        }
    }
}
