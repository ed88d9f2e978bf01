//! What else can be asked of a keyspace: lengths, ends, counts, sizes, cursors.

use super::Keyspace;
use crate::api::{Cursor, ScanPart};
use sediment_base::{Result, Slice, range::owned_bounds};
use sediment_tree::{Direction, ScanLimits, ValueLen};
use std::ops::RangeBounds;

impl Keyspace {
    /// The values of several keys, all of one moment, in the order of the keys: these may come in any order, and more than once.
    /// Many at a time cost a fraction of as many calls of [`get`](Self::get), because each waits for memory while the others do.
    ///
    /// ```
    /// # let dir = tempfile::tempdir().unwrap();
    /// # let db = sedimentdb::Db::open(dir.path())?;
    /// # let users = db.keyspace("users")?;
    /// users.insert("u17", "Ada")?;
    /// users.insert("u18", "Grace")?;
    /// let names = users.multi_get(["u18", "u99", "u17"])?;
    /// assert_eq!(names, [Some("Grace".into()), None, Some("Ada".into())]);
    /// # Ok::<(), sedimentdb::Error>(())
    /// ```
    pub fn multi_get<K: AsRef<[u8]>>(&self, keys: impl IntoIterator<Item = K>) -> Result<Vec<Option<Slice>>> {
        let keys: Vec<K> = keys.into_iter().collect();
        self.core.multi_get(&self.state, &keys, None)
    }

    /// How long the value of a key is, in bytes. The value is neither copied nor, where it lies apart, read.
    ///
    /// ```
    /// # let dir = tempfile::tempdir().unwrap();
    /// # let db = sedimentdb::Db::open(dir.path())?;
    /// # let users = db.keyspace("users")?;
    /// users.insert("u17", "Ada")?;
    /// assert_eq!(users.size_of("u17")?, Some(3));
    /// assert_eq!(users.size_of("u18")?, None);
    /// # Ok::<(), sedimentdb::Error>(())
    /// ```
    pub fn size_of(&self, key: impl AsRef<[u8]>) -> Result<Option<usize>> {
        let mut len = ValueLen::default();
        Ok(self.core.get(&self.state, key.as_ref(), None, &mut len)?.then_some(len.0))
    }

    /// The first key, and its value.
    ///
    /// ```
    /// # let dir = tempfile::tempdir().unwrap();
    /// # let db = sedimentdb::Db::open(dir.path())?;
    /// # let users = db.keyspace("users")?;
    /// users.insert("u17", "Ada")?;
    /// users.insert("u18", "Grace")?;
    /// assert_eq!(users.first()?, Some(("u17".into(), "Ada".into())));
    /// # Ok::<(), sedimentdb::Error>(())
    /// ```
    pub fn first(&self) -> Result<Option<(Slice, Slice)>> {
        self.iter().next().transpose()
    }

    /// The last key, and its value.
    ///
    /// ```
    /// # let dir = tempfile::tempdir().unwrap();
    /// # let db = sedimentdb::Db::open(dir.path())?;
    /// # let users = db.keyspace("users")?;
    /// users.insert("u17", "Ada")?;
    /// users.insert("u18", "Grace")?;
    /// assert_eq!(users.last()?, Some(("u18".into(), "Grace".into())));
    /// # Ok::<(), sedimentdb::Error>(())
    /// ```
    pub fn last(&self) -> Result<Option<(Slice, Slice)>> {
        self.iter().next_back().transpose()
    }

    /// How many keys there are. It counts them: it reads the whole keyspace. [`approximate_len`](Self::approximate_len) reads nothing.
    ///
    /// ```
    /// # let dir = tempfile::tempdir().unwrap();
    /// # let db = sedimentdb::Db::open(dir.path())?;
    /// # let users = db.keyspace("users")?;
    /// users.insert("u17", "Ada")?;
    /// users.insert("u17", "Ada Lovelace")?;
    /// assert_eq!(users.len()?, 1);
    /// # Ok::<(), sedimentdb::Error>(())
    /// ```
    pub fn len(&self) -> Result<u64> {
        self.iter().count_rows()
    }

    /// Whether there is no key.
    ///
    /// ```
    /// # let dir = tempfile::tempdir().unwrap();
    /// # let db = sedimentdb::Db::open(dir.path())?;
    /// # let users = db.keyspace("users")?;
    /// assert!(users.is_empty()?);
    /// users.insert("u17", "Ada")?;
    /// assert!(!users.is_empty()?);
    /// # Ok::<(), sedimentdb::Error>(())
    /// ```
    pub fn is_empty(&self) -> Result<bool> {
        Ok(self.iter().next_key()?.is_none())
    }

    /// Whether any key begins with `prefix`. Every key begins with the empty prefix.
    ///
    /// ```
    /// # let dir = tempfile::tempdir().unwrap();
    /// # let db = sedimentdb::Db::open(dir.path())?;
    /// # let users = db.keyspace("users")?;
    /// users.insert("eu/17", "Ada")?;
    /// assert!(users.contains_prefix("eu/")?);
    /// assert!(!users.contains_prefix("us/")?);
    /// # Ok::<(), sedimentdb::Error>(())
    /// ```
    pub fn contains_prefix(&self, prefix: impl AsRef<[u8]>) -> Result<bool> {
        Ok(self.prefix(prefix).next_key()?.is_some())
    }

