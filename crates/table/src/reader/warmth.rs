//! What readers wanted of a table that is replaced, they find in memory in those that replace it.

use super::{HeldLeaf, Table, counts::ReadCounts};
use crate::cache::Heat;
use sediment_base::{InternalKey, KeyRange, Result};

impl Table {
    /// The keys of all blocks that are in the cache and were asked for there more than once lately, in order. Those are left out of which the
    /// fence cannot be read. O(blocks).
    pub fn warm_keys(&self) -> Vec<KeyRange> {
        let mut held = HeldLeaf::default();
        self.blocks.wanted().into_iter().filter_map(|block| self.keys_of(block, &mut held).ok()).collect()
    }

    fn keys_of(&self, block: usize, held: &mut HeldLeaf) -> Result<KeyRange> {
        let all = &self.meta().range;
        let min = self.first_key(block, held)?.into();
        if block + 1 == self.index.blocks() {
            return Ok(KeyRange { min, max: all.max.clone(), is_open: all.is_open });
        }
        Ok(KeyRange { min, max: self.first_key(block + 1, held)?.into(), is_open: true })
    }

    fn first_key(&self, block: usize, held: &mut HeldLeaf) -> Result<Vec<u8>> {
        self.hold(block, Heat::Scan, held)?;
        Ok(self.index.first_key(block, held))
    }

    /// Brings the blocks of these keys into the cache, as far as it has room for what is not wanted yet.
    ///
    /// # Errors
    /// Where a block cannot be read. Those before it are there.
    pub fn warm(&self, keys: &KeyRange) -> Result<()> {
        let mut held = HeldLeaf::default();
        let first = self.find_block(InternalKey::before(&keys.min), Heat::Scan, &mut held)?.unwrap_or(0);
        for block in first..self.index.blocks() {
            if block > first && keys.is_below(&self.first_key(block, &mut held)?, self.order()) {
                break;
            }
            // Asked for twice: what is wanted once does not stay. That is less than it takes to be handed on again, if nobody reads.
            for _ in 0..2 {
                self.blocks.get_or_load(block, Heat::Point, || self.load(block, &mut ReadCounts::default()))?;
            }
        }
        Ok(())
    }
}
