//! `sediment import`: fills a keyspace from a TSV, CSV or JSON-lines file.
//!
//! Lines that cannot be read are left out, counted and named with number and reason; the others are committed in batches, and
//! synced before success is reported. Each format is a file in `import/` that turns its input into [`Step`]s.

mod csv_rows;
mod json_lines;
mod lines;
mod load;
mod tsv;

use crate::{
    args::Target,
    failure::{Exit, Failure, Result},
    output::{Output, bytes_text, counted, note},
};
use clap::{Args, ValueEnum};
use indicatif::{ProgressBar, ProgressStyle};
use load::Load;
use sedimentdb::Durability;
use serde_json::json;
use std::{
    fs::File,
    io::{self, BufReader, Read},
    path::PathBuf,
    time::{Duration, Instant},
};

const AFTER_HELP: &str = "\
tsv         KEY<tab>VALUE, with the escapes that `scan` prints (--raw: none). Blank lines are passed over.
csv         The key is column --key: a name of the header row, or a number from 1. The value is column
            --value, or else the whole row as a JSON object (with --no-header: array).
json-lines  An object a line. The key is field --key, text or number. The value is field --value, or else
            the line as it stands. Blank lines are passed over.

A malformed line is left out, counted and named on standard error; the exit code is then 6 unless
--lenient. With --strict the import stops at the first one; what came before it is stored.";

/// Arguments of `import`.
#[derive(Debug, Args)]
#[command(after_help = AFTER_HELP)]
pub(crate) struct Import {
    #[command(flatten)]
    target: Target,
    /// File to read; `-` for standard input
    file: PathBuf,
    /// What the file holds [default: by its ending: .tsv .csv .jsonl .ndjson]
    #[arg(short, long, value_enum)]
    format: Option<Format>,
    #[command(flatten)]
    columns: Columns,
    /// tsv: take backslashes as they are
    #[arg(long)]
    raw: bool,
    /// Stop at the first malformed line
    #[arg(long, conflicts_with = "lenient")]
    strict: bool,
    /// Malformed lines do not change the exit code
    #[arg(long)]
    lenient: bool,
    /// How many malformed lines to name
    #[arg(long, default_value_t = 10, value_name = "COUNT")]
    show: usize,
}

/// Where key and value are in a row.
#[derive(Debug, Args)]
struct Columns {
    /// Column or field that holds the key [default for csv: 1]
    #[arg(long, value_name = "COLUMN")]
    key: Option<String>,
    /// Column or field that holds the value [default: the whole row]
    #[arg(long, value_name = "COLUMN")]
    value: Option<String>,
    /// csv: what stands between two columns; `\t` for a tab
    #[arg(long, default_value = ",", value_name = "CHARACTER")]
    delimiter: String,
    /// csv: the first line is a row like all others
    #[arg(long)]
    no_header: bool,
}

/// What a file holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    Tsv,
    Csv,
    JsonLines,
}

/// What a format's reader finds next.
#[derive(Debug, PartialEq, Eq)]
enum Step {
    /// A key and its value, and the line where they begin.
    Row { line: u64, key: Vec<u8>, value: Vec<u8> },
    /// A line that cannot be used.
    Malformed { line: u64, reason: String },
}

/// The rows of an input, one by one; an error is one of reading.
type Steps = Box<dyn Iterator<Item = io::Result<Step>>>;

type Input = Box<dyn Read>;

impl Import {
    /// Imports, and tells what was done.
    pub(crate) fn run(self, output: &mut Output) -> Result<Exit> {
        let format = self.format()?;
        let (input, bar) = self.open_input()?;
        let steps = match format {
            Format::Tsv => tsv::steps(input, self.raw),
            Format::Csv => csv_rows::steps(input, &self.columns)?,
            Format::JsonLines => json_lines::steps(input, &self.columns)?,
        };
        let (db, keyspace) = self.target.open_or_create()?;
        let started = Instant::now();
        let mut load = Load::new(&db, &keyspace);
        let read = self.read(steps, &mut load, &bar);
        bar.finish_and_clear();
        // Also after a failure to read: the rows before it are stored, and said to be.
        let stored = load.commit().and_then(|()| Ok(db.persist(Durability::Sync)?));
        if let Err(failure) = read.and(stored) {
            note(format!("sediment: {} stored before this failure:", counted(load.stored, "row")));
            return Err(failure);
        }
        self.report(&load, started.elapsed(), output)?;
        let complete = load.skipped == 0 || self.lenient;
        db.close()?;
        Ok(if complete { Exit::Done } else { Exit::Skipped })
    }

