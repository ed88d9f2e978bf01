//! Levels and dictionaries of zstd, and compression in the words of the tree.

use crate::{
    compression::CompressionType,
    error::{Result, invalid, of_tree},
    hash::hash64,
};
use sediment_codec::compress::{Dictionary, Method, ZstdLevel};
use std::{ops::RangeInclusive, sync::Arc};

const LEVELS: RangeInclusive<i32> = 1..=22;

impl CompressionType {
    /// Zstandard at `level`, which is 1 to 22; another is an I/O error of kind `InvalidInput`.
    pub fn zstd(level: i32) -> Result<Self> {
        checked(level).map(Self::Zstd)
    }

    /// The same with the dictionary of this id.
    pub fn zstd_dict(level: i32, dict_id: u32) -> Result<Self> {
        checked(level).map(|level| Self::ZstdDict { level, dict_id })
    }

    /// What the tree calls it.
    pub(crate) fn method(self) -> Result<Method> {
        match self {
            Self::None => Ok(Method::None),
            Self::Lz4 => Ok(Method::Lz4),
            Self::Zstd(level) | Self::ZstdDict { level, .. } => {
                let level = u8::try_from(checked(level)?).unwrap_or_default();
                ZstdLevel::new(level).map(Method::Zstd).map_err(of_tree)
            }
        }
    }
}

fn checked(level: i32) -> Result<i32> {
    if LEVELS.contains(&level) { Ok(level) } else { Err(invalid("the level of zstd must be 1 to 22")) }
}

/// A dictionary: a finished one, or raw content. Cheap to clone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ZstdDictionary {
    id: u32,
    raw: Arc<[u8]>,
}

impl ZstdDictionary {
    /// A dictionary of these bytes.
    pub fn new(raw: &[u8]) -> Self {
        Self { id: hash64(raw) as u32, raw: raw.into() }
    }

    /// The low half of the XXH3-64 of its bytes.
    pub fn id(&self) -> u32 {
        self.id
    }

    /// What the tree calls it.
    pub(crate) fn adapt(&self) -> Result<Dictionary> {
        Dictionary::new(&self.raw).map_err(of_tree)
    }

    /// Its bytes.
    pub fn raw(&self) -> &[u8] {
        &self.raw
    }
}
