//! Maintenance: memtables become tables, tables are compacted, log files that nobody needs go.
//!
//! It runs on the thread of the writer that finds it due, one at a time, without the log's lock: readers and other writers go
//! on. A full disk stops it until there is room again, and in time the writers too (they get `NoSpace`, and nothing of theirs is
//! applied); any other failure ends all writing, with reads going on and the first cause kept.

use crate::{
    catalog::{Catalog, Incarnation, KeyspaceState, Keyspaces},
    snapshot::Snapshots,
    wal::{Anchor, Fatal, Log},
};
use sediment_base::{
    Error, ErrorKind, Result, SeqNo,
    planted::{Bug, planted},
};
use sediment_env::Env;
use sediment_tree::{CompactionContext, FlushContext, Tree};
use std::sync::{
    Arc, Mutex, MutexGuard, TryLockError,
    atomic::{AtomicBool, Ordering},
};

/// How many memtables' worth of rows a keyspace may hold before its writers wait for a flush.
const MEMTABLES_MAX: usize = 2;
/// How many log files may be needed before the trees that need the oldest are flushed.
const WAL_FILES_MAX: usize = 4;

/// What maintenance works on.
#[derive(Debug)]
pub(crate) struct Machinery {
    pub(crate) env: Env,
    pub(crate) log: Log,
    pub(crate) fatal: Arc<Fatal>,
    pub(crate) snapshots: Arc<Snapshots>,
    pub(crate) keyspaces: Keyspaces,
    /// Held while keyspaces are made, dropped or cleared.
    pub(crate) catalog: Mutex<Catalog>,
}

impl Machinery {
    /// The catalog, locked.
    pub(crate) fn catalog(&self) -> MutexGuard<'_, Catalog> {
        self.catalog.lock().expect("no code panics under this lock")
    }
}

/// Makes the catalog durable, if it is not, and the log before it: the catalog is never ahead.
pub(crate) fn save_catalog(machinery: &Machinery, catalog: &mut Catalog) -> Result<()> {
    if catalog.is_saved() {
        return Ok(());
    }
    machinery.log.sync_through(catalog.state().seqno)?;
    catalog.save_changes()
}

/// Deletes the trees of cleared keyspaces that nobody can see, unless the catalog on disk may still name them.
pub(crate) fn delete_unseen(machinery: &Machinery, catalog: &Catalog) {
    if catalog.is_saved() {
        machinery.keyspaces.delete_unseen(|| machinery.snapshots.in_use());
    }
}

/// Runs maintenance. Shared; one caller works, the others go on or wait.
#[derive(Debug)]
pub(crate) struct Worker {
    memtable_bytes: usize,
    running: Mutex<()>,
    is_cancelled: AtomicBool,
}

impl Worker {
    /// Flushes memtables that reach this size.
    pub(crate) fn new(memtable_bytes: usize) -> Self {
        Self { memtable_bytes, running: Mutex::new(()), is_cancelled: AtomicBool::new(false) }
    }

    /// Before a commit: waits for a flush where memory would run over otherwise. An error means that it must not be applied.
    pub(crate) fn make_room(&self, machinery: &Machinery, keyspaces: &[Arc<KeyspaceState>]) -> Result<()> {
        let max = self.memtable_bytes.saturating_mul(MEMTABLES_MAX);
        if keyspaces.iter().all(|keyspace| keyspace.with_newest(Tree::memtable_bytes) < max) {
            return Ok(());
        }
        let _running = self.wait();
        self.ended(machinery, || self.step(machinery, keyspaces))
    }

    /// After a commit: does what is due, unless another thread is at it. What goes wrong concerns later commits.
    pub(crate) fn maintain(&self, machinery: &Machinery, keyspaces: &[Arc<KeyspaceState>]) {
        let is_full = keyspaces.iter().any(|keyspace| keyspace.with_newest(Tree::memtable_bytes) >= self.memtable_bytes);
        if !is_full && !machinery.log.is_crowded(WAL_FILES_MAX) {
            return;
        }
        let _running = match self.running.try_lock() {
            Ok(running) => running,
            Err(TryLockError::WouldBlock) => return,
            Err(TryLockError::Poisoned(_)) => panic!("maintenance panicked on another thread"),
        };
        let _ = self.ended(machinery, || self.step(machinery, keyspaces));
    }

    /// Moves everything from memtables into tables.
    pub(crate) fn flush_all(&self, machinery: &Machinery) -> Result<()> {
        let _running = self.wait();
        self.ended(machinery, || {
            machinery.keyspaces.all().iter().try_for_each(|keyspace| self.flush(machinery, keyspace))?;
            self.trim(machinery)
        })
    }

    /// Flushes, then rewrites every tree into one run.
    pub(crate) fn compact_all(&self, machinery: &Machinery) -> Result<()> {
        self.flush_all(machinery)?;
        let _running = self.wait();
        self.ended(machinery, || {
            delete_unseen(machinery, &machinery.catalog());
            machinery.keyspaces.all().iter().try_for_each(|keyspace| {
                let tree = keyspace.newest();
                tree.tree.compact_all(&self.compaction_context(machinery, &|| self.is_cancelled()))?;
                anchor(machinery, &tree.tree, tree.id)
            })
        })
    }

    /// Ends what runs and lets nothing begin; returns once nothing runs.
    pub(crate) fn stop(&self) {
        self.is_cancelled.store(true, Ordering::Release);
        drop(self.wait());
    }

