//! `parts`: what a block, a table, a memtable, the log and a merge cost, each by itself, beside what it may cost.
//!
//! A part is asked as the part above it asks: through the public items of its crate, with keys that were made before the clock
//! started. A figure is the time of one operation, as a batch of a thousand has it on average; the clock is read twice a batch. What a
//! batch read is folded into one number, which is compared afterwards.

mod block;
mod figure;
mod log;
mod lone_table;
mod lone_tree;
mod memtable;
mod rows;
mod scan;
mod table;

pub(crate) use figure::Figure;

use crate::{
    failure::{Failure, Result},
    settings::Settings,
    text::parse_bytes,
};
use clap::{Args, ValueEnum};
use serde::Serialize;
use tempfile::TempDir;

/// How long each figure is measured where the settings do not say it.
const SECONDS: f64 = 2.0;
/// Data of a memtable when it is sealed, with the defaults of a database.
const MEMTABLE_BYTES: usize = 64 << 20;

/// Arguments of `parts`.
#[derive(Clone, Debug, Args, Serialize)]
pub(crate) struct Parts {
    /// Which parts to measure [default: all]
    #[arg(value_enum, value_name = "PART")]
    names: Vec<Name>,
    #[command(flatten)]
    #[serde(flatten)]
    pub(crate) settings: Settings,
    /// Data that cold blocks are spread over
    #[arg(long, default_value = "1GiB", value_parser = parse_bytes, value_name = "BYTES")]
    cold_data: usize,
}

/// A part of the engine.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ValueEnum)]
#[serde(rename_all = "lowercase")]
enum Name {
    /// A get of a key that is there, in a block at hand and in blocks out of reach of the processor's caches
    Block,
    /// A get from one table, of a key that is there and of one that is not
    Table,
    /// A put into a memtable, and a get of a key that is not there
    Memtable,
    /// A put through the log
    Log,
    /// A row of a scan, of several runs and of one
    Scan,
}

impl Parts {
    /// Measures them, in the order in which they were named.
    pub(super) fn run(&self) -> Result<Vec<Figure>> {
        self.settings.check()?;
        let names = if self.names.is_empty() { Name::value_variants() } else { &self.names };
        let mut figures = Vec::new();
        for name in names {
            figures.extend(match name {
                Name::Block => block::run(self)?,
                Name::Table => table::run(self)?,
                Name::Memtable => memtable::run(self)?,
                Name::Log => log::run(self)?,
                Name::Scan => scan::run(self)?,
            });
        }
        Ok(figures)
    }

    fn seconds(&self) -> f64 {
        self.settings.seconds_or(SECONDS)
    }

    /// Rows of so much data, unless the settings say how many there are.
    fn rows_of(&self, bytes: usize) -> u64 {
        self.settings.keys_or(self.rows_within(bytes))
    }

    /// Rows of so much data.
    fn rows_within(&self, bytes: usize) -> u64 {
        (bytes as u64 / self.settings.row_bytes()).max(1)
    }

    /// A directory that goes with what it returns.
    fn place(&self) -> Result<TempDir> {
        let parent = self.settings.dir.clone().unwrap_or_else(std::env::temp_dir);
        let made = std::fs::create_dir_all(&parent)
            .and_then(|()| tempfile::Builder::new().prefix("sediment-bench-").tempdir_in(&parent));
        made.map_err(|error| Failure::io("make a directory in", &parent, &error))
    }
}
