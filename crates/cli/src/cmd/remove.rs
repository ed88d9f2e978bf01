//! `sediment remove`: removes keys.

use crate::{
    args::{FormArgs, Target},
    failure::{Exit, Result},
};
use clap::Args;
use sedimentdb::Durability;
use std::ffi::OsString;

/// Arguments of `remove`.
#[derive(Debug, Args)]
pub(crate) struct Remove {
    #[command(flatten)]
    target: Target,
    /// The keys; one that is not there is no error
    #[arg(required = true)]
    keys: Vec<OsString>,
    #[command(flatten)]
    form: FormArgs,
}

impl Remove {
    /// Removes all of them at once; returns once that is synced.
    pub(crate) fn run(self) -> Result<Exit> {
        let keys = self.keys.iter().map(|key| self.form.read("key", key)).collect::<Result<Vec<_>>>()?;
        let (db, keyspace) = self.target.open_to_change()?;
        let mut batch = db.batch();
        for key in keys {
            batch.remove(&keyspace, key);
        }
        batch.durability(Durability::Sync).commit()?;
        db.close()?;
        Ok(Exit::Done)
    }
}