    /// Flushes full memtables and those that hold up the log, then compacts what the flushes made due.
    fn step(&self, machinery: &Machinery, keyspaces: &[Arc<KeyspaceState>]) -> Result<()> {
        for keyspace in keyspaces {
            if keyspace.with_newest(Tree::memtable_bytes) >= self.memtable_bytes {
                self.flush(machinery, keyspace)?;
                self.compact(machinery, keyspace)?;
            }
        }
        let crowded = machinery.log.lock().crowded(WAL_FILES_MAX);
        if let Some(oldest_end) = crowded {
            for keyspace in machinery.keyspaces.all() {
                if needed_from(&keyspace, SeqNo::MAX) < oldest_end {
                    self.flush(machinery, &keyspace)?;
                    self.compact(machinery, &keyspace)?;
                }
            }
        }
        delete_unseen(machinery, &machinery.catalog());
        self.trim(machinery)
    }

    /// Flushes what is sealed, then the rest. Only one memtable is ever sealed while flushes fail, so that the active one grows
    /// until writers wait.
    fn flush(&self, machinery: &Machinery, keyspace: &KeyspaceState) -> Result<()> {
        let tree = keyspace.newest();
        if tree.tree.sealed_count() > 0 {
            self.flush_sealed(machinery, &tree)?;
        }
        {
            // Under the log's lock no batch is half applied.
            let log = machinery.log.lock();
            log.check()?;
            if !tree.tree.seal(log.next_seqno() - 1) {
                return Ok(());
            }
        }
        self.flush_sealed(machinery, &tree)
    }

    fn flush_sealed(&self, machinery: &Machinery, tree: &Incarnation) -> Result<()> {
        let boundary = {
            let log = machinery.log.lock();
            log.check()?;
            log.next_seqno() - 1
        };
        if planted(Bug::RemoveWalBeforeFlush) {
            machinery.log.trim(machinery.snapshots.visible())?;
        }
        // Up to the mark, not only to the newest row: the mark counts the seqnos of other keyspaces too, and if those were lost
        // they would be given again, to rows that replay then takes for flushed.
        let log_is_durable = |seqno: SeqNo| {
            if planted(Bug::FlushBeforeLog) { Ok(()) } else { machinery.log.sync_through(seqno.max(boundary)) }
        };
        tree.tree.flush(&FlushContext {
            retention: machinery.snapshots.retention(),
            now_us: machinery.env.clock.wall_us(),
            before_publish: &log_is_durable,
        })?;
        anchor(machinery, &tree.tree, tree.id)
    }

    fn compact(&self, machinery: &Machinery, keyspace: &KeyspaceState) -> Result<()> {
        let tree = keyspace.newest();
        let mut is_changed = false;
        while !self.is_cancelled()
            && let Some(plan) = tree.tree.pick_compaction()
        {
            tree.tree.compact(plan, &self.compaction_context(machinery, &|| self.is_cancelled()))?;
            is_changed = true;
        }
        if is_changed { anchor(machinery, &tree.tree, tree.id) } else { Ok(()) }
    }

    fn compaction_context<'a>(&self, machinery: &Machinery, cancel: &'a dyn Fn() -> bool) -> CompactionContext<'a> {
        CompactionContext { retention: machinery.snapshots.retention(), now_us: machinery.env.clock.wall_us(), cancel }
    }

    /// Removes log files that no tree and not the catalog needs.
    fn trim(&self, machinery: &Machinery) -> Result<()> {
        let mut catalog = machinery.catalog();
        if !machinery.log.is_crowded(1) {
            return Ok(());
        }
        save_catalog(machinery, &mut catalog)?;
        let keyspaces = machinery.keyspaces.all();
        keyspaces.iter().try_for_each(|keyspace| keyspace.newest().tree.confirm())?;
        let needed = {
            let log = machinery.log.lock();
            let next = log.next_seqno();
            keyspaces.iter().map(|keyspace| needed_from(keyspace, next)).min().unwrap_or(next)
        };
        let needed = catalog.unsaved_from().map_or(needed, |unsaved| needed.min(unsaved));
        drop(catalog);
        machinery.log.trim(needed)
    }

    fn is_cancelled(&self) -> bool {
        self.is_cancelled.load(Ordering::Acquire)
    }

    fn wait(&self) -> MutexGuard<'_, ()> {
        self.running.lock().expect("maintenance does not panic")
    }

    /// Decides what a failure means for later writes.
    fn ended(&self, machinery: &Machinery, work: impl FnOnce() -> Result<()>) -> Result<()> {
        if self.is_cancelled() {
            return Err(Error::new(ErrorKind::Closed, "the database was closed"));
        }
        work().map_err(|error| match error.kind() {
            ErrorKind::NoSpace | ErrorKind::Cancelled | ErrorKind::Closed => error,
            _ => machinery.fatal.set(error.context("background maintenance failed")),
        })
    }
}

/// Seqno from which on the log must be kept for this keyspace; `next` where its tables hold everything.
fn needed_from(keyspace: &KeyspaceState, next: SeqNo) -> SeqNo {
    let tree = keyspace.newest();
    if tree.tree.is_clean() {
        return next;
    }
    tree.tree.mark().map_or(tree.since, |mark| mark.max(tree.since)).saturating_add(1)
}

/// Notes in the log how far the tree's manifest is durable. On a full disk it goes without.
fn anchor(machinery: &Machinery, tree: &Tree, id: sediment_base::TreeId) -> Result<()> {
    let position = tree.manifest_position();
    let noted =
        machinery.log.lock().append_anchor(Anchor { tree: id, generation: position.generation, length: position.length });
    match noted {
        Err(error) if error.kind() != ErrorKind::NoSpace => Err(error),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests;
