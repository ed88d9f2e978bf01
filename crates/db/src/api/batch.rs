//! `WriteBatch`: several writes that become visible and durable together.

use crate::{
    api::{Keyspace, core::Core},
    commit::Writes,
    options::Durability,
    wal::OpKind,
};
use sediment_base::{Error, Kind, Result, range::owned_bounds};
use std::{ops::RangeBounds, sync::Arc};

/// Writes over any keyspaces of one database, committed all or none. Made by [`Db::batch`](crate::Db::batch).
///
/// Later writes of a key win over earlier ones. A dropped batch has done nothing.
#[derive(Debug)]
#[must_use = "a batch does nothing until it is committed"]
pub struct WriteBatch {
    core: Arc<Core>,
    writes: Writes,
    durability: Durability,
}

impl WriteBatch {
    pub(super) fn new(core: Arc<Core>) -> Self {
        let durability = core.options().durability;
        Self { core, writes: Writes::default(), durability }
    }

    /// Adds an insert. Whether key and value keep the limits is told by [`commit`](Self::commit).
    ///
    /// ```
    /// # let dir = tempfile::tempdir().unwrap();
    /// # let db = sedimentdb::Db::open(dir.path())?;
    /// let (users, emails) = (db.keyspace("users")?, db.keyspace("emails")?);
    /// let mut batch = db.batch();
    /// batch.insert(&users, "u17", "Ada").insert(&emails, "ada@example.org", "u17");
    /// batch.commit()?;
    /// assert_eq!(emails.get("ada@example.org")?.as_deref(), Some(&b"u17"[..]));
    /// # Ok::<(), sedimentdb::Error>(())
    /// ```
    pub fn insert(&mut self, keyspace: &Keyspace, key: impl AsRef<[u8]>, value: impl AsRef<[u8]>) -> &mut Self {
        self.push(keyspace, OpKind::Row(Kind::Value), key.as_ref(), value.as_ref())
    }

    /// Adds a remove.
    ///
    /// ```
    /// # let dir = tempfile::tempdir().unwrap();
    /// # let db = sedimentdb::Db::open(dir.path())?;
    /// # let users = db.keyspace("users")?;
    /// users.insert("u17", "Ada")?;
    /// let mut batch = db.batch();
    /// batch.remove(&users, "u17").insert(&users, "u18", "Grace");
    /// batch.commit()?;
    /// assert_eq!(users.get("u17")?, None);
    /// # Ok::<(), sedimentdb::Error>(())
    /// ```
    pub fn remove(&mut self, keyspace: &Keyspace, key: impl AsRef<[u8]>) -> &mut Self {
        self.push(keyspace, OpKind::Row(Kind::Tombstone), key.as_ref(), &[])
    }

    /// Adds a weak remove: see [`Keyspace::remove_weak`].
    ///
    /// ```
    /// # let dir = tempfile::tempdir().unwrap();
    /// # let db = sedimentdb::Db::open(dir.path())?;
    /// # let jobs = db.keyspace("jobs")?;
    /// jobs.insert("job-17", "wash the car")?;
    /// let mut batch = db.batch();
    /// batch.remove_weak(&jobs, "job-17");
    /// batch.commit()?;
    /// assert_eq!(jobs.get("job-17")?, None);
    /// # Ok::<(), sedimentdb::Error>(())
    /// ```
    pub fn remove_weak(&mut self, keyspace: &Keyspace, key: impl AsRef<[u8]>) -> &mut Self {
        self.push(keyspace, OpKind::Row(Kind::WeakTombstone), key.as_ref(), &[])
    }

    /// Adds a remove of all keys within bounds: see [`Keyspace::remove_range`]. What the batch has written before is removed as well,
    /// what it writes after stays.
    ///
    /// ```
    /// # let dir = tempfile::tempdir().unwrap();
    /// # let db = sedimentdb::Db::open(dir.path())?;
    /// # let users = db.keyspace("users")?;
    /// users.insert("u17", "Ada")?;
    /// let mut batch = db.batch();
    /// batch.remove_range(&users, "u".."v").insert(&users, "u18", "Grace");
    /// batch.commit()?;
    /// assert_eq!(users.iter().count(), 1);
    /// # Ok::<(), sedimentdb::Error>(())
    /// ```
    pub fn remove_range<K: AsRef<[u8]>, R: RangeBounds<K>>(&mut self, keyspace: &Keyspace, range: R) -> &mut Self {
        self.add(keyspace, |writes| writes.remove_range(keyspace.state(), owned_bounds(&range)))
    }

