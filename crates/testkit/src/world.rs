//! The simulated world of a store under test: time, randomness and background work under one seed.
//!
//! Background work makes a step only while the store waits for it, or in a [`World::turn`]; so a run is the same for the same seed,
//! and crashes and faults meet work that is half done.

use crate::seed::Rng;
use sediment_env::{Env, Fs, MemFs, Stepper};
use std::sync::{Arc, Mutex, PoisonError};

/// Most steps in one turn.
const STEPS_MAX: u64 = 4;

/// A simulated world. Clones are the same.
#[derive(Clone, Debug)]
pub struct World {
    /// What a store is opened with.
    pub env: Env,
    stepper: Stepper,
    rng: Arc<Mutex<Rng>>,
}

impl World {
    /// A world around `disk`. Odd seeds set log files aside when they make them, even ones let them grow.
    pub fn new(disk: MemFs, seed: u64) -> Self {
        let disk = if seed % 2 == 1 { disk.with_reserved_logs() } else { disk };
        let (env, stepper) = Env::stepped(disk, seed);
        Self { env, stepper, rng: Arc::new(Mutex::new(Rng::new(seed))) }
    }

    /// The same, behind another file system.
    #[must_use]
    pub fn with_fs(self, fs: Arc<dyn Fs>) -> Self {
        Self { env: self.env.with_fs(fs), ..self }
    }

    /// Lets background work go on for a few steps, or none.
    pub fn turn(&self) {
        let steps = self.rng.lock().unwrap_or_else(PoisonError::into_inner).below(STEPS_MAX + 1);
        self.stepper.run(steps as usize);
    }

    /// Lets background work go on until there is none.
    pub fn rest(&self) {
        self.stepper.run(usize::MAX);
    }
}
