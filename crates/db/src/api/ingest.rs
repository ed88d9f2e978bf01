//! `Ingest`: sorted rows straight into tables.

use crate::{
    api::{Keyspace, core::Core},
    catalog::Incarnation,
};
use sediment_base::Result;
use sediment_tree::Ingestion;
use std::sync::Arc;

/// Sorted rows on their way into a keyspace, past log and memtable: the fastest way in for many. Made by [`Keyspace::ingest`].
///
/// Nothing of them is seen before [`finish`](Self::finish), and then all at once. Dropped unfinished, it leaves nothing. Reads and
/// writes of others go on meanwhile; what is written to the same keys before the finish is older, what is written after, newer.
#[derive(Debug)]
#[must_use = "nothing is ingested before `finish`"]
pub struct Ingest {
    core: Arc<Core>,
    keyspace: Keyspace,
    into: Incarnation,
    ingestion: Ingestion,
}

impl Ingest {
    pub(super) fn new(core: Arc<Core>, keyspace: Keyspace) -> Self {
        let into = keyspace.state().newest();
        let now_us = core.machinery().env.clock.wall_us();
        let ingestion = into.tree.ingest(now_us);
        Self { core, keyspace, into, ingestion }
    }

    /// Gives a key a value. Keys come in the keyspace's order, each once.
    ///
    /// ```
    /// # let dir = tempfile::tempdir().unwrap();
    /// # let db = sedimentdb::Db::open(dir.path())?;
    /// let words = db.keyspace("words")?;
    /// let mut ingest = words.ingest()?;
    /// for word in ["apple", "banana", "cherry"] {
    ///     ingest.insert(word, word.to_uppercase())?;
    /// }
    /// assert_eq!(words.get("banana")?, None);
    /// ingest.finish()?;
    /// assert_eq!(words.get("banana")?.as_deref(), Some(&b"BANANA"[..]));
    /// # Ok::<(), sedimentdb::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`InvalidInput`](crate::ErrorKind::InvalidInput) for a key that does not come behind the one before, or beyond a limit; the
    /// ingestion goes on without it.
    pub fn insert(&mut self, key: impl AsRef<[u8]>, value: impl AsRef<[u8]>) -> Result<()> {
        self.ingestion.insert(key.as_ref(), value.as_ref())
    }

    /// Removes a key; as [`insert`](Self::insert) in all else.
    ///
    /// ```
    /// # let dir = tempfile::tempdir().unwrap();
    /// # let db = sedimentdb::Db::open(dir.path())?;
    /// # let words = db.keyspace("words")?;
    /// words.insert("banana", "yellow")?;
    /// let mut ingest = words.ingest()?;
    /// ingest.remove("banana")?;
    /// ingest.finish()?;
    /// assert_eq!(words.get("banana")?, None);
    /// # Ok::<(), sedimentdb::Error>(())
    /// ```
    pub fn remove(&mut self, key: impl AsRef<[u8]>) -> Result<()> {
        self.ingestion.remove(key.as_ref())
    }

    /// Makes all rows durable and shows them, at once or not at all. See [`insert`](Self::insert) for an example.
    ///
    /// # Errors
    ///
    /// [`Conflict`](crate::ErrorKind::Conflict) if the keyspace was cleared meanwhile, [`Closed`](crate::ErrorKind::Closed) if it
    /// was dropped: nothing was ingested.
    pub fn finish(self) -> Result<()> {
        self.core.ingest(self.keyspace.state(), &self.into, self.ingestion)
    }
}
