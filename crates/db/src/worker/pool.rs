//! The background threads: one for flushes, one for the log, one for files that may go, the others for compaction. Some of these work
//! only while writers rest; else the processors are the writers'.
//!
//! They start with the first write. A thread sleeps until its kind of work is asked for, then works until none is left. What fails
//! for want of space is tried again after a while; anything else has ended all writing by then, and the thread waits for the end.

use crate::{
    catalog::Incarnation,
    options::CompactionThreads,
    wal::Fatal,
    worker::{Machinery, Worker, measured, signal::Signal, upkeep},
};
use sediment_base::{Error, ErrorKind, Result};
use sediment_env::{Priority, Task};
use std::{
    ops::ControlFlow,
    sync::{Arc, Mutex, OnceLock},
    thread,
};

/// How long a full disk is left alone.
const RETRY_US: u64 = 100_000;

/// Threads that work for a database, from its first write on until they are stopped. Shared.
#[derive(Debug, Default)]
pub(crate) struct Pool {
    /// How starting them went.
    started: OnceLock<Result<()>>,
    tasks: Mutex<Vec<Box<dyn Task>>>,
}

impl Pool {
    /// Before a write: starts the threads, so many of them for compaction, unless they were started or none are wanted. Who opens to
    /// read does not wait for that. Where they cannot be started every write gets the error.
    #[inline]
    pub(crate) fn ensure_started(
        &self,
        machinery: &Arc<Machinery>,
        worker: &Arc<Worker>,
        threads: impl FnOnce() -> CompactionThreads,
    ) -> Result<()> {
        if !worker.has_threads() {
            return Ok(());
        }
        self.started.get_or_init(|| self.start(machinery, worker, threads())).clone()
    }

    #[cold]
    fn start(&self, machinery: &Arc<Machinery>, worker: &Arc<Worker>, threads: CompactionThreads) -> Result<()> {
        machinery.log.set_helped(true);
        machinery.crew.set_threads(threads);
        let started = self
            .spawn(machinery, worker, "sediment-flush", Priority::Reduced, Worker::run_flushes)
            .and_then(|()| self.spawn(machinery, worker, "sediment-log", Priority::Normal, Worker::run_log))
            .and_then(|()| self.spawn(machinery, worker, "sediment-files", Priority::Reduced, Worker::run_files))
            .and_then(|()| {
                (1..=threads.at_rest).try_for_each(|number| {
                    let name = format!("sediment-compact-{number}");
                    let is_always = number <= threads.always;
                    let run = if is_always { Worker::run_compactions } else { Worker::run_compactions_at_rest };
                    self.spawn(machinery, worker, &name, Priority::Low, run)
                })
            });
        if started.is_err() {
            worker.stop();
            self.join();
        }
        started
    }

    /// Waits until the threads have ended; the worker was stopped before. Panics if one of them did.
    pub(crate) fn join(&self) {
        let tasks = std::mem::take(&mut *self.tasks.lock().expect("no code panics under this lock"));
        tasks.into_iter().for_each(|task| task.join());
    }

    fn spawn(
        &self,
        machinery: &Arc<Machinery>,
        worker: &Arc<Worker>,
        name: &str,
        priority: Priority,
        run: fn(&Worker, &Machinery),
    ) -> Result<()> {
        let (machinery, worker) = (Arc::clone(machinery), Arc::clone(worker));
        let spawner = Arc::clone(&machinery.env.spawn);
        let job = Box::new(move || {
            let _fall = Fall(&machinery.fatal);
            worker.own_threads().push(thread::current().id());
            run(&worker, &machinery);
        });
        let task = spawner.spawn(name, priority, job)?;
        self.tasks.lock().expect("no code panics under this lock").push(task);
        Ok(())
    }
}

impl Worker {
    fn run_flushes(&self, machinery: &Machinery) {
        self.run(machinery, &[&self.signals.flush], &mut || false, &|| None, &mut || {
            let Some(tree) = self.choose_flush(machinery) else {
                // Writers may wait for memory that went by other ways.
                self.recount(machinery);
                return Ok(ControlFlow::Break(()));
            };
            self.flush_once(machinery, &tree)?;
            self.recount(machinery);
            self.signals.trim.raise();
            self.signals.compaction.raise();
            Ok(ControlFlow::Continue(()))
        });
    }

    fn run_compactions(&self, machinery: &Machinery) {
        let until_due = || {
            let until_pause_us = self.tempo.until_pause_us(machinery.env.clock.monotonic_us());
            upkeep::us_until_due(machinery).into_iter().chain(until_pause_us).min()
        };
        self.run(machinery, &[&self.signals.compaction], &mut || false, &until_due, &mut || {
            self.compact_most_urgent(machinery)
        });
    }

    fn run_compactions_at_rest(&self, machinery: &Machinery) {
        let until_rest = || self.tempo.until_rest_us(machinery.env.clock.monotonic_us());
        self.run(machinery, &[&self.signals.compaction], &mut || false, &until_rest, &mut || match until_rest() {
            Some(_) => Ok(ControlFlow::Break(())),
            None => self.compact_most_urgent(machinery),
        });
    }

