//! `sediment-bench`: measures the database, over its public interface alone, and its parts by themselves, over those of their crates.
//!
//! A workload is a file in `workload/`; `docs/benchmarks.md` says what each does and what the columns mean. The table goes to
//! standard output, the rest to the files asked for.
//!
//! What measures other engines beside it (`bench/peers`) takes keys, values, schedules, clocks and meters from here, so that they
//! are the same.

mod chart;
mod client;
pub mod clock;
mod control;
pub mod failure;
pub mod files;
pub mod generator;
pub mod latency;
pub mod machine;
mod measure;
mod report;
pub mod schedule;
mod settings;
mod stalls;
mod subject;
pub mod text;
mod workload;

use clap::Parser;
use failure::{Failure, Result};
use machine::Host;
use report::Report;
use std::{
    fs,
    io::{self, Write},
    path::{Path, PathBuf},
    process::ExitCode,
};
use workload::{Findings, Workload};

/// Measure a Sediment database.
#[derive(Debug, Parser)]
#[command(name = "sediment-bench", version, max_term_width = 100, args_override_self = true)]
struct Args {
    /// Write everything that was measured to this file, as JSON
    #[arg(long, global = true, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Write the table to this file, too, below the machine and the settings it is of
    #[arg(long, global = true, value_name = "FILE")]
    markdown: Option<PathBuf>,
    /// Write a picture of each measurement into this directory, as SVG
    #[arg(long, global = true, value_name = "DIR")]
    plots: Option<PathBuf>,
    /// Leave out the head of the table, to put several together
    #[arg(long, global = true)]
    no_header: bool,
    #[command(subcommand)]
    workload: Workload,
}

/// Runs the program with the arguments of the process.
pub fn main() -> ExitCode {
    match run(&Args::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            let _ = writeln!(io::stderr(), "sediment-bench: {failure}");
            if matches!(failure, Failure::Usage(_)) { ExitCode::from(2) } else { ExitCode::FAILURE }
        }
    }
}

fn run(args: &Args) -> Result<()> {
    let settings = args.workload.settings();
    let host = Host::here(&settings.dir.clone().unwrap_or_else(std::env::temp_dir));
    if host.debug_build {
        let _ = writeln!(io::stderr(), "sediment-bench: built with assertions, the figures mean nothing (use --release)");
    }
    let harness_ns = measure::harness_ns(settings)?;
    let findings = args.workload.run()?;
    let Findings { measurements, mixed, figures } = findings;
    let report = Report { host, harness_ns, workload: &args.workload, measurements, mixed, figures };
    if let Some(path) = &args.json {
        let text = serde_json::to_string(&report).map_err(|error| Failure::Io(error.to_string()))?;
        write(path, &(text + "\n"))?;
    }
    if let Some(dir) = &args.plots {
        fs::create_dir_all(dir).map_err(|error| Failure::io("make", dir, &error))?;
        report::plots(&report).iter().try_for_each(|(name, svg)| write(&dir.join(name), svg))?;
    }
    let mut text = if report.figures.is_empty() {
        report::table(&report, !args.no_header)
    } else {
        report::figures(&report.figures, !args.no_header)
    };
    if let Some(mixed) = &report.mixed {
        text = text + "\n" + &report::findings(mixed);
    }
    if let Some(path) = &args.markdown {
        write(path, &(report::heading(&report) + "\n" + &text))?;
    }
    let printed = io::stdout().write_all(text.as_bytes());
    printed.map_err(|error| Failure::Io(format!("cannot write to standard output: {error}")))
}

fn write(path: &Path, text: &str) -> Result<()> {
    fs::write(path, text).map_err(|error| Failure::io("write", path, &error))
}
