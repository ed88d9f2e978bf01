//! `sediment tour`: what the database does, shown on real data, and the proof that it keeps its word.
//!
//! The data is the Unicode character database, carried in the program. Steps 1 to 4 import it, look things up, scan and hold a
//! snapshot; step 5 starts a child of this program that writes with acknowledgements, kills it in the middle and compares what
//! is there with what was acknowledged; step 6 reads every byte. Each step returns its findings, and any broken promise ends
//! the tour with exit code 4.

mod data;
mod kill;
mod ledger;
mod unicode;
mod writer;

use crate::{
    cmd::verify,
    failure::{Exit, Failure, Result},
    output::{Output, counted},
};
use clap::Args;
use sedimentdb::{Create, Db, ErrorKind, ExpertOptions, Options};
use serde_json::{Map, Value, json};
use std::{
    path::{Path, PathBuf},
    time::Instant,
};
use tempfile::TempDir;

/// Arguments of `tour`.
#[derive(Debug, Args)]
pub(crate) struct Tour {
    /// Make the database in this directory and keep it [default: a temporary one, removed at the end]
    #[arg(long, value_name = "DIR")]
    dir: Option<PathBuf>,
    /// How often to kill the writing process
    #[arg(long, default_value_t = 6, value_name = "COUNT")]
    rounds: u32,
    /// Be the process that is killed: write to the database in DIR
    #[arg(long, hide = true, requires = "dir")]
    write: bool,
}

/// Small sizes, so that the tour passes through flushes, compactions and new log files too, not only through memory.
fn options() -> Options {
    Options {
        create: Create::MustExist,
        memory_bytes: 16 << 20,
        expert: ExpertOptions {
            memtable_bytes: Some(1 << 20),
            wal_file_bytes: 1 << 20,
            table_bytes: Some(1 << 20),
            level_base_bytes: Some(4 << 20),
            ..ExpertOptions::default()
        },
        ..Options::default()
    }
}

fn open(dir: &Path) -> Result<Db> {
    Ok(Db::builder(dir).options(options()).open()?)
}

impl Tour {
    /// Runs all steps, or (as the child) writes until killed.
    pub(crate) fn run(self, output: &mut Output) -> Result<Exit> {
        if let (true, Some(dir)) = (self.write, &self.dir) {
            return writer::run(dir, output);
        }
        let (dir, temporary) = self.directory()?;
        let mut guide = Guide { output, findings: Map::new() };
        let walked = walk(&dir, self.rounds, &mut guide);
        if walked.is_err() {
            // What went wrong can be looked at only if it is still there.
            if let Some(temporary) = temporary {
                let kept = temporary.keep();
                crate::output::note(format!("sediment: the tour's database is left in {}", kept.display()));
            }
            walked?;
            return Ok(Exit::Failed);
        }
        guide.farewell(&dir, temporary.is_some())?;
        Ok(Exit::Done)
    }

    fn directory(&self) -> Result<(PathBuf, Option<TempDir>)> {
        if let Some(dir) = &self.dir {
            return Ok((dir.clone(), None));
        }
        let made = TempDir::with_prefix("sediment-tour-");
        let temporary = made.map_err(|error| Failure::io("make a directory in", &std::env::temp_dir(), &error))?;
        Ok((temporary.path().join("db"), Some(temporary)))
    }
}

fn walk(dir: &Path, rounds: u32, guide: &mut Guide<'_>) -> Result<()> {
    let began = Instant::now();
    guide.say(format!("A tour of Sediment, in {}\n", dir.display()))?;
    {
        let made = Db::builder(dir).options(Options { create: Create::New, ..options() }).open();
        let hint = "the tour makes a database of its own: give a directory that is empty or not there";
        let db = made.map_err(|error| Failure::hinted(error, ErrorKind::InvalidInput, hint))?;
        unicode::fill(&db, guide)?;
        unicode::look_up(&db, guide)?;
        unicode::scan(&db, guide)?;
        unicode::hold_still(&db, guide)?;
        db.close()?;
    }
    kill::rounds(dir, rounds, guide)?;
    check(dir, guide)?;
    guide.found("seconds", began.elapsed().as_secs_f64());
    Ok(())
}

fn check(dir: &Path, guide: &mut Guide<'_>) -> Result<()> {
    guide.step("6. Read every byte")?;
    let db = open(dir)?;
    unicode::still_there(&db)?;
    let report = db.verify()?;
    let faults: Vec<String> = report.faults.iter().map(ToString::to_string).collect();
    if !faults.is_empty() {
        return Err(Failure::Broken { message: format!("verification found: {}", faults.join("; ")) });
    }
    guide.say(format!("   {}", verify::summary(&report)))?;
    guide.found(
        "verified",
        json!({ "files": report.files, "blocks": report.blocks, "rows": report.rows, "bytes": report.bytes }),
    );
    db.close()?;
    Ok(())
}

/// Tells the visitor, or collects for a program, what is seen on the way.
struct Guide<'a> {
    output: &'a mut Output,
    findings: Map<String, Value>,
}

impl Guide<'_> {
    /// Headline of a step.
    fn step(&mut self, title: &str) -> Result<()> {
        let title = self.output.bold(title);
        self.say(title)
    }

    /// A line for people, at once.
    fn say(&mut self, line: impl AsRef<str>) -> Result<()> {
        if self.output.is_json() {
            return Ok(());
        }
        self.output.line(line)?;
        self.output.flush()
    }

    /// A finding for programs.
    fn found(&mut self, name: &str, value: impl Into<Value>) {
        self.findings.insert(name.to_owned(), value.into());
    }

    fn farewell(self, dir: &Path, temporary: bool) -> Result<()> {
        if self.output.is_json() {
            return self.output.value(&self.findings.into());
        }
        let seconds = self.findings.get("seconds").and_then(Value::as_f64).unwrap_or_default();
        let rounds = self.findings.get("kills").and_then(Value::as_u64).unwrap_or_default();
        let good = self.output.good("Nothing was lost.");
        self.output.line(format!("\n{good} {} survived, {seconds:.1} s in all.", counted(rounds, "kill")))?;
        if temporary {
            self.output.line("Keep the database to look around: sediment tour --dir DIR")
        } else {
            let dir = dir.display();
            self.output.line("Look around:")?;
            self.output.line(format!("  sediment scan {dir} -k names --prefix SNOW"))?;
            self.output.line(format!("  sediment get {dir} -k notes 01F980"))?;
            self.output.line(format!("  sediment stats {dir}"))
        }
    }
}
