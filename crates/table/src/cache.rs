//! Where blocks are kept once read, and pages of filters beside them, under one capacity for all tables.
//!
//! Each open table has a slot per block (`cache/pages.rs`, over `raw::slots`); nothing is looked up in a shared map. A hit follows one word
//! under an epoch pin: no lock, no count, and no write once the block is known to be wanted. Which slots are emptied when there
//! are too many blocks is decided by one clock (`cache/clock.rs`), which does not know what they hold. Shared.

mod clock;
mod ghost;
mod heat;
mod pages;

#[cfg(test)]
mod tests;

pub(crate) use heat::Heat;
pub(crate) use pages::Pages;

use crate::block::{BlockRef, memory_bytes};
use clock::{Clock, Weigh};
use sediment_base::MemoryBudget;
use sediment_codec::compress::Contexts;
use sediment_env::Park;
use sediment_raw::slab::Pool;
use std::sync::Arc;

/// Blocks in memory, of every table opened with it. May be told another capacity at any time.
#[derive(Debug)]
pub struct BlockCache {
    clock: Arc<Clock<BlockRef>>,
    /// The memory of blocks, those that readers hold or that are not kept among them.
    pool: Pool,
    /// What unpacks blocks on their way here.
    contexts: Arc<Contexts>,
}

impl BlockCache {
    /// A cache that holds up to `capacity_bytes` of blocks, under a budget of its own. Blocks above a quarter of that are not
    /// kept.
    pub fn new(capacity_bytes: u64) -> Self {
        Self::with_budget(capacity_bytes, Arc::new(MemoryBudget::unlimited()))
    }

    /// A cache whose blocks are charged to the cache account of `budget`. How many of them there may be is said by
    /// `capacity_bytes` alone.
    pub fn with_budget(capacity_bytes: u64, budget: Arc<MemoryBudget>) -> Self {
        Self { clock: Arc::new(Clock::new(capacity_bytes, budget)), pool: Pool::new(), contexts: Arc::default() }
    }

    /// How many bytes of blocks are kept at most.
    pub fn capacity_bytes(&self) -> u64 {
        self.clock.capacity_bytes()
    }

    /// Changes the capacity. What is above a smaller one is evicted before this returns, but for blocks that are being loaded
    /// or asked for at this moment; the next miss makes up for those. Threads that miss meanwhile wait.
    pub fn set_capacity_bytes(&self, bytes: u64) {
        self.clock.set_capacity_bytes(bytes);
    }

    /// The budget that the blocks are charged to.
    pub fn budget(&self) -> &Arc<MemoryBudget> {
        self.clock.budget()
    }

    /// Bytes of the blocks that are kept. May exceed the capacity for the moment in which room is made.
    pub fn used_bytes(&self) -> u64 {
        self.clock.used_bytes()
    }

    /// Blocks, and pages of filters, that had to be read.
    pub fn misses(&self) -> u64 {
        self.clock.misses()
    }

    /// Slots for the blocks of one table, or the pages of a filter, whose readers wait for each other in `park`.
    pub(crate) fn pages(&self, park: &Arc<dyn Park>, blocks: usize) -> Pages<BlockRef> {
        Pages::new(&self.clock, Arc::clone(park), blocks)
    }

    /// What unpacks blocks on their way here.
    pub(crate) fn contexts(&self) -> &Arc<Contexts> {
        &self.contexts
    }

    /// Where the memory of blocks comes from.
    pub(crate) fn pool(&self) -> &Pool {
        &self.pool
    }
}

impl Weigh for BlockRef {
    fn bytes(&self) -> u64 {
        memory_bytes(self) as u64
    }
}
