//! The settings of a database: plain data with defaults.

use sediment_base::{Error, Result};
use sediment_table::BlockCache;
use sediment_tree::TreeOptions;
use std::sync::Arc;

/// What a commit that has returned survives.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Durability {
    /// A clean close. The record may wait in the process until a later commit, [`Db::persist`](crate::Db::persist), flush or
    /// close takes it along.
    Memory,
    /// The death of the process: the record was handed to the operating system.
    #[default]
    Os,
    /// Loss of power: the record was synced.
    Sync,
}

/// What [`DbBuilder::open`](crate::DbBuilder::open) does about a directory that is missing, empty or there.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Create {
    /// Opens a database, making it where there is none.
    #[default]
    IfMissing,
    /// Opens a database that exists.
    MustExist,
    /// Makes a database where there is none.
    New,
}

/// Settings of a database. Sizes are in bytes. None of them is stored: each open may choose anew.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Options {
    /// What to do about a missing database.
    pub create: Create,
    /// Refuse every write, and write nothing to the directory.
    pub read_only: bool,
    /// Durability of commits that do not choose their own.
    pub durability: Durability,
    /// Memory for the block cache (a half) and memtables (a quarter for each keyspace's active one).
    pub memory_bytes: usize,
    /// Size at which a keyspace's active memtable is flushed; `None` for its share of `memory_bytes`.
    pub memtable_bytes: Option<usize>,
    /// Capacity of one log file.
    pub wal_file_bytes: u64,
    /// Target size of a table.
    pub table_bytes: u64,
    /// Target size of a block in a table.
    pub block_bytes: usize,
    /// Filter bits for each key; 0 for no filters.
    pub filter_bits_per_key: u8,
    /// Tables in level 0 that start a compaction.
    pub level0_trigger: usize,
    /// How many times larger each level is than the one above.
    pub level_ratio: u64,
    /// Target size of level 1.
    pub level_base_bytes: u64,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            create: Create::IfMissing,
            read_only: false,
            durability: Durability::Os,
            memory_bytes: 256 << 20,
            memtable_bytes: None,
            wal_file_bytes: 64 << 20,
            table_bytes: 64 << 20,
            block_bytes: 4096,
            filter_bits_per_key: 10,
            level0_trigger: 4,
            level_ratio: 10,
            level_base_bytes: 256 << 20,
        }
    }
}

impl Options {
    /// Whether the settings make sense; the tree's own are checked by the tree.
    pub(crate) fn validate(&self) -> Result<()> {
        let is_small = |bytes: u64| bytes < 1024;
        if is_small(self.wal_file_bytes) {
            return Err(Error::invalid_input("wal_file_bytes must be at least 1024"));
        }
        if is_small(self.memtable_share() as u64) {
            return Err(Error::invalid_input("a memtable must have at least 1024 bytes: raise memory_bytes or memtable_bytes"));
        }
        if self.read_only && self.create == Create::New {
            return Err(Error::invalid_input("a new database cannot be opened for reading only"));
        }
        Ok(())
    }

    /// Size at which a memtable is flushed.
    pub(crate) fn memtable_share(&self) -> usize {
        self.memtable_bytes.unwrap_or(self.memory_bytes / 4)
    }

    /// Size of the block cache.
    pub(crate) fn cache_bytes(&self) -> u64 {
        self.memory_bytes as u64 / 2
    }

    /// Settings of each tree.
    pub(crate) fn tree_options(&self, cache: Arc<BlockCache>) -> TreeOptions {
        TreeOptions {
            block_bytes: self.block_bytes,
            filter_bits_per_key: self.filter_bits_per_key,
            table_bytes: self.table_bytes,
            level0_trigger: self.level0_trigger,
            level_ratio: self.level_ratio,
            level_base_bytes: self.level_base_bytes,
            ..TreeOptions::new(cache)
        }
    }
}
