//! How blocks are compressed.

use std::fmt;

/// How blocks are compressed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum CompressionType {
    /// Not at all.
    #[default]
    None,
    /// The LZ4 block format.
    Lz4,
    /// Zstandard at a level of 1 to 22.
    Zstd(i32),
    /// Zstandard with a dictionary.
    ZstdDict {
        /// 1 to 22.
        level: i32,
        /// The id of the dictionary.
        dict_id: u32,
    },
}

impl CompressionType {
    /// The id of its dictionary; 0 without one.
    pub fn dict_id(&self) -> u32 {
        match self {
            Self::ZstdDict { dict_id, .. } => *dict_id,
            _ => 0,
        }
    }
}

impl fmt::Display for CompressionType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::None => f.write_str("none"),
            Self::Lz4 => f.write_str("lz4"),
            Self::Zstd(level) => write!(f, "zstd({level})"),
            Self::ZstdDict { level, dict_id } => write!(f, "zstd({level}, dictionary {dict_id:08x})"),
        }
    }
}
