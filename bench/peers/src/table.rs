//! The tables of a comparison, put between two marks of a document.

use crate::report::{self, Report};
use anyhow::{Context, Result};
use clap::Args;
use std::{
    fs,
    io::{Write, stdout},
    path::PathBuf,
};

const BEGIN: &str = "<!-- peers: begin -->";
const END: &str = "<!-- peers: end -->";

/// Arguments of `table`.
#[derive(Debug, Args)]
pub(crate) struct Table {
    /// What `compare --json` wrote; of several, all measurements together
    #[arg(required = true, value_name = "FILE")]
    reports: Vec<PathBuf>,
    /// Replace what this document has between `<!-- peers: begin -->` and `<!-- peers: end -->`
    #[arg(long, value_name = "FILE")]
    into: Option<PathBuf>,
}

impl Table {
    /// Prints it, or puts it in its place.
    pub(crate) fn run(&self) -> Result<()> {
        let mut all: Option<Report> = None;
        for path in &self.reports {
            let text = fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
            let report: Report = serde_json::from_str(&text).with_context(|| format!("{} is no report", path.display()))?;
            match &mut all {
                Some(all) => all.measurements.extend(report.measurements),
                None => all = Some(report),
            }
        }
        let text = report::markdown(&all.context("there is no report")?);
        let Some(path) = &self.into else { return Ok(stdout().write_all(text.as_bytes())?) };
        let document = fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
        let document = between(&document, &text).with_context(|| format!("{} has no `{BEGIN}` ... `{END}`", path.display()))?;
        fs::write(path, document).with_context(|| format!("cannot write {}", path.display()))
    }
}

/// A document with what is between the marks replaced.
fn between(document: &str, text: &str) -> Option<String> {
    let (before, rest) = document.split_once(BEGIN)?;
    let (_, after) = rest.split_once(END)?;
    Some(format!("{before}{BEGIN}\n\n{text}\n{END}{after}"))
}

#[cfg(test)]
mod tests {
    use super::{BEGIN, END, between};

    #[test]
    fn only_what_is_between_the_marks_is_replaced() {
        let document = format!("before\n{BEGIN}\nold\n{END}\nafter\n");
        let once = between(&document, "new\n").expect("it has the marks");
        assert_eq!(once, format!("before\n{BEGIN}\n\nnew\n\n{END}\nafter\n"));
        assert_eq!(between(&once, "new\n"), Some(once));
        assert_eq!(between(&format!("{END} {BEGIN}"), "new"), None);
        assert_eq!(between("nothing", "new"), None);
    }
}
