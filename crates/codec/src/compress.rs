//! Compression of one block, chosen by a tag in its frame.
//!
//! The plain length is recorded outside and caps what decompression may produce: no stored byte decides about an allocation.

mod lz4;

use sediment_base::{Error, Result};
use std::borrow::Cow;

/// How the stored bytes of a frame came from the plain ones. The numbers are on disk.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Codec {
    /// Stored as they are.
    #[default]
    None = 0,
    /// The LZ4 block format, without a length in front.
    Lz4 = 1,
}

/// What compression must save at least, as a part of the plain bytes; a block that saves less is stored as it is, and read without
/// the work.
const SAVED_PART_MIN: usize = 8;

impl Codec {
    /// The number in frames.
    #[inline]
    pub fn tag(self) -> u8 {
        self as u8
    }

    /// The codec behind a number; `Unsupported` for one of a later version.
    #[inline]
    pub fn from_tag(tag: u8) -> Result<Self> {
        match tag {
            0 => Ok(Self::None),
            1 => Ok(Self::Lz4),
            _ => Err(Error::unsupported(format!("compression {tag} is not known to this version"))),
        }
    }

    /// Puts the stored form of the bytes of `out` from `start` on in their place. Returns the codec of that form, which is
    /// [`Codec::None`] where compression would save little.
    pub fn compress_from(self, start: usize, out: &mut Vec<u8>) -> Result<Self> {
        let plain = out.get(start..).unwrap_or_default();
        let longest = plain.len().saturating_sub(plain.len().div_ceil(SAVED_PART_MIN));
        let stored = match self {
            Self::None => None,
            Self::Lz4 => lz4::compress(plain, longest),
        };
        let Some(stored) = stored else { return Ok(Self::None) };
        out.truncate(start);
        out.extend_from_slice(&stored);
        Ok(self)
    }

    /// The plain form of `stored`, which must have exactly `plain_len` bytes.
    #[inline]
    pub fn decompress(self, stored: &[u8], plain_len: usize) -> Result<Cow<'_, [u8]>> {
        match self {
            Self::None if stored.len() == plain_len => Ok(Cow::Borrowed(stored)),
            Self::None => {
                Err(Error::corruption("plain length of an uncompressed block").expected_found(stored.len(), plain_len))
            }
            Self::Lz4 => lz4::decompress(stored, plain_len).map(Cow::Owned),
        }
    }
}

#[cfg(test)]
mod tests;
