//! Compression of one block, chosen by a tag in its frame.
//!
//! The plain length is recorded outside and caps what decompression may produce: no stored byte decides about an allocation.

use sediment_base::{Error, Result};
use std::borrow::Cow;

/// How the stored bytes of a frame came from the plain ones. The numbers are on disk.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Codec {
    /// Stored as they are.
    #[default]
    None = 0,
}

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
            _ => Err(Error::unsupported(format!("compression {tag} is not known to this version"))),
        }
    }

    /// Appends the stored form of `plain` to `out`.
    #[inline]
    pub fn compress(self, plain: &[u8], out: &mut Vec<u8>) -> Result<()> {
        match self {
            Self::None => out.extend_from_slice(plain),
        }
        Ok(())
    }

    /// The plain form of `stored`, which must have exactly `plain_len` bytes.
    #[inline]
    pub fn decompress(self, stored: &[u8], plain_len: usize) -> Result<Cow<'_, [u8]>> {
        match self {
            Self::None if stored.len() == plain_len => Ok(Cow::Borrowed(stored)),
            Self::None => {
                Err(Error::corruption("plain length of an uncompressed block").expected_found(stored.len(), plain_len))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use sediment_base::ErrorKind;

    #[test]
    fn unknown_tags_ask_for_an_upgrade() {
        for tag in 1..=255 {
            assert_eq!(Codec::from_tag(tag).unwrap_err().kind(), ErrorKind::Unsupported);
        }
        assert_eq!(Codec::from_tag(Codec::None.tag()).unwrap(), Codec::None);
    }

    #[test]
    fn an_uncompressed_block_has_its_own_length() {
        let mut stored = Vec::new();
        Codec::None.compress(b"plain", &mut stored).unwrap();
        assert_eq!(&*Codec::None.decompress(&stored, 5).unwrap(), b"plain");
        assert_eq!(Codec::None.decompress(&stored, 6).unwrap_err().kind(), ErrorKind::Corruption);
    }
}
