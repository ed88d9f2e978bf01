//! Time.

use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    thread,
    time::{Duration, Instant, SystemTime},
};

/// Tells the time. Orders nothing: sequence numbers do that.
pub trait Clock: Send + Sync + fmt::Debug {
    /// Microseconds since some fixed moment; never goes back.
    fn monotonic_us(&self) -> u64;

    /// Microseconds since 1970 by the wall clock; may jump.
    fn wall_us(&self) -> u64;

    /// Waits; a stepped clock advances instead.
    fn sleep_us(&self, us: u64);
}

/// The clocks of the operating system.
#[derive(Clone, Copy, Debug)]
pub struct SystemClock {
    start: Instant,
}

impl SystemClock {
    /// A clock whose monotonic time starts now.
    pub fn new() -> Self {
        Self { start: Instant::now() }
    }
}

impl Default for SystemClock {
    fn default() -> Self {
        Self::new()
    }
}

impl Clock for SystemClock {
    fn monotonic_us(&self) -> u64 {
        self.start.elapsed().as_micros() as u64
    }

    fn wall_us(&self) -> u64 {
        SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).map_or(0, |since| since.as_micros() as u64)
    }

    fn sleep_us(&self, us: u64) {
        thread::sleep(Duration::from_micros(us));
    }
}

/// Time that stands still until somebody moves it. Clones are the same clock.
#[derive(Clone, Debug, Default)]
pub struct SteppedClock {
    now: Arc<Moments>,
}

#[derive(Debug, Default)]
struct Moments {
    monotonic_us: AtomicU64,
    wall_us: AtomicU64,
}

impl SteppedClock {
    /// A clock that shows `wall_us` on the wall, and 0 otherwise.
    pub fn new(wall_us: u64) -> Self {
        let clock = Self::default();
        clock.set_wall_us(wall_us);
        clock
    }

    /// Moves both times forward.
    pub fn advance_us(&self, us: u64) {
        self.now.monotonic_us.fetch_add(us, Ordering::SeqCst);
        self.now.wall_us.fetch_add(us, Ordering::SeqCst);
    }

    /// Sets the wall clock, forward or back, as an operator may.
    pub fn set_wall_us(&self, us: u64) {
        self.now.wall_us.store(us, Ordering::SeqCst);
    }
}

impl Clock for SteppedClock {
    fn monotonic_us(&self) -> u64 {
        self.now.monotonic_us.load(Ordering::SeqCst)
    }

    fn wall_us(&self) -> u64 {
        self.now.wall_us.load(Ordering::SeqCst)
    }

    fn sleep_us(&self, us: u64) {
        self.advance_us(us);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stepped_clock_moves_only_when_told() {
        let clock = SteppedClock::new(1000);
        clock.clone().sleep_us(5);
        assert_eq!((clock.monotonic_us(), clock.wall_us()), (5, 1005));
        clock.set_wall_us(3);
        assert_eq!((clock.monotonic_us(), clock.wall_us()), (5, 3));
    }

    #[test]
    fn the_system_clock_goes_forward_by_what_was_slept() {
        let clock = SystemClock::new();
        let before = clock.monotonic_us();
        clock.sleep_us(1500);
        assert!(clock.monotonic_us() >= before + 1500 && clock.wall_us() > 1_600_000_000_000_000);
    }
}
