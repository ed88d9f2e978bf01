//! The first failure after which nothing more may be promised.

use sediment_base::{Error, ErrorKind, Result};
use std::sync::OnceLock;

/// Remembers the first failure; every write after it is refused with that cause. Reads go on. Shared.
#[derive(Debug, Default)]
pub(crate) struct Fatal(OnceLock<Error>);

impl Fatal {
    /// Refuses to go on after a failure.
    #[inline]
    pub(crate) fn check(&self) -> Result<()> {
        match self.0.get() {
            None => Ok(()),
            Some(cause) => Err(refusal(cause)),
        }
    }

    /// Remembers a failure, if it is the first, and returns it.
    #[cold]
    pub(crate) fn set(&self, error: Error) -> Error {
        // An error that only repeats an earlier refusal is no new cause.
        if error.kind() != ErrorKind::Poisoned {
            let _ = self.0.set(error.clone());
        }
        error
    }

    /// The first failure.
    pub(crate) fn cause(&self) -> Option<Error> {
        self.0.get().cloned()
    }
}

#[cold]
fn refusal(cause: &Error) -> Error {
    cause.clone().context("writes are refused after an earlier failure, reopen the database").with_kind(ErrorKind::Poisoned)
}
