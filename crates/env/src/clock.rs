//! Time.

use std::fmt;

/// Tells the time. Orders nothing: sequence numbers do that.
pub trait Clock: Send + Sync + fmt::Debug {
    /// Microseconds since some fixed moment; never goes back.
    fn monotonic_us(&self) -> u64;

    /// Microseconds since 1970 by the wall clock; may jump.
    fn wall_us(&self) -> u64;

    /// Waits; a stepped clock advances instead.
    fn sleep_us(&self, us: u64);
}
