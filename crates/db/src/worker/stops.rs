//! Writers that wait outright, counted and told.

use crate::instruments::Instruments;
use sediment_base::{
    event::{StopReason, WritesResumed, WritesStopped},
    stats::Counter,
};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// How many writers wait, and since when. Shared.
#[derive(Debug, Default)]
pub(super) struct Stops {
    writers: AtomicU64,
    /// When the first of them began to.
    since_us: AtomicU64,
}

impl Stops {
    /// Writers that wait now.
    pub(super) fn writers(&self) -> u64 {
        self.writers.load(Relaxed)
    }

    /// Runs `wait`, for which a writer is stopped. The writer holds no lock.
    pub(super) fn during<T>(&self, instruments: &Instruments, wait: impl FnOnce() -> T) -> T {
        let (start_us, reason) = (instruments.now_us(), StopReason::Memory);
        instruments.count(Counter::WriteStops, 1);
        if self.writers.fetch_add(1, Relaxed) == 0 {
            self.since_us.store(start_us, Relaxed);
            instruments.events.post(|| WritesStopped { reason });
            instruments.events.deliver();
        }
        let waited = wait();
        instruments.count(Counter::WriteStopUs, instruments.since_us(start_us));
        let stopped_us = instruments.since_us(self.since_us.load(Relaxed));
        if self.writers.fetch_sub(1, Relaxed) == 1 {
            instruments.events.post(|| WritesResumed { reason, stopped_us });
            instruments.events.deliver();
        }
        waited
    }
}