    /// How many keys there are, roughly: writes that have not been compacted away count as well, so that it is too high where keys were
    /// overwritten or removed. Reads nothing.
    ///
    /// ```
    /// # let dir = tempfile::tempdir().unwrap();
    /// # let db = sedimentdb::Db::open(dir.path())?;
    /// # let users = db.keyspace("users")?;
    /// users.insert("u17", "Ada")?;
    /// users.remove("u17")?;
    /// assert_eq!((users.len()?, users.approximate_len()?), (0, 2));
    /// # Ok::<(), sedimentdb::Error>(())
    /// ```
    pub fn approximate_len(&self) -> Result<u64> {
        self.core.with_present(&self.state, |tree| Ok(tree.approximate_len()))
    }

    /// How many bytes a range takes on disk, roughly: compressed, with old versions that are still there, and without what is only in
    /// memory. Reads no data, but what tells where it lies.
    ///
    /// ```
    /// # let dir = tempfile::tempdir().unwrap();
    /// # let db = sedimentdb::Db::open(dir.path())?;
    /// # let users = db.keyspace("users")?;
    /// for number in 0..1000 {
    ///     users.insert(format!("u{number:03}"), "a value of some length")?;
    /// }
    /// db.flush()?;
    /// let (all, few) = (users.approximate_bytes::<&str, _>(..)?, users.approximate_bytes("u100".."u150")?);
    /// assert!(0 < few && few < all);
    /// # Ok::<(), sedimentdb::Error>(())
    /// ```
    pub fn approximate_bytes<K: AsRef<[u8]>, R: RangeBounds<K>>(&self, range: R) -> Result<u64> {
        self.core.with_present(&self.state, |tree| tree.approximate_bytes::<Slice, _>(owned_bounds(&range)))
    }

    /// The first part of a scan of a range, which stops when it has done what `limits` say: so many rows, bytes of these, or rows looked
    /// at, the removed ones among them, so that it comes back in time whatever the range holds. What it leaves, its
    /// [`token`](ScanPart::token), is gone on with by [`next_part`](Self::next_part).
    ///
    /// ```
    /// # let dir = tempfile::tempdir().unwrap();
    /// # let db = sedimentdb::Db::open(dir.path())?;
    /// # let users = db.keyspace("users")?;
    /// use sedimentdb::{Direction, ScanLimits};
    /// for key in ["a", "b", "c", "d"] {
    ///     users.insert(key, "")?;
    /// }
    /// let page = ScanLimits { rows: 3, steps: 10_000, ..ScanLimits::default() };
    /// let mut part = users.scan_part("a".., Direction::Backward, page)?;
    /// assert_eq!(part.next().expect("a row")?.0, "d");
    /// # Ok::<(), sedimentdb::Error>(())
    /// ```
    pub fn scan_part<K: AsRef<[u8]>, R: RangeBounds<K>>(
        &self,
        range: R,
        direction: Direction,
        limits: ScanLimits,
    ) -> Result<ScanPart> {
        self.core.scan_part(&self.state, owned_bounds(&range), (direction, limits), None)
    }

    /// The part of a scan behind the one that left this token, in this process or another. Each part shows the keyspace as it is when
    /// the part is begun: no key comes twice, but keys written meanwhile come only where the scan has not been. For one moment throughout,
    /// scan a [`Snapshot`](crate::Snapshot).
    ///
    /// ```
    /// # let dir = tempfile::tempdir().unwrap();
    /// # let db = sedimentdb::Db::open(dir.path())?;
    /// # let users = db.keyspace("users")?;
    /// use sedimentdb::{Direction, ScanLimits};
    /// users.insert("a", "")?;
    /// users.insert("b", "")?;
    /// let one = ScanLimits { rows: 1, ..ScanLimits::default() };
    /// let (mut part, mut keys) = (users.scan_part::<&str, _>(.., Direction::Forward, one)?, Vec::new());
    /// loop {
    ///     while let Some((key, _)) = part.next_ref()? {
    ///         keys.push(key.to_vec());
    ///     }
    ///     let Some(token) = part.token() else { break };
    ///     part = users.next_part(token, one)?;
    /// }
    /// assert_eq!(keys, [b"a", b"b"]);
    /// # Ok::<(), sedimentdb::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`InvalidInput`](crate::ErrorKind::InvalidInput) for bytes that are no token of this keyspace's, or that of a snapshot.
    pub fn next_part(&self, token: impl AsRef<[u8]>, limits: ScanLimits) -> Result<ScanPart> {
        self.core.next_part(&self.state, token.as_ref(), limits, None)
    }

    /// A cursor: it can be sent to any key, and turned round, as often as one likes. It shows the keyspace as it is now, whatever is
    /// written meanwhile.
    ///
    /// ```
    /// # let dir = tempfile::tempdir().unwrap();
    /// # let db = sedimentdb::Db::open(dir.path())?;
    /// # let users = db.keyspace("users")?;
    /// for key in ["a", "c", "e"] {
    ///     users.insert(key, "")?;
    /// }
    /// let mut cursor = users.cursor();
    /// assert!(cursor.seek("b")?); // the first key at or after it
    /// assert_eq!(cursor.key(), Some(&b"c"[..]));
    /// assert!(cursor.prev()?);
    /// assert_eq!(cursor.key(), Some(&b"a"[..]));
    /// # Ok::<(), sedimentdb::Error>(())
    /// ```
    pub fn cursor(&self) -> Cursor {
        self.core.cursor(&self.state, None)
    }
}
