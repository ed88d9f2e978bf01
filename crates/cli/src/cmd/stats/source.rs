//! Where a reading comes from: the database itself, or the file that a live one keeps.

use super::{Failure, Reading, Result};
use crate::args::open_to_read;
use sedimentdb::{DbStats, Error, ErrorKind};
use std::{
    fs, io,
    path::{Path, PathBuf},
    time::SystemTime,
};

/// The database as it is now.
pub(super) fn take(path: &PathBuf) -> Result<Reading> {
    match open_to_read(path) {
        Ok(db) => Reading::parse(&db.stats().to_json(), false).map_err(|reason| broken(path, &reason)),
        Err(Failure::Database { error, .. }) if error.kind() == ErrorKind::Locked => read_file(path, error),
        Err(failure) => Err(failure),
    }
}

/// The wall clock, in microseconds since 1970.
pub(super) fn now_us() -> u64 {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).map_or(0, |since| since.as_micros() as u64)
}

fn read_file(path: &Path, locked: Error) -> Result<Reading> {
    let file = path.join(DbStats::FILE_NAME);
    match fs::read_to_string(&file) {
        Ok(text) => Reading::parse(&text, true).map_err(|reason| broken(&file, &reason)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Err(Failure::hinted(
            locked,
            ErrorKind::Locked,
            "it tells nothing about itself: its file STATS comes a second after it was opened for writing, \
             and not at all without background threads or with stats_file_interval_us 0",
        )),
        Err(error) => Err(Failure::Io { message: format!("cannot read {}: {error}", file.display()) }),
    }
}

fn broken(path: &Path, reason: &str) -> Failure {
    Failure::Io { message: format!("the statistics in {} cannot be understood: {reason}", path.display()) }
}
