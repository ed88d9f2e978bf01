//! Compression of one block, chosen by a tag in its frame.
//!
//! A [`Method`] says how blocks are to be compressed, and a [`Packer`] does it for one file; a [`Codec`] says how one block was, and an
//! [`Unpacker`] undoes it for any reader of the file. The plain length is recorded outside and caps what decompression may produce:
//! no stored byte decides about an allocation. What compresses and decompresses is kept from block to block.

mod contexts;
mod dictionary;
mod lz4;
mod method;
mod packer;
mod unpacker;
mod zstd;

pub use contexts::Contexts;
pub use dictionary::Dictionary;
pub use method::{Method, ZstdLevel};
pub use packer::{Packed, Packer};
pub use unpacker::Unpacker;

use sediment_base::{Error, Result, block_codec};

/// How the stored bytes of a frame came from the plain ones. The numbers are on disk.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Codec {
    /// Stored as they are.
    #[default]
    None,
    /// The LZ4 block format, without a length in front.
    Lz4,
    /// One frame of Zstandard (RFC 8878), with or without a dictionary.
    Zstd,
    /// A codec that does not come with Sediment, by its number.
    Other(u8),
}

impl Codec {
    /// The number in frames.
    #[inline]
    pub fn tag(self) -> u8 {
        match self {
            Self::None => 0,
            Self::Lz4 => 1,
            Self::Zstd => 2,
            Self::Other(id) => id,
        }
    }

    /// The codec behind a number; `Unsupported` for one of a later version.
    #[inline]
    pub fn from_tag(tag: u8) -> Result<Self> {
        match tag {
            0 => Ok(Self::None),
            1 => Ok(Self::Lz4),
            2 => Ok(Self::Zstd),
            id if block_codec::IDS.contains(&id) => Ok(Self::Other(id)),
            _ => Err(Error::unsupported(format!("compression {tag} is not known to this version"))),
        }
    }
}

#[cfg(test)]
mod tests;
