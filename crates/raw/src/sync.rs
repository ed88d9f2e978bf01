//! Atomics, `Arc`, `Mutex` and yielding: the real ones, or loom's under `--cfg loom`, so that the models run the code that ships.
//!
//! Loom treats sequentially consistent accesses as acquire and release ones; only its fences order everything. Where the real
//! code relies on the total order of `SeqCst` accesses it calls [`order_for_loom`] between them, which is nothing outside loom.

#[cfg(loom)]
pub use loom::sync::{Arc, Mutex, MutexGuard, atomic};
#[cfg(not(loom))]
pub use std::sync::{Arc, Mutex, MutexGuard, atomic};

/// Stands between two `SeqCst` accesses whose total order matters.
#[inline(always)]
pub fn order_for_loom() {
    #[cfg(loom)]
    atomic::fence(atomic::Ordering::SeqCst);
}

/// Locks, whether or not a holder panicked: what these locks guard is whole between any two statements.
pub fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
}

/// Something alone on its cache lines: who writes it makes no other processor fetch what lies beside it, and it begins with a line, so that
/// what belongs together is on one.
#[derive(Debug, Default)]
#[repr(align(128))]
pub struct OwnLines<T>(T);

impl<T> OwnLines<T> {
    /// Of this value.
    pub const fn new(value: T) -> Self {
        Self(value)
    }
}

impl<T> std::ops::Deref for OwnLines<T> {
    type Target = T;

    #[inline]
    fn deref(&self) -> &T {
        &self.0
    }
}

impl<T> std::ops::DerefMut for OwnLines<T> {
    #[inline]
    fn deref_mut(&mut self) -> &mut T {
        &mut self.0
    }
}

/// Waiting for another thread's few instructions: spins a little, then lets others run.
#[derive(Debug, Default)]
pub struct Backoff {
    rounds: u32,
}

impl Backoff {
    /// Spins before the first yield, as a power of two.
    const SPIN_ROUNDS: u32 = 6;

    /// One wait, longer each time.
    pub fn wait(&mut self) {
        if cfg!(loom) || self.rounds > Self::SPIN_ROUNDS {
            yield_now();
            return;
        }
        for _ in 0..1_u32 << self.rounds {
            std::hint::spin_loop();
        }
        self.rounds += 1;
    }
}

/// Lets another thread run.
pub fn yield_now() {
    #[cfg(loom)]
    loom::thread::yield_now();
    #[cfg(not(loom))]
    std::thread::yield_now();
}
