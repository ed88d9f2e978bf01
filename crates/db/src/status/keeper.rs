//! `Keeper`: a thread that looks at the database now and then, and keeps the file `STATS` fresh.
//!
//! At each look, once a second or more often, the block cache gets what the other accounts leave. When it is due the file is
//! replaced, and listeners are told what was counted since it was before. The file is for other processes, which cannot open a
//! database that somebody has open. It is replaced whole by a rename, and never synced: nothing depends on it, recovery does not
//! read it, and a crash may leave any bytes under its name. A failure to write it is nobody's concern; the next look tries
//! again. At the end the file goes.

use crate::{
    instruments::Growth,
    status::gather::gather,
    worker::{Machinery, Worker},
};
use sediment_base::{Result, event::StatsTaken, filename};
use sediment_env::{Priority, Task, atomic_file};
use std::{
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};

/// How often to look at the memory, at least.
const LOOK_US: u64 = 1_000_000;

/// The thread, if there is one.
#[derive(Debug)]
pub(crate) struct Keeper {
    path: PathBuf,
    keeps_file: bool,
    task: Mutex<Option<Box<dyn Task>>>,
}

impl Keeper {
    /// Starts the thread for the database in `dir`, unless it goes without threads. The file is replaced every `interval_us`, and
    /// never for 0.
    pub(crate) fn start(machinery: &Arc<Machinery>, worker: &Arc<Worker>, dir: &Path, interval_us: u64) -> Result<Self> {
        let (path, has_threads) = (dir.join(filename::STATS), worker.has_threads());
        let keeper = Self { path, keeps_file: has_threads && interval_us > 0, task: Mutex::default() };
        if has_threads {
            let look = Look {
                machinery: Arc::clone(machinery),
                worker: Arc::clone(worker),
                file: keeper.keeps_file.then(|| keeper.path.clone()),
                interval_us: if interval_us > 0 { interval_us } else { LOOK_US },
            };
            let task = machinery.env.spawn.spawn("sediment-stats", Priority::Low, Box::new(move || look.run()))?;
            *keeper.task.lock().unwrap_or_else(PoisonError::into_inner) = Some(task);
        }
        Ok(keeper)
    }

    /// Removes a file that a process before left, where none is kept. With the first write: opening changes nothing.
    pub(crate) fn forget_stale(&self, machinery: &Machinery) {
        if !self.keeps_file {
            let _ = machinery.env.fs.remove_file(&self.path);
        }
    }

    /// Waits until the thread has ended; the worker was stopped before.
    pub(crate) fn join(&self) {
        let task = self.task.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(task) = task {
            task.join();
        }
    }
}

struct Look {
    machinery: Arc<Machinery>,
    worker: Arc<Worker>,
    file: Option<PathBuf>,
    interval_us: u64,
}

impl Look {
    fn run(&self) {
        let (machinery, instruments) = (&*self.machinery, &self.machinery.instruments);
        let (mut before, mut before_us) = (instruments.stats.snapshot(), instruments.now_us());
        let look_us = self.interval_us.min(LOOK_US);
        while !machinery.lots.look.wait_idly(look_us, &mut || self.worker.is_stopped()) {
            instruments.fit_cache(Growth::Slow);
            let duration_us = instruments.since_us(before_us);
            if duration_us < self.interval_us {
                continue;
            }
            before_us = instruments.now_us();
            let stats = gather(machinery, &self.worker);
            if let Some(path) = &self.file {
                let text = stats.to_json() + "\n";
                let _ = atomic_file::replace_unsynced(&*machinery.env.fs, path, text.as_bytes());
            }
            instruments.events.post(|| StatsTaken { since_last: stats.counted.since(&before), duration_us });
            before = stats.counted;
            instruments.events.deliver();
        }
        if let Some(path) = &self.file {
            let _ = machinery.env.fs.remove_file(path);
        }
    }
}
