//! `Snapshot`: the whole database as it was at one moment.

mod reads;

use crate::{
    api::{Iter, Keyspace, batch::foreign, core::Core, lent::Lent},
    snapshot::Pin,
};
use sediment_base::{Result, SeqNo, Slice, range::owned_bounds};
use sediment_tree::TakeValue;
use std::{ops::RangeBounds, sync::Arc};

/// Reads the database as it was when [`Db::snapshot`](crate::Db::snapshot) made it, over all keyspaces. Cheap to clone, usable
/// from any thread.
///
/// It costs nothing to make, but as long as it lives what it sees cannot be reclaimed;
/// [`DbStats::snapshots`](crate::DbStats::snapshots) tells who holds which.
#[derive(Clone, Debug)]
pub struct Snapshot {
    held: Arc<Held>,
}

#[derive(Debug)]
struct Held {
    core: Arc<Core>,
    pin: Option<Pin>,
}

impl Snapshot {
    #[track_caller]
    pub(super) fn new(core: Arc<Core>) -> Self {
        let pin = core.machinery().snapshots.pin();
        Self { held: Arc::new(Held { core, pin: Some(pin) }) }
    }

    /// The value of a key then.
    ///
    /// ```
    /// # let dir = tempfile::tempdir().unwrap();
    /// # let db = sedimentdb::Db::open(dir.path())?;
    /// # let users = db.keyspace("users")?;
    /// users.insert("u17", "Ada")?;
    /// let before = db.snapshot();
    /// users.insert("u17", "Ada Lovelace")?;
    /// assert_eq!(before.get(&users, "u17")?.as_deref(), Some(&b"Ada"[..]));
    /// # Ok::<(), sedimentdb::Error>(())
    /// ```
    pub fn get(&self, keyspace: &Keyspace, key: impl AsRef<[u8]>) -> Result<Option<Slice>> {
        let mut value = Slice::default();
        Ok(self.read(keyspace, key.as_ref(), &mut value)?.then_some(value))
    }

    /// What `read` makes of the value of a key then, which it is lent: as [`Keyspace::get_with`].
    ///
    /// ```
    /// # let dir = tempfile::tempdir().unwrap();
    /// # let db = sedimentdb::Db::open(dir.path())?;
    /// # let users = db.keyspace("users")?;
    /// users.insert("u17", "Ada")?;
    /// let before = db.snapshot();
    /// users.insert("u17", "Ada Lovelace")?;
    /// assert_eq!(before.get_with(&users, "u17", |name| name.len())?, Some(3));
    /// # Ok::<(), sedimentdb::Error>(())
    /// ```
    pub fn get_with<R>(&self, keyspace: &Keyspace, key: impl AsRef<[u8]>, read: impl FnOnce(&[u8]) -> R) -> Result<Option<R>> {
        let mut value = Lent::default();
        Ok(self.read(keyspace, key.as_ref(), &mut value)?.then(|| read(value.as_bytes())))
    }

    /// Whether a key was there.
    ///
    /// ```
    /// # let dir = tempfile::tempdir().unwrap();
    /// # let db = sedimentdb::Db::open(dir.path())?;
    /// # let users = db.keyspace("users")?;
    /// let before = db.snapshot();
    /// users.insert("u17", "Ada")?;
    /// assert!(!before.contains_key(&users, "u17")?);
    /// # Ok::<(), sedimentdb::Error>(())
    /// ```
    pub fn contains_key(&self, keyspace: &Keyspace, key: impl AsRef<[u8]>) -> Result<bool> {
        self.read(keyspace, key.as_ref(), &mut ())
    }

    /// The keys within bounds, in order.
    ///
    /// ```
    /// # let dir = tempfile::tempdir().unwrap();
    /// # let db = sedimentdb::Db::open(dir.path())?;
    /// # let users = db.keyspace("users")?;
    /// users.insert("a", "1")?;
    /// let before = db.snapshot();
    /// users.insert("b", "2")?;
    /// assert_eq!(before.range(&users, "a"..).count(), 1);
    /// # Ok::<(), sedimentdb::Error>(())
    /// ```
    pub fn range<K: AsRef<[u8]>, R: RangeBounds<K>>(&self, keyspace: &Keyspace, range: R) -> Iter {
        self.scan(keyspace, |core| core.scan(keyspace.state(), owned_bounds(&range), Some(self.seqno())))
    }

    /// The keys that begin with `prefix`, in order.
    ///
    /// ```
    /// # let dir = tempfile::tempdir().unwrap();
    /// # let db = sedimentdb::Db::open(dir.path())?;
    /// # let users = db.keyspace("users")?;
    /// users.insert("eu/17", "Ada")?;
    /// assert_eq!(db.snapshot().prefix(&users, "us/").count(), 0);
    /// # Ok::<(), sedimentdb::Error>(())
    /// ```
    pub fn prefix(&self, keyspace: &Keyspace, prefix: impl AsRef<[u8]>) -> Iter {
        self.scan(keyspace, |core| core.scan_prefix(keyspace.state(), prefix.as_ref(), Some(self.seqno())))
    }

    /// All keys of a keyspace, in order.
    ///
    /// ```
    /// # let dir = tempfile::tempdir().unwrap();
    /// # let db = sedimentdb::Db::open(dir.path())?;
    /// # let users = db.keyspace("users")?;
    /// users.insert("u17", "Ada")?;
    /// let before = db.snapshot();
    /// users.clear()?;
    /// assert_eq!(before.iter(&users).count(), 1);
    /// # Ok::<(), sedimentdb::Error>(())
    /// ```
    pub fn iter(&self, keyspace: &Keyspace) -> Iter {
        self.prefix(keyspace, [])
    }

    fn read<V: TakeValue>(&self, keyspace: &Keyspace, key: &[u8], value: &mut V) -> Result<bool> {
        self.core_of(keyspace)?.get(keyspace.state(), key, Some(self.seqno()), value)
    }

    fn scan(&self, keyspace: &Keyspace, scan: impl FnOnce(&Core) -> Iter) -> Iter {
        self.core_of(keyspace).map_or_else(Iter::failed, scan)
    }

    /// The database, which is to be the keyspace's as well.
    fn core_of(&self, keyspace: &Keyspace) -> Result<&Core> {
        if keyspace.is_of(&self.held.core) { Ok(&self.held.core) } else { Err(foreign(keyspace)) }
    }

    fn seqno(&self) -> SeqNo {
        self.held.pin.as_ref().expect("taken by drop alone").seqno()
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        drop(self.pin.take());
        self.core.snapshot_ended();
    }
}
