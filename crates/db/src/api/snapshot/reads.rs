//! What else can be asked of a snapshot: lengths, ends, counts, cursors.

use super::Snapshot;
use crate::api::{Cursor, Keyspace, ScanPart, core::Core};
use sediment_base::{Result, Slice, range::owned_bounds};
use sediment_tree::{Direction, ScanLimits, ValueLen};
use std::ops::RangeBounds;

impl Snapshot {
    /// The values of several keys then, in the order of the keys: as [`Keyspace::multi_get`].
    ///
    /// ```
    /// # let dir = tempfile::tempdir().unwrap();
    /// # let db = sedimentdb::Db::open(dir.path())?;
    /// # let users = db.keyspace("users")?;
    /// users.insert("u17", "Ada")?;
    /// let before = db.snapshot();
    /// users.insert("u18", "Grace")?;
    /// assert_eq!(before.multi_get(&users, ["u17", "u18"])?, [Some("Ada".into()), None]);
    /// # Ok::<(), sedimentdb::Error>(())
    /// ```
    pub fn multi_get<K: AsRef<[u8]>>(
        &self,
        keyspace: &Keyspace,
        keys: impl IntoIterator<Item = K>,
    ) -> Result<Vec<Option<Slice>>> {
        let core = self.core_of(keyspace)?;
        let keys: Vec<K> = keys.into_iter().collect();
        core.multi_get(keyspace.state(), &keys, Some(self.seqno()))
    }

    /// How long the value of a key was then, in bytes: as [`Keyspace::size_of`].
    ///
    /// ```
    /// # let dir = tempfile::tempdir().unwrap();
    /// # let db = sedimentdb::Db::open(dir.path())?;
    /// # let users = db.keyspace("users")?;
    /// users.insert("u17", "Ada")?;
    /// let before = db.snapshot();
    /// users.insert("u17", "Ada Lovelace")?;
    /// assert_eq!(before.size_of(&users, "u17")?, Some(3));
    /// # Ok::<(), sedimentdb::Error>(())
    /// ```
    pub fn size_of(&self, keyspace: &Keyspace, key: impl AsRef<[u8]>) -> Result<Option<usize>> {
        let mut len = ValueLen::default();
        Ok(self.read(keyspace, key.as_ref(), &mut len)?.then_some(len.0))
    }

    /// The first key then, and its value.
    ///
    /// ```
    /// # let dir = tempfile::tempdir().unwrap();
    /// # let db = sedimentdb::Db::open(dir.path())?;
    /// # let users = db.keyspace("users")?;
    /// users.insert("u17", "Ada")?;
    /// let before = db.snapshot();
    /// users.insert("u16", "Charles")?;
    /// assert_eq!(before.first(&users)?, Some(("u17".into(), "Ada".into())));
    /// # Ok::<(), sedimentdb::Error>(())
    /// ```
    pub fn first(&self, keyspace: &Keyspace) -> Result<Option<(Slice, Slice)>> {
        self.iter(keyspace).next().transpose()
    }

    /// The last key then, and its value.
    ///
    /// ```
    /// # let dir = tempfile::tempdir().unwrap();
    /// # let db = sedimentdb::Db::open(dir.path())?;
    /// # let users = db.keyspace("users")?;
    /// users.insert("u17", "Ada")?;
    /// let before = db.snapshot();
    /// users.insert("u18", "Grace")?;
    /// assert_eq!(before.last(&users)?, Some(("u17".into(), "Ada".into())));
    /// # Ok::<(), sedimentdb::Error>(())
    /// ```
    pub fn last(&self, keyspace: &Keyspace) -> Result<Option<(Slice, Slice)>> {
        self.iter(keyspace).next_back().transpose()
    }

    /// How many keys there were. It counts them: it reads the whole keyspace.
    ///
    /// ```
    /// # let dir = tempfile::tempdir().unwrap();
    /// # let db = sedimentdb::Db::open(dir.path())?;
    /// # let users = db.keyspace("users")?;
    /// users.insert("u17", "Ada")?;
    /// let before = db.snapshot();
    /// users.clear()?;
    /// assert_eq!((before.len(&users)?, users.len()?), (1, 0));
    /// # Ok::<(), sedimentdb::Error>(())
    /// ```
    pub fn len(&self, keyspace: &Keyspace) -> Result<u64> {
        self.iter(keyspace).count_rows()
    }

