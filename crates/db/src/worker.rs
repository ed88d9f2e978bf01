//! Maintenance: memtables become tables, tables are compacted, log files are made ready and removed.
//!
//! It runs on threads of its own (`worker/pool.rs`): one for flushes, which writers wait for, one for the log, the others for
//! compaction, which stand back, and wait for more while writers go on (`worker/tempo.rs`); the idle ones among these help with
//! large ones (`worker/crew.rs`). Or, without threads, on the thread of the writer that finds it due (`worker/inline.rs`). Writers are
//! slowed down before they would have to wait (`worker/pace.rs`), and wait only when memory for rows is used up. A full disk stops
//! maintenance until there is room again, and in time the writers too (they get `NoSpace`, and nothing of theirs is applied); any other
//! failure ends all writing, with reads going on and the first cause kept.

mod choose;
mod crew;
mod full;
mod inline;
mod measured;
mod memory;
mod pace;
mod pool;
mod rate;
mod reserve;
mod running;
mod signal;
mod stamp;
mod stops;
mod tempo;
mod upkeep;

pub(crate) use crew::Crew;
pub use pace::{PaceStats, SlowdownCause};
pub(crate) use pool::Pool;
pub(crate) use rate::Rate;
pub(crate) use upkeep::{anchor, delete_unseen, save_catalog, shorten_log};

use crate::{
    catalog::{Catalog, Incarnation, KeyspaceState, Keyspaces},
    instruments::{Growth, Instruments},
    snapshot::Snapshots,
    wal::{Fatal, Log, Lots},
};
use memory::Memtables;
use pace::Pace;
use reserve::Reserve;
use running::Running;
use sediment_base::{
    Error, ErrorKind, Result,
    stats::{Counter, LocalStats},
};
use sediment_env::Env;
use sediment_tree::{Plan, Reclaimer, Tree};
use signal::Signals;
use std::{
    path::Path,
    sync::{Arc, Mutex, MutexGuard, atomic::AtomicU64},
    thread::{self, ThreadId},
};
use stops::Stops;
use tempo::Tempo;
use upkeep::ToFlush;

/// What maintenance works on.
#[derive(Debug)]
pub(crate) struct Machinery {
    pub(crate) env: Env,
    pub(crate) instruments: Arc<Instruments>,
    pub(crate) log: Log,
    pub(crate) fatal: Arc<Fatal>,
    pub(crate) lots: Arc<Lots>,
    pub(crate) snapshots: Arc<Snapshots>,
    pub(crate) keyspaces: Keyspaces,
    /// Held while keyspaces are made, dropped or cleared.
    pub(crate) catalog: Mutex<Catalog>,
    /// How fast compactions may write.
    pub(crate) rate: Rate,
    /// The threads that compactions take.
    pub(crate) crew: Crew,
}

impl Machinery {
    /// The catalog, locked.
    pub(crate) fn catalog(&self) -> MutexGuard<'_, Catalog> {
        self.catalog.lock().expect("no code panics under this lock")
    }
}

/// How maintenance is done.
#[derive(Clone, Copy, Debug)]
pub(crate) struct WorkerSettings {
    /// What all memtables together may hold.
    pub(crate) memtables_bytes: usize,
    /// How many log files may be needed before the trees that need the oldest are flushed.
    pub(crate) wal_files: usize,
    /// Whether threads do it, or the writer that finds it due.
    pub(crate) has_threads: bool,
    /// Space that is kept for going on when the disk is full.
    pub(crate) reserve_bytes: u64,
}

/// What a commit is about to do.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Asked<'a> {
    pub(crate) keyspaces: &'a [Arc<KeyspaceState>],
    pub(crate) bytes: usize,
    pub(crate) only_removes: bool,
}

/// What a commit has done.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Written<'a> {
    /// The counters of its thread, which has counted it.
    pub(crate) by: LocalStats<'a>,
    pub(crate) rows: u64,
    pub(crate) data_bytes: u64,
}

/// Decides what is due, and has it done. Shared.
#[derive(Debug)]
pub(crate) struct Worker {
    settings: WorkerSettings,
    signals: Signals,
    memtables: Memtables,
    pace: Pace,
    tempo: Tempo,
    stops: Stops,
    reserve: Reserve,
    /// When the disk was found full.
    full_since_us: AtomicU64,
    /// Without threads: held by who works.
    running: Running,
    /// The threads that work. What they write (listeners may) cannot wait for them.
    own_threads: Mutex<Vec<ThreadId>>,
}

