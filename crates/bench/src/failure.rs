//! Why a benchmark did not come to its end.

use sedimentdb::Error;
use std::{fmt, io, path::Path};

/// What went wrong.
#[derive(Debug)]
pub enum Failure {
    /// The arguments make no sense together.
    Usage(String),
    /// The system refused.
    Io(String),
    /// The database said no.
    Database(Error),
    /// What was read is not what was written.
    Wrong(String),
}

/// Result of a part of a benchmark.
pub type Result<T, E = Failure> = std::result::Result<T, E>;

impl Failure {
    /// A failed call of the system on a file.
    pub fn io(doing: &str, path: &Path, error: &io::Error) -> Self {
        Self::Io(format!("cannot {doing} {}: {error}", path.display()))
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Usage(message) | Self::Io(message) => f.write_str(message),
            Self::Database(error) => error.fmt(f),
            Self::Wrong(message) => write!(f, "wrong answer: {message}"),
        }
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Database(error)
    }
}
