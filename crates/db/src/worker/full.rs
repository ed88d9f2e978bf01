//! What a full disk means for those who write.

use crate::worker::{Machinery, Worker, upkeep};
use sediment_base::{
    Error, ErrorKind, Result,
    event::{NoSpaceBegan, NoSpaceEnded},
    stats::Counter,
};
use std::sync::atomic::Ordering;

/// How often, and how far apart, what frees space is tried where maintenance may have taken what is left: a second in all.
const ATTEMPTS: u32 = 50;
const PAUSE_US: u64 = 20_000;

impl Worker {
    /// Takes note of an error that says that the disk is full.
    #[inline]
    pub(crate) fn noticed<T>(&self, machinery: &Machinery, done: Result<T>) -> Result<T> {
        done.inspect_err(|error| self.notice(machinery, error))
    }

    #[cold]
    fn notice(&self, machinery: &Machinery, error: &Error) {
        if error.kind() == ErrorKind::NoSpace && self.reserve.spend(&*machinery.env.fs) {
            let instruments = &machinery.instruments;
            self.full_since_us.store(instruments.now_us(), Ordering::Relaxed);
            instruments.count(Counter::NoSpaceEvents, 1);
            instruments.events.post(|| NoSpaceBegan { error: error.clone() });
            self.begin();
            self.signals.trim.raise();
        }
    }

    /// Does what frees space. On a full disk flushes and compactions go on as well, and take what is left, if only for files that they
    /// remove again where there is not enough of it: so it gets the last part of the reserve, and is tried again.
    pub(crate) fn patiently<T>(&self, machinery: &Machinery, free: impl Fn() -> Result<T>) -> Result<T> {
        let is_over = || self.signals.is_stopped() || machinery.fatal.is_set();
        for _ in 1..ATTEMPTS {
            let was_full = self.is_disk_full();
            match self.noticed(machinery, free()) {
                Err(error) if error.kind() == ErrorKind::NoSpace && self.is_disk_full() && !is_over() => {}
                done => return done,
            }
            if was_full && !self.reserve.spend_last(&*machinery.env.fs) {
                machinery.lots.room.wait_at_most(PAUSE_US, &mut || is_over());
            }
        }
        free()
    }

    /// Has the trees of dropped keyspaces go that could not at once, because there was no room for the catalog.
    pub(super) fn delete_dropped(&self, machinery: &Machinery) -> Result<()> {
        match upkeep::delete_dropped(machinery) {
            Err(error) if error.kind() == ErrorKind::NoSpace && self.reserve.spend_last(&*machinery.env.fs) => {
                upkeep::delete_dropped(machinery)
            }
            done => done,
        }
    }

    /// Whether the disk was full, and has not been found otherwise since.
    #[inline]
    pub(crate) fn is_disk_full(&self) -> bool {
        self.reserve.is_full()
    }

    /// On a disk that was full: goes on if there is room again.
    pub(super) fn restore(&self, machinery: &Machinery) -> Result<()> {
        // It may be what makes room. Where there is none for the catalog either, the next one tries again.
        let _ = self.delete_dropped(machinery);
        if self.reserve.restore(&*machinery.env.fs)? {
            let duration_us = machinery.instruments.since_us(self.full_since_us.load(Ordering::Relaxed));
            machinery.instruments.events.post(|| NoSpaceEnded { duration_us });
        }
        Ok(())
    }

    /// A keyspace was dropped or cleared, and with it what was in memory. Should its trees be there still, because the catalog could not
    /// be written, it is tried again, now and later.
    pub(crate) fn freed(&self, machinery: &Machinery) {
        self.recount(machinery);
        let _ = self.delete_dropped(machinery);
        self.signals.trim.raise();
    }
}
