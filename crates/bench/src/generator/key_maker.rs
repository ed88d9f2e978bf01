//! The bytes of keys.

/// Bytes of the number in a key.
const NUMBER_BYTES: usize = 8;
/// What fills a key up to its size.
const FILLER: u8 = b'.';

/// Makes keys in place: prefix, number in big-endian bytes, filler. The order of keys is the order of indexes.
///
/// Keys that are there have even numbers, keys that are not have odd ones, so an absent key lies between two present ones and
/// no table is ruled out by its range.
#[derive(Clone, Debug)]
pub struct KeyMaker {
    key: Vec<u8>,
    at: usize,
}

impl KeyMaker {
    /// The smallest key size for this prefix.
    pub fn min_size(prefix: &str) -> usize {
        prefix.len() + NUMBER_BYTES
    }

    /// Makes keys of `size` bytes, which is at least [`min_size`](Self::min_size).
    pub fn new(prefix: &str, size: usize) -> Self {
        let mut key = prefix.as_bytes().to_vec();
        key.resize(size, FILLER);
        Self { key, at: prefix.len() }
    }

    /// The key of an index.
    #[inline]
    pub fn present(&mut self, index: u64) -> &[u8] {
        self.make(index * 2)
    }

    /// A key that nobody wrote, right behind that of an index.
    #[inline]
    pub fn absent(&mut self, index: u64) -> &[u8] {
        self.make(index * 2 + 1)
    }

    /// The index of a key; `None` for bytes that are none of the present keys.
    #[inline]
    pub fn index_of(&self, key: &[u8]) -> Option<u64> {
        let number = key.get(self.at..self.at + NUMBER_BYTES)?;
        let number = u64::from_le_bytes(number.try_into().ok()?).swap_bytes();
        (key.len() == self.key.len() && number.is_multiple_of(2)).then_some(number / 2)
    }

    #[inline]
    fn make(&mut self, number: u64) -> &[u8] {
        self.key[self.at..self.at + NUMBER_BYTES].copy_from_slice(&number.swap_bytes().to_le_bytes());
        &self.key
    }
}
