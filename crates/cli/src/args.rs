//! Arguments that several verbs share.

use crate::{
    cmd::Verb,
    failure::{Failure, Result},
    text::Form,
};
use clap::{Args as ClapArgs, Parser};
use sedimentdb::{Create, Db, Error, ErrorKind, Keyspace};
use std::{
    ffi::OsString,
    path::{Path, PathBuf},
};

const AFTER_HELP: &str = "\
Keys and values are typed and printed as UTF-8 text; \\t \\n \\r \\0 \\\\ and \\xNN stand for other bytes
(--hex or --raw for something else).

Exit codes: 0 done; 1 the key is not there; 2 wrong use; 3 failed; 4 stored bytes are damaged;
5 another process has the database open; 6 an import left out malformed lines.

New here? `sediment tour` shows in seconds what this database does and proves that it keeps its word.";

/// Look into a Sediment database, fill it, check it.
#[derive(Debug, Parser)]
#[command(name = "sediment", version, after_help = AFTER_HELP, max_term_width = 100)]
pub(crate) struct Args {
    /// Print results and errors as JSON, one value a line
    #[arg(long, global = true)]
    pub(crate) json: bool,
    #[command(subcommand)]
    pub(crate) verb: Verb,
}

/// The database and the keyspace a verb works on.
#[derive(Debug, ClapArgs)]
pub(crate) struct Target {
    /// Directory of the database
    #[arg(value_name = "DB")]
    pub(crate) path: PathBuf,
    /// Keyspace to use
    #[arg(short, long, default_value = "default", value_name = "NAME")]
    pub(crate) keyspace: String,
}

impl Target {
    /// Opens what must exist, without writing to it.
    pub(crate) fn open_to_read(&self) -> Result<(Db, Keyspace)> {
        let db = open_to_read(&self.path)?;
        let keyspace = self.existing_keyspace(&db)?;
        Ok((db, keyspace))
    }

    /// Opens what must exist, to write to it.
    pub(crate) fn open_to_change(&self) -> Result<(Db, Keyspace)> {
        let db = Db::builder(&self.path).create(Create::MustExist).open().map_err(|error| refused(error, &self.path))?;
        let keyspace = self.existing_keyspace(&db)?;
        Ok((db, keyspace))
    }

    /// Opens database and keyspace, making what is missing.
    pub(crate) fn open_or_create(&self) -> Result<(Db, Keyspace)> {
        let db = Db::open(&self.path).map_err(|error| refused(error, &self.path))?;
        let keyspace = db.keyspace(&self.keyspace)?;
        Ok((db, keyspace))
    }

    fn existing_keyspace(&self, db: &Db) -> Result<Keyspace> {
        db.open_keyspace(&self.keyspace)?.ok_or_else(|| {
            let names = db.keyspace_names();
            let hint = if names.is_empty() {
                "it has none yet; `sediment put` and `sediment import` make them".to_owned()
            } else {
                format!("it has: {}; choose one with -k NAME", names.join(", "))
            };
            Failure::usage(format!("there is no keyspace `{}` in {}", self.keyspace, self.path.display()), hint)
        })
    }
}

/// Opens a database that must exist, without writing to it.
pub(crate) fn open_to_read(path: &PathBuf) -> Result<Db> {
    Db::builder(path).create(Create::MustExist).read_only(true).open().map_err(|error| refused(error, path))
}

/// What to do about a database that does not open.
fn refused(error: Error, path: &Path) -> Failure {
    match error.kind() {
        // `verify` would be refused just the same.
        ErrorKind::Corruption => Failure::hinted(
            error,
            ErrorKind::Corruption,
            "what the database needs to open is damaged; nothing was changed. Restore what is named from a backup, or all of it",
        ),
        ErrorKind::InvalidInput if !path.exists() || is_empty(path) => Failure::hinted(
            error,
            ErrorKind::InvalidInput,
            "`sediment put` and `sediment import` make a database where there is none",
        ),
        _ => error.into(),
    }
}

fn is_empty(path: &Path) -> bool {
    path.read_dir().is_ok_and(|mut entries| entries.next().is_none())
}

/// How bytes are typed and printed.
#[derive(Debug, Default, ClapArgs)]
pub(crate) struct FormArgs {
    /// Type and print keys and values as hexadecimal digits
    #[arg(long, conflicts_with = "raw")]
    hex: bool,
    /// Type and print keys and values as they are, without escapes
    #[arg(long)]
    raw: bool,
}

impl FormArgs {
    /// The form chosen.
    pub(crate) fn form(&self) -> Form {
        match (self.hex, self.raw) {
            (true, _) => Form::Hex,
            (_, true) => Form::Raw,
            _ => Form::Escaped,
        }
    }

    /// Reads an argument; `what` names it in the error.
    pub(crate) fn read(&self, what: &str, typed: &OsString) -> Result<Vec<u8>> {
        self.form().read(typed.as_encoded_bytes()).map_err(|reason| {
            Failure::usage(
                format!("the {what} `{}` cannot be read: {reason}", typed.to_string_lossy()),
                "type other bytes as \\xNN, or use --raw to have it taken as it is, or --hex",
            )
        })
    }
}
