//! How blocks are to be compressed.

use super::Codec;
use sediment_base::{BlockCodec, Error, Result};
use std::{fmt, ops::RangeInclusive, sync::Arc};

/// How blocks are to be compressed. It shapes what is written; readers go by what each block says.
#[derive(Clone, Debug, Default)]
pub enum Method {
    /// Not at all.
    #[default]
    None,
    /// LZ4.
    Lz4,
    /// Zstandard.
    Zstd(ZstdLevel),
    /// A codec that does not come with Sediment.
    Other(Arc<dyn BlockCodec>),
}

impl Method {
    /// The codec of blocks that it makes smaller.
    pub fn codec(&self) -> Codec {
        match self {
            Self::None => Codec::None,
            Self::Lz4 => Codec::Lz4,
            Self::Zstd(_) => Codec::Zstd,
            Self::Other(codec) => Codec::Other(codec.id()),
        }
    }
}

/// What it is called where a table says how it was compressed: another name, another result.
impl fmt::Display for Method {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::None => write!(f, "none"),
            Self::Lz4 => write!(f, "lz4"),
            Self::Zstd(level) => write!(f, "zstd:{}", level.get()),
            Self::Other(codec) => write!(f, "other:{}", codec.name()),
        }
    }
}

/// Of two codecs of others, the numbers are compared.
impl PartialEq for Method {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Zstd(level), Self::Zstd(other)) => level == other,
            _ => self.codec() == other.codec(),
        }
    }
}

impl Eq for Method {}

/// How hard Zstandard tries: 1 to 22. Higher levels take less space and more time to compress; to decompress takes the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ZstdLevel(u8);

impl ZstdLevel {
    /// The levels there are.
    pub const RANGE: RangeInclusive<u8> = 1..=22;

    /// The quickest one.
    pub const FASTEST: Self = Self(1);

    /// What `zstd` itself takes where nobody says.
    pub const DEFAULT: Self = Self(3);

    /// A level of [`ZstdLevel::RANGE`]; `InvalidInput` for another.
    pub fn new(level: u8) -> Result<Self> {
        if Self::RANGE.contains(&level) {
            return Ok(Self(level));
        }
        Err(Error::invalid_input("level of zstd").expected_found("1 to 22", level))
    }

    /// The number.
    pub fn get(self) -> u8 {
        self.0
    }
}
