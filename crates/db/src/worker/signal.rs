//! Telling background threads that there is something to do, and everybody else how it goes.

use crate::wal::Lots;
use sediment_base::{Error, ErrorKind};
use sediment_tree::Reclaimer;
use std::sync::{
    Arc, Mutex, MutexGuard,
    atomic::{AtomicBool, AtomicU64, Ordering},
};

/// What threads tell each other. Shared.
#[derive(Debug)]
pub(super) struct Signals {
    pub(super) flush: Signal,
    pub(super) compaction: Signal,
    pub(super) trim: Signal,
    /// Files that nothing needs any more wait to be removed.
    pub(super) reclaim: Arc<Signal>,
    is_stopped: AtomicBool,
    /// The disk is full: what is due is tried again now and then.
    is_stuck: AtomicBool,
    failures: AtomicU64,
    last_failure: Mutex<Option<Error>>,
    lots: Arc<Lots>,
}

/// Counts the reasons to look at one kind of work.
#[derive(Debug)]
pub(super) struct Signal {
    raised: AtomicU64,
    lots: Arc<Lots>,
}

impl Signal {
    fn new(lots: &Arc<Lots>) -> Self {
        Self { raised: AtomicU64::new(0), lots: Arc::clone(lots) }
    }

    /// There may be something to do.
    pub(super) fn raise(&self) {
        self.raised.fetch_add(1, Ordering::Release);
        self.lots.work.wake_all();
    }

    /// Whether it was raised since `seen`, which becomes now.
    pub(super) fn is_new(&self, seen: &mut u64) -> bool {
        let raised = self.raised.load(Ordering::Acquire);
        std::mem::replace(seen, raised) != raised
    }
}

/// Scans end with it, so it says as little as it can: one wake for all files that wait.
impl Reclaimer for Signal {
    fn wanted(&self) {
        self.raise();
    }
}

impl Signals {
    pub(super) fn new(lots: Arc<Lots>) -> Self {
        let [flush, compaction, trim] = std::array::from_fn(|_| Signal::new(&lots));
        let reclaim = Arc::new(Signal::new(&lots));
        Self {
            flush,
            compaction,
            trim,
            reclaim,
            is_stopped: AtomicBool::new(false),
            is_stuck: AtomicBool::new(false),
            failures: AtomicU64::new(0),
            last_failure: Mutex::new(None),
            lots,
        }
    }

    /// Everybody ends what he does.
    pub(super) fn stop(&self) {
        self.is_stopped.store(true, Ordering::Release);
        self.lots.wake_everybody();
    }

    pub(super) fn is_stopped(&self) -> bool {
        self.is_stopped.load(Ordering::Acquire)
    }

    /// Work could not be done.
    pub(super) fn failed(&self, error: Error) {
        self.is_stuck.store(error.kind() == ErrorKind::NoSpace, Ordering::Release);
        *self.last() = Some(error);
        self.failures.fetch_add(1, Ordering::Release);
        self.lots.work.wake_all();
        self.lots.room.wake_all();
    }

    /// Work goes on.
    pub(super) fn succeeded(&self) {
        self.is_stuck.store(false, Ordering::Release);
        self.lots.work.wake_all();
    }

    /// Whether the disk was full when work was tried last.
    pub(super) fn is_stuck(&self) -> bool {
        self.is_stuck.load(Ordering::Acquire)
    }

    /// How often work has failed.
    pub(super) fn failures(&self) -> u64 {
        self.failures.load(Ordering::Acquire)
    }

    pub(super) fn last_failure(&self) -> Error {
        self.last().clone().unwrap_or_else(|| Error::new(ErrorKind::Cancelled, "maintenance was cancelled"))
    }

    fn last(&self) -> MutexGuard<'_, Option<Error>> {
        self.last_failure.lock().expect("no code panics under this lock")
    }
}
