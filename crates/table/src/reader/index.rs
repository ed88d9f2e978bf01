//! Where the blocks of an open table are, by key and by number: known from a fence in memory, or from one whose leaves are in the file.
//!
//! A point read asks with its reach. A walk *holds* what it asked last: it moves from block to block, and what it asks of the one that it
//! stands on needs no answer from the file.

use super::{
    Looked, PointRead, ReadCounts, Table, TakeRow,
    leaves::{HeldLeaf, Leaves},
    tail::{Apart, Tail},
};
use crate::{
    cache::Heat,
    context::TableContext,
    index::{BlockPlace, Fence},
    properties::Properties,
};
use sediment_base::{InternalKey, Result, stats::Counter};
use sediment_env::File;
use std::sync::Arc;

/// Where the blocks of a table are.
#[derive(Debug)]
#[expect(clippy::large_enum_variant, reason = "there is one in each table, and nearly every read goes through it")]
pub(crate) enum Index {
    /// Known in memory.
    Resident(Fence),
    /// Known from leaves in the file.
    Paged(Box<Leaves>),
}

impl Index {
    /// Reads what is to be in memory of the fence of a table with these properties.
    pub(super) fn open(
        context: &TableContext,
        tail: &Tail,
        file: &Arc<dyn File>,
        properties: &Properties,
        apart: &mut Apart,
    ) -> Result<Self> {
        let Some((root, region)) = tail.fence_root(properties)? else {
            return tail.short_fence(properties).map(Self::Resident);
        };
        if context.is_resident(context.fence_residency, apart.memory_bytes + region.plain_bytes) {
            apart.read_bytes += region.bytes;
            apart.memory_bytes += region.plain_bytes;
            return tail.fence_of_leaves(&**file, &root, &region, properties).map(Self::Resident);
        }
        context.stats.add(Counter::FencesLeftOut, 1);
        let leaves = Leaves::new(context, tail, file, root, &region);
        apart.memory_bytes += leaves.memory_bytes() as u64;
        Ok(Self::Paged(Box::new(leaves)))
    }

    /// The fence, if it is in memory.
    #[inline]
    pub(crate) fn resident(&self) -> Option<&Fence> {
        match self {
            Self::Resident(fence) => Some(fence),
            Self::Paged(_) => None,
        }
    }

    /// How many blocks the table has.
    #[inline]
    pub(crate) fn blocks(&self) -> usize {
        match self {
            Self::Resident(fence) => fence.blocks(),
            Self::Paged(leaves) => leaves.root().blocks(),
        }
    }

    /// Where the last block ends.
    #[inline]
    pub(crate) fn data_end(&self) -> u64 {
        match self {
            Self::Resident(fence) => fence.data_end(),
            Self::Paged(leaves) => leaves.root().data_end(),
        }
    }

    /// Where a block lies of which the walk holds what is known.
    #[inline]
    pub(crate) fn place(&self, block: usize, held: &HeldLeaf) -> BlockPlace {
        match self {
            Self::Resident(fence) => fence.place(block),
            Self::Paged(leaves) => leaves.held(held).1.place(leaves.root().within(block)),
        }
    }

    /// The first user key of such a block.
    pub(crate) fn first_key(&self, block: usize, held: &HeldLeaf) -> Vec<u8> {
        match self {
            Self::Resident(fence) => fence.first_key(block),
            Self::Paged(leaves) => leaves.held(held).1.first_key(leaves.root().within(block)),
        }
    }

    /// Whether such a block, or the next one, begins with more rows of the user key that ends the one before. Of no block that is false.
    #[inline]
    pub(crate) fn continues(&self, block: usize, held: &HeldLeaf) -> bool {
        match self {
            Self::Resident(fence) => block < fence.blocks() && fence.continues(block),
            Self::Paged(leaves) => {
                let (number, leaf) = leaves.held(held);
                leaves.root().continues(&leaf, block, number)
            }
        }
    }
}

impl Table {
    /// Where its blocks are.
    #[inline]
    pub(crate) fn index(&self) -> &Index {
        &self.index
    }

    /// Whether its fence is not in memory, but for the root.
    pub fn has_fence_leaves(&self) -> bool {
        self.index.resident().is_none()
    }

    /// Makes a walk hold what is known of a block.
    #[inline]
    pub(crate) fn hold(&self, block: usize, heat: Heat, held: &mut HeldLeaf) -> Result<()> {
        match &self.index {
            Index::Resident(_) => Ok(()),
            Index::Paged(leaves) => self.of_this_file(leaves.hold_block(block, heat, held)),
        }
    }

    /// The block that [`Fence::find`] finds; the walk holds what is known of it.
    #[inline]
    pub(crate) fn find_block(&self, target: InternalKey<'_>, heat: Heat, held: &mut HeldLeaf) -> Result<Option<usize>> {
        match &self.index {
            Index::Resident(fence) => Ok(fence.find(target, &self.order)),
            Index::Paged(leaves) => self.of_this_file(leaves.hold_found(target, &self.order, heat, held)),
        }
    }

    /// Where a block lies, for who walks nowhere.
    pub(super) fn place(&self, block: usize, heat: Heat) -> Result<BlockPlace> {
        let mut held = HeldLeaf::default();
        self.hold(block, heat, &mut held)?;
        Ok(self.index.place(block, &held))
    }

    /// As [`Table::look`] of a table whose fence is in these leaves, once its filter was asked.
    #[inline(never)]
    pub(super) fn look_by_leaves(
        &self,
        leaves: &Leaves,
        read: &PointRead<'_>,
        counts: &mut ReadCounts,
        taker: &mut impl TakeRow,
    ) -> Result<Looked> {
        let PointRead { key, read_seqno, reach, .. } = *read;
        let mut found = self.of_this_file(leaves.find(InternalKey::seek_to(key, read_seqno), &self.order, reach))?;
        loop {
            let entry = match found {
                None => return Ok(Looked::OutOfReach),
                Some(None) => return Ok(Looked::Absent),
                Some(Some(entry)) => entry,
            };
            if entry.place.min_seqno < read_seqno
                && let Some(looked) = self.look_in(entry.number, read, counts, taker)?
            {
                return Ok(looked);
            }
            found = self.of_this_file(leaves.find_next(&entry, key, reach))?;
        }
    }
}
