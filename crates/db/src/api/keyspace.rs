//! `Keyspace`: a named, ordered map of its own.

mod reads;

use crate::{
    api::{Ingest, Iter, core::Core, lent::Lent},
    catalog::KeyspaceState,
    commit::{Row, Swap, Writes},
    options::KeyspaceOptions,
};
use sediment_base::{Kind, Result, Slice, range::owned_bounds};
use std::{ops::RangeBounds, sync::Arc};

/// A named, ordered map of the database. Cheap to clone, usable from any thread.
///
/// Keys are 1 to 65,535 bytes long, values up to 64 MiB; longer ones are
/// [`InvalidInput`](crate::ErrorKind::InvalidInput). A handle whose keyspace was dropped answers with
/// [`Closed`](crate::ErrorKind::Closed), but to snapshots that still see it.
#[derive(Clone, Debug)]
pub struct Keyspace {
    core: Arc<Core>,
    state: Arc<KeyspaceState>,
}

impl Keyspace {
    pub(super) fn new(core: Arc<Core>, state: Arc<KeyspaceState>) -> Self {
        Self { core, state }
    }

    pub(super) fn state(&self) -> &Arc<KeyspaceState> {
        &self.state
    }

    /// Whether it belongs to this open database.
    pub(super) fn is_of(&self, core: &Arc<Core>) -> bool {
        Arc::ptr_eq(&self.core, core)
    }

    /// Its name.
    ///
    /// ```
    /// # let dir = tempfile::tempdir().unwrap();
    /// # let db = sedimentdb::Db::open(dir.path())?;
    /// assert_eq!(db.keyspace("users")?.name(), "users");
    /// # Ok::<(), sedimentdb::Error>(())
    /// ```
    pub fn name(&self) -> &str {
        self.state.name()
    }

    /// What was set for it alone: by [`Db::keyspace_with`](crate::Db::keyspace_with) or [`set_options`](Self::set_options), in
    /// this process or an earlier one.
    ///
    /// ```
    /// # let dir = tempfile::tempdir().unwrap();
    /// # let db = sedimentdb::Db::open(dir.path())?;
    /// use sedimentdb::{Goal, KeyspaceOptions};
    /// let events = db.keyspace_with("events", KeyspaceOptions { goal: Some(Goal::Write), ..Default::default() })?;
    /// assert_eq!(events.options().goal, Some(Goal::Write));
    /// assert_eq!(events.options().block_bytes, None);
    /// # Ok::<(), sedimentdb::Error>(())
    /// ```
    pub fn options(&self) -> KeyspaceOptions {
        self.state.options()
    }

    /// What holds for it, from its own settings and the database's: every number is there.
    ///
    /// ```
    /// # let dir = tempfile::tempdir().unwrap();
    /// # let db = sedimentdb::Db::open(dir.path())?;
    /// let users = db.keyspace("users")?;
    /// assert_eq!(users.effective_options().block_bytes, Some(4096));
    /// # Ok::<(), sedimentdb::Error>(())
    /// ```
    pub fn effective_options(&self) -> KeyspaceOptions {
        let own = self.state.options();
        self.core.settings().shape(&own).as_options(&own)
    }

    /// Gives it these settings in place of those that it had; durable on return. They shape what is written from now on: what is
    /// there already changes with its next compaction, see [`compact`](crate::Db::compact).
    ///
    /// ```
    /// # let dir = tempfile::tempdir().unwrap();
    /// # let db = sedimentdb::Db::open(dir.path())?;
    /// # let users = db.keyspace("users")?;
    /// use sedimentdb::KeyspaceOptions;
    /// users.set_options(KeyspaceOptions { block_bytes: Some(16 << 10), ..users.options() })?;
    /// # Ok::<(), sedimentdb::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`InvalidInput`](crate::ErrorKind::InvalidInput) for a number out of its range; it names the setting and the range.
    pub fn set_options(&self, options: KeyspaceOptions) -> Result<()> {
        self.core.configure(&self.state, &options)
    }

