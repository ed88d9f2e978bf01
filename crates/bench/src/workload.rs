//! The workloads: what is done to a database while it is measured.
//!
//! Each prepares a database of its own, checks what it reads against what was written, and returns its measurements. Figures of
//! a database that answers wrongly do not come out.

mod fill;
mod mixed;
mod overwrite;
mod read;
mod read_while_writing;
mod reopen;
mod scan;
mod sync_writes;

pub(crate) use mixed::{ControlReport, JudgedStall, Mixed};

use crate::{failure::Result, measure::Measurement, settings::Settings};
use clap::Subcommand;
use serde::Serialize;

/// What can be measured.
#[derive(Debug, Subcommand, Serialize)]
#[serde(tag = "workload", content = "settings", rename_all = "lowercase")]
pub(crate) enum Workload {
    /// Insert every key once, in order
    Fillseq(Settings),
    /// Insert every key once, in random order
    Fillrandom(Settings),
    /// Insert keys that are there, drawn at random
    Overwrite(Settings),
    /// Read keys that are there, drawn at random
    Readrandom(Settings),
    /// Ask for keys that are not there, each between two that are
    Readmissing(Settings),
    /// Seek a key drawn at random and read ten rows
    Seek(Settings),
    /// Read all rows in order, forward and then in reverse
    Scan(Settings),
    /// Read keys drawn at random while one more thread overwrites
    Readwhilewriting(Settings),
    /// Insert with every write synced, with one thread and with many
    Syncwrites(Settings),
    /// Open a database that was closed, and one whose process died
    Reopen(reopen::Reopen),
    /// Find the rate of writes that can be kept up, then watch latencies below it
    Mixed(mixed::Arguments),
}

/// What came out.
#[derive(Debug)]
pub(crate) struct Findings {
    pub(crate) measurements: Vec<Measurement>,
    pub(crate) mixed: Option<Mixed>,
}

impl From<Vec<Measurement>> for Findings {
    fn from(measurements: Vec<Measurement>) -> Self {
        Self { measurements, mixed: None }
    }
}

impl Workload {
    /// Its settings.
    pub(crate) fn settings(&self) -> &Settings {
        match self {
            Self::Fillseq(settings)
            | Self::Fillrandom(settings)
            | Self::Overwrite(settings)
            | Self::Readrandom(settings)
            | Self::Readmissing(settings)
            | Self::Seek(settings)
            | Self::Scan(settings)
            | Self::Readwhilewriting(settings)
            | Self::Syncwrites(settings) => settings,
            Self::Reopen(arguments) => &arguments.settings,
            Self::Mixed(arguments) => &arguments.settings,
        }
    }

    /// Runs it.
    pub(crate) fn run(&self) -> Result<Findings> {
        Ok(match self {
            Self::Fillseq(settings) => vec![fill::run(settings, fill::Order::Sorted)?].into(),
            Self::Fillrandom(settings) => vec![fill::run(settings, fill::Order::Random)?].into(),
            Self::Overwrite(settings) => vec![overwrite::run(settings)?].into(),
            Self::Readrandom(settings) => vec![read::run(settings, read::Kind::Present)?].into(),
            Self::Readmissing(settings) => vec![read::run(settings, read::Kind::Absent)?].into(),
            Self::Seek(settings) => vec![read::run(settings, read::Kind::Seek)?].into(),
            Self::Scan(settings) => scan::run(settings)?.into(),
            Self::Readwhilewriting(settings) => vec![read_while_writing::run(settings)?].into(),
            Self::Syncwrites(settings) => sync_writes::run(settings)?.into(),
            Self::Reopen(arguments) => arguments.run()?.into(),
            Self::Mixed(arguments) => arguments.run()?,
        })
    }
}

/// How many keys there are where the settings do not say it.
const KEYS: u64 = 1_000_000;
/// How many seconds are measured where the settings do not say it.
const SECONDS: f64 = 10.0;
