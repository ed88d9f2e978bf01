//! One clock for all threads of a measurement.

use std::{
    thread,
    time::{Duration, Instant},
};

/// Nanoseconds since the measurement began. Copies tell the same time.
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    origin: Instant,
}

impl Clock {
    /// A clock that shows 0 now.
    pub fn start() -> Self {
        Self { origin: Instant::now() }
    }

    /// Nanoseconds since the start.
    #[inline]
    pub fn now(self) -> u64 {
        self.origin.elapsed().as_nanos() as u64
    }
}

/// Nanoseconds as seconds.
pub fn seconds(ns: u64) -> f64 {
    ns as f64 / 1e9
}

/// Seconds as nanoseconds.
pub fn nanoseconds(seconds: f64) -> u64 {
    (seconds * 1e9) as u64
}

/// Sleeps; the system may make it longer.
pub fn sleep(ns: u64) {
    thread::sleep(Duration::from_nanos(ns));
}
