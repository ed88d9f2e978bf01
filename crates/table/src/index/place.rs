//! What is known of a block without reading it.

use crate::block::BlockSummary;
use sediment_base::SeqNo;
use std::fmt;

/// What is known of a block without reading it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct BlockFlags(pub(crate) u16);

impl BlockFlags {
    /// Every row has a newer one in the table.
    pub(crate) const ALL_OBSOLETE: Self = Self(1);
    /// Every row is a tombstone.
    pub(crate) const ALL_TOMBSTONES: Self = Self(1 << 1);
    /// A range tombstone begins in it. Reserved.
    pub(crate) const RANGE_TOMBSTONE: Self = Self(1 << 2);
    /// A row refers to a blob file.
    pub(crate) const BLOB: Self = Self(1 << 3);
    /// A row is an operand.
    pub(crate) const OPERAND: Self = Self(1 << 4);
    /// The first row has the user key of the last row of the block before.
    pub(crate) const CONTINUES: Self = Self(1 << 5);
    /// One large row.
    pub(crate) const JUMBO: Self = Self(1 << 6);

    pub(super) const KNOWN: u16 = (1 << 7) - 1;

    pub(crate) fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    pub(super) fn and(self, others: Self) -> Self {
        Self(self.0 & others.0)
    }

    /// Whether it is among the flags of a stored block.
    pub(super) fn is_in(self, stored: [u8; 2]) -> bool {
        Self(u16::from_le_bytes(stored)).contains(self)
    }

    /// What a builder found, and the two things that it cannot know.
    pub(crate) fn of(summary: BlockSummary, continues: bool, is_jumbo: bool) -> Self {
        let flags = [
            (summary.all_obsolete, Self::ALL_OBSOLETE),
            (summary.all_tombstones, Self::ALL_TOMBSTONES),
            (summary.has_blob, Self::BLOB),
            (summary.has_operand, Self::OPERAND),
            (continues, Self::CONTINUES),
            (is_jumbo, Self::JUMBO),
        ];
        Self(flags.iter().filter(|(is_set, _)| *is_set).fold(0, |bits, (_, flag)| bits | flag.0))
    }
}

impl fmt::Display for BlockFlags {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = [
            (Self::ALL_OBSOLETE, "all-obsolete"),
            (Self::ALL_TOMBSTONES, "all-tombstones"),
            (Self::RANGE_TOMBSTONE, "range-tombstone"),
            (Self::BLOB, "blob"),
            (Self::OPERAND, "operand"),
            (Self::CONTINUES, "continues"),
            (Self::JUMBO, "jumbo"),
        ];
        write!(f, "flags")?;
        names.iter().filter(|(flag, _)| self.contains(*flag)).try_for_each(|(_, name)| write!(f, " {name}"))
    }
}

/// Where a block lies and what is known of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct BlockPlace {
    pub(crate) offset: u64,
    pub(crate) bytes: u64,
    pub(crate) min_seqno: SeqNo,
    pub(crate) max_seqno: SeqNo,
    pub(crate) flags: BlockFlags,
    /// The seqno of its rows in an ingested table, which are stored with 0; else 0.
    pub(crate) global_seqno: SeqNo,
}

/// A block as a search finds it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct BlockEntry {
    pub(crate) number: usize,
    pub(crate) place: BlockPlace,
    /// Whether the next block begins with more rows of the user key that ends this one.
    pub(crate) is_continued: bool,
}
