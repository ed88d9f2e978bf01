//! `Iter`: what scans return.

use crate::{
    api::Keys,
    instruments::{Delivery, Outbox},
};
use sediment_base::{Error, Result, Slice};
use sediment_tree::Scan;
use std::{fmt, sync::Arc};

/// Keys and values in order, from both ends. Lives as long as it likes, on any thread, and outlives the database: it keeps
/// alive what it reads, not the lock. After an error it is at its end.
///
/// It shows the keyspace as it was when the scan began, whatever is written meanwhile. For several scans of one moment take a
/// [`Snapshot`](crate::Snapshot).
pub struct Iter {
    rows: Rows,
}

enum Rows {
    /// Behind it, who is told of the files that only it still held: where no thread does maintenance, they go with it.
    Scan(Box<Scan>, Delivery<Arc<Outbox>>),
    Failed(Error),
    Ended,
}

impl Iter {
    pub(super) fn over(scan: Scan, events: &Arc<Outbox>) -> Self {
        Self { rows: Rows::Scan(Box::new(scan), Delivery::at_end(events)) }
    }

    pub(super) fn failed(error: Error) -> Self {
        Self { rows: Rows::Failed(error) }
    }

    pub(super) fn empty() -> Self {
        Self { rows: Rows::Ended }
    }

    /// The next key and value, lent until the iterator is asked again: for walks in which copying every value would cost more
    /// than reading it.
    ///
    /// ```
    /// # let dir = tempfile::tempdir().unwrap();
    /// # let db = sedimentdb::Db::open(dir.path())?;
    /// # let users = db.keyspace("users")?;
    /// users.insert("u17", "Ada")?;
    /// users.insert("u18", "Grace")?;
    /// let (mut rows, mut bytes) = (users.iter(), 0);
    /// while let Some((_, value)) = rows.next_ref()? {
    ///     bytes += value.len();
    /// }
    /// assert_eq!(bytes, 8);
    /// # Ok::<(), sedimentdb::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// Those of reading. The iterator is then at its end.
    #[inline]
    pub fn next_ref(&mut self) -> Result<Option<(&[u8], &[u8])>> {
        match &mut self.rows {
            Rows::Scan(scan, events) => told_at_end(scan.next_ref(), events),
            other => other.end(),
        }
    }

    /// The next key, lent until the iterator is asked again. Its value is passed over: it is not copied and, where it lies apart, not
    /// read.
    ///
    /// ```
    /// # let dir = tempfile::tempdir().unwrap();
    /// # let db = sedimentdb::Db::open(dir.path())?;
    /// # let users = db.keyspace("users")?;
    /// users.insert("u17", "Ada")?;
    /// users.insert("u18", "Grace")?;
    /// let (mut rows, mut bytes) = (users.iter(), 0);
    /// while let Some(key) = rows.next_key()? {
    ///     bytes += key.len();
    /// }
    /// assert_eq!(bytes, 6);
    /// # Ok::<(), sedimentdb::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// Those of reading. The iterator is then at its end.
    #[inline]
    pub fn next_key(&mut self) -> Result<Option<&[u8]>> {
        Ok(self.next_ref()?.map(|(key, _)| key))
    }

    /// The last key not given yet, lent as by [`Iter::next_key`].
    ///
    /// # Errors
    ///
    /// Those of reading. The iterator is then at its end.
    #[inline]
    pub fn next_back_key(&mut self) -> Result<Option<&[u8]>> {
        Ok(self.next_back_ref()?.map(|(key, _)| key))
    }

    /// The keys alone: their values are passed over as by [`Iter::next_key`].
    ///
    /// ```
    /// # let dir = tempfile::tempdir().unwrap();
    /// # let db = sedimentdb::Db::open(dir.path())?;
    /// # let users = db.keyspace("users")?;
    /// users.insert("u17", "Ada")?;
    /// users.insert("u18", "Grace")?;
    /// let keys: Result<Vec<_>, _> = users.prefix("u").keys().rev().collect();
    /// assert_eq!(keys?, ["u18", "u17"]);
    /// # Ok::<(), sedimentdb::Error>(())
    /// ```
    pub fn keys(self) -> Keys {
        Keys::of(self)
    }

    /// How many rows are left.
    pub(super) fn count_rows(mut self) -> Result<u64> {
        let mut count = 0;
        while self.next_key()?.is_some() {
            count += 1;
        }
        Ok(count)
    }

    /// The last key and value not given yet, lent as by [`Iter::next_ref`].
    ///
    /// # Errors
    ///
    /// Those of reading. The iterator is then at its end.
    #[inline]
    pub fn next_back_ref(&mut self) -> Result<Option<(&[u8], &[u8])>> {
        match &mut self.rows {
            Rows::Scan(scan, events) => told_at_end(scan.next_back_ref(), events),
            other => other.end(),
        }
    }
}

/// A copy of a row.
pub(super) fn owned((key, value): (&[u8], &[u8])) -> (Slice, Slice) {
    (Slice::new(key), Slice::new(value))
}

/// Where no thread does maintenance, a scan that ends removes the files that only it still held.
#[inline]
pub(super) fn told_at_end<T>(row: Result<Option<T>>, events: &Delivery<Arc<Outbox>>) -> Result<Option<T>> {
    if !matches!(row, Ok(Some(_))) {
        events.now();
    }
    row
}

impl Rows {
    /// What there is without a scan: the error, once.
    fn end<T>(&mut self) -> Result<Option<T>> {
        match std::mem::replace(self, Self::Ended) {
            Self::Failed(error) => Err(error),
            Self::Scan(..) | Self::Ended => Ok(None),
        }
    }
}

impl Iterator for Iter {
    type Item = Result<(Slice, Slice)>;

    fn next(&mut self) -> Option<Self::Item> {
        self.next_ref().map(|row| row.map(owned)).transpose()
    }
}

impl DoubleEndedIterator for Iter {
    fn next_back(&mut self) -> Option<Self::Item> {
        self.next_back_ref().map(|row| row.map(owned)).transpose()
    }
}

impl fmt::Debug for Iter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Iter").finish_non_exhaustive()
    }
}
