//! The bytes of values.

use super::{
    json,
    random::{Random, mix, scale},
};

/// Random bytes that values are cut from: far more than a block or a compression dictionary holds, little enough for a cache.
const BUFFER_BYTES: usize = 1 << 20;
/// The same for rows of JSON, of which there are to be many.
const JSON_BUFFER_BYTES: usize = 32 << 20;
const WORD_BYTES: usize = 8;

/// In values that repeat, so many random words are followed by the same again.
const REPEATED_WORDS: usize = 6;

/// Values of one size, a piece of one buffer each.
#[derive(Debug)]
pub struct Values {
    bytes: Vec<u8>,
    /// Sum of all words before each word of `bytes`.
    sums: Vec<u64>,
    size: usize,
    /// Values begin at multiples of so many words.
    step: usize,
    places: u64,
}

impl Values {
    /// Values of `size` bytes that do not compress.
    pub fn new(size: usize, seed: u64) -> Self {
        let mut random = Random::new(mix(seed));
        Self::of_words(size, 1, BUFFER_BYTES, |_| random.bits())
    }

    /// Values of `size` bytes, at least [`json::BYTES_MIN`], which are JSON as programs store it: the same names in all, some values out of
    /// few, and some that nothing predicts. There are more than eighty thousand of 400 bytes, so that a dictionary does not hold them.
    pub fn json(size: usize, seed: u64) -> Self {
        let (mut random, mut row) = (Random::new(mix(seed)), Vec::new());
        let step = size.div_ceil(WORD_BYTES);
        Self::of_words(size, step, JSON_BUFFER_BYTES, |word| {
            if word % step == 0 {
                row = json::row(&mut random, size);
                row.resize(step * WORD_BYTES, 0);
            }
            first_word(&row[word % step * WORD_BYTES..])
        })
    }

    /// Values of `size` bytes of which half repeats: a compressor that looks back 48 bytes can halve them.
    pub fn repeating(size: usize, seed: u64) -> Self {
        let (mut random, mut unit) = (Random::new(mix(seed)), [0; REPEATED_WORDS]);
        Self::of_words(size, 2 * REPEATED_WORDS, BUFFER_BYTES, |word| {
            let at = word % (2 * REPEATED_WORDS);
            if at < REPEATED_WORDS {
                unit[at] = random.bits();
            }
            unit[at % REPEATED_WORDS]
        })
    }

    fn of_words(size: usize, step: usize, buffer_bytes: usize, mut word_at: impl FnMut(usize) -> u64) -> Self {
        let words = buffer_bytes.max(2 * size).div_ceil(WORD_BYTES).next_multiple_of(step);
        let mut bytes = Vec::with_capacity(words * WORD_BYTES);
        let mut sums = Vec::with_capacity(words + 1);
        let mut sum = 0_u64;
        for at in 0..words {
            let word = word_at(at);
            bytes.extend_from_slice(&word.to_le_bytes());
            sums.push(sum);
            sum = sum.wrapping_add(word);
        }
        sums.push(sum);
        let places = ((words - size.div_ceil(WORD_BYTES)) / step + 1) as u64;
        Self { bytes, sums, size, step, places }
    }

    /// The value of an index.
    #[inline]
    pub fn of(&self, index: u64) -> &[u8] {
        let begin = self.place(index) * WORD_BYTES;
        &self.bytes[begin..begin + self.size]
    }

    /// What `checksum` makes of the value of an index, without reading it all.
    #[inline]
    pub fn checksum_of(&self, index: u64) -> u64 {
        let first = self.place(index);
        let end = first + self.size / WORD_BYTES;
        let tail = &self.bytes[end * WORD_BYTES..first * WORD_BYTES + self.size];
        self.sums[end].wrapping_sub(self.sums[first]).wrapping_add(tail_word(tail))
    }

    /// The word of the buffer where the value of an index begins.
    #[inline]
    fn place(&self, index: u64) -> usize {
        scale(mix(index), self.places) as usize * self.step
    }
}

/// Sum of the words of a value.
#[inline]
pub(super) fn checksum(value: &[u8]) -> u64 {
    let (words, tail) = value.as_chunks::<WORD_BYTES>();
    words.iter().fold(tail_word(tail), |sum, word| sum.wrapping_add(u64::from_le_bytes(*word)))
}

/// The first eight bytes of a value; 0 if it is shorter.
#[inline]
pub(crate) fn first_word(value: &[u8]) -> u64 {
    value.first_chunk::<WORD_BYTES>().map_or(0, |word| u64::from_le_bytes(*word))
}

/// The last bytes of a value that fill no word.
#[inline]
fn tail_word(tail: &[u8]) -> u64 {
    tail.iter().rev().fold(0, |word, byte| (word << 8) | u64::from(*byte))
}
