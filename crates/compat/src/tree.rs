//! `Tree`: a tree of [`sediment_tree`] with what the interface keeps beside it.
//!
//! Each file translates one kind of call. What a call means is the tree's to say; here arguments change their shape.

mod introspect;
mod open;
mod reads;
mod structure;
mod writes;

use crate::{
    config::Config,
    error::{Result, of_tree},
    heal_hints::HealHints,
    memtable::{Memtable, MemtableHost, MemtableId},
    metrics::Metrics,
    runtime_config::RuntimeConfig,
    scan_since::{ScanSinceEvent, scan_since},
    seqno::{Generators, SeqNo},
    value::{InternalValue, ValueType},
    version::{SuperVersion, TableHost, VersionHistory},
};
use sediment_base::{Kind, RangeTombstone, TableId};
use sediment_env::{Clock, fs::DirLock};
use sediment_raw::sync::lock;
use sediment_tree::{Overlay, RawRows, TreeOptions};
use std::{
    collections::BTreeSet,
    fmt,
    ops::Deref,
    sync::{
        Arc, Mutex, PoisonError, RwLock, RwLockWriteGuard, Weak,
        atomic::{AtomicUsize, Ordering},
    },
};

/// A tree whose values lie with their keys. Cheap to clone; the clones are one tree.
#[derive(Clone)]
pub struct Tree(Arc<TreeInner>);

/// What the clones of a [`Tree`] share.
pub struct TreeInner {
    pub(crate) tree: sediment_tree::Tree,
    pub(crate) config: Config,
    /// What `tree` was opened with.
    options: TreeOptions,
    id: u64,
    generators: Arc<Generators>,
    clock: Arc<dyn Clock>,
    metrics: Arc<Metrics>,
    heal_hints: Arc<HealHints>,
    runtime: RwLock<Arc<RuntimeConfig>>,
    flush_lock: Mutex<()>,
    history: RwLock<VersionHistory>,
    /// Compactions under way.
    compacting: AtomicUsize,
    flagged: Arc<Mutex<BTreeSet<MemtableId>>>,
    overlays: Mutex<Vec<CopiedOverlay>>,
    /// Held as long as a handle is. Last, so that nobody else opens the directory before the tree is closed.
    _lock: Box<dyn DirLock>,
}

/// A memtable of the caller's, copied to where the tree reads it.
struct CopiedOverlay {
    of: Weak<Memtable>,
    overlay: Overlay,
    /// So many of its writes.
    known: usize,
}

impl Tree {
    /// What was written with a number of at least `target_seqno` and is still there, the oldest first. All of it is held in memory.
    pub fn scan_since_seqno(&self, target_seqno: SeqNo) -> Result<impl Iterator<Item = ScanSinceEvent> + use<>> {
        Ok(scan_since(&self.tree, target_seqno)?.into_iter())
    }

    /// Changes the settings that may change. An error changes nothing.
    pub fn update_runtime_config<F>(&self, mutator: F) -> Result<()>
    where
        F: FnOnce(&mut RuntimeConfig),
    {
        let mut runtime = self.runtime.write().unwrap_or_else(PoisonError::into_inner);
        let mut changed = (**runtime).clone();
        mutator(&mut changed);
        changed.validate()?;
        let entry_checksums = changed.entry_checksums();
        self.tree.set_options(&TreeOptions { entry_checksums, ..self.options.clone() }).map_err(of_tree)?;
        *runtime = Arc::new(changed);
        Ok(())
    }

    /// The settings that may change, as they are now.
    pub fn runtime_config(&self) -> Arc<RuntimeConfig> {
        Arc::clone(&self.runtime.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Tables that parity has mended: none.
    pub fn heal_hints(&self) -> Arc<HealHints> {
        Arc::clone(&self.heal_hints)
    }

    /// Writes a row.
    #[doc(hidden)]
    pub fn append_entry(&self, row: InternalValue) -> (u64, u64) {
        self.write_row(row)
    }

    /// Whether a compaction is under way.
    #[doc(hidden)]
    pub fn is_compacting(&self) -> bool {
        self.compacting.load(Ordering::Acquire) > 0
    }

    pub(crate) fn lock_history(&self) -> RwLockWriteGuard<'_, VersionHistory> {
        let mut history = self.history.write().unwrap_or_else(PoisonError::into_inner);
        history.set_latest(SuperVersion { active_memtable: self.active(), version: self.version() });
        history
    }

    fn behind(&self) -> Arc<Behind> {
        Arc::new(Behind(Arc::downgrade(&self.0)))
    }
}

impl Deref for Tree {
    type Target = TreeInner;

    #[inline]
    fn deref(&self) -> &TreeInner {
        &self.0
    }
}

impl TreeInner {
    fn write_row(&self, row: InternalValue) -> (u64, u64) {
        let kind = match row.key.value_type {
            ValueType::Value | ValueType::Indirection => Kind::Value,
            ValueType::Tombstone => Kind::Tombstone,
            ValueType::WeakTombstone => Kind::WeakTombstone,
            ValueType::MergeOperand => Kind::Operand,
        };
        self.write(kind, &row.key.user_key, &row.value, row.key.seqno)
    }
}

impl fmt::Debug for Tree {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tree").field("id", &self.id).field("path", &self.config.path).finish_non_exhaustive()
    }
}

impl fmt::Debug for TreeInner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TreeInner").field("id", &self.id).finish_non_exhaustive()
    }
}

/// The tree for who must not keep it open.
struct Behind(Weak<TreeInner>);

impl MemtableHost for Behind {
    fn write(&self, row: InternalValue) -> (u64, u64) {
        self.0.upgrade().map_or((0, 0), |tree| tree.write_row(row))
    }

    fn write_range(&self, tombstone: RangeTombstone) -> u64 {
        let RangeTombstone { start, end, seqno } = tombstone;
        self.0.upgrade().map_or(0, |tree| tree.remove_range_of(&start, &end, seqno))
    }

    fn flagged(&self) -> Option<Arc<Mutex<BTreeSet<MemtableId>>>> {
        self.0.upgrade().map(|tree| Arc::clone(&tree.flagged))
    }
}

impl TableHost for Behind {
    fn rows(&self, table: TableId) -> Option<sediment_base::Result<RawRows>> {
        self.0.upgrade().map(|tree| tree.tree.table_rows(table))
    }
}
