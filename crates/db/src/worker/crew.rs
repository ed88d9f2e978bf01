//! The threads that compactions take, all of them together: one each, and those that help with large ones.
//!
//! There are as many as the pool has for compactions. What its threads do not need just then may help, until the compaction that took
//! them has ended; one that begins meanwhile does without. Flushes and the log have threads of their own, and nobody waits for help: who
//! finds none goes on alone.

use std::{
    cell::Cell,
    sync::{Mutex, MutexGuard},
};

/// How many threads there are, and how many are busy. Shared.
#[derive(Debug)]
pub(crate) struct Crew {
    portions_max: Option<usize>,
    threads: Mutex<Threads>,
}

#[derive(Debug, Default)]
struct Threads {
    all: usize,
    busy: usize,
}

/// A compaction under way: the threads that it has taken are busy until this is dropped.
#[derive(Debug)]
pub(super) struct Shift<'a> {
    crew: &'a Crew,
    taken: Cell<usize>,
}

impl Crew {
    /// No thread yet. One compaction may have so many portions, or as many as there are threads.
    pub(crate) fn new(portions_max: Option<usize>) -> Self {
        Self { portions_max, threads: Mutex::default() }
    }

    /// There are so many threads.
    pub(super) fn set_threads(&self, all: usize) {
        self.threads().all = all;
    }

    /// A compaction begins on the thread that calls.
    pub(super) fn begin(&self) -> Shift<'_> {
        self.threads().busy += 1;
        Shift { crew: self, taken: Cell::new(1) }
    }

    fn threads(&self) -> MutexGuard<'_, Threads> {
        self.threads.lock().expect("no code panics under this lock")
    }
}

impl Shift<'_> {
    /// Takes as many more threads as are idle, but not more than so many: how many.
    pub(super) fn take(&self, wanted: usize) -> usize {
        let mut threads = self.crew.threads();
        let idle = threads.all.saturating_sub(threads.busy);
        let allowed = self.crew.portions_max.map_or(usize::MAX, |portions| portions.saturating_sub(self.taken.get()));
        let taken = wanted.min(idle).min(allowed);
        threads.busy += taken;
        self.taken.set(self.taken.get() + taken);
        taken
    }
}

impl Drop for Shift<'_> {
    fn drop(&mut self) {
        self.crew.threads().busy -= self.taken.get();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn idle_threads_help_and_are_given_back() {
        let crew = Crew::new(None);
        assert_eq!(crew.begin().take(9), 0, "before there are threads, and where there are none");
        crew.set_threads(4);
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
    fn one_compaction_takes_no_more_than_it_may() {
        for (portions_max, taken) in [(1, 0), (2, 1), (3, 2), (99, 7)] {
            let crew = Crew::new(Some(portions_max));
            crew.set_threads(8);
            let shift = crew.begin();
            assert_eq!((shift.take(99), shift.take(99)), (taken, 0));
        }
    }
}
