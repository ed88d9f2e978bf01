//! `TableHome`: what all tables of one tree share.
//!
//! Where they live, which id the next one gets, and which tables wait for removal. An id is given once, whatever becomes of its
//! file. Shared.

use crate::options::TreeOptions;
use sediment_base::{Result, TableId, filename, limits::LEVELS_MAX};
use sediment_table::{Residency, Table, TableContext};
use std::{
    collections::VecDeque,
    path::PathBuf,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
};

/// What all tables of one tree share: where they live, their next id, and those that may go.
#[derive(Debug)]
pub(crate) struct TableHome {
    pub(crate) context: TableContext,
    pub(crate) dir: PathBuf,
    pub(crate) hash_seed: u64,
    residency: Mutex<ByLevel>,
    next_id: AtomicU64,
    garbage: Mutex<VecDeque<Garbage>>,
    garbage_count: AtomicUsize,
}

/// Whether filters and fences of tables are in memory that are opened now.
#[derive(Clone, Copy, Debug)]
struct ByLevel {
    filters: [Residency; LEVELS_MAX],
    fences: [Residency; LEVELS_MAX],
}

/// A table that may go, with what is in memory of it: letting go of that takes its time, too.
#[derive(Debug)]
pub(crate) struct Garbage {
    pub(crate) id: TableId,
    pub(crate) opened: Option<Arc<Table>>,
}

impl TableHome {
    /// The home of a tree's tables; no id from `next_id` on was ever used.
    pub(crate) fn new(context: TableContext, dir: PathBuf, hash_seed: u64, next_id: TableId) -> Arc<Self> {
        let by_level =
            ByLevel { filters: [context.filter_residency; LEVELS_MAX], fences: [context.fence_residency; LEVELS_MAX] };
        Arc::new(Self {
            context,
            dir,
            hash_seed,
            residency: Mutex::new(by_level),
            next_id: AtomicU64::new(next_id.0),
            garbage: Mutex::default(),
            garbage_count: AtomicUsize::new(0),
        })
    }

    /// Changes how tables are opened from now on.
    pub(crate) fn set_residency(&self, settings: &TreeOptions) {
        let by_level = ByLevel { filters: settings.filter_residency, fences: settings.fence_residency };
        *self.residency.lock().unwrap_or_else(PoisonError::into_inner) = by_level;
    }

    /// In what surroundings a table of this level is opened.
    pub(crate) fn context_of(&self, level: usize) -> TableContext {
        let by_level = *self.residency.lock().unwrap_or_else(PoisonError::into_inner);
        let level = level.min(LEVELS_MAX - 1);
        TableContext {
            filter_residency: by_level.filters[level],
            fence_residency: by_level.fences[level],
            ..self.context.clone()
        }
    }

    /// A fresh id, never to be given again, whatever becomes of the file.
    pub(crate) fn allocate(&self) -> TableId {
        TableId(self.next_id.fetch_add(1, Ordering::Relaxed))
    }

    /// Makes sure that ids begin above everything that is known to be taken.
    pub(crate) fn raise_next_id(&self, next_id: TableId) {
        self.next_id.fetch_max(next_id.0, Ordering::Relaxed);
    }

    /// Gives ids again that were given before: the mistake `Bug::ReuseTableId`, and nothing else.
    pub(crate) fn rewind_next_id(&self, id: TableId) {
        self.next_id.store(id.0, Ordering::Relaxed);
    }

    /// How many files wait to be removed.
    pub(crate) fn garbage_count(&self) -> usize {
        self.garbage_count.load(Ordering::Relaxed)
    }

    /// The lowest id that was not given yet.
    pub(crate) fn next_id(&self) -> TableId {
        TableId(self.next_id.load(Ordering::Relaxed))
    }

    /// Where a table lies.
    pub(crate) fn path(&self, id: TableId) -> PathBuf {
        filename::table(&self.dir, id)
    }

    /// Makes the names of the tables durable that were made so far.
    pub(crate) fn sync_names(&self) -> Result<()> {
        self.context.fs.sync_dir(&self.dir.join(filename::TABLES_DIR))
    }

    /// A table that nobody names or holds, to be removed; in the order in which they came.
    pub(crate) fn take_garbage(&self) -> Option<Garbage> {
        if self.garbage_count() == 0 {
            return None;
        }
        let mut garbage = self.garbage();
        let taken = garbage.pop_front()?;
        self.garbage_count.fetch_sub(1, Ordering::Relaxed);
        Some(taken)
    }

    /// Puts a table aside for removal.
    pub(crate) fn discard(&self, id: TableId, opened: Option<Arc<Table>>) {
        self.garbage().push_back(Garbage { id, opened });
        self.garbage_count.fetch_add(1, Ordering::Relaxed);
    }

    fn garbage(&self) -> MutexGuard<'_, VecDeque<Garbage>> {
        self.garbage.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
