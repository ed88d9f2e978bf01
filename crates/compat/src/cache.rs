//! `Cache`: blocks in memory.

use sediment_base::MemoryBudget;
use sediment_table::BlockCache;
use std::{fmt, sync::Arc};

/// Blocks that were read, for as many trees as share it.
pub struct Cache {
    blocks: Arc<BlockCache>,
}

impl Cache {
    /// A cache of so many bytes; 0 keeps nothing.
    pub fn with_capacity_bytes(bytes: u64) -> Self {
        Self { blocks: Arc::new(BlockCache::with_budget(bytes, Arc::new(MemoryBudget::unlimited()))) }
    }

    /// Bytes in use.
    pub fn size(&self) -> u64 {
        self.blocks.used_bytes()
    }

    /// Bytes that it may use.
    pub fn capacity(&self) -> u64 {
        self.blocks.capacity_bytes()
    }

    pub(crate) fn blocks(&self) -> &Arc<BlockCache> {
        &self.blocks
    }
}

impl fmt::Debug for Cache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cache").field("capacity", &self.capacity()).field("size", &self.size()).finish()
    }
}
