//! The settings of a database: three that matter, and the experts' section.
//!
//! What was not set is derived: the goal gives numbers, memory gives sizes, and a number that was set wins over both. For a
//! keyspace its own numbers come first, then the experts' section, then the goal: its own, or the database's.

mod check;
mod components;
mod compression;
mod durability;
mod expert;
mod filter_kind;
mod filter_widths;
mod goal;
mod keyspace;
mod residency;
mod settings;

pub use compression::Compression;
pub use durability::Durability;
pub use expert::ExpertOptions;
pub use filter_kind::FilterKind;
pub use filter_widths::FilterWidths;
pub use goal::Goal;
pub use keyspace::KeyspaceOptions;
pub use residency::Residency;

pub(crate) use components::Components;
pub(crate) use expert::check_compaction_rate;
pub(crate) use keyspace::Shape;
pub(crate) use settings::Settings;

use check::within;
use sediment_base::{Error, Result};
use std::ops::RangeInclusive;

/// How many threads compactions may take.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct CompactionThreads {
    /// While writers go on.
    pub(crate) always: usize,
    /// While they rest: no fewer.
    pub(crate) at_rest: usize,
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

/// Settings of a database. Three matter: `memory_bytes`, `durability`, `goal`. They are not stored: each open may choose anew.
/// What a keyspace was given for itself ([`KeyspaceOptions`]) is stored with it.
///
/// ```
/// # let dir = tempfile::tempdir().unwrap();
/// use sedimentdb::{Db, Durability, Goal, Options};
/// let options = Options { memory_bytes: 64 << 20, durability: Durability::Sync, goal: Goal::Write, ..Options::default() };
/// let db = Db::builder(dir.path()).options(options).open()?;
/// # Ok::<(), sedimentdb::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Options {
    /// What to do about a missing database.
    pub create: Create,
    /// Refuse every write, and write nothing to the directory.
    pub read_only: bool,
    /// Memory for block cache and memtables, in bytes: 16 KiB or more; 256 MiB by default. More of it means fewer reads of the
    /// disk and fewer rewrites. The goal says how it is divided. All memtables keep to their part together: where many keyspaces
    /// are written to, each is flushed earlier.
    pub memory_bytes: usize,
    /// Durability of commits that do not choose their own; [`Durability::Os`] by default.
    pub durability: Durability,
    /// What to be good at where one thing costs another; [`Goal::Balanced`] by default.
    pub goal: Goal,
    /// Everything else. The defaults follow the settings above.
    pub expert: ExpertOptions,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            create: Create::IfMissing,
            read_only: false,
            memory_bytes: 256 << 20,
            durability: Durability::Os,
            goal: Goal::Balanced,
            expert: ExpertOptions::default(),
        }
    }
}

const MEMORY_BYTES: RangeInclusive<u64> = 16 << 10..=1 << 50;

impl Options {
    /// Whether the settings make sense.
    pub(crate) fn validate(&self) -> Result<()> {
        let advice = "give more, or leave it out for 256 MiB";
        within("memory_bytes", self.memory_bytes as u64, &MEMORY_BYTES, "bytes", advice)?;
        self.expert.validate()?;
        if self.read_only && self.create == Create::New {
            let conflict = "create is New, but read_only is set, and a new database cannot be opened for reading only";
            return Err(Error::invalid_input(format!("{conflict}: drop one of them")));
        }
        Ok(())
    }

    /// Size at which the memtable of a keyspace without settings of its own is flushed.
    pub(crate) fn memtable_share(&self) -> usize {
        self.expert.memtable_bytes.unwrap_or_else(|| self.goal.memtable_bytes(self.memory_bytes))
    }

    /// What all memtables together may hold: what the cache leaves, but always two of a busy keyspace (one is written while the one before it
    /// is flushed), and a third, if a quarter of the memory is still left, for when the flush has got no processor for a while: the cache
    /// gives way.
    pub(crate) fn memtables_bytes(&self) -> usize {
        let (memory, share) = (self.memory_bytes, self.memtable_share());
        let left = memory.saturating_sub(self.cache_bytes() as usize);
        left.max(share.saturating_mul(2)).max(share.saturating_mul(3).min(memory / 4 * 3))
    }

    /// How many log files may be needed before the keyspaces that hold it back are flushed.
    pub(crate) fn wal_files(&self) -> usize {
        let bytes = self.expert.wal_bytes_max.unwrap_or(self.expert.wal_file_bytes.saturating_mul(4));
        (bytes / self.expert.wal_file_bytes).max(1) as usize
    }

    /// Threads for compaction on a machine with so many cores; 0 for no threads at all.
    pub(crate) fn compaction_threads(&self, cores: usize) -> CompactionThreads {
        let given = self.expert.background_threads;
        CompactionThreads { always: given.unwrap_or((cores / 2).max(1)), at_rest: given.unwrap_or(cores.max(1)) }
    }

    /// Size of the block cache: what the memtables of one busy keyspace leave (one is written while the one before it is
    /// flushed), but never less than a quarter of the memory, and never more than three.
    pub(crate) fn cache_bytes(&self) -> u64 {
        let quarter = self.memory_bytes / 4;
        self.memory_bytes.saturating_sub(self.memtable_share().saturating_mul(2)).clamp(quarter, quarter * 3) as u64
    }

    /// What the tree of a keyspace with settings of its own is like.
    pub(crate) fn shape(&self, own: &KeyspaceOptions) -> Shape {
        let set = own.or(&self.expert.of_keyspaces());
        Shape::resolve(&set, set.goal.unwrap_or(self.goal), self.memtable_share())
    }
}

#[cfg(test)]
mod tests;
