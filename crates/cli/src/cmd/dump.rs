//! `sediment dump`: any file of a database as text.

use crate::{
    failure::{Exit, Failure, Result},
    output::Output,
};
use clap::Args;
use sedimentdb::ErrorKind;
use serde_json::json;
use std::{fmt, path::PathBuf};

/// Arguments of `dump`.
#[derive(Debug, Args)]
pub(crate) struct Dump {
    /// A table, log file, manifest, catalog or CURRENT; told apart by its header, whatever it is called
    file: PathBuf,
}

impl Dump {
    /// Prints as it reads, so that a damaged file shows all that comes before the damage.
    pub(crate) fn run(self, output: &mut Output) -> Result<Exit> {
        if self.file.is_dir() {
            let hint = "`sediment dump` prints one file: CURRENT, catalog-N, wal/N, trees/N/manifest-N or trees/N/tables/N";
            return Err(Failure::usage(format!("{} is a directory", self.file.display()), hint));
        }
        let mut lines = Lines { output, rest: String::new(), failure: None };
        let dumped = sedimentdb::dump_file(&self.file, &mut lines);
        let rest = std::mem::take(&mut lines.rest);
        if let Some(failure) = lines.failure {
            return Err(failure);
        }
        if !rest.is_empty() {
            put_line(output, &rest)?;
        }
        let hint = "give a table, log file, manifest, catalog or CURRENT of a database; what could be read stands above";
        dumped.map_err(|error| Failure::hinted(error, ErrorKind::Corruption, hint))?;
        Ok(Exit::Done)
    }
}

/// Hands text on line by line, and keeps what `fmt::Error` cannot carry.
struct Lines<'a> {
    output: &'a mut Output,
    rest: String,
    failure: Option<Failure>,
}

impl fmt::Write for Lines<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.rest.push_str(text);
        let Some(end) = self.rest.rfind('\n') else { return Ok(()) };
        let tail = self.rest.split_off(end + 1);
        let lines = std::mem::replace(&mut self.rest, tail);
        lines.lines().try_for_each(|line| put_line(self.output, line)).map_err(|failure| {
            self.failure = Some(failure);
            fmt::Error
        })
    }
}

fn put_line(output: &mut Output, line: &str) -> Result<()> {
    if output.is_json() { output.value(&json!({ "line": line })) } else { output.line(line) }
}
