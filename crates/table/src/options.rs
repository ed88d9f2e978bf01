//! How a table is written. Readers need none of it: a table says in its properties what they must know.

use sediment_base::{KeyRange, PrefixExtractor, limits};
use sediment_codec::{
    compress::{Dictionary, Method},
    seal::FRAME_HEADER_BYTES,
};
use std::sync::Arc;

/// Settings of one table.
#[derive(Clone, Debug)]
pub struct TableOptions {
    /// Aimed-at size of a block before compression, frame header included. Clamped to 256 bytes … 64 KiB.
    pub block_bytes: usize,
    /// How data blocks are compressed, where that saves anything.
    pub codec: Method,
    /// Where a dictionary for Zstandard comes from. Other codecs have none.
    pub dictionary: DictionaryOptions,
    /// How filters are built.
    pub filter: FilterKind,
    /// Bits of filter per user key; 0 for no filter.
    pub filter_bits_per_key: u8,
    /// Whether it has a locator in place of a filter of keys, if it can have one: some five bytes a key, by which a point read finds block
    /// and row at once.
    pub locator: bool,
    /// Bits of filter per prefix; 0 for no filter of prefixes.
    pub filter_bits_per_prefix: u8,
    /// Which prefixes a second filter knows. Without one, and where keys are not ordered by their bytes, there is none.
    pub prefix_extractor: Option<Arc<dyn PrefixExtractor>>,
    /// Seed of the key hash, one per tree. Every lookup brings a hash made with it.
    pub hash_seed: u64,
    /// Whether every row has a digest of its own, which readers check.
    pub row_digests: bool,
    /// Where nobody is likely to read the table soon: once it is durable, the system is asked not to keep its blocks in memory, but for
    /// those that may hold keys of these ranges, which ascend and do not overlap.
    pub cold_but_for: Option<Arc<[KeyRange]>>,
    /// Creation time in microseconds since 1970, as the caller sees it.
    pub created_us: u64,
    /// Time of the oldest write inside, inherited through rewrites.
    pub oldest_write_us: u64,
}

impl TableOptions {
    /// Size of a block's rows, with what describes them, that is aimed at.
    pub(crate) fn block_bytes_target(&self) -> usize {
        self.block_bytes.clamp(256, limits::BLOCK_BYTES_MAX) - FRAME_HEADER_BYTES
    }
}

impl Default for TableOptions {
    fn default() -> Self {
        Self {
            block_bytes: 4096,
            codec: Method::None,
            dictionary: DictionaryOptions::default(),
            filter: FilterKind::SplitBlock,
            filter_bits_per_key: 10,
            locator: false,
            filter_bits_per_prefix: 10,
            prefix_extractor: None,
            hash_seed: 0,
            row_digests: false,
            cold_but_for: None,
            created_us: 0,
            oldest_write_us: 0,
        }
    }
}

/// How filters are built. Every reader knows all kinds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum FilterKind {
    /// A Bloom filter whose probes of one key share a cache line: the quickest to build and to ask. With 10 bits per key it is wrong
    /// about 1.1 % of the keys that are not there.
    #[default]
    SplitBlock,
    /// Bumped ribbon retrieval: with *r* bits per key it is wrong about one in 2 to the power of *r*, and no filter can take less, but
    /// for a few thousandths. With 7 bits it is better than the other with 10. It takes ten times as long to build, and twice as long to
    /// ask. Clamped to 32 bits.
    Burr,
}

/// Where the dictionary of a table comes from; nowhere by default. A table has none that would not make it smaller.
#[derive(Clone, Debug, Default)]
pub struct DictionaryOptions {
    /// Size of one that is trained from the table's own blocks; 0 trains none. The first blocks wait for it in memory: 64 times as many
    /// bytes.
    pub bytes_max: usize,
    /// One that is tried first: the caller's, or that of a table written before.
    pub known: Option<Arc<Dictionary>>,
    /// How large the file may become: what a dictionary costs is weighed against it.
    pub table_bytes: u64,
}

/// Whether long metadata of tables are in memory while their table is open: filters longer than a page of 4 KiB, fences longer than two.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Residency {
    /// They are.
    Resident,
    /// The page that a read needs is fetched through the cache of blocks, where it has to share the memory with them.
    Paged,
    /// They are unless all metadata would then take more than three tenths of the memory.
    #[default]
    ByBudget,
}
