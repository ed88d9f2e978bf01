//! How much of a table lies within bounds, told by its fence, or by its root, which knows of many blocks as one.

use super::{Index, Table};
use crate::index::BlockPlace;
use sediment_base::{InternalKey, Slice};
use std::ops::Bound;

impl Table {
    /// Bytes of the blocks that hold the rows within the bounds, and at most one block more at either end; where the fence is not in memory,
    /// at most the blocks of one leaf. Nothing is read.
    pub fn approximate_bytes(&self, lower: Bound<&[u8]>, upper: Bound<&[u8]>) -> u64 {
        let Some(last) = self.index.places().checked_sub(1) else { return 0 };
        let start = match lower {
            Bound::Unbounded => 0,
            Bound::Included(key) | Bound::Excluded(key) => self.place_of(key),
        };
        let last = match upper {
            Bound::Unbounded => last,
            Bound::Included(key) | Bound::Excluded(key) => self.place_of(key),
        };
        if last < start {
            return 0;
        }
        let last = self.index.known_place(last);
        last.offset + last.bytes - self.index.known_place(start).offset
    }

    /// The blocks in stretches of about so many bytes: the first key of each, and how many bytes it has. Two stretches have the same
    /// key where its versions are so many. Where the fence is not in memory, none is shorter than the blocks of a leaf. Nothing is
    /// read. O(blocks).
    pub fn stretches(&self, bytes: u64) -> Vec<(Slice, u64)> {
        let (mut stretches, mut begins_at) = (Vec::new(), None);
        for number in 0..self.index.places() {
            let place = self.index.known_place(number);
            let (first, start) = *begins_at.get_or_insert((number, place.offset));
            let length = place.offset + place.bytes - start;
            if length >= bytes || number + 1 == self.index.places() {
                stretches.push((self.index.known_key(first).into(), length));
                begins_at = None;
            }
        }
        stretches
    }

    /// The place that the first row of a key would be in.
    fn place_of(&self, key: &[u8]) -> usize {
        let target = InternalKey::before(key);
        let found = match &self.index {
            Index::Resident(fence) => fence.find(target, &self.order),
            Index::Paged(leaves) => leaves.root().find(target, &self.order),
        };
        found.unwrap_or(0)
    }
}

/// The places that are known in memory: blocks, or those of each leaf as one.
impl Index {
    fn places(&self) -> usize {
        match self {
            Self::Resident(fence) => fence.blocks(),
            Self::Paged(leaves) => leaves.root().leaves(),
        }
    }

    fn known_place(&self, number: usize) -> BlockPlace {
        match self {
            Self::Resident(fence) => fence.place(number),
            Self::Paged(leaves) => leaves.root().place(number),
        }
    }

    fn known_key(&self, number: usize) -> Vec<u8> {
        match self {
            Self::Resident(fence) => fence.first_key(number),
            Self::Paged(leaves) => leaves.root().first_key(number),
        }
    }
}
