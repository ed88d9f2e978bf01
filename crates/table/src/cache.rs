//! Where blocks are kept once read, under one byte budget for all tables.

/// A budget for blocks in memory, shared by every table opened with it.
#[derive(Debug)]
pub struct BlockCache {
    capacity_bytes: u64,
}

impl BlockCache {
    /// A cache that holds up to `capacity_bytes` of blocks.
    pub fn new(capacity_bytes: u64) -> Self {
        Self { capacity_bytes }
    }

    /// The budget.
    pub fn capacity_bytes(&self) -> u64 {
        self.capacity_bytes
    }
}