    /// Sets the value of a key, with the database's default durability.
    ///
    /// ```
    /// # let dir = tempfile::tempdir().unwrap();
    /// # let db = sedimentdb::Db::open(dir.path())?;
    /// let users = db.keyspace("users")?;
    /// users.insert("u17", "Ada")?;
    /// users.insert("u17", "Ada Lovelace")?;
    /// assert_eq!(users.get("u17")?.as_deref(), Some(&b"Ada Lovelace"[..]));
    /// # Ok::<(), sedimentdb::Error>(())
    /// ```
    pub fn insert(&self, key: impl AsRef<[u8]>, value: impl AsRef<[u8]>) -> Result<()> {
        self.write(Kind::Value, key.as_ref(), value.as_ref())
    }

    /// Removes a key, with the database's default durability. An absent one may be removed too.
    ///
    /// ```
    /// # let dir = tempfile::tempdir().unwrap();
    /// # let db = sedimentdb::Db::open(dir.path())?;
    /// # let users = db.keyspace("users")?;
    /// users.insert("u17", "Ada")?;
    /// users.remove("u17")?;
    /// assert_eq!(users.get("u17")?, None);
    /// # Ok::<(), sedimentdb::Error>(())
    /// ```
    pub fn remove(&self, key: impl AsRef<[u8]>) -> Result<()> {
        self.write(Kind::Tombstone, key.as_ref(), &[])
    }

    /// Removes a key that was inserted once since it was last gone. Readers see no difference to [`remove`](Self::remove); such a
    /// remove is counted apart.
    ///
    /// ```
    /// # let dir = tempfile::tempdir().unwrap();
    /// # let db = sedimentdb::Db::open(dir.path())?;
    /// # let jobs = db.keyspace("jobs")?;
    /// jobs.insert("job-17", "wash the car")?;
    /// jobs.remove_weak("job-17")?;
    /// assert_eq!(jobs.get("job-17")?, None);
    /// # Ok::<(), sedimentdb::Error>(())
    /// ```
    pub fn remove_weak(&self, key: impl AsRef<[u8]>) -> Result<()> {
        self.write(Kind::WeakTombstone, key.as_ref(), &[])
    }

    /// Removes all keys within bounds, at the cost of one write however many there are. Snapshots taken before go on seeing them.
    ///
    /// ```
    /// # let dir = tempfile::tempdir().unwrap();
    /// # let db = sedimentdb::Db::open(dir.path())?;
    /// # let log = db.keyspace("log")?;
    /// for day in ["2026-01-01", "2026-01-02", "2026-01-03"] {
    ///     log.insert(day, "sunny")?;
    /// }
    /// log.remove_range(.."2026-01-03")?;
    /// assert_eq!(log.iter().count(), 1);
    /// # Ok::<(), sedimentdb::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`InvalidInput`](crate::ErrorKind::InvalidInput) in a keyspace with a comparator for a start that is excluded or an end that is
    /// included: which key comes next, only the comparator knows.
    pub fn remove_range<K: AsRef<[u8]>, R: RangeBounds<K>>(&self, range: R) -> Result<()> {
        self.commit(|writes| writes.remove_range(&self.state, owned_bounds(&range)))
    }

    /// Removes all keys that begin with `prefix`, as [`remove_range`](Self::remove_range) does. Every key begins with the empty prefix.
    ///
    /// ```
    /// # let dir = tempfile::tempdir().unwrap();
    /// # let db = sedimentdb::Db::open(dir.path())?;
    /// # let users = db.keyspace("users")?;
    /// users.insert("eu/17", "Ada")?;
    /// users.insert("us/18", "Grace")?;
    /// users.remove_prefix("eu/")?;
    /// assert_eq!(users.iter().count(), 1);
    /// # Ok::<(), sedimentdb::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`InvalidInput`](crate::ErrorKind::InvalidInput) in a keyspace with a comparator.
    pub fn remove_prefix(&self, prefix: impl AsRef<[u8]>) -> Result<()> {
        self.commit(|writes| writes.remove_prefix(&self.state, prefix.as_ref()))
    }

