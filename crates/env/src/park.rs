//! Waiting for another thread.

use std::fmt;

/// Makes threads wait for each other. In stepped mode a wait runs background steps until its predicate holds.
pub trait Park: Send + Sync + fmt::Debug {
    /// Returns once `is_done` returns true; it is asked again after every [`Park::wake_all`], and may be asked at any time.
    fn wait_until(&self, is_done: &mut dyn FnMut() -> bool);

    /// Makes every waiter ask its predicate again.
    fn wake_all(&self);
}
