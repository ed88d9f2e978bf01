//! `Cursor`: a place among the keys of one moment, to be sent about at will.

use crate::instruments::{Delivery, Outbox};
use sediment_base::{Error, Result};
use std::{fmt, sync::Arc};

/// A place among the keys of one moment: on a key, before the first or after the last. Made by
/// [`Keyspace::cursor`](crate::Keyspace::cursor) and [`Snapshot::cursor`](crate::Snapshot::cursor), before the first key.
///
/// Lives as long as it likes, on any thread, and outlives the database, as an [`Iter`](crate::Iter) does. It costs little to make: for a
/// later moment make another. Seeking anew and turning round cost a search in each level of the keyspace, going on costs next to
/// nothing.
///
/// # Errors
///
/// Those of reading. After one the cursor is on no key, and every later move returns that error again: it cannot be taken for the
/// end of the data.
pub struct Cursor {
    walk: Walk,
}

enum Walk {
    /// Behind it, who is told of the files that only it still held: where no thread does maintenance, they go with it.
    Rows {
        cursor: Box<sediment_tree::Cursor>,
        _at_end: Delivery<Arc<Outbox>>,
    },
    Failed(Error),
    Empty,
}

macro_rules! go {
    ($self:expr, $cursor:ident => $call:expr) => {
        match &mut $self.walk {
            Walk::Rows { cursor: $cursor, .. } => $call,
            Walk::Failed(error) => Err(error.clone()),
            Walk::Empty => Ok(false),
        }
    };
}

impl Cursor {
    pub(super) fn over(cursor: sediment_tree::Cursor, events: &Arc<Outbox>) -> Self {
        Self { walk: Walk::Rows { cursor: Box::new(cursor), _at_end: Delivery::at_end(events) } }
    }

    pub(super) fn failed(error: Error) -> Self {
        Self { walk: Walk::Failed(error) }
    }

    pub(super) fn empty() -> Self {
        Self { walk: Walk::Empty }
    }

    /// Moves to the first key. False if there is none.
    ///
    /// ```
    /// # let dir = tempfile::tempdir().unwrap();
    /// # let db = sedimentdb::Db::open(dir.path())?;
    /// # let users = db.keyspace("users")?;
    /// users.insert("u17", "Ada")?;
    /// let mut cursor = users.cursor();
    /// assert!(cursor.seek_to_first()?);
    /// assert_eq!(cursor.key(), Some(&b"u17"[..]));
    /// # Ok::<(), sedimentdb::Error>(())
    /// ```
    pub fn seek_to_first(&mut self) -> Result<bool> {
        go!(self, cursor => cursor.seek_to_first())
    }

    /// Moves to the last key. False if there is none.
    ///
    /// ```
    /// # let dir = tempfile::tempdir().unwrap();
    /// # let db = sedimentdb::Db::open(dir.path())?;
    /// # let users = db.keyspace("users")?;
    /// users.insert("u17", "Ada")?;
    /// users.insert("u18", "Grace")?;
    /// let mut cursor = users.cursor();
    /// assert!(cursor.seek_to_last()?);
    /// assert_eq!(cursor.key(), Some(&b"u18"[..]));
    /// # Ok::<(), sedimentdb::Error>(())
    /// ```
    pub fn seek_to_last(&mut self) -> Result<bool> {
        go!(self, cursor => cursor.seek_to_last())
    }

    /// Moves to the first key at or after `key`. False, and after the last key, if there is none.
    ///
    /// ```
    /// # let dir = tempfile::tempdir().unwrap();
    /// # let db = sedimentdb::Db::open(dir.path())?;
    /// # let users = db.keyspace("users")?;
    /// users.insert("u17", "Ada")?;
    /// let mut cursor = users.cursor();
    /// assert!(cursor.seek("u")?);
    /// assert_eq!(cursor.value(), Some(&b"Ada"[..]));
    /// assert!(!cursor.seek("v")?);
    /// # Ok::<(), sedimentdb::Error>(())
    /// ```
    pub fn seek(&mut self, key: impl AsRef<[u8]>) -> Result<bool> {
        go!(self, cursor => cursor.seek(key.as_ref()))
    }

    /// Moves to the last key at or before `key`. False, and before the first key, if there is none.
    ///
    /// ```
    /// # let dir = tempfile::tempdir().unwrap();
    /// # let db = sedimentdb::Db::open(dir.path())?;
    /// # let users = db.keyspace("users")?;
    /// users.insert("2024-03-01", "a price that held from then on")?;
    /// let mut cursor = users.cursor();
    /// assert!(cursor.seek_back("2024-05-17")?);
    /// assert_eq!(cursor.key(), Some(&b"2024-03-01"[..]));
    /// assert!(!cursor.seek_back("2023-12-31")?);
    /// # Ok::<(), sedimentdb::Error>(())
    /// ```
    pub fn seek_back(&mut self, key: impl AsRef<[u8]>) -> Result<bool> {
        go!(self, cursor => cursor.seek_back(key.as_ref()))
    }

    /// Moves to the key after. False, and after the last key, if there is none.
    ///
    /// ```
    /// # let dir = tempfile::tempdir().unwrap();
    /// # let db = sedimentdb::Db::open(dir.path())?;
    /// # let users = db.keyspace("users")?;
    /// users.insert("u17", "Ada")?;
    /// users.insert("u18", "Grace")?;
    /// let (mut cursor, mut names) = (users.cursor(), Vec::new());
    /// while cursor.next()? {
    ///     names.extend(cursor.value().map(<[u8]>::to_vec));
    /// }
    /// assert_eq!(names, [&b"Ada"[..], b"Grace"]);
    /// # Ok::<(), sedimentdb::Error>(())
    /// ```
    #[inline]
    #[expect(clippy::should_implement_trait, reason = "a cursor moves and lends, an iterator gives")]
    pub fn next(&mut self) -> Result<bool> {
        go!(self, cursor => cursor.next())
    }

    /// Moves to the key before. False, and before the first key, if there is none.
    ///
    /// ```
    /// # let dir = tempfile::tempdir().unwrap();
    /// # let db = sedimentdb::Db::open(dir.path())?;
    /// # let users = db.keyspace("users")?;
    /// users.insert("u17", "Ada")?;
    /// users.insert("u18", "Grace")?;
    /// let mut cursor = users.cursor();
    /// cursor.seek("u18")?;
    /// assert!(cursor.prev()?);
    /// assert_eq!(cursor.key(), Some(&b"u17"[..]));
    /// assert!(!cursor.prev()?); // it is before the first key now
    /// assert!(cursor.next()?);
    /// # Ok::<(), sedimentdb::Error>(())
    /// ```
    #[inline]
    pub fn prev(&mut self) -> Result<bool> {
        go!(self, cursor => cursor.prev())
    }

    /// The key that it stands on, lent until it is moved.
    #[inline]
    pub fn key(&self) -> Option<&[u8]> {
        match &self.walk {
            Walk::Rows { cursor, .. } => cursor.key(),
            Walk::Failed(_) | Walk::Empty => None,
        }
    }

    /// The value of that key, lent until the cursor is moved.
    #[inline]
    pub fn value(&self) -> Option<&[u8]> {
        match &self.walk {
            Walk::Rows { cursor, .. } => cursor.value(),
            Walk::Failed(_) | Walk::Empty => None,
        }
    }
}

impl fmt::Debug for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cursor").field("key", &self.key()).finish_non_exhaustive()
    }
}
