//! The outside world of Sediment as traits: files, time, randomness, threads.
//!
//! Nothing above this crate touches the operating system, so a simulator can replay any run from a seed. This crate is public
//! because crates must be; the stable face is `sedimentdb`.

pub mod fs;

pub mod clock;

pub mod random;

pub mod spawn;

pub mod park;

pub use clock::Clock;
pub use fs::{File, Fs, LogFile};
pub use park::Park;
pub use random::Random;
pub use spawn::Spawn;

use std::sync::Arc;

/// Everything an engine needs from outside, handed down from the database. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Env {
    /// Files.
    pub fs: Arc<dyn Fs>,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// Randomness: file uuids, hash seeds.
    pub random: Arc<dyn Random>,
    /// Background threads.
    pub spawn: Arc<dyn Spawn>,
    /// Waiting for another thread.
    pub park: Arc<dyn Park>,
}
