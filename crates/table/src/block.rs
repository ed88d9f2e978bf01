//! Data blocks: rows of one table, sorted, found by hash tag or by order.
//!
//! A *slotted* block holds many rows (`block/format.rs` has the bytes); where it is compressed, it is stored as a *dense* one
//! (`block/dense.rs`), and made again when it is loaded. A row too large for one gets a *jumbo* block of its own,
//! whose value may go on in extent frames behind it. Both are validated whole when they are loaded; after that, searching
//! neither fails nor looks outside. Immutable. A block in memory is shared by a counted pointer, [`BlockRef`], to a head and the bytes
//! behind it; [`Block`] is what one sees through it.

mod builder;
mod dense;
mod digests;
mod format;
mod jumbo;
mod slotted;

#[cfg(test)]
mod tests;

pub(crate) use builder::{BlockBuilder, BlockSummary, RowParts};
pub(crate) use dense::{DenseBlock, Marks};
pub(crate) use format::PAYLOAD_BYTES_MAX as SLOTTED_BYTES_MAX;
pub(crate) use jumbo::{JumboBlock, JumboHead};
pub(crate) use slotted::{SlottedBlock, SlottedHead, SoughtKey};

use sediment_base::{InternalKey, KeyOrder, Kind, RowFlags, SeqNo};
use sediment_raw::slab::{Buffer, Shared};
use std::{cmp::Ordering, ops::Range};

/// A block in memory. Behind the head lie the bytes of a slotted block; of a jumbo block there are none. A page of a filter lies in the same
/// cache behind [`BlockHead::of_no_rows`], and nobody looks at it as a block.
pub(crate) type BlockRef = Shared<BlockHead>;

/// The memory of a block to be.
pub(crate) type BlockBuffer = Buffer<BlockHead>;

/// What is known of a loaded block.
#[derive(Debug)]
pub(crate) enum BlockHead {
    /// Where its parts are.
    Slotted(SlottedHead),
    /// All of it.
    Jumbo(Box<JumboBlock>),
}

impl BlockHead {
    /// In front of bytes that are something else.
    pub(crate) fn of_no_rows() -> Self {
        Self::Slotted(SlottedHead::default())
    }
}

// With the count in front of it, it fills a cache line.
const _: () = assert!(size_of::<BlockHead>() == 40);

/// A loaded block, seen through its pointer.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Block<'a> {
    /// Many rows.
    Slotted(SlottedBlock<'a>),
    /// One row.
    Jumbo(&'a JumboBlock),
}

/// What a row is, but for its key and value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RowHead {
    /// Its version.
    pub seqno: SeqNo,
    /// What it does.
    pub kind: Kind,
    /// How to read the value.
    pub flags: RowFlags,
}

/// A row, taken apart.
#[derive(Clone, Debug)]
pub(crate) struct RowView<'a> {
    pub(crate) head: RowHead,
    /// The key behind the block's prefix; not looked for where the row has the key of the row before it.
    pub(crate) suffix: Option<&'a [u8]>,
    /// The stored value, as a place in [`Block::bytes`].
    pub(crate) value: Range<usize>,
}

/// What a point lookup met in one block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Lookup {
    /// The newest row that the reader may see.
    Row(FoundRow),
    /// The key is here, but every row of it that the reader may see lies further on, if there is one.
    Later,
    /// The key is not here.
    Absent,
}

/// A row that a point lookup has found, taken apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct FoundRow {
    pub(crate) row: usize,
    /// As it lies here: it has not been proven where rows have digests.
    pub(crate) head: RowHead,
    /// Where its stored value begins and ends in [`Block::bytes`].
    pub(crate) value: (usize, usize),
}

impl<'a> Block<'a> {
    /// The block behind a pointer.
    #[inline]
    pub(crate) fn of(shared: &'a BlockRef) -> Self {
        match &**shared {
            BlockHead::Slotted(head) => Self::Slotted(SlottedBlock { head, payload: shared.bytes() }),
            BlockHead::Jumbo(block) => Self::Jumbo(block),
        }
    }

    /// Rows in it; at least one.
    #[inline]
    pub(crate) fn rows(self) -> usize {
        match self {
            Self::Slotted(block) => block.rows(),
            Self::Jumbo(_) => 1,
        }
    }

