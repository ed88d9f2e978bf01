//! How a command ends: its exit code, and for failures what happened, where, and what to do.

use sedimentdb::{Error, ErrorKind};
use std::{fmt, io, path::Path, process::ExitCode};

/// Exit codes; printed by `sediment --help` and promised to scripts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Exit {
    /// Done.
    Done = 0,
    /// The key asked for is not there.
    NotFound = 1,
    /// The command was called wrongly.
    Usage = 2,
    /// It failed: the system, the disk, a newer format.
    Failed = 3,
    /// Stored bytes are damaged.
    Damaged = 4,
    /// Another process has the database open.
    Locked = 5,
    /// An import left out malformed lines.
    Skipped = 6,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

/// Why a command did not come to its end.
#[derive(Debug)]
pub(crate) enum Failure {
    /// Nobody reads our output any more (`sediment scan | head`): ends in silence.
    ClosedPipe,
    /// The command was called wrongly.
    Usage { message: String, hint: String },
    /// Reading input or writing output failed.
    Io { message: String },
    /// An import was told to stop at the first malformed line, and met one.
    Malformed { message: String },
    /// The database said no. The hint is of this call; where it has none, that of the error's kind holds.
    Database { error: Error, hint: Option<&'static str> },
    /// The tour found a promise broken.
    Broken { message: String },
}

/// Result of a command.
pub(crate) type Result<T, E = Failure> = std::result::Result<T, E>;

impl Failure {
    /// A wrong call and how to call it right.
    pub(crate) fn usage(message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self::Usage { message: message.into(), hint: hint.into() }
    }

    /// A failed call of the system on a file of the user's.
    pub(crate) fn io(doing: &str, path: &Path, error: &io::Error) -> Self {
        Self::Io { message: format!("cannot {doing} {}: {error}", path.display()) }
    }

    /// A refusal of the database, with what to do about it in this call if it is of this kind.
    pub(crate) fn hinted(error: Error, kind: ErrorKind, hint: &'static str) -> Self {
        let hint = (error.kind() == kind).then_some(hint);
        Self::Database { error, hint }
    }

    /// Its exit code.
    pub(crate) fn exit(&self) -> Exit {
        match self {
            Self::ClosedPipe => Exit::Done,
            Self::Usage { .. } => Exit::Usage,
            Self::Io { .. } => Exit::Failed,
            Self::Malformed { .. } => Exit::Skipped,
            Self::Broken { .. } => Exit::Damaged,
            Self::Database { error, .. } => match error.kind() {
                ErrorKind::InvalidInput => Exit::Usage,
                ErrorKind::Corruption | ErrorKind::Tampered => Exit::Damaged,
                ErrorKind::Locked => Exit::Locked,
                _ => Exit::Failed,
            },
        }
    }

    /// What the user can do about it; empty where the message says it all.
    pub(crate) fn hint(&self) -> &str {
        match self {
            Self::Usage { hint, .. } => hint,
            Self::Database { error, hint } => hint.unwrap_or_else(|| hint_for(error)),
            Self::Broken { .. } => "this is a bug in Sediment; the directory is left as it is",
            Self::ClosedPipe | Self::Io { .. } | Self::Malformed { .. } => "",
        }
    }

    /// The database's own error, where that is the cause.
    pub(crate) fn database_error(&self) -> Option<&Error> {
        match self {
            Self::Database { error, .. } => Some(error),
            _ => None,
        }
    }
}

fn hint_for(error: &Error) -> &'static str {
    match error.kind() {
        ErrorKind::Corruption | ErrorKind::Tampered => {
            "stored bytes are damaged; nothing was changed. `sediment verify` lists every fault; restore the named file from a backup"
        }
        ErrorKind::Locked => "wait for the other process, or stop it; only one may have a database open",
        ErrorKind::NoSpace => "free some space and try again; the write was not applied, what is stored is safe",
        ErrorKind::Unsupported => "this database was written by a newer Sediment; upgrade this one. Nothing was changed",
        ErrorKind::Poisoned => "an earlier failure put durability in doubt; look at the disk, then run the command again",
        ErrorKind::Io => match io_kind(error) {
            Some(io::ErrorKind::PermissionDenied) => {
                "this user may not; give the right to it, or run as the owner. Reading needs no right to write"
            }
            Some(io::ErrorKind::ReadOnlyFilesystem) => "the file system is mounted read-only; reading works, writing does not",
            Some(io::ErrorKind::NotFound | io::ErrorKind::IsADirectory) => "",
            _ => "the system refused; look at the disk and the system's log, then run the command again",
        },
        _ => "",
    }
}

fn io_kind(error: &Error) -> Option<io::ErrorKind> {
    let source = std::error::Error::source(error)?;
    source.downcast_ref::<io::Error>().map(io::Error::kind)
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ClosedPipe => f.write_str("the output was closed"),
            Self::Usage { message, .. } | Self::Io { message } | Self::Malformed { message } | Self::Broken { message } => {
                f.write_str(message)
            }
            Self::Database { error, .. } => error.fmt(f),
        }
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Database { error, hint: None }
    }
}

/// Failures of writing to standard output.
impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        if error.kind() == io::ErrorKind::BrokenPipe {
            Self::ClosedPipe
        } else {
            Self::Io { message: format!("cannot write to standard output: {error}") }
        }
    }
}