    fn read(&self, steps: Steps, load: &mut Load<'_>, bar: &ProgressBar) -> Result<()> {
        for step in steps {
            let step = step.map_err(|error| self.read_failure(&error))?;
            let malformed = match step {
                Step::Row { line, key, value } => load.add(key, value)?.err().map(|reason| (line, reason)),
                Step::Malformed { line, reason } => Some((line, reason)),
            };
            if let Some((line, reason)) = malformed {
                let named = format!("{}:{line}: {reason}", self.input_name());
                if self.strict {
                    return Err(Failure::Malformed { message: named });
                }
                load.skip(|shown| (shown < self.show).then_some(named));
            }
            if load.is_full() {
                load.commit()?;
                bar.set_message(counted(load.stored, "row"));
            }
        }
        Ok(())
    }

    fn report(&self, load: &Load<'_>, took: Duration, output: &mut Output) -> Result<()> {
        for named in &load.named {
            note(named);
        }
        let unnamed = load.skipped - load.named.len() as u64;
        if unnamed > 0 {
            note(format!("and {}", counted(unnamed, "more malformed line")));
        }
        if output.is_json() {
            return output.value(&json!({
                "keyspace": self.target.keyspace,
                "rows": load.stored,
                "bytes": load.bytes,
                "skipped": load.skipped,
                "seconds": took.as_secs_f64(),
            }));
        }
        let skipped =
            if load.skipped == 0 { String::new() } else { format!("; {} left out", counted(load.skipped, "malformed line")) };
        let rows = format!("{} ({})", counted(load.stored, "row"), bytes_text(load.bytes));
        output.line(format!("{rows} into keyspace `{}` in {:.1} s{skipped}", self.target.keyspace, took.as_secs_f64()))
    }

    fn format(&self) -> Result<Format> {
        let ending = self.file.extension().and_then(|ending| ending.to_str()).map(str::to_ascii_lowercase);
        let by_name = match ending.as_deref() {
            Some("tsv" | "tab") => Some(Format::Tsv),
            Some("csv") => Some(Format::Csv),
            Some("jsonl" | "ndjson") => Some(Format::JsonLines),
            _ => None,
        };
        self.format.or(by_name).ok_or_else(|| {
            let message = format!("the name of {} does not tell what it holds", self.input_name());
            Failure::usage(message, "say it with --format tsv, csv or json-lines")
        })
    }

    fn open_input(&self) -> Result<(Input, ProgressBar)> {
        if self.file.as_os_str() == "-" {
            let bar = ProgressBar::new_spinner();
            return Ok((Box::new(bar.wrap_read(io::stdin())), bar));
        }
        let open = || {
            let file = File::open(&self.file)?;
            if file.metadata()?.is_dir() { Err(io::Error::from(io::ErrorKind::IsADirectory)) } else { Ok(file) }
        };
        let file = open().map_err(|error| self.read_failure(&error))?;
        let bar = ProgressBar::new(file.metadata().map_or(0, |metadata| metadata.len()));
        let style = ProgressStyle::with_template("{bar:30} {bytes}/{total_bytes}  {msg}  {eta} left");
        bar.set_style(style.expect("the template is constant"));
        Ok((Box::new(BufReader::with_capacity(256 << 10, bar.wrap_read(file))), bar))
    }

    fn read_failure(&self, error: &io::Error) -> Failure {
        Failure::io("read", self.input_name().as_ref(), error)
    }

    fn input_name(&self) -> String {
        if self.file.as_os_str() == "-" { "standard input".to_owned() } else { self.file.display().to_string() }
    }
}
