//! How much of a table lies within bounds, told by its fence.

use super::Table;
use sediment_base::InternalKey;
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

    /// The block that the first row of a key would be in.
    fn block_at(&self, key: &[u8]) -> usize {
        self.fence.find(InternalKey::before(key), &self.order).unwrap_or(0)
    }
}
