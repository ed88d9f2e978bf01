//! Waiting for another thread.

use std::{
    fmt,
    sync::{
        Condvar, Mutex,
        atomic::{AtomicU64, Ordering},
    },
};

/// Makes threads wait for each other. In stepped mode a wait runs background steps until its predicate holds.
pub trait Park: Send + Sync + fmt::Debug {
    /// Returns once `is_done` returns true; it is asked again after every [`Park::wake_all`], and may be asked at any time.
    fn wait_until(&self, is_done: &mut dyn FnMut() -> bool);

    /// Makes every waiter ask its predicate again.
    fn wake_all(&self);
}

/// Blocks threads of the operating system. Waking costs two atomic operations while nobody waits.
#[derive(Debug, Default)]
pub struct ThreadPark {
    /// Counts the calls of `wake_all`.
    wakes: AtomicU64,
    waiters: AtomicU64,
    gate: Mutex<()>,
    woken: Condvar,
}

impl ThreadPark {
    /// A park with nobody in it.
    pub fn new() -> Self {
        Self::default()
    }
}

impl Park for ThreadPark {
    // The predicate runs without our lock, since it takes locks of its own. `waiters` goes up before it looks, and a waker
    // counts its call before it reads `waiters`: one of the two sees the other.
    fn wait_until(&self, is_done: &mut dyn FnMut() -> bool) {
        if is_done() {
            return;
        }
        self.waiters.fetch_add(1, Ordering::SeqCst);
        loop {
            let seen = self.wakes.load(Ordering::SeqCst);
            if is_done() {
                break;
            }
            let gate = self.gate.lock().expect("no holder of the gate panics");
            drop(self.woken.wait_while(gate, |()| self.wakes.load(Ordering::SeqCst) == seen));
        }
        self.waiters.fetch_sub(1, Ordering::SeqCst);
    }

    fn wake_all(&self) {
        self.wakes.fetch_add(1, Ordering::SeqCst);
        if self.waiters.load(Ordering::SeqCst) > 0 {
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
