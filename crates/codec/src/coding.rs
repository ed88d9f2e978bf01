//! Integers and byte strings in stored bytes.
//!
//! Fixed integers are little-endian. Variable ones are LEB128, seven bits a byte, lowest first, and must be as short as they
//! can be, so that every value has one spelling and what was read writes back as the same bytes. A [`Reader`] never looks past
//! its end, and its errors carry the position at which they were noticed. One caller at a time.

use sediment_base::{Error, Result};

/// Longest variable-length integer: 64 bits, seven a byte.
pub const VARINT_BYTES_MAX: usize = 10;

/// Takes values from the front of a byte string that may hold anything.
#[derive(Clone, Debug)]
pub struct Reader<'a> {
    bytes: &'a [u8],
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    /// Reads from the beginning of `bytes`.
    #[inline]
    pub fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, rest: bytes }
    }

    /// How many bytes have been taken.
    #[inline]
    pub fn position(&self) -> usize {
        self.bytes.len().saturating_sub(self.rest.len())
    }

    /// How many bytes are left.
    #[inline]
    pub fn remaining(&self) -> usize {
        self.rest.len()
    }

    /// Whether nothing is left.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    /// Takes one byte.
    #[inline]
    pub fn u8(&mut self) -> Result<u8> {
        self.array().map(u8::from_le_bytes)
    }

    /// Takes two bytes.
    #[inline]
    pub fn u16(&mut self) -> Result<u16> {
        self.array().map(u16::from_le_bytes)
    }

    /// Takes four bytes.
    #[inline]
    pub fn u32(&mut self) -> Result<u32> {
        self.array().map(u32::from_le_bytes)
    }

    /// Takes eight bytes.
    #[inline]
    pub fn u64(&mut self) -> Result<u64> {
        self.array().map(u64::from_le_bytes)
    }

    /// Takes `N` bytes.
    #[inline]
    pub fn array<const N: usize>(&mut self) -> Result<[u8; N]> {
        let Some((array, rest)) = self.rest.split_first_chunk::<N>() else { return Err(self.ends_early(N as u64)) };
        self.rest = rest;
        Ok(*array)
    }

    /// Takes `count` bytes.
    #[inline]
    pub fn bytes(&mut self, count: usize) -> Result<&'a [u8]> {
        let Some((bytes, rest)) = self.rest.split_at_checked(count) else { return Err(self.ends_early(count as u64)) };
        self.rest = rest;
        Ok(bytes)
    }

    /// Takes all that is left.
    #[inline]
    pub fn rest(&mut self) -> &'a [u8] {
        std::mem::take(&mut self.rest)
    }

    /// Takes a variable-length integer in its shortest spelling.
    pub fn varint(&mut self) -> Result<u64> {
        let mut value = 0_u64;
        for (i, byte) in self.rest.iter().take(VARINT_BYTES_MAX).enumerate() {
            let bits = u64::from(byte & 0x7F);
            let shift = (i as u32).saturating_mul(7);
            let shifted = bits.wrapping_shl(shift);
            if shifted.wrapping_shr(shift) != bits {
                return Err(self.error("integer does not fit 64 bits"));
            }
            value |= shifted;
            if byte & 0x80 == 0 {
                if *byte == 0 && i > 0 {
                    return Err(self.error("integer is spelled longer than it needs"));
                }
                self.rest = self.rest.get(i.saturating_add(1)..).unwrap_or_default();
                return Ok(value);
            }
        }
        match self.rest.len() {
            0..VARINT_BYTES_MAX => Err(self.error("bytes end inside an integer")),
            _ => Err(self.error("integer does not fit 64 bits")),
        }
    }

    /// Takes a byte string that is preceded by its length.
    pub fn length_prefixed(&mut self) -> Result<&'a [u8]> {
        let before = self.clone();
        let taken = self.varint().and_then(|length| match usize::try_from(length) {
            Ok(length) => self.bytes(length),
            Err(_) => Err(self.ends_early(length)),
        });
        if taken.is_err() {
            *self = before;
        }
        taken
    }

    /// Takes a count of entries of at least `min_entry_bytes` each, all of which must still fit: what it returns may be
    /// allocated.
    pub fn count(&mut self, min_entry_bytes: usize) -> Result<usize> {
        let before = self.clone();
        let count = self.varint()?;
        let fits = self.rest.len().checked_div(min_entry_bytes).unwrap_or(self.rest.len());
        match usize::try_from(count) {
            Ok(count) if count <= fits => Ok(count),
            _ => {
                *self = before;
                Err(self.error("more entries are announced than bytes remain").expected_found(format!("at most {fits}"), count))
            }
        }
    }

    /// Insists that nothing is left.
    pub fn expect_end(&self) -> Result<()> {
        if self.is_empty() {
            return Ok(());
        }
        Err(self.error("bytes follow where none belong").expected_found(0, self.remaining()))
    }

    /// An error at the present position, for what the caller finds wrong with a value.
    #[cold]
    pub fn error(&self, message: &str) -> Error {
        Error::corruption(message).at(self.position() as u64)
    }

    #[cold]
    fn ends_early(&self, wanted: u64) -> Error {
        self.error("bytes end early").expected_found(wanted, self.remaining())
    }
}

/// Appends what a [`Reader`] takes.
pub trait Writer {
    /// Appends bytes as they are.
    fn put_bytes(&mut self, bytes: &[u8]);

    /// Appends one byte.
    #[inline]
    fn put_u8(&mut self, value: u8) {
        self.put_bytes(&value.to_le_bytes());
    }

    /// Appends two bytes.
    #[inline]
    fn put_u16(&mut self, value: u16) {
        self.put_bytes(&value.to_le_bytes());
    }

    /// Appends four bytes.
    #[inline]
    fn put_u32(&mut self, value: u32) {
        self.put_bytes(&value.to_le_bytes());
    }

    /// Appends eight bytes.
    #[inline]
    fn put_u64(&mut self, value: u64) {
        self.put_bytes(&value.to_le_bytes());
    }

    /// Appends an integer in its shortest spelling: one byte below 128, ten at most.
    #[inline]
    fn put_varint(&mut self, mut value: u64) {
        while value >= 0x80 {
            self.put_u8(value as u8 | 0x80);
            value >>= 7;
        }
        self.put_u8(value as u8);
    }

    /// Appends the length of `bytes`, then `bytes`.
    #[inline]
    fn put_length_prefixed(&mut self, bytes: &[u8]) {
        self.put_varint(bytes.len() as u64);
        self.put_bytes(bytes);
    }
}

impl Writer for Vec<u8> {
    #[inline]
    fn put_bytes(&mut self, bytes: &[u8]) {
        self.extend_from_slice(bytes);
    }
}

/// Fills an array of known layout from its front. What no longer fits is dropped: the layouts that use it are tested whole.
pub(crate) struct ArrayWriter<'a>(&'a mut [u8]);

impl<'a> ArrayWriter<'a> {
    #[inline(always)]
    pub(crate) fn new(bytes: &'a mut [u8]) -> Self {
        Self(bytes)
    }

    #[inline(always)]
    pub(crate) fn put<const N: usize>(&mut self, value: [u8; N]) {
        if let Some((place, rest)) = std::mem::take(&mut self.0).split_first_chunk_mut::<N>() {
            *place = value;
            self.0 = rest;
        }
    }
}

#[cfg(test)]
mod tests;
