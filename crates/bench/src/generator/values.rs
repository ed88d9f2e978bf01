//! The bytes of values.

use super::random::{Random, mix, scale};

/// Random bytes that values are cut from: far more than a block or a compression dictionary holds, little enough for a cache.
const BUFFER_BYTES: usize = 1 << 20;
const WORD_BYTES: usize = 8;

/// Values of one size, a piece of one buffer each.
#[derive(Debug)]
pub(crate) struct Values {
    bytes: Vec<u8>,
    /// Sum of all words before each word of `bytes`.
    sums: Vec<u64>,
    size: usize,
    places: u64,
}

impl Values {
    /// Values of `size` bytes.
    pub(crate) fn new(size: usize, seed: u64) -> Self {
        let words = BUFFER_BYTES.max(2 * size).div_ceil(WORD_BYTES);
        let mut random = Random::new(mix(seed));
        let mut bytes = Vec::with_capacity(words * WORD_BYTES);
        let mut sums = Vec::with_capacity(words + 1);
        let mut sum = 0_u64;
        for _ in 0..words {
            let word = random.bits();
            bytes.extend_from_slice(&word.to_le_bytes());
            sums.push(sum);
            sum = sum.wrapping_add(word);
        }
        sums.push(sum);
        let places = (words - size.div_ceil(WORD_BYTES) + 1) as u64;
        Self { bytes, sums, size, places }
    }

    /// The value of an index.
    #[inline]
    pub(crate) fn of(&self, index: u64) -> &[u8] {
        let begin = self.place(index) * WORD_BYTES;
        &self.bytes[begin..begin + self.size]
    }

    /// [`checksum`] of the value of an index, without reading it all.
    #[inline]
    pub(crate) fn checksum_of(&self, index: u64) -> u64 {
        let first = self.place(index);
        let end = first + self.size / WORD_BYTES;
        let tail = &self.bytes[end * WORD_BYTES..first * WORD_BYTES + self.size];
        self.sums[end].wrapping_sub(self.sums[first]).wrapping_add(tail_word(tail))
    }

    /// The word of the buffer where the value of an index begins.
    #[inline]
    fn place(&self, index: u64) -> usize {
        scale(mix(index), self.places) as usize
    }
}

/// Sum of the words of a value.
#[inline]
pub(super) fn checksum(value: &[u8]) -> u64 {
    let (words, tail) = value.as_chunks::<WORD_BYTES>();
    words.iter().fold(tail_word(tail), |sum, word| sum.wrapping_add(u64::from_le_bytes(*word)))
}

/// The last bytes of a value that fill no word.
#[inline]
fn tail_word(tail: &[u8]) -> u64 {
    tail.iter().rev().fold(0, |word, byte| (word << 8) | u64::from(*byte))
}
