//! How blocks are compressed.

use sediment_codec::compress::ZstdLevel;

/// How blocks are compressed on disk. In the cache they lie unpacked. A block that compression would not make an eighth
/// smaller is stored as it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Compression {
    /// Not at all.
    None,
    /// LZ4: fast both ways. Text and records of text become about half as large.
    Lz4,
    /// Zstandard: JSON and the like become half as large again as with LZ4, and take several times as long to unpack. Higher levels
    /// take longer to compress; to unpack takes the same. See [`KeyspaceOptions::dictionary_bytes`](crate::KeyspaceOptions::dictionary_bytes)
    /// for what small blocks gain beyond that.
    Zstd(ZstdLevel),
    /// The codec of this number, given to [`DbBuilder::codec`](crate::DbBuilder::codec).
    Other(u8),
}