impl Worker {
    pub(crate) fn new(settings: WorkerSettings, dir: &Path, lots: &Arc<Lots>) -> Self {
        Self {
            settings,
            signals: Signals::new(Arc::clone(lots)),
            memtables: Memtables::new(settings.memtables_bytes),
            pace: Pace::default(),
            tempo: Tempo::default(),
            stops: Stops::default(),
            reserve: Reserve::new(dir, settings.reserve_bytes),
            full_since_us: AtomicU64::new(0),
            running: Running::default(),
            own_threads: Mutex::default(),
        }
    }

    /// Before a commit: refuses it on a full disk, unless it only removes; slows the writer down as far as maintenance is behind,
    /// and holds it where memory would run over. An error means that it must not be applied.
    pub(crate) fn admit(&self, machinery: &Machinery, asked: &Asked<'_>) -> Result<()> {
        if self.is_disk_full() && !asked.only_removes {
            self.restore(machinery)?;
        }
        let admitted = if self.is_inline() {
            self.make_room_inline(machinery, asked.keyspaces)
        } else {
            self.pace.wait(&machinery.instruments, &*machinery.env.clock, asked.bytes);
            let is_full = if asked.only_removes { self.memtables.is_full_of_removes() } else { self.memtables.is_full() };
            if is_full { self.wait_for_room(machinery) } else { Ok(()) }
        };
        self.noticed(machinery, admitted)
    }

    /// After a commit: has done what became due. What goes wrong concerns later commits. `is_full` says whether the memtable of a keyspace
    /// has reached its size; that it has may be noticed some small rows later.
    pub(crate) fn committed(
        &self,
        machinery: &Machinery,
        asked: &Asked<'_>,
        written: Written<'_>,
        is_full: impl Fn(&KeyspaceState) -> bool,
    ) {
        if self.is_inline() {
            return self.maintain_inline(machinery, asked.keyspaces);
        }
        for keyspace in asked.keyspaces {
            if is_full(keyspace) {
                self.seal_full(machinery, keyspace);
            }
        }
        if self.memtables.add(written) {
            self.recount(machinery);
        }
        if self.memtables.has_many_rows() {
            self.signals.flush.raise();
        }
    }

    /// Moves everything from memtables into tables.
    pub(crate) fn flush_all(&self, machinery: &Machinery) -> Result<()> {
        if self.is_inline() {
            return self.flush_all_inline(machinery);
        }
        self.check_running()?;
        let failures = self.signals.failures();
        let wanted: Vec<_> = machinery.keyspaces.all().into_iter().map(|keyspace| ToFlush::seal(machinery, keyspace)).collect();
        self.recount(machinery);
        self.signals.flush.raise();
        let is_done = || wanted.iter().all(ToFlush::is_done);
        let is_over =
            || is_done() || self.signals.failures() > failures || self.signals.is_stopped() || machinery.fatal.is_set();
        machinery.lots.ended.wait_until(&mut || is_over());
        if !is_done() {
            self.check_running()?;
            machinery.fatal.check()?;
            return Err(self.signals.last_failure());
        }
        self.outcome(machinery, upkeep::shorten_or_trim(machinery))
    }

    /// Flushes, then rewrites every tree into one run.
    pub(crate) fn compact_all(&self, machinery: &Machinery) -> Result<()> {
        self.flush_all(machinery)?;
        let _running = self.is_inline().then(|| self.running.enter());
        self.check_running()?;
        self.outcome(machinery, upkeep::compact_everything(machinery, self))?.map_or(Ok(()), Err)
    }

    /// Whether a compaction may begin: not if it might leave no room for what writers do meanwhile.
    fn may_begin(&self, machinery: &Machinery, plan: &Plan) -> bool {
        let has_room = self.reserve.has_room_for(&*machinery.env.fs, plan.written_bytes());
        if !has_room {
            machinery.instruments.count(Counter::CompactionsPostponed, 1);
        }
        has_room
    }

    /// Ends what runs and lets nothing begin; the pool's threads end soon after.
    pub(crate) fn stop(&self) {
        self.signals.stop();
        if self.is_inline() {
            drop(self.running.enter());
        }
    }

