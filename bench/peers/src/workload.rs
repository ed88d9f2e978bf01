//! The workloads: what is done to an engine while it is measured. What each means is in `docs/benchmarks.md`.

mod fill;
mod merges;
mod mixed;
mod paced;
mod parts;
mod prefix;
mod read;
mod removal;
mod scan;
mod ycsb;

use crate::{
    engine::{Engine, Name, Purpose},
    looping::{Looped, Until},
    pacing::Pace,
    rows::Rows,
    settings::{Durability, Settings, typed},
};
use anyhow::Result;
use clap::ValueEnum;
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// What can be measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Workload {
    /// Insert every key once, in order
    Fillseq,
    /// Insert every key once, in random order
    Fillrandom,
    /// The same, so that each survives the death of the process
    FillrandomOs,
    /// Insert every key once, in random order, a thousand at a time
    Fillbatch,
    /// Insert keys that are there, drawn at random
    Overwrite,
    /// The same at a given rate, for long
    Paced,
    /// Get keys that are there, all in the cache
    Readrandom,
    /// The same on two threads
    Readrandom2,
    /// The same with memory for a tenth of the data
    ReadrandomSmall,
    /// The same from the disk: nothing in memory, neither the engine's nor the system's
    Readcold,
    /// Get 64 keys that are there at a time, all in the cache
    Multiget,
    /// The same, each time in the order of the keys
    MultigetSorted,
    /// The same, of 64 keys that follow one another
    MultigetNeighbours,
    /// Ask for keys that are not there, each between two that are
    Readmissing,
    /// Seek a key and read ten rows
    Seek10,
    /// Read all rows in order
    ScanForward,
    /// Read all rows in reverse order
    ScanReverse,
    /// Read all rows before and after ten ranges with a tenth of them are removed
    ScanAfterRangeRemove,
    /// Seek from the first of two rows to the other, where all between them were removed one by one
    SeekOverRemoved,
    /// Read up to ten rows with a prefix, of which the engine is told beforehand, from several runs
    PrefixScan,
    /// The same where the engine is not told
    PrefixScanUntold,
    /// Add to a thousand counters without reading them, and read them
    Merges,
    /// Get keys while one more thread overwrites as fast as it can
    Readwhilewriting,
    /// Half gets, half updates; few keys very often
    YcsbA,
    /// 95 % gets, 5 % updates; few keys very often
    YcsbB,
    /// Gets; few keys very often
    YcsbC,
    /// 95 % gets of what came lately, 5 % inserts
    YcsbD,
    /// 95 % scans of 1 to 100 rows, 5 % inserts
    YcsbE,
    /// Half gets, half of them followed by an update of what was read
    YcsbF,
    /// Insert, each on the disk before the next
    Sync1,
    /// The same with eight threads
    Sync8,
    /// Insert large values
    LargeFill,
    /// Get large values
    LargeRead,
    /// Open a database that was closed, and get one key
    Reopen,
}

/// What is there when a workload begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Start {
    /// Nothing.
    Empty,
    /// Every key, drained.
    Filled,
    /// The same, in a copy that others will not see.
    FilledCopy,
    /// Every key, with values of a size that only this workload has.
    FilledOwn,
}

/// Size of a large value.
const LARGE_BYTES: usize = 16 << 10;
/// Number of keys with large values: as many as the default memory holds.
const LARGE_KEYS: u64 = 8_000;
/// How long to measure, in seconds.
const SECONDS: f64 = 3.0;
/// The same, where what counts is what seldom happens.
const PACED_SECONDS: f64 = 600.0;
/// Gets from the disk.
const COLD_READS: u64 = 5_000;

impl Workload {
    /// As it is typed.
    pub(crate) fn typed(self) -> String {
        typed(self)
    }

    /// What must be there.
    pub(crate) fn start(self) -> Start {
        match self {
            Self::Fillseq | Self::Fillrandom | Self::FillrandomOs | Self::Fillbatch => Start::Empty,
            Self::Sync1 | Self::Sync8 | Self::LargeFill => Start::Empty,
            Self::SeekOverRemoved | Self::PrefixScan | Self::PrefixScanUntold | Self::Merges => Start::Empty,
            Self::Overwrite | Self::Paced | Self::Readwhilewriting | Self::YcsbA | Self::YcsbB => Start::FilledCopy,
            Self::ScanAfterRangeRemove => Start::FilledCopy,
            Self::YcsbD | Self::YcsbE | Self::YcsbF => Start::FilledCopy,
            Self::LargeRead => Start::FilledOwn,
            Self::Readrandom | Self::Readrandom2 | Self::ReadrandomSmall | Self::Readcold | Self::Readmissing => Start::Filled,
            Self::Multiget | Self::MultigetSorted | Self::MultigetNeighbours => Start::Filled,
            Self::Seek10 | Self::ScanForward | Self::ScanReverse | Self::YcsbC | Self::Reopen => Start::Filled,
        }
    }

    /// Whether an engine has what it asks for.
    pub(crate) fn is_offered_by(self, engine: Name) -> bool {
        let asks_more = matches!(
            self,
            Self::ScanAfterRangeRemove | Self::SeekOverRemoved | Self::PrefixScan | Self::PrefixScanUntold | Self::Merges
        );
        !asks_more || engine.has_vocabulary()
    }

    /// What its database is for.
    pub(crate) fn purpose(self) -> Purpose {
        match self {
            Self::PrefixScan => Purpose::Prefixes(prefix::PREFIX_BYTES),
            Self::Merges => Purpose::Counters,
            _ => Purpose::Rows,
        }
    }

    /// Whether it writes, so that what is left to do afterwards counts.
    pub(crate) fn writes(self) -> bool {
        matches!(self.start(), Start::Empty | Start::FilledCopy)
    }

