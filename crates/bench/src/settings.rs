//! What all workloads can be told.

use crate::{
    failure::{Failure, Result},
    generator::{Distribution, KeyMaker},
    text::{parse_bytes, parse_seconds},
};
use clap::{Args, ValueEnum};
use serde::Serialize;
use std::path::PathBuf;

const VALUE_BYTES: usize = 100;
/// Few enough that a loop ends soon after its time; a look at the clock then costs a tenth of a nanosecond an operation.
const BURST: u64 = 256;

/// Settings of a workload. Sizes are in bytes.
#[derive(Clone, Debug, Args, Serialize)]
pub(crate) struct Settings {
    /// Number of keys [default: 1000000; mixed: 5000000]
    #[arg(long, value_name = "COUNT", value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) keys: Option<u64>,
    /// Size of a key: prefix, 8 bytes of number, filler
    #[arg(long, default_value_t = 16, value_name = "BYTES")]
    pub(crate) key_size: usize,
    /// What every key begins with
    #[arg(long, default_value = "", value_name = "TEXT")]
    pub(crate) key_prefix: String,
    /// Size of a value, which does not compress [default: 100; largevalues: 16KiB]
    #[arg(long, value_parser = parse_bytes, value_name = "BYTES")]
    pub(crate) value_size: Option<usize>,
    /// Threads that work at the same time; of readwhilewriting the readers, of mixed the writers [default: 1; syncwrites: 1, then 8]
    #[arg(long, value_name = "COUNT", value_parser = clap::value_parser!(u64).range(1..=1024))]
    pub(crate) threads: Option<u64>,
    /// How long to measure, where the number of keys does not say it [default: 10; mixed: 600]
    #[arg(long, value_parser = parse_seconds)]
    pub(crate) seconds: Option<f64>,
    /// Where to make the database, in a fresh directory [default: the system's directory for temporary files]
    #[arg(long)]
    pub(crate) dir: Option<PathBuf>,
    /// Leave the database there
    #[arg(long)]
    pub(crate) keep: bool,
    /// Memory of the database
    #[arg(long, default_value = "256MiB", value_parser = parse_bytes, value_name = "BYTES")]
    pub(crate) memory: usize,
    /// What a write survives when its call returns
    #[arg(long, value_enum, default_value_t = Durability::Os)]
    pub(crate) durability: Durability,
    /// What the database is to be good at
    #[arg(long, value_enum, default_value_t = Goal::Balanced)]
    pub(crate) goal: Goal,
    /// Which compactions are due, by the name of a strategy [default: leveled]
    #[arg(long, value_name = "NAME")]
    pub(crate) strategy: Option<String>,
    /// Which keys are read and overwritten how often
    #[arg(long, value_enum, default_value_t = Distribution::Uniform)]
    pub(crate) distribution: Distribution,
    /// Seed of keys, values and their order
    #[arg(long, default_value_t = 1)]
    pub(crate) seed: u64,
    /// Look at the clock once in 256 operations only, and at eight bytes of what is read: the loop itself takes next to nothing
    #[arg(long)]
    pub(crate) bulk: bool,
    /// How long nothing must happen in the background before the database counts as drained, in seconds
    #[arg(long, default_value = "5", value_parser = parse_seconds, value_name = "SECONDS")]
    pub(crate) quiet: f64,
}

impl Settings {
    /// Refuses what makes no sense together.
    pub(crate) fn check(&self) -> Result<()> {
        let min = KeyMaker::min_size(&self.key_prefix);
        if self.key_size < min {
            return Err(Failure::Usage(format!("keys with prefix `{}` need at least {min} bytes", self.key_prefix)));
        }
        Ok(())
    }

    /// Number of keys, or what the workload takes otherwise.
    pub(crate) fn keys_or(&self, default: u64) -> u64 {
        self.keys.unwrap_or(default)
    }

    /// Number of threads, or what the workload takes otherwise.
    pub(crate) fn threads_or(&self, default: u64) -> u64 {
        self.threads.unwrap_or(default)
    }

    /// How long to measure, or what the workload takes otherwise.
    pub(crate) fn seconds_or(&self, default: f64) -> f64 {
        self.seconds.unwrap_or(default)
    }

    /// Bytes of a value.
    pub(crate) fn value_bytes(&self) -> usize {
        self.value_size.unwrap_or(VALUE_BYTES)
    }

    /// Bytes of a key and its value.
    pub(crate) fn row_bytes(&self) -> u64 {
        (self.key_size + self.value_bytes()) as u64
    }

    /// Operations of a closed loop between two looks at the clock.
    pub(crate) fn burst(&self) -> u64 {
        if self.bulk { BURST } else { 1 }
    }
}

/// The database's word for it, to be typed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ValueEnum)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Durability {
    /// A clean close
    Memory,
    /// The death of the process
    Os,
    /// Loss of power
    Sync,
}

impl From<Durability> for sedimentdb::Durability {
    fn from(durability: Durability) -> Self {
        match durability {
            Durability::Memory => Self::Memory,
            Durability::Os => Self::Os,
            Durability::Sync => Self::Sync,
        }
    }
}

/// The database's word for it, to be typed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ValueEnum)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Goal {
    /// Reads, writes and space, none at the others' expense
    Balanced,
    /// Fewer rewrites
    Write,
    /// Smaller files
    Space,
}

impl From<Goal> for sedimentdb::Goal {
    fn from(goal: Goal) -> Self {
        match goal {
            Goal::Balanced => Self::Balanced,
            Goal::Write => Self::Write,
            Goal::Space => Self::Space,
        }
    }
}
