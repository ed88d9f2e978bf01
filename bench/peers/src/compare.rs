//! Many workloads on many engines: each in a process of its own, engines taking turns, over several rounds.

use crate::{
    engine::Name,
    measurement::Measurement,
    report::{self, Report},
    settings::Settings,
    workload::{Start, Workload},
};
use anyhow::{Context, Result, bail, ensure};
use clap::Args;
use sediment_bench::{files, machine::Host};
use std::{
    env, fs,
    io::{self, Write, stderr, stdout},
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

/// Arguments of `compare`.
#[derive(Debug, Args)]
pub(crate) struct Compare {
    /// How often to measure each
    #[arg(long, default_value_t = 5, value_name = "COUNT")]
    rounds: u64,
    /// Which engines, separated by commas [default: all]
    #[arg(long, value_enum, value_delimiter = ',', value_name = "ENGINE")]
    engines: Vec<Name>,
    /// Which workloads, separated by commas [default: all but `paced`, which takes long]
    #[arg(long, value_enum, value_delimiter = ',', value_name = "WORKLOAD")]
    workloads: Vec<Workload>,
    /// Where to make databases [default: the system's directory for temporary files]
    #[arg(long)]
    dir: Option<PathBuf>,
    /// Write everything that was measured to this file, as JSON, after each run
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    #[command(flatten)]
    settings: Settings,
}

impl Compare {
    /// Runs them all.
    pub(crate) fn run(mut self) -> Result<()> {
        if self.engines.is_empty() {
            self.engines = all();
        }
        if self.workloads.is_empty() {
            self.workloads = all();
            self.workloads.retain(|workload| !workload.is_paced());
        }
        let parent = self.dir.clone().unwrap_or_else(env::temp_dir);
        fs::create_dir_all(&parent)?;
        let mut report = Report { host: Host::here(&parent).into(), measurements: Vec::new() };
        for round in 0..self.rounds {
            let place = tempfile::Builder::new().prefix("peers-").tempdir_in(&parent)?;
            for workload in &self.workloads {
                for turn in 0..self.engines.len() {
                    // Each round begins with another engine.
                    let engine = self.engines[(turn + round as usize) % self.engines.len()];
                    let durability = self.settings.durability.unwrap_or(workload.durability());
                    if !workload.is_offered_by(engine) {
                        writeln!(stderr(), "round {round}: {} on {}: not offered", workload.typed(), engine.typed())?;
                        continue;
                    }
                    if workload.writes() && !engine.can(durability) {
                        continue;
                    }
                    self.one(&mut report, round, engine, *workload, place.path())?;
                }
            }
        }
        Ok(stdout().write_all(report::markdown(&report).as_bytes())?)
    }

    fn one(&self, report: &mut Report, round: u64, engine: Name, workload: Workload, place: &Path) -> Result<()> {
        let (engine_name, workload_name) = (engine.typed(), workload.typed());
        let measured = self.measure(engine, workload, place);
        let measurement = match measured {
            Ok(measurement) => Measurement { round, ..measurement },
            Err(error) => {
                // One engine's failure is no reason to lose the figures of the others.
                return Ok(writeln!(stderr(), "round {round}: {workload_name} on {engine_name} FAILED: {error:#}")?);
            }
        };
        writeln!(stderr(), "round {round}: {workload_name} on {engine_name}: {}", measurement.summary())?;
        report.measurements.push(measurement);
        if let Some(path) = &self.json {
            fs::write(path, serde_json::to_string(report)?)?;
        }
        Ok(())
    }

    fn measure(&self, engine: Name, workload: Workload, place: &Path) -> Result<Measurement> {
        let own = place.join(format!("{}-{}", engine.typed(), workload.typed()));
        let shared = place.join(format!("{}-filled", engine.typed()));
        let dir = match workload.start() {
            Start::Empty => own.clone(),
            Start::Filled => self.filled(engine, workload, shared)?,
            Start::FilledOwn => self.filled(engine, workload, own.clone())?,
            Start::FilledCopy => {
                copy(&self.filled(engine, workload, shared)?, &own)?;
                own.clone()
            }
        };
        let printed = self.child("run", engine, workload, &dir)?;
        if own.exists() {
            fs::remove_dir_all(&own)?;
        }
        Ok(serde_json::from_str(&printed)?)
    }

    fn filled(&self, engine: Name, workload: Workload, dir: PathBuf) -> Result<PathBuf> {
        if !dir.exists() {
            self.child("fill", engine, workload, &dir)?;
        }
        Ok(dir)
    }

    fn child(&self, verb: &str, engine: Name, workload: Workload, dir: &Path) -> Result<String> {
        let mut command = Command::new(env::current_exe()?);
        command.args([verb, "--engine", &engine.typed(), "--workload", &workload.typed(), "--dir"]).arg(dir);
        command.args(self.settings.arguments()).stderr(Stdio::inherit());
        let output = command.output().context("cannot start a process for the engine")?;
        if !output.status.success() {
            bail!("the process ended with {}", output.status);
        }
        let text = String::from_utf8(output.stdout)?;
        ensure!(verb == "fill" || !text.is_empty(), "the process printed nothing");
        Ok(text)
    }
}

/// Copies a directory that nobody writes to.
fn copy(from: &Path, to: &Path) -> Result<()> {
    let copied = files::each(from, &mut |path| {
        let target = to.join(path.strip_prefix(from).map_err(io::Error::other)?);
        fs::create_dir_all(target.parent().expect("a file is in a directory"))?;
        fs::copy(path, &target).map(|_| ())
    });
    copied.with_context(|| format!("cannot copy {}", from.display()))
}

fn all<T: clap::ValueEnum + Clone>() -> Vec<T> {
    T::value_variants().to_vec()
}