    /// The part of the row's key that all keys of the block share.
    #[inline]
    pub(crate) fn prefix(self) -> &'a [u8] {
        match self {
            Self::Slotted(block) => block.prefix(),
            Self::Jumbo(_) => &[],
        }
    }

    /// The rest of the row's key.
    #[inline]
    pub(crate) fn suffix(self, row: usize) -> &'a [u8] {
        match self {
            Self::Slotted(block) => block.suffix(row),
            Self::Jumbo(block) => block.key(),
        }
    }

    /// The row's stored value.
    #[inline]
    pub(crate) fn value(self, row: usize) -> &'a [u8] {
        match self {
            Self::Slotted(block) => block.value(row),
            Self::Jumbo(block) => block.value(),
        }
    }

    /// Version, kind and flags of the row.
    #[inline]
    pub(crate) fn head(self, row: usize) -> RowHead {
        match self {
            Self::Slotted(block) => block.head(row),
            Self::Jumbo(block) => block.row_head(),
        }
    }

    /// The row, taken apart at once.
    #[inline]
    pub(crate) fn view(self, row: usize) -> RowView<'a> {
        match self {
            Self::Slotted(block) => block.view(row),
            Self::Jumbo(block) => RowView { head: block.row_head(), suffix: Some(block.key()), value: 0..block.value().len() },
        }
    }

    /// The bytes that values lie in.
    #[inline]
    pub(crate) fn bytes(self) -> &'a [u8] {
        match self {
            Self::Slotted(block) => block.bytes(),
            Self::Jumbo(block) => block.value(),
        }
    }

    /// Whether the row has the user key of the row before it.
    #[inline]
    pub(crate) fn is_same_key(self, row: usize) -> bool {
        match self {
            Self::Slotted(block) => block.is_same_key(row),
            Self::Jumbo(_) => false,
        }
    }

    /// The first row of the key that the row belongs to.
    #[inline]
    pub(crate) fn key_start(self, row: usize) -> usize {
        match self {
            Self::Slotted(block) => block.key_start(row),
            Self::Jumbo(_) => 0,
        }
    }

    /// One past the last row of the key that the row belongs to.
    #[inline]
    pub(crate) fn key_end(self, row: usize) -> usize {
        match self {
            Self::Slotted(block) => block.key_end(row),
            Self::Jumbo(_) => 1,
        }
    }

    /// How the row's key compares to `key`.
    pub(crate) fn compare_key(self, row: usize, key: &[u8], order: &KeyOrder) -> Ordering {
        let (prefix, suffix) = (self.prefix(), self.suffix(row));
        // Blocks have a prefix under the order of bytes only.
        match key.split_at_checked(prefix.len()) {
            _ if prefix.is_empty() => order.compare(suffix, key),
            Some((begins, rest)) => prefix.cmp(begins).then_with(|| suffix.cmp(rest)),
            None => prefix.cmp(key),
        }
    }

    /// The first row at or after `target`; `rows()` if there is none.
    pub(crate) fn lower_bound(self, target: InternalKey<'_>, order: &KeyOrder) -> usize {
        match self {
            Self::Slotted(block) => block.lower_bound(target, order),
            Self::Jumbo(block) => block.lower_bound(target, order),
        }
    }

    /// The newest row of `user_key` below `read_seqno`, found by the key's tag.
    #[inline(always)]
    pub(crate) fn lookup(self, user_key: &[u8], tag: u8, read_seqno: SeqNo) -> Lookup {
        match self {
            Self::Slotted(block) => block.lookup(user_key, tag, read_seqno),
            Self::Jumbo(block) => block.lookup(user_key, read_seqno),
        }
    }

    /// The same where `slot` is the number of the key among those of the block, which is looked at alone. `None` if there is no such slot.
    #[inline]
    pub(crate) fn lookup_slot(self, slot: usize, user_key: &[u8], read_seqno: SeqNo) -> Option<Lookup> {
        match self {
            Self::Slotted(block) => block.lookup_slot(slot, user_key, read_seqno),
            Self::Jumbo(block) => (slot == 0).then(|| block.lookup(user_key, read_seqno)),
        }
    }
}

/// Memory that a block takes, by what is allocated for it.
pub(crate) fn memory_bytes(shared: &BlockRef) -> usize {
    shared.memory_bytes()
        + match &**shared {
            BlockHead::Slotted(head) => head.heap_bytes(),
            BlockHead::Jumbo(block) => allocated_bytes(size_of::<JumboBlock>()) + block.heap_bytes(),
        }
}

/// The two counts in front of a shared value.
const ARC_COUNTS_BYTES: usize = 2 * size_of::<usize>();

/// What an allocation of so many bytes takes: classes of 16 bytes with a word for the allocator, which is what the C library of
/// Linux does, and whole pages for large ones. Others differ by little.
fn allocated_bytes(bytes: usize) -> usize {
    const LARGE_BYTES: usize = 128 << 10;
    match bytes {
        0 => 0,
        1..LARGE_BYTES => (bytes + 8).next_multiple_of(16).max(32),
        _ => (bytes + 16).next_multiple_of(4096),
    }
}

/// The tag of a user key in its block: the top byte of its hash.
#[inline]
pub(crate) fn tag_of(hash: u64) -> u8 {
    (hash >> 56) as u8
}
