//! Looking into files: names and shapes. Nothing is read yet.

use crate::{
    compression::CompressionType,
    error::{Error, Result, unsupported},
    value::ValueType,
};
use std::path::Path;

/// What a table says about itself.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct TableProperties {
    /// Its number.
    pub id: u64,
    /// Bytes of it.
    pub file_size: u64,
    /// Its smallest key.
    pub min_key: Vec<u8>,
    /// Its largest key.
    pub max_key: Vec<u8>,
    /// Rows.
    pub item_count: u64,
    /// Tombstones among them.
    pub tombstone_count: u64,
    /// Weak ones among these.
    pub weak_tombstone_count: u64,
    /// Values right behind a weak tombstone.
    pub weak_tombstone_reclaimable: u64,
    /// Data blocks.
    pub data_block_count: u64,
    /// Index blocks.
    pub index_block_count: u64,
    /// How data blocks are compressed.
    pub data_block_compression: CompressionType,
    /// How index blocks are.
    pub index_block_compression: CompressionType,
    /// When it was made, in nanoseconds since 1970.
    pub created_at_nanos: u128,
    /// Whether it has parity.
    pub page_ecc: bool,
    /// Whether it has one that is not known.
    pub ecc_unrecognized: bool,
    /// Which.
    pub ecc_scheme: Option<EccSchemeInfo>,
}

/// Which parity a table has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum EccSchemeInfo {
    /// Over shards.
    Shard {
        /// Of data.
        data_shards: u8,
        /// Of parity.
        parity_shards: u8,
    },
    /// Over words.
    Secded,
}

impl EccSchemeInfo {
    /// Bytes of parity behind a payload.
    pub fn parity_trailer_len(self, payload_len: usize) -> usize {
        match self {
            Self::Secded => payload_len.div_ceil(8),
            Self::Shard { data_shards: 0, .. } => 0,
            Self::Shard { data_shards, parity_shards } => {
                crate::ecc::parity_len(payload_len, data_shards.into(), parity_shards.into())
            }
        }
    }
}

/// A block in an index.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct IndexEntry {
    /// Its last key.
    pub end_key: Vec<u8>,
    /// The number there.
    pub seqno: u64,
    /// Where it lies.
    pub offset: u64,
    /// Its bytes.
    pub size: u32,
}

/// A row.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct DataEntry {
    /// Its key.
    pub key: Vec<u8>,
    /// Its value.
    pub value: Vec<u8>,
    /// When it was written.
    pub seqno: u64,
    /// What it does.
    pub value_type: ValueType,
}

impl DataEntry {
    /// Whether its key is gone.
    pub fn is_tombstone(&self) -> bool {
        self.value_type.is_tombstone()
    }
}

/// The rows of a table. None can be made yet.
#[derive(Debug)]
pub struct DataBlockEntryIter(Never);

#[derive(Debug)]
enum Never {}

impl DataBlockEntryIter {
    /// Without values.
    #[must_use]
    pub const fn keys_only(self) -> Self {
        match self.0 {}
    }
}

impl Iterator for DataBlockEntryIter {
    type Item = Result<DataEntry>;

    fn next(&mut self) -> Option<Self::Item> {
        match self.0 {}
    }
}

/// What a filter takes.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct FilterStats {
    /// Its bytes.
    pub filter_section_bytes: u64,
    /// Its layers.
    pub layer_count: u64,
    /// Its keys.
    pub item_count: u64,
    /// Bits for each key.
    pub bits_per_key: f64,
}

/// What a block of zstd is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ZstdBlockType {
    /// Plain.
    Raw,
    /// One byte, many times.
    Rle,
    /// Compressed.
    Compressed,
}

/// A block of zstd.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct InnerZstdBlock {
    /// Which.
    pub index: u32,
    /// What it is.
    pub block_type: ZstdBlockType,
    /// Whether it is the last.
    pub last: bool,
    /// Where it begins.
    pub header_offset: u64,
    /// Its bytes.
    pub content_len: u32,
    /// Its plain bytes, where it says so.
    pub decompressed_len: Option<u32>,
}

/// A frame of zstd.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ZstdFrameCensus {
    /// Bytes of its head.
    pub frame_header_len: u8,
    /// Its window.
    pub window_size: Option<u64>,
    /// Its dictionary.
    pub dictionary_id: Option<u32>,
    /// Its plain bytes.
    pub frame_content_size: Option<u64>,
    /// Whether it has a checksum.
    pub content_checksum: bool,
    /// Its blocks.
    pub blocks: Vec<InnerZstdBlock>,
}

/// What a table says about itself. Not there yet.
pub fn read_table_properties(_path: &Path) -> Result<TableProperties> {
    Err(unsupported("reading of a table's properties"))
}

/// The blocks of a table. Not there yet.
pub fn read_top_level_index_entries(_path: &Path) -> Result<Vec<IndexEntry>> {
    Err(unsupported("reading of a table's index"))
}

/// The rows of a table. Not there yet.
pub fn iter_data_block_entries(_path: &Path) -> Result<DataBlockEntryIter> {
    Err(unsupported("reading of a table's rows"))
}

/// What a table's filter takes. Not there yet.
pub fn read_filter_stats(_path: &Path) -> Result<Option<FilterStats>> {
    Err(unsupported("reading of a table's filter"))
}

/// Whether some bytes begin as a frame of zstd does.
pub fn is_zstd_frame(payload: &[u8]) -> bool {
    payload.starts_with(&[0x28, 0xB5, 0x2F, 0xFD])
}

/// What a frame of zstd consists of. Not there yet; what is none is [`Error::InvalidHeader`].
pub fn census_zstd_frame(payload: &[u8]) -> Result<ZstdFrameCensus> {
    if is_zstd_frame(payload) { Err(unsupported("a census of zstd")) } else { Err(Error::InvalidHeader("zstd frame")) }
}
