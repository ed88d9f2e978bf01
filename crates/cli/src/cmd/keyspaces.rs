//! `sediment keyspaces`: their names.

use crate::{
    args::open_to_read,
    failure::{Exit, Result},
    output::Output,
};
use clap::Args;
use std::path::PathBuf;

/// Arguments of `keyspaces`.
#[derive(Debug, Args)]
pub(crate) struct Keyspaces {
    /// Directory of the database
    #[arg(value_name = "DB")]
    path: PathBuf,
}

impl Keyspaces {
    /// Prints a name a line, sorted; as JSON one array.
    pub(crate) fn run(self, output: &mut Output) -> Result<Exit> {
        let names = open_to_read(&self.path)?.keyspace_names();
        if output.is_json() {
            output.value(&names.into())?;
        } else {
            names.iter().try_for_each(|name| output.line(name))?;
        }
        Ok(Exit::Done)
    }
}