    /// Runs one compaction, if one is due of any tree that no other thread is at.
    fn compact_most_urgent(&self, machinery: &Machinery) -> Result<ControlFlow<()>> {
        let is_at_rest = self.tempo.until_rest_us(machinery.env.clock.monotonic_us()).is_none();
        machinery.crew.set_at_rest(is_at_rest);
        upkeep::delete_unseen(machinery, &machinery.catalog());
        for tree in self.choose_compaction(machinery) {
            if self.compact_once(machinery, &tree)? {
                return Ok(ControlFlow::Continue(()));
            }
        }
        Ok(ControlFlow::Break(()))
    }

    fn run_log(&self, machinery: &Machinery) {
        let log = &machinery.log;
        self.run(machinery, &[&self.signals.trim], &mut || log.wants_help(), &|| None, &mut || {
            log.let_go();
            // What is left of a full disk is for what frees space, not for files to come.
            if !self.is_disk_full() && log.prepare_successor()? {
                // Another file means that the oldest one is missed more.
                self.recount(machinery);
                self.signals.flush.raise();
                return Ok(ControlFlow::Continue(()));
            }
            if log.sync_backlog()? {
                return Ok(ControlFlow::Continue(()));
            }
            self.delete_dropped(machinery)?;
            upkeep::trim(machinery)?;
            Ok(ControlFlow::Break(()))
        });
    }

    /// A large file takes the file system a while, which nobody waits for: neither writers, as they do for the log, nor their processors.
    fn run_files(&self, machinery: &Machinery) {
        self.run(machinery, &[&self.signals.reclaim], &mut || false, &|| None, &mut || {
            Ok(if upkeep::reclaim_one(machinery) { ControlFlow::Continue(()) } else { ControlFlow::Break(()) })
        });
    }

    fn flush_once(&self, machinery: &Machinery, tree: &Incarnation) -> Result<()> {
        let clock = &machinery.env.clock;
        let start_us = clock.monotonic_us();
        let flushed = measured::flush(machinery, tree, &|bytes| self.memtables.flush_advanced(bytes));
        self.memtables.flush_ended();
        let ended_us = clock.monotonic_us();
        self.pace.learn_flush(flushed?.bytes, ended_us.saturating_sub(start_us));
        self.tempo.flushed(tree.id, ended_us);
        Ok(())
    }

    /// Runs one compaction of a tree, if one is due that no other thread is at.
    fn compact_once(&self, machinery: &Machinery, tree: &Incarnation) -> Result<bool> {
        let clock = &machinery.env.clock;
        let start_us = clock.monotonic_us();
        let Some(carried) = upkeep::compact_once(machinery, self, tree)? else { return Ok(false) };
        self.pace.learn(carried, clock.monotonic_us().saturating_sub(start_us));
        self.recount(machinery);
        // What was compacted may have made more of it due, and other threads may help.
        self.signals.compaction.raise();
        Ok(true)
    }

    /// Calls `work` until it says that nothing is left, whenever one of the signals, which share a lot, is raised, `is_asked` holds, or the
    /// time has passed that `until_due` gave before, in microseconds.
    fn run(
        &self,
        machinery: &Machinery,
        signals: &[&Signal],
        is_asked: &mut dyn FnMut() -> bool,
        until_due: &dyn Fn() -> Option<u64>,
        work: &mut dyn FnMut() -> Result<ControlFlow<()>>,
    ) {
        let mut seen = vec![0; signals.len()];
        let lot = signals.first().expect("there is a reason to work").lot();
        let is_over = || self.signals.is_stopped() || machinery.fatal.is_set();
        loop {
            let mut is_wanted = || {
                let is_raised =
                    signals.iter().zip(&mut seen).fold(false, |is_raised, (signal, seen)| signal.is_new(seen) || is_raised);
                is_over() || is_raised || is_asked()
            };
            match until_due() {
                None => lot.wait_until(&mut is_wanted),
                Some(us) => drop(lot.wait_idly(us, &mut is_wanted)),
            }
            while !is_over() {
                let worked = self.outcome(machinery, work());
                machinery.instruments.events.deliver();
                match worked {
                    Ok(ControlFlow::Continue(())) => self.signals.succeeded(),
                    Ok(ControlFlow::Break(())) => {
                        // What somebody waited for may have gone without any work: a keyspace that was dropped.
                        machinery.lots.ended.wake_all();
                        break;
                    }
                    Err(error) => self.rest(machinery, error),
                }
            }
            if is_over() {
                return;
            }
        }
    }

    /// After a failure: a full disk is left alone for a while; anything else has ended all writing by now, or soon will.
    fn rest(&self, machinery: &Machinery, error: Error) {
        self.signals.failed(error);
        let is_over = || self.signals.is_stopped() || machinery.fatal.is_set();
        machinery.lots.room.wait_at_most(RETRY_US, &mut || is_over());
    }
}

/// Ends all writing where a background thread panics: nobody would wait for it in vain.
struct Fall<'a>(&'a Fatal);

impl Drop for Fall<'_> {
    fn drop(&mut self) {
        if thread::panicking() {
            self.0.set(Error::new(ErrorKind::Poisoned, "a background thread panicked").with_kind(ErrorKind::Io));
        }
    }
}
