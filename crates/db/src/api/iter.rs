//! `Iter`: what scans return.

use sediment_base::{Error, Result, Slice};
use sediment_tree::Scan;
use std::fmt;

/// Keys and values in order, from both ends. Lives as long as it likes, on any thread, and outlives the database: it keeps
/// alive what it reads, not the lock. After an error it is at its end.
///
/// It shows the keyspace as it was when the scan began, whatever is written meanwhile. For several scans of one moment take a
/// [`Snapshot`](crate::Snapshot).
pub struct Iter {
    rows: Rows,
}

enum Rows {
    Scan(Box<Scan>),
    Failed(Error),
    Ended,
}

impl Iter {
    pub(super) fn over(scan: Scan) -> Self {
        Self { rows: Rows::Scan(Box::new(scan)) }
    }

    pub(super) fn failed(error: Error) -> Self {
        Self { rows: Rows::Failed(error) }
    }

    pub(super) fn empty() -> Self {
        Self { rows: Rows::Ended }
    }

    fn advance(&mut self, step: impl FnOnce(&mut Scan) -> Option<Result<(Slice, Slice)>>) -> Option<Result<(Slice, Slice)>> {
        match &mut self.rows {
            Rows::Scan(scan) => {
                let row = step(scan);
                if row.as_ref().is_some_and(Result::is_err) {
                    self.rows = Rows::Ended;
                }
                row
            }
            Rows::Failed(error) => {
                let error = error.clone();
                self.rows = Rows::Ended;
                Some(Err(error))
            }
            Rows::Ended => None,
        }
    }
}

impl Iterator for Iter {
    type Item = Result<(Slice, Slice)>;

    fn next(&mut self) -> Option<Self::Item> {
        self.advance(Iterator::next)
    }
}

impl DoubleEndedIterator for Iter {
    fn next_back(&mut self) -> Option<Self::Item> {
        self.advance(DoubleEndedIterator::next_back)
    }
}

impl fmt::Debug for Iter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Iter").finish_non_exhaustive()
    }
}
