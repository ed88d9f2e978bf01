//! The threads that compactions take, all of them together: one each, and those that help with large ones.
//!
//! There are as many as the pool has for compactions, more of them while writers rest and leave their processors to them. What its threads
//! do not need just then may help, until the compaction that took them has ended; one that begins meanwhile goes on alone until they have.
//! Flushes and the log have threads of their own, and nobody waits for help.

use crate::options::CompactionThreads;
use std::sync::{
    Mutex, MutexGuard,
    atomic::{AtomicUsize, Ordering::Relaxed},
};

/// What a compaction does at a stretch, so that threads that become idle find something to do in one that takes long: half a second or a few,
/// and four times as many tables as end early because of it.
const PORTION_BYTES: u64 = 256 << 20;

/// How many threads there are, and how many are busy. Shared.
#[derive(Debug)]
pub(crate) struct Crew {
    portions_max: Option<usize>,
    threads: Mutex<Threads>,
}

#[derive(Debug, Default)]
struct Threads {
    there_are: CompactionThreads,
    is_at_rest: bool,
    busy: usize,
}

/// A compaction under way: the threads that it has taken are busy until this is dropped.
#[derive(Debug)]
pub(super) struct Shift<'a> {
    crew: &'a Crew,
    taken: AtomicUsize,
}

impl Crew {
    /// No thread yet. One compaction may have so many portions, or as many as there are threads.
    pub(crate) fn new(portions_max: Option<usize>) -> Self {
        Self { portions_max, threads: Mutex::default() }
    }

    /// There are so many threads.
    pub(super) fn set_threads(&self, there_are: CompactionThreads) {
        self.threads().there_are = there_are;
    }

    /// Writers rest from now on, or go on.
    pub(super) fn set_at_rest(&self, is_at_rest: bool) {
        self.threads().is_at_rest = is_at_rest;
    }

    /// What a compaction does at a stretch. It is not divided for help that it could never have.
    pub(super) fn portion_bytes(&self) -> u64 {
        let could_help = self.portions_max.is_none() && self.threads().there_are.at_rest > 1;
        if could_help { PORTION_BYTES } else { u64::MAX }
    }

    /// A compaction begins on the thread that calls.
    pub(super) fn begin(&self) -> Shift<'_> {
        self.threads().busy += 1;
        Shift { crew: self, taken: AtomicUsize::new(1) }
    }

    fn threads(&self) -> MutexGuard<'_, Threads> {
        self.threads.lock().expect("no code panics under this lock")
    }
}

impl Shift<'_> {
    /// Takes as many more threads as are idle, but not more than so many: how many.
    pub(super) fn take(&self, wanted: usize) -> usize {
        let mut threads = self.crew.threads();
        let CompactionThreads { always, at_rest } = threads.there_are;
        let idle = if threads.is_at_rest { at_rest } else { always }.saturating_sub(threads.busy);
        let allowed = self.crew.portions_max.map_or(usize::MAX, |portions| portions.saturating_sub(self.taken.load(Relaxed)));
        let taken = wanted.min(idle).min(allowed);
        threads.busy += taken;
        self.taken.fetch_add(taken, Relaxed);
        taken
    }
}

impl Drop for Shift<'_> {
    fn drop(&mut self) {
        self.crew.threads().busy -= self.taken.load(Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn idle_threads_help_and_are_given_back() {
        let crew = Crew::new(None);
        assert_eq!(crew.begin().take(9), 0, "before there are threads, and where there are none");
        crew.set_threads(CompactionThreads { always: 4, at_rest: 4 });
        let first = crew.begin();
        assert_eq!((first.take(2), first.take(9)), (2, 1));
        let second = crew.begin();
        assert_eq!(second.take(1), 0, "all are busy, one more than there are");
        drop(first);
        assert_eq!(second.take(9), 3);
        drop(second);
        assert_eq!(crew.threads().busy, 0);
    }

    #[test]
    fn who_writes_has_his_processor_for_himself() {
        let crew = Crew::new(None);
        crew.set_threads(CompactionThreads { always: 1, at_rest: 2 });
        assert_eq!(crew.begin().take(9), 0, "writers are taken to go on");
        crew.set_at_rest(true);
        let shift = crew.begin();
        assert_eq!(shift.take(9), 1);
        crew.set_at_rest(false);
        assert_eq!(crew.begin().take(9), 0, "more are busy than should be");
        drop(shift);
        assert_eq!(crew.threads().busy, 0);
    }

    #[test]
    fn where_nobody_can_help_nothing_is_divided() {
        let portion_bytes = |portions_max, at_rest| {
            let crew = Crew::new(portions_max);
            crew.set_threads(CompactionThreads { always: 1, at_rest });
            crew.portion_bytes()
        };
        assert_eq!(portion_bytes(None, 2), PORTION_BYTES);
        assert_eq!([portion_bytes(None, 1), portion_bytes(Some(2), 2)], [u64::MAX; 2]);
    }

    #[test]
    fn one_compaction_takes_no_more_than_it_may() {
        for (portions_max, taken) in [(1, 0), (2, 1), (3, 2), (99, 7)] {
            let crew = Crew::new(Some(portions_max));
            crew.set_threads(CompactionThreads { always: 8, at_rest: 8 });
            let shift = crew.begin();
            assert_eq!((shift.take(99), shift.take(99)), (taken, 0));
        }
    }
}
