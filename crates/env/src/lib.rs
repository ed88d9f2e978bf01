//! The outside world of Sediment as traits: files, time, randomness, threads.
//!
//! Nothing above this crate touches the operating system, so a simulator can replay any run from a seed. This crate is public
//! because crates must be; the stable face is `sedimentdb`.

pub mod random;

pub mod clock;

pub mod fs;

pub mod spawn;

pub mod park;

pub mod stepper;

pub mod atomic_file;

pub use clock::{Clock, SteppedClock, SystemClock};
pub use fs::{FaultFs, File, Fs, LogFile, MemFs, StdFs};
pub use park::{Park, ThreadPark};
pub use random::{Random, SeededRandom, SystemRandom};
pub use spawn::{Priority, Spawn, Task, ThreadSpawn};
pub use stepper::Stepper;

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

impl Env {
    /// The operating system.
    pub fn system() -> Self {
        Self {
            fs: Arc::new(StdFs),
            clock: Arc::new(SystemClock::new()),
            random: Arc::new(SystemRandom),
            spawn: Arc::new(ThreadSpawn),
            park: Arc::new(ThreadPark::new()),
        }
    }

    /// A simulated disk, time that moves only by sleeping, randomness from a seed; but real threads. See also [`Env::stepped`].
    pub fn simulated(disk: MemFs, seed: u64) -> Self {
        Self {
            fs: Arc::new(disk),
            clock: Arc::new(SteppedClock::new(START_WALL_US)),
            random: Arc::new(SeededRandom::new(seed)),
            spawn: Arc::new(ThreadSpawn),
            park: Arc::new(ThreadPark::new()),
        }
    }

    /// As [`Env::simulated`], with background work that runs only while somebody waits or asks the stepper for a step: driven by
    /// one thread, the same seed gives the same run.
    pub fn stepped(disk: MemFs, seed: u64) -> (Self, Stepper) {
        let stepper = Stepper::new(seed, SteppedClock::new(START_WALL_US));
        let env = Self {
            fs: Arc::new(disk),
            clock: Arc::new(stepper.clone()),
            random: Arc::new(SeededRandom::new(!seed)),
            spawn: Arc::new(stepper.clone()),
            park: Arc::new(stepper.clone()),
        };
        (env, stepper)
    }

    /// The same world with another file system, as one that fails.
    #[must_use]
    pub fn with_fs(self, fs: Arc<dyn Fs>) -> Self {
        Self { fs, ..self }
    }
}

/// The first of January 2026: simulated time starts at a plausible moment.
const START_WALL_US: u64 = 1_767_225_600_000_000;
