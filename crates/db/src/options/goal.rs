//! What a database is to be good at.

use crate::options::{Compression, FilterKind, FilterWidths};
use sediment_codec::compress::ZstdLevel;

/// What to be good at where one thing costs another.
///
/// A goal is a set of numbers for the settings that were left open. Each can be set apart from it, for the database in
/// [`ExpertOptions`](crate::ExpertOptions) or for a keyspace in [`KeyspaceOptions`](crate::KeyspaceOptions).
///
/// | | `Balanced` | `Write` | `Space` |
/// |---|---|---|---|
/// | `level_ratio`: each level to the one above | 10 | 5 | 16 |
/// | obsolete rows to live ones, once the last level is full | 1/9 | 1/4 | 1/15 |
/// | `level0_trigger`: runs that start a compaction | 6 | 8 | 2 |
/// | `filter`: kind of filters below level 0 | Bloom | Bloom | BuRR |
/// | `filter_bits_per_key` | 10 | 12 | 8 |
/// | `filter_widths` | by level | by level | by level |
/// | `block_bytes` | 4096 | 4096 | 16384 |
/// | `compression` | none | none | zstd, level 1 |
/// | `level0_compression` | none | none | LZ4 |
/// | `dictionary_bytes` | 0 | 0 | 32768 |
/// | memtable, of the memory | 1/4, up to 64 MiB | 3/8, up to 128 MiB | 1/4, up to 64 MiB |
///
/// How memory is divided follows the database's goal alone.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Goal {
    /// Reads, writes and space, none at the others' expense.
    #[default]
    Balanced,
    /// Fewer rewrites. Levels that grow slower cost less to keep sorted, and hold more that is obsolete; larger memtables take
    /// from the block cache; more runs wait in level 0, and a reader has to ask each (sharper filters answer most of it).
    Write,
    /// Smaller files. Nearly all rows lie in the last level, where no row hides another, and larger blocks carry less beside
    /// the rows; each row is rewritten more often, and a read of one row reads a larger block. Filters say no where smaller ones would
    /// not, and take longer to build and to ask.
    Space,
}

/// The numbers of a goal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Profile {
    pub(super) block_bytes: usize,
    pub(super) compression: Compression,
    pub(super) level0_compression: Compression,
    pub(super) dictionary_bytes: u32,
    pub(super) filter: FilterKind,
    pub(super) filter_bits_per_key: u8,
    pub(super) filter_widths: FilterWidths,
    pub(super) level0_trigger: usize,
    pub(super) level_ratio: u64,
}

impl Goal {
    /// The numbers that shape a tree.
    pub(super) const fn profile(self) -> Profile {
        let balanced = Profile {
            block_bytes: 4 << 10,
            compression: Compression::None,
            level0_compression: Compression::None,
            dictionary_bytes: 0,
            filter: FilterKind::SplitBlock,
            filter_bits_per_key: 10,
            filter_widths: FilterWidths::ByLevel,
            level0_trigger: 6,
            level_ratio: 10,
        };
        match self {
            Self::Balanced => balanced,
            Self::Write => Profile { filter_bits_per_key: 12, level0_trigger: 8, level_ratio: 5, ..balanced },
            Self::Space => Profile {
                block_bytes: 16 << 10,
                compression: Compression::Zstd(ZstdLevel::FASTEST),
                level0_compression: Compression::Lz4,
                dictionary_bytes: 32 << 10,
                filter: FilterKind::Burr,
                filter_bits_per_key: 8,
                filter_widths: FilterWidths::ByLevel,
                level0_trigger: 2,
                level_ratio: 16,
            },
        }
    }

    /// Size of a memtable in so much memory.
    pub(super) fn memtable_bytes(self, memory_bytes: usize) -> usize {
        match self {
            Self::Balanced | Self::Space => (memory_bytes / 4).min(64 << 20),
            Self::Write => (memory_bytes / 8 * 3).min(128 << 20),
        }
    }
}
