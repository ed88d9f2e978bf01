//! `peers`: measures Sediment beside other storage engines.
//!
//! `peers run` does one workload on one engine, in this process, and prints what it took as JSON. `peers compare` runs many of
//! those, each in a process of its own, engines taking turns, and prints medians and ratios. The README says how to build it, and
//! `docs/benchmarks.md` what the workloads are and what is equal for all engines.

mod check;
mod compare;
mod drain;
mod engine;
mod looping;
mod measurement;
mod meter;
mod pacing;
mod report;
mod rows;
mod run;
mod settings;
mod table;
mod workload;

use anyhow::Result;
use clap::{Args, Parser, Subcommand};
use engine::Name;
use run::Task;
use settings::Settings;
use std::{
    io::{Write, stdout},
    path::PathBuf,
};
use workload::Workload;

#[derive(Debug, Parser)]
#[command(name = "peers", version, about, max_term_width = 100)]
struct Arguments {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// One workload on one engine, in this process; JSON on standard output
    Run(Run),
    /// Makes a database with every key, for the workloads that begin with one
    Fill(Run),
    /// Workloads on engines, each in a process of its own, interleaved over rounds; Markdown on standard output
    Compare(compare::Compare),
    /// What a comparison came to, from its JSON; Markdown on standard output, or into a document
    Table(table::Table),
}

#[derive(Debug, Args)]
struct Run {
    #[arg(long, value_enum)]
    engine: Name,
    #[arg(long, value_enum, default_value = "fillrandom")]
    workload: Workload,
    /// The database [default: a temporary directory]
    #[arg(long)]
    dir: Option<PathBuf>,
    #[command(flatten)]
    settings: Settings,
}

impl Run {
    fn run(self, is_fill: bool) -> Result<()> {
        let place = tempfile::Builder::new().prefix("peers-").tempdir()?;
        let dir = self.dir.unwrap_or_else(|| place.path().join("db"));
        let task = Task { engine: self.engine, workload: self.workload, settings: self.settings, dir };
        if is_fill {
            return task.fill();
        }
        Ok(writeln!(stdout(), "{}", serde_json::to_string(&task.run()?)?)?)
    }
}

fn main() -> Result<()> {
    match Arguments::parse().verb {
        Verb::Run(run) => run.run(false),
        Verb::Fill(run) => run.run(true),
        Verb::Compare(compare) => compare.run(),
        Verb::Table(table) => table.run(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn no_two_arguments_have_one_name() {
        Arguments::command().debug_assert();
    }
}
