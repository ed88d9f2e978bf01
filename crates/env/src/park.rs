//! Waiting for another thread.

use std::{
    fmt,
    sync::{
        Arc, Condvar, Mutex,
        atomic::{AtomicBool, AtomicU64, Ordering, fence},
    },
    time::{Duration, Instant},
};

/// Makes threads wait for each other. In stepped mode a wait runs background steps until its predicate holds.
pub trait Park: Send + Sync + fmt::Debug {
    /// Returns once `is_done` returns true; it is asked again after every [`Park::wake_all`], and may be asked at any time.
    fn wait_until(&self, is_done: &mut dyn FnMut() -> bool);

    /// The same, for `us` microseconds at most; whether the predicate held. Stepped, time moves on at once and others get a turn.
    fn wait_at_most(&self, us: u64, is_done: &mut dyn FnMut() -> bool) -> bool;

    /// As [`Park::wait_at_most`], for who only looks in now and then. Stepped, no time passes for its sake: it waits until others
    /// have moved time on so far.
    fn wait_idly(&self, us: u64, is_done: &mut dyn FnMut() -> bool) -> bool {
        self.wait_at_most(us, is_done)
    }

    /// Makes every waiter ask its predicate again.
    fn wake_all(&self);

    /// Whether only one of the threads that wait here runs at a time, in an order that depends on nothing but a seed.
    fn is_stepped(&self) -> bool {
        false
    }

    /// Another place to wait, in the same world: what wakes here wakes nobody there.
    fn another(&self) -> Arc<dyn Park>;
}

/// Blocks threads of the operating system. Waking costs a fence while nobody waits: nothing that threads share is written.
#[derive(Debug, Default)]
pub struct ThreadPark {
    /// Counts the calls of `wake_all` that found somebody.
    wakes: AtomicU64,
    /// Somebody has come to wait since the last of these calls. Who was woken and has not run yet is not woken again.
    is_awaited: AtomicBool,
    gate: Mutex<()>,
    woken: Condvar,
}

impl ThreadPark {
    /// A park with nobody in it.
    pub fn new() -> Self {
        Self::default()
    }

    /// Announces that somebody waits for the next wake, if it comes after what this returns. The predicate is to be asked afterwards:
    /// what a waker has done is done before it looks for waiters, each with a fence between, so that one of the two sees the other.
    fn enter(&self) -> u64 {
        let seen = self.wakes.load(Ordering::SeqCst);
        self.is_awaited.store(true, Ordering::SeqCst);
        fence(Ordering::SeqCst);
        seen
    }
}

impl Park for ThreadPark {
    // The predicate runs without our lock, since it takes locks of its own.
    fn wait_until(&self, is_done: &mut dyn FnMut() -> bool) {
        if is_done() {
            return;
        }
        loop {
            let seen = self.enter();
            if is_done() {
                return;
            }
            let gate = self.gate.lock().expect("no holder of the gate panics");
            drop(self.woken.wait_while(gate, |()| self.wakes.load(Ordering::SeqCst) == seen));
        }
    }

    fn wait_at_most(&self, us: u64, is_done: &mut dyn FnMut() -> bool) -> bool {
        if us == 0 {
            return is_done();
        }
        let start = Instant::now();
        let most = Duration::from_micros(us);
        loop {
            let seen = self.enter();
            if is_done() {
                return true;
            }
            let left = most.saturating_sub(start.elapsed());
            if left.is_zero() {
                return false;
            }
            let gate = self.gate.lock().expect("no holder of the gate panics");
            drop(self.woken.wait_timeout_while(gate, left, |()| self.wakes.load(Ordering::SeqCst) == seen));
        }
    }

    fn another(&self) -> Arc<dyn Park> {
        Arc::new(Self::new())
    }

    fn wake_all(&self) {
        fence(Ordering::SeqCst);
        if self.is_awaited.load(Ordering::SeqCst) && self.is_awaited.swap(false, Ordering::SeqCst) {
            self.wakes.fetch_add(1, Ordering::SeqCst);
            drop(self.gate.lock().expect("no holder of the gate panics"));
            self.woken.notify_all();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::thread;

    #[test]
    fn a_wait_ends_with_its_time_or_with_a_wake() {
        let park = ThreadPark::new();
        assert!(!park.wait_at_most(1000, &mut || false));
        let is_set = AtomicU64::new(0);
        thread::scope(|scope| {
            scope.spawn(|| {
                is_set.store(1, Ordering::SeqCst);
                park.wake_all();
            });
            assert!(park.wait_at_most(u64::from(u32::MAX), &mut || is_set.load(Ordering::SeqCst) == 1));
        });
    }

    #[test]
    fn who_was_woken_is_not_woken_again_before_he_waits_again() {
        let park = ThreadPark::new();
        let wakes_after = |wakes: u32| {
            (0..wakes).for_each(|_| park.wake_all());
            park.wakes.load(Ordering::SeqCst)
        };
        assert_eq!(wakes_after(2), 0, "nobody waits");
        let seen = park.enter();
        assert_eq!((seen, wakes_after(3)), (0, 1));
        let seen = park.enter();
        assert_eq!((seen, wakes_after(3)), (1, 2));
    }

    #[test]
    fn no_wake_is_missed() {
        let park = ThreadPark::new();
        let turn = AtomicU64::new(0);
        thread::scope(|scope| {
            for me in 0..2 {
                let (park, turn) = (&park, &turn);
                scope.spawn(move || {
                    for round in 0..2000 {
                        park.wait_until(&mut || turn.load(Ordering::Relaxed) == 2 * round + me);
                        turn.fetch_add(1, Ordering::Relaxed);
                        park.wake_all();
                    }
                });
            }
        });
        assert_eq!(turn.into_inner(), 4000);
    }
}
