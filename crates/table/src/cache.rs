//! Where blocks are kept once read, under one byte budget for all tables.
//!
//! Each open table has a slot per block; nothing is looked up in a shared map. Which slots are emptied when the budget is spent is
//! decided by one clock (`cache/clock.rs`), which does not know what they hold. Shared; a hit locks nothing but its own slot.

mod clock;

pub(crate) use clock::{Heat, Slots};

use crate::block::Block;
use clock::Clock;
use std::sync::Arc;

/// A budget for blocks in memory, shared by every table opened with it.
#[derive(Debug)]
pub struct BlockCache {
    clock: Arc<Clock<Block>>,
}

impl BlockCache {
    /// A cache that holds up to `capacity_bytes` of blocks. Blocks above a quarter of that are not kept.
    pub fn new(capacity_bytes: u64) -> Self {
        Self { clock: Arc::new(Clock::new(capacity_bytes)) }
    }

    /// The budget.
    pub fn capacity_bytes(&self) -> u64 {
        self.clock.capacity_bytes()
    }

    /// Bytes of the blocks that are kept. May exceed the budget for the moment in which room is made.
    pub fn used_bytes(&self) -> u64 {
        self.clock.used_bytes()
    }

    /// Blocks that had to be read.
    pub fn misses(&self) -> u64 {
        self.clock.misses()
    }

    /// Slots for the blocks of one table.
    pub(crate) fn slots(&self, blocks: usize) -> Slots<Block> {
        Slots::new(Arc::clone(&self.clock), blocks)
    }
}
