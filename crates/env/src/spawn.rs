//! Background threads.

use sediment_base::Result;
use std::fmt;

/// Work for another thread.
pub type Job = Box<dyn FnOnce() + Send>;

/// Starts background work: on a thread of its own, or, stepped, when the simulator says so.
pub trait Spawn: Send + Sync + fmt::Debug {
    /// Starts `job`; `name` is for people.
    fn spawn(&self, name: &str, job: Job) -> Result<Box<dyn Task>>;
}

/// Work that was started.
pub trait Task: Send + fmt::Debug {
    /// Waits until it has ended.
    fn join(self: Box<Self>);
}
