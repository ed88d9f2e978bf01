//! Threads that commit at the same time, and keep each other from it.
//!
//! What a commit changes of the log is afterwards in the cache of the processor that did it. A thread that commits again has all of it
//! there. Two that take turns have all of it fetched from one another each time, a cache line after the other, which takes longer than the
//! rest of the commit: two writers did less together than one of them alone. So who finds the lock taken again and again stays away for
//! a moment, in which others commit undisturbed, and his processor does something else. At most one commit in four waits so, far fewer as long as
//! others stay away themselves; where the lock is taken but now and then, none. (Restricting concurrency for the sake of caches: D. Dice, Malthusian Locks, EuroSys 2017.)

use std::cell::Cell;

/// How long to stay away. Sleeping takes the system another 50 µs.
pub(super) const AWAY_US: u64 = 50;

/// A taken lock counts as much as so many free ones: staying away begins where more than one in so many is taken,
const TAKEN: u32 = 4;
/// and not before it was taken so often.
const TAKEN_MIN: u32 = 4;

thread_local! {
    static SCORE: Cell<u32> = const { Cell::new(0) };
}

/// The thread has found the lock free.
#[inline]
pub(super) fn found_free() {
    SCORE.set(SCORE.get().saturating_sub(1));
}

/// The thread has found the lock taken; whether to stay away for a moment.
pub(super) fn found_taken() -> bool {
    let score = SCORE.get() + TAKEN;
    let is_crowded = score >= TAKEN * TAKEN_MIN;
    SCORE.set(if is_crowded { 0 } else { score });
    is_crowded
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Db, Durability, ExpertOptions, Options};
    use sediment_base::Error;
    use sediment_env::{Env, fs::MemFs};
    use std::{
        sync::{
            Arc,
            atomic::{AtomicBool, AtomicU32, Ordering::SeqCst},
        },
        thread,
    };

    #[test]
    fn who_finds_the_lock_taken_again_and_again_stays_away() {
        SCORE.set(0);
        let taken = |count| (0..count).filter(|_| found_taken()).count();
        assert_eq!((taken(3), taken(1), taken(4)), (0, 1, 1), "each fourth time");
        (0..100).for_each(|_| {
            assert_eq!(taken(1), 0, "now and then");
            (0..TAKEN).for_each(|_| found_free());
        });
        let half = || {
            found_free();
            found_taken()
        };
        let away = (0..100).filter(|_| half()).count();
        assert!((20..=25).contains(&away), "{away}: half of the times");
    }

    /// How long commits have slept, one after the other, while each of them meets somebody who has the log's lock: until one has, or for so
    /// many.
    fn slept_us(durability: Durability, commits: u32) -> u64 {
        let env = Env::simulated(MemFs::new(), 1);
        let clock = Arc::clone(&env.clock);
        let expert = ExpertOptions { background_threads: Some(0), ..ExpertOptions::default() };
        let options = Options { durability, expert, ..Options::default() };
        let db = Db::builder("/db").options(options).env(env).open().expect("a fresh disk");
        let keyspace = db.keyspace("k").expect("made");
        let (start_us, is_over) = (clock.monotonic_us(), AtomicBool::new(false));
        let (taken, begun, ended) = (AtomicU32::new(0), AtomicU32::new(0), AtomicU32::new(0));
        let wait = |is_met: &dyn Fn() -> bool| {
            while !is_met() && !is_over.load(SeqCst) {
                thread::yield_now();
            }
        };
        let slept_us = || clock.monotonic_us() - start_us;
        thread::scope(|scope| {
            scope.spawn(|| {
                for number in 1..=commits {
                    wait(&|| ended.load(SeqCst) == number - 1);
                    db.maintenance().0.log.at_boundary(|_| {
                        taken.store(number, SeqCst);
                        wait(&|| begun.load(SeqCst) == number);
                        // Time for the commit to look at the lock.
                        (0..5000).for_each(|_| std::hint::spin_loop());
                    });
                }
            });
            let written = (1..=commits).take_while(|_| slept_us() == 0).try_for_each(|number| {
                wait(&|| taken.load(SeqCst) == number);
                begun.store(number, SeqCst);
                keyspace.insert(number.to_le_bytes(), "v")?;
                ended.store(number, SeqCst);
                Ok::<(), Error>(())
            });
            is_over.store(true, SeqCst);
            written.expect("memory does not fail");
        });
        slept_us()
    }

    #[test]
    fn commits_stay_away_unless_they_wait_for_a_sync() {
        assert_eq!([Durability::Memory, Durability::Os].map(|durability| slept_us(durability, 1000)), [AWAY_US; 2]);
        assert_eq!(slept_us(Durability::Sync, 100), 0);
    }
}
