//! The process that is killed: commits, and says so after each commit, until it is no more.

use super::{ledger::Ledger, open};
use crate::{
    failure::{Exit, Result},
    output::Output,
};
use std::path::Path;

/// Goes on from where the ledger is. Prints the number of each commit once it has returned, and not before.
pub(super) fn run(dir: &Path, output: &mut Output) -> Result<Exit> {
    let db = open(dir)?;
    let ledger = Ledger::open(&db)?;
    let mut n = ledger.commits()?;
    loop {
        n += 1;
        ledger.commit(n)?;
        output.line(n.to_string())?;
        output.flush()?;
    }
}