    /// The first write after opening: space is reserved.
    pub(crate) fn reserve(&self, machinery: &Machinery) {
        let _ = self.noticed(machinery, self.reserve.ensure(&*machinery.env.fs));
    }

    /// There may be something to do that nobody has asked for: left undone by the process before, or for want of space.
    pub(crate) fn begin(&self) {
        self.signals.flush.raise();
        self.signals.compaction.raise();
    }

    /// Who has files removed that nothing needs any more, where threads do maintenance.
    pub(crate) fn reclaimer(&self) -> Option<Arc<dyn Reclaimer>> {
        (!self.is_inline()).then(|| Arc::clone(&self.signals.reclaim) as _)
    }

    /// Whether threads do maintenance.
    pub(crate) fn has_threads(&self) -> bool {
        !self.is_inline()
    }

    /// Whether everything is to end.
    pub(crate) fn is_stopped(&self) -> bool {
        self.signals.is_stopped()
    }

    /// How fast writers may go, and why not faster.
    pub(crate) fn pace(&self) -> PaceStats {
        PaceStats { stopped_writers: self.stops.writers(), is_disk_full: self.is_disk_full(), ..self.pace.stats() }
    }

    /// What all memtables together may hold.
    pub(crate) fn memtables_bytes_max(&self) -> u64 {
        self.settings.memtables_bytes as u64
    }

    fn is_inline(&self) -> bool {
        !self.settings.has_threads
    }

    /// Seals a memtable that has reached its size, unless another thread was faster.
    fn seal_full(&self, machinery: &Machinery, keyspace: &KeyspaceState) {
        let limit = keyspace.memtable_bytes();
        let is_sealed = machinery.log.at_boundary(|boundary| {
            let Incarnation { tree, .. } = keyspace.newest();
            tree.memtable_bytes() >= limit && tree.seal(boundary)
        });
        if is_sealed {
            self.recount(machinery);
            self.signals.flush.raise();
        }
    }

    /// Waits until a flush has made room.
    fn wait_for_room(&self, machinery: &Machinery) -> Result<()> {
        self.recount(machinery);
        if !self.memtables.is_full() || self.is_own_thread() {
            return Ok(());
        }
        self.signals.flush.raise();
        let is_hopeless = || self.signals.is_stopped() || self.signals.is_stuck() || machinery.fatal.is_set();
        // What ended the waiting counts: other writers may have taken the room by now, and will wait for more.
        let mut has_room = false;
        self.stops.during(&machinery.instruments, || {
            machinery.lots.room.wait_until(&mut || {
                has_room = !self.memtables.is_full();
                has_room || is_hopeless()
            });
        });
        if has_room {
            return Ok(());
        }
        self.check_running()?;
        machinery.fatal.check()?;
        Err(self.signals.last_failure())
    }

    /// Counts what memtables hold, and lets those write who waited for that.
    fn recount(&self, machinery: &Machinery) {
        self.memtables.recount(machinery);
        self.pace.update(machinery, &self.memtables, self.settings.wal_files);
        machinery.instruments.fit_cache(Growth::None);
        machinery.lots.room.wake_all();
    }

    fn is_own_thread(&self) -> bool {
        self.own_threads().contains(&thread::current().id())
    }

    fn own_threads(&self) -> MutexGuard<'_, Vec<ThreadId>> {
        self.own_threads.lock().expect("no code panics under this lock")
    }

    fn check_running(&self) -> Result<()> {
        if self.signals.is_stopped() {
            return Err(Error::new(ErrorKind::Closed, "the database was closed"));
        }
        Ok(())
    }

    /// Decides what a failure means for later writes.
    fn outcome<T>(&self, machinery: &Machinery, done: Result<T>) -> Result<T> {
        self.noticed(machinery, done).map_err(|error| match error.kind() {
            ErrorKind::NoSpace | ErrorKind::Cancelled | ErrorKind::Closed => error,
            _ => machinery.fatal.set(error.context("background maintenance failed")),
        })
    }
}

/// Whether the memtable of a keyspace has reached its size.
pub(crate) fn is_full(keyspace: &KeyspaceState) -> bool {
    keyspace.with_newest(Tree::memtable_bytes) >= keyspace.memtable_bytes()
}

#[cfg(test)]
mod tests;