    /// Adds a remove of all keys that begin with `prefix`: see [`Keyspace::remove_prefix`].
    ///
    /// ```
    /// # let dir = tempfile::tempdir().unwrap();
    /// # let db = sedimentdb::Db::open(dir.path())?;
    /// # let users = db.keyspace("users")?;
    /// users.insert("eu/17", "Ada")?;
    /// let mut batch = db.batch();
    /// batch.remove_prefix(&users, "eu/");
    /// batch.commit()?;
    /// assert_eq!(users.iter().count(), 0);
    /// # Ok::<(), sedimentdb::Error>(())
    /// ```
    pub fn remove_prefix(&mut self, keyspace: &Keyspace, prefix: impl AsRef<[u8]>) -> &mut Self {
        self.add(keyspace, |writes| writes.remove_prefix(keyspace.state(), prefix.as_ref()))
    }

    /// Adds a merge: see [`Keyspace::merge`].
    ///
    /// ```
    /// # let dir = tempfile::tempdir().unwrap();
    /// # let db = sedimentdb::Db::open(dir.path())?;
    /// # use sedimentdb::KeyspaceOptions;
    /// # let options = KeyspaceOptions { merge_operator: Some("append".into()), ..Default::default() };
    /// let tags = db.keyspace_with("tags", options)?;
    /// let mut batch = db.batch();
    /// batch.merge(&tags, "u17", "red,").merge(&tags, "u17", "blue,");
    /// batch.commit()?;
    /// assert_eq!(tags.get("u17")?.as_deref(), Some(&b"red,blue,"[..]));
    /// # Ok::<(), sedimentdb::Error>(())
    /// ```
    pub fn merge(&mut self, keyspace: &Keyspace, key: impl AsRef<[u8]>, operand: impl AsRef<[u8]>) -> &mut Self {
        self.push(keyspace, OpKind::Row(Kind::Operand), key.as_ref(), operand.as_ref())
    }

    /// How many writes it holds.
    ///
    /// ```
    /// # let dir = tempfile::tempdir().unwrap();
    /// # let db = sedimentdb::Db::open(dir.path())?;
    /// # let users = db.keyspace("users")?;
    /// let mut batch = db.batch();
    /// batch.insert(&users, "u17", "Ada").remove(&users, "u18");
    /// assert_eq!(batch.len(), 2);
    /// # Ok::<(), sedimentdb::Error>(())
    /// ```
    pub fn len(&self) -> usize {
        self.writes.count()
    }

    /// Whether it holds none.
    ///
    /// ```
    /// # let dir = tempfile::tempdir().unwrap();
    /// # let db = sedimentdb::Db::open(dir.path())?;
    /// assert!(db.batch().is_empty());
    /// # Ok::<(), sedimentdb::Error>(())
    /// ```
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Chooses what the commit survives, instead of the database's default.
    ///
    /// ```
    /// # let dir = tempfile::tempdir().unwrap();
    /// # let db = sedimentdb::Db::open(dir.path())?;
    /// # let users = db.keyspace("users")?;
    /// use sedimentdb::Durability;
    /// let mut batch = db.batch();
    /// batch.insert(&users, "u17", "Ada");
    /// batch.durability(Durability::Sync).commit()?; // survives loss of power
    /// # Ok::<(), sedimentdb::Error>(())
    /// ```
    pub fn durability(mut self, durability: Durability) -> Self {
        self.durability = durability;
        self
    }

    /// Applies all writes, in order, at once. On an error none of them is visible, unless the error came from syncing: then
    /// they are, and whether they survive is not known ([`Poisoned`](crate::ErrorKind::Poisoned) is what follows).
    ///
    /// ```
    /// # let dir = tempfile::tempdir().unwrap();
    /// # let db = sedimentdb::Db::open(dir.path())?;
    /// # let users = db.keyspace("users")?;
    /// let mut batch = db.batch();
    /// batch.insert(&users, "u17", "Ada").insert(&users, "", "the empty key is refused, and the batch with it");
    /// assert!(batch.commit().is_err());
    /// assert_eq!(users.get("u17")?, None);
    /// # Ok::<(), sedimentdb::Error>(())
    /// ```
    pub fn commit(self) -> Result<()> {
        self.core.commit(self.writes, self.durability)
    }

    fn push(&mut self, keyspace: &Keyspace, kind: OpKind, key: &[u8], value: &[u8]) -> &mut Self {
        self.add(keyspace, |writes| writes.push(keyspace.state(), kind, key, value))
    }

    fn add(&mut self, keyspace: &Keyspace, write: impl FnOnce(&mut Writes)) -> &mut Self {
        if keyspace.is_of(&self.core) {
            write(&mut self.writes);
        } else {
            self.writes.refuse(foreign(keyspace));
        }
        self
    }
}

/// A handle of another database was used.
#[cold]
pub(super) fn foreign(keyspace: &Keyspace) -> Error {
    Error::invalid_input(format!("keyspace {:?} is of another open database", keyspace.name()))
}
