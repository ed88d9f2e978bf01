//! The root of a fence: where its leaves lie, and which of them knows a block.
//!
//! ```text
//! a fence whose entries are leaves: the first key of each, the blocks of it as one place
//! end u32[leaves]  of its frame, from the beginning of their region, in units of 64 bytes
//! blocks u32       of every leaf but the last
//! ```
//!
//! So the root knows of the blocks of a leaf where they begin and end, and every leaf is held against that when it is read.

#![deny(clippy::indexing_slicing, clippy::unwrap_used, clippy::arithmetic_side_effects)]

use super::{
    fence::{Column, Fence, in_bytes},
    place::{BlockEntry, BlockFlags, BlockPlace},
};
use crate::format::{Content, RegionEntry};
use sediment_base::{Error, InternalKey, KeyOrder, Result, SeqNo};
use sediment_codec::{coding::Reader, seal::FRAME_ALIGN};
use std::ops::Range;

/// What leads to the leaves of a fence. Immutable.
#[derive(Debug)]
pub(crate) struct Root {
    fence: Fence,
    ends: Column<4>,
    /// Of every leaf but the last.
    leaf_blocks: usize,
    blocks: usize,
}

/// The fence of some of the blocks, where it was read to.
pub(crate) type Leaf<'a> = Fence<&'a [u8]>;

impl Root {
    /// Takes the root of the fence of so many blocks, which fill the file there, and whose leaves are this region.
    pub(crate) fn decode(content: &Content, data: Range<u64>, blocks: u64, leaves: &RegionEntry) -> Result<Self> {
        let count = Reader::new(content).u32()? as usize;
        let rest = count.saturating_add(1).saturating_mul(4);
        let Some(ends_at) = content.len().checked_sub(rest) else {
            return Err(Error::corruption("length of the root of a fence").expected_found(rest, content.len()));
        };
        let fence = Fence::decode(&content.part(0..ends_at), data)?;
        let last_at = content.len().saturating_sub(4);
        let leaf_blocks = Reader::new(content.get(last_at..).unwrap_or_default()).u32()? as usize;
        let ends = Column(content.part(ends_at..last_at));
        let blocks = usize::try_from(blocks).unwrap_or(usize::MAX);
        let root = Self { fence, ends, leaf_blocks, blocks };
        root.check_counts()?;
        root.check_frames(leaves)?;
        Ok(root)
    }

    /// With the seqno of an ingested table, whose rows are stored with 0; 0 if it is of another one.
    pub(crate) fn numbered(self, global_seqno: SeqNo) -> Result<Self> {
        Ok(Self { fence: self.fence.numbered(global_seqno)?, ..self })
    }

    /// Every leaf has blocks, and no more than fit into its part of the data.
    fn check_counts(&self) -> Result<()> {
        if self.blocks.checked_div(self.leaf_blocks).is_none() || self.blocks.div_ceil(self.leaf_blocks) != self.leaves() {
            let error = Error::corruption("leaves of a fence");
            let blocks = format!("so many that {} blocks are {} in each", self.blocks, self.leaf_blocks);
            return Err(error.expected_found(blocks, self.leaves()));
        }
        let fits = |leaf: usize| self.blocks_of(leaf).len() as u64 <= self.fence.place(leaf).bytes.div_ceil(FRAME_ALIGN as u64);
        match (0..self.leaves()).find(|leaf| !fits(*leaf)) {
            Some(leaf) => Err(Error::corruption(format!("leaf {leaf} of a fence has no room for its blocks"))),
            None => Ok(()),
        }
    }

    /// Frames of leaves fill their region.
    fn check_frames(&self, leaves: &RegionEntry) -> Result<()> {
        let ends = self.ends.all();
        let ascends =
            ends.windows(2).all(|pair| pair.first().map(|end| in_bytes(*end)) < pair.last().map(|end| in_bytes(*end)));
        let end = ends.last().map_or(0, |end| in_bytes(*end));
        if !ascends || ends.first() == Some(&[0; 4]) || end != leaves.bytes || leaves.frames as usize != ends.len() {
            let expected = format!("{} frames up to {}", leaves.frames, leaves.bytes);
            return Err(Error::corruption("leaves of a fence").expected_found(expected, format!("{} up to {end}", ends.len())));
        }
        Ok(())
    }

    /// How many leaves there are.
    pub(crate) fn leaves(&self) -> usize {
        self.fence.blocks()
    }

    /// How many blocks the table has.
    pub(crate) fn blocks(&self) -> usize {
        self.blocks
    }

