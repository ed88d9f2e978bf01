//! What all memtables hold together.
//!
//! Asking every keyspace at every commit would cost too much. So it is counted now and then, exactly, and what was written since
//! is added by its length: in steps, once a thread has written so much, since all threads share the sum.

use crate::worker::{Machinery, Written};
use sediment_base::stats::Counter;
use sediment_tree::Tree;
use std::sync::{
    Mutex,
    atomic::{AtomicUsize, Ordering::Relaxed},
};

/// What a row takes in memory beside key and value, roughly.
const ROW_OVERHEAD_BYTES: u64 = 48;
/// After this part of the limit has been written, it is counted again.
const COUNTS_PER_LIMIT: usize = 16;
/// What a thread has written is added in steps of this part of the limit,
const STEPS_PER_LIMIT: usize = 4096;
/// or of so many bytes if that is less.
const STEP_BYTES_MAX: usize = 16 << 10;

/// Bytes of all memtables against their limit. Shared.
#[derive(Debug)]
pub(super) struct Memtables {
    limit_bytes: usize,
    active: AtomicUsize,
    sealed: AtomicUsize,
    added: AtomicUsize,
    /// Keys and values that the running flush has read.
    flushed: AtomicUsize,
    /// Held while it is counted: of two who count, the one who looked earlier must not have the last word. Writers wait for what it says.
    counting: Mutex<()>,
}

impl Memtables {
    pub(super) fn new(limit_bytes: usize) -> Self {
        let [active, sealed, added, flushed] = std::array::from_fn(|_| AtomicUsize::new(0));
        Self { limit_bytes, active, sealed, added, flushed, counting: Mutex::default() }
    }

    /// A commit has added rows; whether it is time to count all.
    pub(super) fn add(&self, Written { by, rows, data_bytes }: Written<'_>) -> bool {
        let now = in_memory(by.own_count(Counter::CommitRows), by.own_count(Counter::CommitBytes));
        self.add_steps(now.saturating_sub(in_memory(rows, data_bytes)), now)
    }

    /// A thread that had written so much has written so much now.
    pub(super) fn add_steps(&self, before: u64, now: u64) -> bool {
        let step = (self.limit_bytes / STEPS_PER_LIMIT).clamp(1, STEP_BYTES_MAX) as u64;
        let steps = now / step - before / step;
        steps > 0 && {
            let bytes = (steps * step) as usize;
            self.added.fetch_add(bytes, Relaxed) + bytes > self.limit_bytes / COUNTS_PER_LIMIT
        }
    }

    /// Counts.
    pub(super) fn recount(&self, machinery: &Machinery) {
        self.recount_by(|| {
            let (mut active, mut sealed) = (0, 0);
            for keyspace in machinery.keyspaces.all() {
                // What an empty memtable takes cannot be had back by a flush.
                if !keyspace.with_newest(Tree::is_clean) {
                    active += keyspace.with_newest(Tree::memtable_bytes);
                    sealed += keyspace.with_newest(|tree| tree.pressure().sealed_bytes);
                }
            }
            (active, sealed)
        });
    }

    fn recount_by(&self, count: impl FnOnce() -> (usize, usize)) {
        let _counting = self.counting.lock().expect("no code panics under this lock");
        self.added.store(0, Relaxed);
        let (active, sealed) = count();
        self.active.store(active, Relaxed);
        self.sealed.store(sealed, Relaxed);
    }

    /// Whether no more may be written.
    pub(super) fn is_full(&self) -> bool {
        self.bytes() >= self.limit_bytes
    }

    /// The same for what only removes, and so may make room: a little goes in all the same.
    pub(super) fn is_full_of_removes(&self) -> bool {
        self.bytes() >= self.limit_bytes + self.limit_bytes / 4
    }

    /// Whether rows in many memtables, none of them full, take so much that some have to go.
    pub(super) fn has_many_rows(&self) -> bool {
        self.active.load(Relaxed) + self.added.load(Relaxed) > self.limit_bytes / 2
    }

    /// A flush has read so many more bytes of keys and values.
    pub(super) fn flush_advanced(&self, bytes: u64) {
        self.flushed.fetch_add(bytes as usize, Relaxed);
    }

    /// A flush has ended, well or not: what it has read is let go of, or read again.
    pub(super) fn flush_ended(&self) {
        self.flushed.store(0, Relaxed);
    }

    /// How far the second half of the limit is used, 0 to 1. What a flush has read already does not count, though it is held until the
    /// flush ends: as long as the flush is as fast as writers are, they will never have to wait for it.
    pub(super) fn backlog(&self) -> f64 {
        let half = self.limit_bytes / 2;
        let flushed = self.flushed.load(Relaxed).min(self.sealed.load(Relaxed));
        self.bytes().saturating_sub(flushed + half) as f64 / half.max(1) as f64
    }

    fn bytes(&self) -> usize {
        self.active.load(Relaxed) + self.sealed.load(Relaxed) + self.added.load(Relaxed)
    }
}

fn in_memory(rows: u64, data_bytes: u64) -> u64 {
    data_bytes + rows * ROW_OVERHEAD_BYTES
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{
        sync::atomic::{AtomicBool, Ordering::SeqCst},
        thread,
    };

    #[test]
    fn what_threads_write_is_added_in_whole_steps() {
        let memtables = Memtables::new(64 << 20);
        assert!(!memtables.add_steps(0, 16_383) && memtables.bytes() == 0);
        assert!(!memtables.add_steps(16_383, 16_384) && memtables.bytes() == 16_384);
        assert!(!memtables.add_steps(16_384, 16_385) && memtables.bytes() == 16_384);
        assert!(memtables.add_steps(16_000, 5 << 20), "more than a sixteenth was added");
        assert!(!memtables.add_steps(5 << 20, (5 << 20) + 1), "and nothing since");
        let small = Memtables::new(100);
        assert!(!small.add_steps(7, 8) && small.bytes() == 1, "each byte where there is room for few");
    }

    #[test]
    fn a_flush_that_keeps_up_is_no_backlog() {
        let memtables = Memtables::new(200);
        memtables.recount_by(|| (60, 100));
        assert_eq!(memtables.backlog(), 0.6);
        memtables.flush_advanced(40);
        assert_eq!((memtables.backlog(), memtables.is_full()), (0.2, false));
        memtables.flush_advanced(50);
        assert_eq!(memtables.backlog(), 0.0);
        memtables.recount_by(|| (100, 100));
        assert!(memtables.is_full(), "it is held all the same");
        memtables.flush_ended();
        assert_eq!(memtables.backlog(), 1.0);
        memtables.flush_advanced(1000);
        memtables.recount_by(|| (150, 0));
        assert_eq!(memtables.backlog(), 0.5, "nothing sealed is left that was flushed");
    }

    /// A writer that had looked before a flush ended said so after it, and waited for that flush for ever.
    #[test]
    fn who_has_looked_later_has_the_last_word() {
        let (memtables, has_begun) = (Memtables::new(100), AtomicBool::new(false));
        thread::scope(|scope| {
            memtables.recount_by(|| {
                scope.spawn(|| {
                    has_begun.store(true, SeqCst);
                    memtables.recount_by(|| (5, 0));
                });
                while !has_begun.load(SeqCst) {
                    thread::yield_now();
                }
                (0..1000).for_each(|_| thread::yield_now());
                (10, 90)
            });
        });
        assert!(!memtables.is_full(), "{memtables:?}");
    }
}