    /// Merges an operand into the value of a key, without reading it: the keyspace's merge operator works the value out when it is
    /// read, and for good when a flush or compaction comes by.
    ///
    /// ```
    /// # let dir = tempfile::tempdir().unwrap();
    /// # let db = sedimentdb::Db::open(dir.path())?;
    /// use sedimentdb::KeyspaceOptions;
    /// let options = KeyspaceOptions { merge_operator: Some("add".into()), ..Default::default() };
    /// let visits = db.keyspace_with("visits", options)?;
    /// visits.merge("u17", 1_i64.to_le_bytes())?;
    /// visits.merge("u17", 2_i64.to_le_bytes())?;
    /// assert_eq!(visits.get("u17")?.as_deref(), Some(&3_i64.to_le_bytes()[..]));
    /// # Ok::<(), sedimentdb::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`InvalidInput`](crate::ErrorKind::InvalidInput) in a keyspace without a merge operator. What the operator itself refuses is told
    /// to readers.
    pub fn merge(&self, key: impl AsRef<[u8]>, operand: impl AsRef<[u8]>) -> Result<()> {
        self.write(Kind::Operand, key.as_ref(), operand.as_ref())
    }

    /// The value of a key.
    ///
    /// ```
    /// # let dir = tempfile::tempdir().unwrap();
    /// # let db = sedimentdb::Db::open(dir.path())?;
    /// # let users = db.keyspace("users")?;
    /// users.insert("u17", "Ada")?;
    /// assert_eq!(users.get("u17")?.as_deref(), Some(&b"Ada"[..]));
    /// assert_eq!(users.get("u18")?, None);
    /// # Ok::<(), sedimentdb::Error>(())
    /// ```
    pub fn get(&self, key: impl AsRef<[u8]>) -> Result<Option<Slice>> {
        let mut value = Slice::default();
        Ok(self.core.get(&self.state, key.as_ref(), None, &mut value)?.then_some(value))
    }

    /// What `read` makes of the value of a key, which it is lent: a value up to 256 bytes long costs no allocation. `read` may take
    /// its time, and use the database.
    ///
    /// ```
    /// # let dir = tempfile::tempdir().unwrap();
    /// # let db = sedimentdb::Db::open(dir.path())?;
    /// # let users = db.keyspace("users")?;
    /// users.insert("u17", "Ada")?;
    /// assert_eq!(users.get_with("u17", |name| name.len())?, Some(3));
    /// assert_eq!(users.get_with("u18", |name| name.len())?, None);
    /// # Ok::<(), sedimentdb::Error>(())
    /// ```
    pub fn get_with<R>(&self, key: impl AsRef<[u8]>, read: impl FnOnce(&[u8]) -> R) -> Result<Option<R>> {
        let mut value = Lent::default();
        Ok(self.core.get(&self.state, key.as_ref(), None, &mut value)?.then(|| read(value.as_bytes())))
    }

    /// Whether a key is there.
    ///
    /// ```
    /// # let dir = tempfile::tempdir().unwrap();
    /// # let db = sedimentdb::Db::open(dir.path())?;
    /// # let users = db.keyspace("users")?;
    /// users.insert("u17", "Ada")?;
    /// assert!(users.contains_key("u17")?);
    /// # Ok::<(), sedimentdb::Error>(())
    /// ```
    pub fn contains_key(&self, key: impl AsRef<[u8]>) -> Result<bool> {
        self.core.get(&self.state, key.as_ref(), None, &mut ())
    }

    /// The keys within bounds, in order. Bounds that contradict each other hold no key.
    ///
    /// ```
    /// # let dir = tempfile::tempdir().unwrap();
    /// # let db = sedimentdb::Db::open(dir.path())?;
    /// # let users = db.keyspace("users")?;
    /// for key in ["a", "b", "c", "d"] {
    ///     users.insert(key, "")?;
    /// }
    /// let keys: Result<Vec<_>, _> = users.range("b".."d").map(|row| row.map(|(key, _)| key)).collect();
    /// assert_eq!(keys?, ["b", "c"]);
    /// # Ok::<(), sedimentdb::Error>(())
    /// ```
    pub fn range<K: AsRef<[u8]>, R: RangeBounds<K>>(&self, range: R) -> Iter {
        self.core.scan(&self.state, owned_bounds(&range), None)
    }

