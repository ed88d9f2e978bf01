//! What readers wanted of a table that is replaced, they find in memory in those that replace it.

use super::{Table, counts::ReadCounts};
use crate::cache::Heat;
use sediment_base::{InternalKey, KeyRange, Result};

impl Table {
    /// The keys of all blocks that are in the cache and were asked for there more than once lately, in order. O(blocks).
    pub fn warm_keys(&self) -> Vec<KeyRange> {
        let (fence, all) = (self.fence(), &self.meta().range);
        let keys = |block: usize| {
            let min = fence.first_key(block).into();
            match block + 1 < fence.blocks() {
                true => KeyRange { min, max: fence.first_key(block + 1).into(), is_open: true },
                false => KeyRange { min, max: all.max.clone(), is_open: all.is_open },
            }
        };
        self.blocks.wanted().into_iter().map(keys).collect()
    }

    /// Brings the blocks of these keys into the cache, as far as it has room for what is not wanted yet.
    ///
    /// # Errors
    /// Where a block cannot be read. Those before it are there.
    pub fn warm(&self, keys: &KeyRange) -> Result<()> {
        let (fence, order) = (self.fence(), self.order());
        let first = fence.find(InternalKey::before(&keys.min), order).unwrap_or(0);
        let is_within = |block: &usize| *block == first || !keys.is_below(&fence.first_key(*block), order);
        for block in (first..fence.blocks()).take_while(is_within) {
            // Asked for twice: what is wanted once does not stay. That is less than it takes to be handed on again, if nobody reads.
            for _ in 0..2 {
                self.blocks.get_or_load(block, Heat::Point, || self.load(block, &mut ReadCounts::default()))?;
            }
        }
        Ok(())
    }
}
