//! `sediment verify`: reads every byte and reports each fault.

use crate::{
    args::open_to_read,
    failure::{Exit, Result},
    output::{Output, bytes_text, counted},
};
use clap::Args;
use sedimentdb::{Error, VerifyReport};
use serde_json::{Value, json};
use std::path::PathBuf;

/// Arguments of `verify`.
#[derive(Debug, Args)]
pub(crate) struct Verify {
    /// Directory of the database
    #[arg(value_name = "DB")]
    path: PathBuf,
}

impl Verify {
    /// Prints what was read and every fault; exit code 4 where there is one.
    pub(crate) fn run(self, output: &mut Output) -> Result<Exit> {
        let report = open_to_read(&self.path)?.verify()?;
        if output.is_json() {
            output.value(&to_json(&report))?;
        } else {
            for fault in &report.faults {
                output.line(fault.to_string())?;
            }
            output.line(summary(&report))?;
        }
        Ok(if report.faults.is_empty() { Exit::Done } else { Exit::Damaged })
    }
}

/// One line on what was read and found.
pub(super) fn summary(report: &VerifyReport) -> String {
    let read = [counted(report.files, "file"), counted(report.blocks, "block"), counted(report.rows, "row")].join(", ");
    let found = match report.faults.len() as u64 {
        0 => "no fault".to_owned(),
        count => counted(count, "fault"),
    };
    format!("{read}, {}: {found}", bytes_text(report.bytes))
}

fn to_json(report: &VerifyReport) -> Value {
    let fault = |fault: &Error| {
        let place = fault.location();
        json!({
            "kind": format!("{:?}", fault.kind()),
            "message": fault.message(),
            "file": place.as_ref().map(|place| place.file.display().to_string()),
            "offset": place.as_ref().and_then(|place| place.offset),
        })
    };
    json!({
        "files": report.files,
        "blocks": report.blocks,
        "rows": report.rows,
        "bytes": report.bytes,
        "faults": report.faults.iter().map(fault).collect::<Vec<_>>(),
    })
}
