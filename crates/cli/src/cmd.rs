//! The verbs.

mod dump;
mod get;
mod import;
mod keyspaces;
mod put;
mod remove;
mod scan;
mod stats;
mod tour;
mod verify;

use crate::{
    failure::{Exit, Result},
    output::Output,
};
use clap::Subcommand;

/// What `sediment` can do.
#[derive(Debug, Subcommand)]
pub(crate) enum Verb {
    /// Fill a keyspace from a TSV, CSV or JSON-lines file
    Import(import::Import),
    /// Print the value of a key
    Get(get::Get),
    /// Set the value of a key
    Put(put::Put),
    /// Remove keys
    Remove(remove::Remove),
    /// Print keys and values in order
    Scan(scan::Scan),
    /// List the keyspaces
    Keyspaces(keyspaces::Keyspaces),
    /// Tell what a database is made of
    Stats(stats::Stats),
    /// Read every byte and report each fault
    Verify(verify::Verify),
    /// Print any file of a database as text
    Dump(dump::Dump),
    /// Show what Sediment does and prove that it keeps its word
    Tour(tour::Tour),
}

/// Runs a verb.
pub(crate) fn run(verb: Verb, output: &mut Output) -> Result<Exit> {
    match verb {
        Verb::Import(import) => import.run(output),
        Verb::Get(get) => get.run(output),
        Verb::Put(put) => put.run(),
        Verb::Remove(remove) => remove.run(),
        Verb::Scan(scan) => scan.run(output),
        Verb::Keyspaces(keyspaces) => keyspaces.run(output),
        Verb::Stats(stats) => stats.run(output),
        Verb::Verify(verify) => verify.run(output),
        Verb::Dump(dump) => dump.run(output),
        Verb::Tour(tour) => tour.run(output),
    }
}
