//! The first failure after which nothing more may be promised.

use crate::{instruments::Outbox, wal::lots::Lots};
use sediment_base::{Error, ErrorKind, Result, event::Poisoned};
use std::sync::{Arc, OnceLock};

/// Remembers the first failure; every write after it is refused with that cause. Reads go on. Shared.
#[derive(Debug)]
pub(crate) struct Fatal {
    cause: OnceLock<Error>,
    lots: Arc<Lots>,
    events: Arc<Outbox>,
}

impl Fatal {
    /// Nothing has failed. Who waits in one of the lots is told when something does, and who listens.
    pub(crate) fn new(lots: Arc<Lots>, events: Arc<Outbox>) -> Self {
        Self { cause: OnceLock::new(), lots, events }
    }

    /// Refuses to go on after a failure.
    #[inline]
    pub(crate) fn check(&self) -> Result<()> {
        match self.cause.get() {
            None => Ok(()),
            Some(cause) => Err(refusal(cause)),
        }
    }

    /// Whether something has failed.
    #[inline]
    pub(crate) fn is_set(&self) -> bool {
        self.cause.get().is_some()
    }

    /// Remembers a failure, if it is the first, and returns it.
    #[cold]
    pub(crate) fn set(&self, error: Error) -> Error {
        if self.cause.set(error.clone()).is_ok() {
            self.lots.wake_everybody();
            self.events.post(|| Poisoned { cause: error.clone() });
        }
        error
    }

    /// The first failure.
    pub(crate) fn cause(&self) -> Option<Error> {
        self.cause.get().cloned()
    }
}

#[cold]
fn refusal(cause: &Error) -> Error {
    cause.clone().context("writes are refused after an earlier failure, reopen the database").with_kind(ErrorKind::Poisoned)
}
