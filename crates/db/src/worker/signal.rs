//! Telling background threads that there is something to do, and everybody else how it goes.

use crate::wal::Lots;
use sediment_base::{Error, ErrorKind};
use sediment_env::Park;
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
    /// Where whoever does this work waits for it. Writers raise signals, perhaps with every commit: nobody else is to wake up.
    lot: Arc<dyn Park>,
}

impl Signal {
    fn new(lot: &Arc<dyn Park>) -> Self {
        Self { raised: AtomicU64::new(0), lot: Arc::clone(lot) }
    }

    /// Where to wait for it.
    pub(super) fn lot(&self) -> &dyn Park {
        &*self.lot
    }

    /// There may be something to do.
    pub(super) fn raise(&self) {
        self.raised.fetch_add(1, Ordering::Release);
        self.lot.wake_all();
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
        let [flush, compaction] = [&lots.flush, &lots.compaction].map(Signal::new);
        let (trim, reclaim) = (Signal::new(&lots.upkeep), Arc::new(Signal::new(&lots.files)));
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
        self.lots.ended.wake_all();
        self.lots.room.wake_all();
    }

    /// Work goes on.
    pub(super) fn succeeded(&self) {
        self.is_stuck.store(false, Ordering::Release);
        self.lots.ended.wake_all();
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

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    /// Notes which of its kind was told to wake up; nobody waits here.
    #[derive(Debug, Default)]
    struct Bell {
        number: usize,
        rung: Arc<Mutex<Vec<usize>>>,
        made: Arc<AtomicU64>,
    }

    impl Park for Bell {
        fn wait_until(&self, is_done: &mut dyn FnMut() -> bool) {
            assert!(is_done(), "nobody would wake it");
        }

        fn wait_at_most(&self, _us: u64, is_done: &mut dyn FnMut() -> bool) -> bool {
            is_done()
        }

        fn wake_all(&self) {
            self.rung.lock().expect("no panic").push(self.number);
        }

        fn another(&self) -> Arc<dyn Park> {
            let number = self.made.fetch_add(1, Ordering::Relaxed) as usize + 1;
            Arc::new(Self { number, rung: Arc::clone(&self.rung), made: Arc::clone(&self.made) })
        }
    }

    /// While a flush ran, every commit woke the threads of log and compactions, which had nothing to do.
    #[test]
    fn a_signal_wakes_whoever_does_that_work_and_nobody_else() {
        let bell = Bell::default();
        let lots = Arc::new(Lots::new(&bell));
        let signals = Signals::new(Arc::clone(&lots));
        let rung_by = |ring: &dyn Fn()| {
            ring();
            std::mem::take(&mut *bell.rung.lock().expect("no panic"))
        };
        let flush = rung_by(&|| signals.flush.raise());
        let compaction = rung_by(&|| signals.compaction.raise());
        let upkeep = rung_by(&|| signals.trim.raise());
        let files = rung_by(&|| signals.reclaim.raise());
        assert_eq!(HashSet::from([&flush, &compaction, &upkeep, &files]).len(), 4);
        assert_eq!([&flush, &compaction, &upkeep, &files].map(Vec::len), [1; 4]);
        assert_eq!(rung_by(&|| signals.flush.lot().wake_all()), flush);
        assert_eq!(rung_by(&|| signals.stop()).len(), bell.made.load(Ordering::Relaxed) as usize, "at the end, everybody");
    }
}
