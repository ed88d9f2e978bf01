//! The workloads: what is done to a database while it is measured.
//!
//! Each prepares a database of its own, checks what it reads against what was written, and returns its measurements. Figures of
//! a database that answers wrongly do not come out.

mod fill;
mod large_values;
mod mixed;
mod overwrite;
mod parts;
mod read;
mod read_while_writing;
mod reopen;
mod scan;
mod sync_writes;
mod ycsb;

pub(crate) use mixed::{ControlReport, JudgedStall, Mixed};
pub(crate) use parts::Figure;

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
    /// Insert every key once, in random order, a thousand at a time
    Fillbatch(Settings),
    /// Insert keys that are there, drawn at random
    Overwrite(Settings),
    /// Read keys that are there, drawn at random
    Readrandom(read::Read),
    /// Read keys that are there, drawn at random, 64 at a time
    Multiget(read::Read),
    /// Ask for keys that are not there, each between two that are
    Readmissing(read::Read),
    /// Seek a key drawn at random and read ten rows
    Seek(read::Read),
    /// Read all rows in order, forward and then in reverse
    Scan(Settings),
    /// Read keys drawn at random while one more thread overwrites
    Readwhilewriting(Settings),
    /// One of the core workloads of YCSB: gets, updates, inserts and scans of few keys very often
    Ycsb(ycsb::Ycsb),
    /// Insert large values, then read them
    Largevalues(Settings),
    /// Insert with every write synced, with one thread and with many
    Syncwrites(Settings),
    /// Open a database that was closed, and one whose process died
    Reopen(reopen::Reopen),
    /// Find the rate of writes that can be kept up, then watch latencies below it
    Mixed(mixed::Arguments),
    /// What a block, a table, a memtable, the log and a merge cost by themselves, beside what they may
    Parts(parts::Parts),
}

/// What came out.
#[derive(Debug)]
pub(crate) struct Findings {
    pub(crate) measurements: Vec<Measurement>,
    pub(crate) mixed: Option<Mixed>,
    /// Of parts alone, which have no measurements.
    pub(crate) figures: Vec<Figure>,
}

impl From<Vec<Measurement>> for Findings {
    fn from(measurements: Vec<Measurement>) -> Self {
        Self { measurements, mixed: None, figures: Vec::new() }
    }
}

impl Workload {
    /// Its settings.
    pub(crate) fn settings(&self) -> &Settings {
        match self {
            Self::Fillseq(settings)
            | Self::Fillrandom(settings)
            | Self::Fillbatch(settings)
            | Self::Overwrite(settings)
            | Self::Scan(settings)
            | Self::Readwhilewriting(settings)
            | Self::Largevalues(settings)
            | Self::Syncwrites(settings) => settings,
            Self::Readrandom(arguments) | Self::Multiget(arguments) | Self::Readmissing(arguments) | Self::Seek(arguments) => {
                &arguments.settings
            }
            Self::Ycsb(arguments) => &arguments.settings,
            Self::Reopen(arguments) => &arguments.settings,
            Self::Mixed(arguments) => &arguments.settings,
            Self::Parts(arguments) => &arguments.settings,
        }
    }

    /// Runs it.
    pub(crate) fn run(&self) -> Result<Findings> {
        Ok(match self {
            Self::Fillseq(settings) => vec![fill::run(settings, fill::Order::Sorted)?].into(),
            Self::Fillrandom(settings) => vec![fill::run(settings, fill::Order::Random)?].into(),
            Self::Fillbatch(settings) => vec![fill::batched(settings)?].into(),
            Self::Overwrite(settings) => vec![overwrite::run(settings)?].into(),
            Self::Readrandom(arguments) => vec![arguments.run(read::Kind::Present)?].into(),
            Self::Multiget(arguments) => vec![arguments.run(read::Kind::Many)?].into(),
            Self::Readmissing(arguments) => vec![arguments.run(read::Kind::Absent)?].into(),
            Self::Seek(arguments) => vec![arguments.run(read::Kind::Seek)?].into(),
            Self::Scan(settings) => scan::run(settings)?.into(),
            Self::Readwhilewriting(settings) => vec![read_while_writing::run(settings)?].into(),
            Self::Ycsb(arguments) => vec![arguments.run()?].into(),
            Self::Largevalues(settings) => large_values::run(settings)?.into(),
            Self::Syncwrites(settings) => sync_writes::run(settings)?.into(),
            Self::Reopen(arguments) => arguments.run()?.into(),
            Self::Mixed(arguments) => arguments.run()?,
            Self::Parts(arguments) => Findings { measurements: Vec::new(), mixed: None, figures: arguments.run()? },
        })
    }
}

/// How many keys there are where the settings do not say it.
const KEYS: u64 = 1_000_000;
/// How many seconds are measured where the settings do not say it.
const SECONDS: f64 = 10.0;
