//! How blocks are compressed.

use sediment_codec::compress::Codec;

/// How blocks are compressed on disk. In the cache they lie unpacked. A block that compression would not make an eighth
/// smaller is stored as it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Compression {
    /// Not at all.
    None,
    /// LZ4: fast both ways. Text and records of text become about half as large.
    Lz4,
}

impl From<Compression> for Codec {
    fn from(compression: Compression) -> Self {
        match compression {
            Compression::None => Self::None,
            Compression::Lz4 => Self::Lz4,
        }
    }
}
