//! Without threads: maintenance on the thread of the writer that finds it due, one at a time.

use crate::{
    catalog::KeyspaceState,
    worker::{
        Machinery, Worker, is_full, measured,
        upkeep::{self, needed_from},
    },
};
use sediment_base::{Result, SeqNo};
use sediment_tree::Tree;
use std::sync::Arc;

/// How many memtables' worth of rows a keyspace may hold before its writers wait for a flush.
const MEMTABLES_MAX: usize = 2;

impl Worker {
    /// Before a commit: waits for a flush where memory would run over otherwise.
    pub(super) fn make_room_inline(&self, machinery: &Machinery, keyspaces: &[Arc<KeyspaceState>]) -> Result<()> {
        let has_room = |keyspace: &Arc<KeyspaceState>| {
            keyspace.with_newest(Tree::memtable_bytes) < keyspace.memtable_bytes().saturating_mul(MEMTABLES_MAX)
        };
        if keyspaces.iter().all(has_room) {
            return Ok(());
        }
        // A listener that writes while this thread tells it of maintenance cannot wait for its end.
        if self.running.is_mine() {
            return Ok(());
        }
        self.stops.during(&machinery.instruments, || {
            let _running = self.running.enter();
            self.check_running()?;
            self.outcome(machinery, self.step(machinery, keyspaces))
        })
    }

    /// After a commit: does what is due, unless another thread is at it.
    pub(super) fn maintain_inline(&self, machinery: &Machinery, keyspaces: &[Arc<KeyspaceState>]) {
        if !keyspaces.iter().any(|keyspace| is_full(keyspace)) && !machinery.log.is_crowded(self.settings.wal_files) {
            return;
        }
        let Some(_running) = self.running.try_enter() else { return };
        if !self.signals.is_stopped() {
            let _ = self.outcome(machinery, self.step(machinery, keyspaces));
        }
    }

    /// Moves everything from memtables into tables.
    pub(super) fn flush_all_inline(&self, machinery: &Machinery) -> Result<()> {
        let _running = self.running.enter();
        self.check_running()?;
        let flushed = machinery.keyspaces.all().iter().try_for_each(|keyspace| self.flush_inline(machinery, keyspace));
        self.outcome(machinery, flushed.and_then(|()| upkeep::shorten_or_trim(machinery)))
    }

    /// Flushes full memtables and those that hold up the log, then compacts what the flushes made due.
    fn step(&self, machinery: &Machinery, keyspaces: &[Arc<KeyspaceState>]) -> Result<()> {
        for keyspace in keyspaces {
            if is_full(keyspace) {
                self.flush_and_compact(machinery, keyspace)?;
            }
        }
        if let Some(oldest_end) = machinery.log.oldest_end(self.settings.wal_files) {
            for keyspace in machinery.keyspaces.all() {
                if needed_from(&keyspace, SeqNo::MAX) < oldest_end {
                    self.flush_and_compact(machinery, &keyspace)?;
                }
            }
        }
        upkeep::delete_unseen(machinery, &machinery.catalog());
        self.delete_dropped(machinery)?;
        upkeep::trim(machinery)
    }

    fn flush_and_compact(&self, machinery: &Machinery, keyspace: &KeyspaceState) -> Result<()> {
        self.flush_inline(machinery, keyspace)?;
        upkeep::compact(machinery, self, &keyspace.newest())
    }

    /// Flushes what is sealed, then the rest. Only one memtable is ever sealed while flushes fail, so that the active one grows
    /// until writers wait.
    fn flush_inline(&self, machinery: &Machinery, keyspace: &KeyspaceState) -> Result<()> {
        let tree = keyspace.newest();
        if tree.tree.sealed_count() > 0 {
            measured::flush(machinery, &tree, &|_| ())?;
        }
        machinery.log.check()?;
        let is_sealed = machinery.log.at_boundary(|boundary| tree.tree.seal(boundary));
        if is_sealed { measured::flush(machinery, &tree, &|_| ()).map(drop) } else { Ok(()) }
    }
}