    /// The keys that begin with `prefix`, in order. Every key begins with the empty prefix. Where short scans of prefixes matter, tables
    /// can have a filter of them: [`KeyspaceOptions::prefix_extractor`](crate::KeyspaceOptions::prefix_extractor).
    ///
    /// ```
    /// # let dir = tempfile::tempdir().unwrap();
    /// # let db = sedimentdb::Db::open(dir.path())?;
    /// # let users = db.keyspace("users")?;
    /// users.insert("eu/17", "Ada")?;
    /// users.insert("us/18", "Grace")?;
    /// let (key, value) = users.prefix("us/").next().expect("there is one")?;
    /// assert_eq!((&key[..], &value[..]), (&b"us/18"[..], &b"Grace"[..]));
    /// # Ok::<(), sedimentdb::Error>(())
    /// ```
    pub fn prefix(&self, prefix: impl AsRef<[u8]>) -> Iter {
        self.core.scan_prefix(&self.state, prefix.as_ref(), None)
    }

    /// All keys, in order.
    ///
    /// ```
    /// # let dir = tempfile::tempdir().unwrap();
    /// # let db = sedimentdb::Db::open(dir.path())?;
    /// # let users = db.keyspace("users")?;
    /// users.insert("u17", "Ada")?;
    /// users.insert("u18", "Grace")?;
    /// let (last, _) = users.iter().next_back().expect("there are two")?;
    /// assert_eq!(last, "u18");
    /// # Ok::<(), sedimentdb::Error>(())
    /// ```
    pub fn iter(&self) -> Iter {
        self.prefix([])
    }

    /// Removes all keys at once; durable on return. Snapshots taken before go on seeing them.
    ///
    /// ```
    /// # let dir = tempfile::tempdir().unwrap();
    /// # let db = sedimentdb::Db::open(dir.path())?;
    /// # let users = db.keyspace("users")?;
    /// users.insert("u17", "Ada")?;
    /// users.clear()?;
    /// assert!(users.iter().next().is_none());
    /// # Ok::<(), sedimentdb::Error>(())
    /// ```
    pub fn clear(&self) -> Result<()> {
        self.core.clear(&self.state)
    }

    /// Sets a key to `new` (`None` removes it) if it holds `expected` (`None`: nothing), as one step that no other write comes between.
    /// Otherwise the inner error is what it holds.
    ///
    /// ```
    /// # let dir = tempfile::tempdir().unwrap();
    /// # let db = sedimentdb::Db::open(dir.path())?;
    /// # let users = db.keyspace("users")?;
    /// assert_eq!(users.compare_and_swap("u17", None, Some(b"Ada"))?, Ok(()));
    /// assert_eq!(users.compare_and_swap("u17", None, Some(b"Grace"))?, Err(Some("Ada".into())));
    /// assert_eq!(users.compare_and_swap("u17", Some(b"Ada"), None)?, Ok(()));
    /// assert_eq!(users.get("u17")?, None);
    /// # Ok::<(), sedimentdb::Error>(())
    /// ```
    pub fn compare_and_swap(
        &self,
        key: impl AsRef<[u8]>,
        expected: Option<&[u8]>,
        new: Option<&[u8]>,
    ) -> Result<std::result::Result<(), Option<Slice>>> {
        let durability = self.core.options().durability;
        let swap = Swap { keyspace: &self.state, key: key.as_ref(), expected, durability };
        self.core.compare_and_swap(&swap, new)
    }

    /// Begins to write sorted rows straight into tables: see [`Ingest`].
    pub fn ingest(&self) -> Result<Ingest> {
        self.core.check_ingest(&self.state)?;
        Ok(Ingest::new(Arc::clone(&self.core), self.clone()))
    }

    fn write(&self, kind: Kind, key: &[u8], value: &[u8]) -> Result<()> {
        self.core.commit_row(&self.state, Row { kind, key, value })
    }

    fn commit(&self, write: impl FnOnce(&mut Writes)) -> Result<()> {
        let mut writes = Writes::default();
        write(&mut writes);
        self.core.commit(writes, self.core.options().durability)
    }
}
