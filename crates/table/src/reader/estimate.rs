//! How much of a table lies within bounds, told by its fence.

use super::Table;
use sediment_base::{InternalKey, Slice};
use std::ops::Bound;

impl Table {
    /// Bytes of the blocks that hold the rows within the bounds, and at most one block more at either end. No block is read.
    pub fn approximate_bytes(&self, lower: Bound<&[u8]>, upper: Bound<&[u8]>) -> u64 {
        let Some(last) = self.fence.blocks().checked_sub(1) else { return 0 };
        let start = match lower {
            Bound::Unbounded => 0,
            Bound::Included(key) | Bound::Excluded(key) => self.block_at(key),
        };
        let last = match upper {
            Bound::Unbounded => last,
            Bound::Included(key) | Bound::Excluded(key) => self.block_at(key),
        };
        if last < start {
            return 0;
        }
        let last = self.fence.place(last);
        last.offset + last.bytes - self.fence.place(start).offset
    }

    /// The blocks in stretches of about so many bytes: the first key of each, and how many bytes it has. Two stretches have the same
    /// key where its versions are so many. No block is read. O(blocks).
    pub fn stretches(&self, bytes: u64) -> Vec<(Slice, u64)> {
        let (mut stretches, mut begins_at) = (Vec::new(), None);
        for block in 0..self.fence.blocks() {
            let place = self.fence.place(block);
            let (first, start) = *begins_at.get_or_insert((block, place.offset));
            let length = place.offset + place.bytes - start;
            if length >= bytes || block + 1 == self.fence.blocks() {
                stretches.push((self.fence.first_key(first).into(), length));
                begins_at = None;
            }
        }
        stretches
    }

    /// The block that the first row of a key would be in.
    fn block_at(&self, key: &[u8]) -> usize {
        self.fence.find(InternalKey::before(key), &self.order).unwrap_or(0)
    }
}
