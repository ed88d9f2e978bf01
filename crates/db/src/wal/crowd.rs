//! Threads that commit at the same time, and keep each other from it.
//!
//! What a commit changes of the log is afterwards in the cache of the processor that did it. A thread that commits again has all of it
//! there. Two that take turns have all of it fetched from one another each time, a cache line after the other, which takes longer than the
//! rest of the commit: two writers did less together than one of them alone. So who finds the lock taken again and again stays away for
//! a moment, in which others commit undisturbed, and his processor does something else. At most one in some dozen commits waits so; where
//! the lock is taken but now and then, none. (Restricting concurrency for the sake of caches: D. Dice, Malthusian Locks, EuroSys 2017.)

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
}