    /// Where the last block ends.
    pub(crate) fn data_end(&self) -> u64 {
        self.fence.data_end()
    }

    /// The leaf that knows a block.
    #[inline]
    pub(crate) fn leaf_of(&self, block: usize) -> usize {
        block.checked_div(self.leaf_blocks).unwrap_or(0)
    }

    /// The blocks that a leaf knows.
    #[inline]
    pub(crate) fn blocks_of(&self, leaf: usize) -> Range<usize> {
        let first = leaf.saturating_mul(self.leaf_blocks);
        first..first.saturating_add(self.leaf_blocks).min(self.blocks)
    }

    /// Where the frame of a leaf lies, from the beginning of their region.
    pub(crate) fn frame_of(&self, leaf: usize) -> Range<u64> {
        let end = |leaf: usize| in_bytes(self.ends.get(leaf));
        leaf.checked_sub(1).map_or(0, end)..end(leaf)
    }

    /// The blocks of a leaf as one. Panics where there is none.
    pub(crate) fn place(&self, leaf: usize) -> BlockPlace {
        self.fence.place(leaf)
    }

    /// The first user key of a leaf.
    pub(crate) fn first_key(&self, leaf: usize) -> Vec<u8> {
        self.fence.first_key(leaf)
    }

    /// The leaf that knows the block which [`Fence::find`] is to find; nothing if the whole table comes after `target`.
    pub(crate) fn find(&self, target: InternalKey<'_>, order: &KeyOrder) -> Option<usize> {
        self.fence.find(target, order)
    }

    /// The block that [`Fence::find`] is to find, by the leaf that knows it.
    #[inline]
    pub(crate) fn find_in(&self, leaf: &Leaf<'_>, number: usize, target: InternalKey<'_>, order: &KeyOrder) -> usize {
        // There is one: the leaf begins as the root says, and the root was asked.
        self.blocks_of(number).start.saturating_add(leaf.find(target, order).unwrap_or(0))
    }

    /// A leaf in these bytes, which were proven when they were read.
    #[inline]
    pub(crate) fn leaf<'a>(&self, bytes: &'a [u8]) -> Result<Leaf<'a>> {
        Leaf::view(bytes, self.fence.global_seqno)
    }

    /// The same where they were not: it is the one with this number.
    pub(crate) fn proven_leaf<'a>(&self, number: usize, bytes: &'a [u8]) -> Result<Leaf<'a>> {
        let leaf = Leaf::view(bytes, 0)?;
        let (place, blocks) = (self.fence.place(number), self.blocks_of(number));
        if leaf.blocks() != blocks.len() {
            return Err(Error::corruption("blocks in a leaf of a fence").expected_found(blocks.len(), leaf.blocks()));
        }
        leaf.check(place.offset..place.offset.saturating_add(place.bytes))?;
        let leaf = leaf.numbered(self.fence.global_seqno)?;
        let places = || (0..leaf.blocks()).map(|block| leaf.place(block));
        let seqnos = (places().map(|place| place.min_seqno).min(), places().map(|place| place.max_seqno).max());
        let is_same = seqnos == (Some(place.min_seqno), Some(place.max_seqno))
            && place.flags == leaf.place(0).flags.and(BlockFlags::CONTINUES)
            && leaf.begins_as(&self.fence, number);
        if is_same { Ok(leaf) } else { Err(Error::corruption(format!("leaf {number} of a fence is not what its root says"))) }
    }

    /// What a leaf and the root know of a block.
    #[inline]
    pub(crate) fn entry(&self, leaf: &Leaf<'_>, number: usize) -> BlockEntry {
        let at = self.within(number);
        BlockEntry {
            number,
            place: leaf.place(at),
            is_continued: self.continues(leaf, number.saturating_add(1), self.leaf_of(number)),
        }
    }

    /// Whether a block of the leaf with this number, or the one behind it, begins with more rows of the user key that ends the one before.
    #[inline]
    pub(crate) fn continues(&self, leaf: &Leaf<'_>, block: usize, leaf_number: usize) -> bool {
        if block >= self.blocks {
            return false;
        }
        match self.leaf_of(block) {
            own if own == leaf_number => leaf.continues(self.within(block)),
            next => self.fence.continues(next),
        }
    }

    /// The number of a block in its leaf.
    #[inline]
    pub(crate) fn within(&self, block: usize) -> usize {
        block.checked_rem(self.leaf_blocks).unwrap_or(0)
    }
}

#[cfg(test)]
mod tests;