    /// Whether the time until it is drained belongs to the time of its operations: where everything is about what is written.
    pub(crate) fn is_load(self) -> bool {
        matches!(
            self,
            Self::Fillseq | Self::Fillrandom | Self::FillrandomOs | Self::Fillbatch | Self::Overwrite | Self::LargeFill
        )
    }

    /// Whether everything is to be read before, so that it is as warm as it can be.
    pub(crate) fn is_warm(self) -> bool {
        self.start() != Start::Empty && !matches!(self, Self::Readcold | Self::Reopen)
    }

    /// Whether its parts are one operation in different circumstances.
    pub(crate) fn repeats(self) -> bool {
        self == Self::ScanAfterRangeRemove
    }

    /// Whether its operations are due at times of a schedule, so that their number in a second is no merit of the engine's.
    pub(crate) fn is_paced(self) -> bool {
        self == Self::Paced
    }

    /// How long to measure, where the number of keys does not say it, unless told otherwise.
    fn seconds(self) -> f64 {
        if self.is_paced() { PACED_SECONDS } else { SECONDS }
    }

    /// What its writes survive, unless told otherwise.
    pub(crate) fn durability(self) -> Durability {
        match self {
            Self::Fillseq | Self::Fillrandom | Self::Fillbatch | Self::Overwrite | Self::Paced => Durability::Memory,
            Self::Sync1 | Self::Sync8 => Durability::Sync,
            _ => Durability::Os,
        }
    }

    /// Threads that do the operations that count.
    pub(crate) fn threads(self) -> u64 {
        match self {
            Self::Sync8 => 8,
            Self::Readrandom2 => 2,
            _ => 1,
        }
    }

    /// Settings as this workload changes them.
    pub(crate) fn settings(self, settings: &Settings) -> Settings {
        let mut settings = settings.clone();
        match self {
            Self::LargeFill | Self::LargeRead => {
                settings.value_size = LARGE_BYTES;
                settings.keys = settings.keys.min(LARGE_KEYS);
            }
            Self::ReadrandomSmall => {
                settings.memory = (settings.keys as usize * (settings.key_size + settings.value_size) / 10).max(1 << 20);
            }
            _ => {}
        }
        settings
    }
}

/// An engine that holds rows, and what is to be done to it.
pub(crate) struct Bench<'a, E> {
    pub(crate) engine: &'a E,
    pub(crate) rows: &'a Rows,
    pub(crate) settings: &'a Settings,
    pub(crate) workload: Workload,
}

/// What was done.
pub(crate) struct Done<'a> {
    pub(crate) looped: Looped,
    /// Rows inserted.
    pub(crate) writes: u64,
    /// Verifies what was read, and what is there now. To be called when nothing is measured any more.
    pub(crate) check: Box<dyn FnOnce() -> Result<()> + 'a>,
}

/// Work that is prepared.
pub(crate) type Job<'a> = Box<dyn FnOnce() -> Result<Done<'a>> + 'a>;

impl<'a, E: Engine> Bench<'a, E> {
    /// Prepares what is to be measured. `Reopen` is no work on an open engine, and not among it.
    pub(crate) fn prepare(&'a self) -> Job<'a> {
        match self.workload {
            Workload::Fillseq => fill::fill(self, (0..self.rows.keys as u32).collect()),
            Workload::Fillrandom | Workload::FillrandomOs | Workload::LargeFill => fill::fill(self, self.rows.shuffled()),
            Workload::Fillbatch => fill::batches(self),
            Workload::Overwrite => fill::overwrite(self),
            Workload::Paced => paced::overwrite(self),
            Workload::Sync1 | Workload::Sync8 => fill::synced(self),
            Workload::Readrandom | Workload::Readrandom2 | Workload::ReadrandomSmall | Workload::LargeRead => {
                read::present(self, self.time())
            }
            Workload::Readcold => read::present(self, Until::Count(COLD_READS)),
            Workload::Multiget => read::many(self, read::Order::Drawn),
            Workload::MultigetSorted => read::many(self, read::Order::Sorted),
            Workload::MultigetNeighbours => read::many(self, read::Order::Neighbours),
            Workload::Readmissing => read::absent(self),
            Workload::Seek10 => scan::seek(self),
            Workload::ScanForward => scan::all(self, scan::Direction::Forward),
            Workload::ScanReverse => scan::all(self, scan::Direction::Reverse),
            Workload::ScanAfterRangeRemove => removal::scan_after_ranges(self),
            Workload::SeekOverRemoved => removal::seek_over_rows(self),
            Workload::PrefixScan | Workload::PrefixScanUntold => prefix::scan(self),
            Workload::Merges => merges::run(self),
            Workload::Readwhilewriting => mixed::read_while_writing(self),
            Workload::YcsbA => ycsb::run(self, ycsb::A),
            Workload::YcsbB => ycsb::run(self, ycsb::B),
            Workload::YcsbC => ycsb::run(self, ycsb::C),
            Workload::YcsbD => ycsb::run(self, ycsb::D),
            Workload::YcsbE => ycsb::run(self, ycsb::E),
            Workload::YcsbF => ycsb::run(self, ycsb::F),
            Workload::Reopen => unreachable!("the runner does it"),
        }
    }

    /// For as long as the settings say.
    fn time(&self) -> Until {
        Until::Time(Duration::from_secs_f64(self.seconds()), u64::MAX)
    }

    /// As fast and for as long as the settings say.
    fn pace(&self) -> Pace {
        Pace { per_second: self.settings.rate as f64, seconds: self.seconds() }
    }

    fn seconds(&self) -> f64 {
        self.settings.seconds.unwrap_or(self.workload.seconds())
    }
}
