//! `sediment put`: sets the value of a key.

use crate::{
    args::{FormArgs, Target},
    failure::{Exit, Failure, Result},
};
use clap::Args;
use sedimentdb::Durability;
use std::{
    ffi::OsString,
    io::{self, Read},
    path::Path,
};

/// Arguments of `put`.
#[derive(Debug, Args)]
pub(crate) struct Put {
    #[command(flatten)]
    target: Target,
    /// The key
    key: OsString,
    /// The value; `-` reads it from standard input, byte for byte
    #[arg(allow_negative_numbers = true)]
    value: OsString,
    #[command(flatten)]
    form: FormArgs,
}

impl Put {
    /// Returns once the write is synced. Makes database and keyspace where they are missing.
    pub(crate) fn run(self) -> Result<Exit> {
        let key = self.form.read("key", &self.key)?;
        let value = if self.value == "-" { read_stdin()? } else { self.form.read("value", &self.value)? };
        let (db, keyspace) = self.target.open_or_create()?;
        keyspace.insert(key, value)?;
        db.persist(Durability::Sync)?;
        db.close()?;
        Ok(Exit::Done)
    }
}

fn read_stdin() -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    io::stdin().lock().read_to_end(&mut bytes).map_err(|error| Failure::io("read", Path::new("standard input"), &error))?;
    Ok(bytes)
}