    /// Whether there was no key.
    ///
    /// ```
    /// # let dir = tempfile::tempdir().unwrap();
    /// # let db = sedimentdb::Db::open(dir.path())?;
    /// # let users = db.keyspace("users")?;
    /// let before = db.snapshot();
    /// users.insert("u17", "Ada")?;
    /// assert!(before.is_empty(&users)?);
    /// # Ok::<(), sedimentdb::Error>(())
    /// ```
    pub fn is_empty(&self, keyspace: &Keyspace) -> Result<bool> {
        Ok(self.iter(keyspace).next_key()?.is_none())
    }

    /// Whether any key began with `prefix`. Every key begins with the empty prefix.
    ///
    /// ```
    /// # let dir = tempfile::tempdir().unwrap();
    /// # let db = sedimentdb::Db::open(dir.path())?;
    /// # let users = db.keyspace("users")?;
    /// let before = db.snapshot();
    /// users.insert("eu/17", "Ada")?;
    /// assert!(!before.contains_prefix(&users, "eu/")?);
    /// # Ok::<(), sedimentdb::Error>(())
    /// ```
    pub fn contains_prefix(&self, keyspace: &Keyspace, prefix: impl AsRef<[u8]>) -> Result<bool> {
        Ok(self.prefix(keyspace, prefix).next_key()?.is_some())
    }

    /// The first part of a scan of a range as it was then: as [`Keyspace::scan_part`].
    ///
    /// ```
    /// # let dir = tempfile::tempdir().unwrap();
    /// # let db = sedimentdb::Db::open(dir.path())?;
    /// # let users = db.keyspace("users")?;
    /// use sedimentdb::{Direction, ScanLimits};
    /// users.insert("u17", "Ada")?;
    /// let before = db.snapshot();
    /// users.clear()?;
    /// let part = before.scan_part::<&str, _>(&users, .., Direction::Forward, ScanLimits::default())?;
    /// assert_eq!(part.count(), 1);
    /// # Ok::<(), sedimentdb::Error>(())
    /// ```
    pub fn scan_part<K: AsRef<[u8]>, R: RangeBounds<K>>(
        &self,
        keyspace: &Keyspace,
        range: R,
        direction: Direction,
        limits: ScanLimits,
    ) -> Result<ScanPart> {
        self.core_of(keyspace)?.scan_part(keyspace.state(), owned_bounds(&range), (direction, limits), Some(self.seqno()))
    }

    /// The part of a scan behind the one that left this token, which was of this snapshot.
    ///
    /// ```
    /// # let dir = tempfile::tempdir().unwrap();
    /// # let db = sedimentdb::Db::open(dir.path())?;
    /// # let users = db.keyspace("users")?;
    /// use sedimentdb::{Direction, ScanLimits};
    /// users.insert("a", "")?;
    /// users.insert("b", "")?;
    /// let (before, one) = (db.snapshot(), ScanLimits { rows: 1, ..ScanLimits::default() });
    /// let mut part = before.scan_part::<&str, _>(&users, .., Direction::Forward, one)?;
    /// part.next_ref()?;
    /// users.remove("b")?;
    /// let mut rest = before.next_part(&users, part.token().expect("there is more"), one)?;
    /// assert_eq!(rest.next().expect("it was there")?.0, "b");
    /// # Ok::<(), sedimentdb::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`InvalidInput`](crate::ErrorKind::InvalidInput) for bytes that are no token of this keyspace's, or that of another moment: when
    /// its snapshot is gone, a scan cannot go on.
    pub fn next_part(&self, keyspace: &Keyspace, token: impl AsRef<[u8]>, limits: ScanLimits) -> Result<ScanPart> {
        self.core_of(keyspace)?.next_part(keyspace.state(), token.as_ref(), limits, Some(self.seqno()))
    }

    /// A cursor over the keys of then: as [`Keyspace::cursor`]. It outlives the snapshot.
    ///
    /// ```
    /// # let dir = tempfile::tempdir().unwrap();
    /// # let db = sedimentdb::Db::open(dir.path())?;
    /// # let users = db.keyspace("users")?;
    /// users.insert("u17", "Ada")?;
    /// let mut cursor = db.snapshot().cursor(&users);
    /// users.remove("u17")?;
    /// assert!(cursor.seek_to_last()?);
    /// assert_eq!(cursor.value(), Some(&b"Ada"[..]));
    /// # Ok::<(), sedimentdb::Error>(())
    /// ```
    pub fn cursor(&self, keyspace: &Keyspace) -> Cursor {
        let over = |core: &Core| core.cursor(keyspace.state(), Some(self.seqno()));
        self.core_of(keyspace).map_or_else(Cursor::failed, over)
    }
}
