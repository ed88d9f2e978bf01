//! `Db` and its builder.

use crate::{
    api::{
        Keyspace, Snapshot, VerifyReport, WriteBatch,
        core::{Brought, Core},
    },
    options::{Create, Durability, ExpertOptions, Goal, KeyspaceOptions, Options},
    status::DbStats,
};
use sediment_base::{
    BlockCodec, CompactionFilterFactory, Comparator, Error, EventListener, MergeOperator, PrefixExtractor, Result,
};
use sediment_codec::compress::Dictionary;
use sediment_env::Env;
use sediment_tree::Strategy;
use std::{
    fmt,
    path::{Path, PathBuf},
    sync::Arc,
};

/// An open database. Cheap to clone, usable from any thread.
///
/// The directory stays locked until the last handle (database, keyspace, batch, snapshot) is dropped; iterators do not count.
/// Dropping without [`close`](Self::close) is what a killed process leaves: nothing is lost but commits of
/// [`Durability::Memory`].
#[derive(Clone, Debug)]
pub struct Db {
    core: Arc<Core>,
}

impl Db {
    #[cfg(test)]
    pub(crate) fn maintenance(&self) -> (&crate::worker::Machinery, &crate::worker::Worker) {
        self.core.maintenance()
    }

    /// Opens the database in directory `path`, making it where it is missing.
    ///
    /// ```
    /// # let dir = tempfile::tempdir().unwrap();
    /// let db = sedimentdb::Db::open(dir.path().join("people.db"))?;
    /// db.keyspace("users")?.insert("u17", "Ada")?;
    /// # Ok::<(), sedimentdb::Error>(())
    /// ```
    pub fn open(path: impl AsRef<Path>) -> Result<Self> {
        Self::builder(path).open()
    }

    /// Opens with settings.
    ///
    /// ```
    /// # let dir = tempfile::tempdir().unwrap();
    /// use sedimentdb::{Create, Db, Durability};
    /// let db = Db::builder(dir.path()).create(Create::New).durability(Durability::Sync).open()?;
    /// # Ok::<(), sedimentdb::Error>(())
    /// ```
    pub fn builder(path: impl AsRef<Path>) -> DbBuilder {
        DbBuilder { path: path.as_ref().to_path_buf(), options: Options::default(), brought: Brought::default(), env: None }
    }

    /// Opens a keyspace, making it where it is missing; durable on return. One that exists keeps the settings it was given.
    ///
    /// ```
    /// # let dir = tempfile::tempdir().unwrap();
    /// # let db = sedimentdb::Db::open(dir.path())?;
    /// let users = db.keyspace("users")?;
    /// # Ok::<(), sedimentdb::Error>(())
    /// ```
    pub fn keyspace(&self, name: &str) -> Result<Keyspace> {
        loop {
            if let Some(keyspace) = self.open_keyspace(name)? {
                return Ok(keyspace);
            }
            // Somebody else may make it first, and drop it again.
            if let Some(state) = self.core.create_keyspace(name, &KeyspaceOptions::default())? {
                return Ok(Keyspace::new(Arc::clone(&self.core), state));
            }
        }
    }

    /// Opens a keyspace that has these settings, making it where it is missing and giving it these where it has others; durable
    /// on return. They are stored with it: later, [`keyspace`](Self::keyspace) finds them.
    ///
    /// ```
    /// # let dir = tempfile::tempdir().unwrap();
    /// # let db = sedimentdb::Db::open(dir.path())?;
    /// use sedimentdb::{Goal, KeyspaceOptions};
    /// let events = KeyspaceOptions { goal: Some(Goal::Write), ..KeyspaceOptions::default() };
    /// let archive = KeyspaceOptions { goal: Some(Goal::Space), block_bytes: Some(64 << 10), ..KeyspaceOptions::default() };
    /// let (events, archive) = (db.keyspace_with("events", events)?, db.keyspace_with("archive", archive)?);
    /// # Ok::<(), sedimentdb::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`InvalidInput`](crate::ErrorKind::InvalidInput) for a number out of its range; it names the setting and the range.
    pub fn keyspace_with(&self, name: &str, options: KeyspaceOptions) -> Result<Keyspace> {
        loop {
            if let Some(keyspace) = self.open_keyspace(name)? {
                if keyspace.options() != options {
                    keyspace.set_options(options)?;
                }
                return Ok(keyspace);
            }
            if let Some(state) = self.core.create_keyspace(name, &options)? {
                return Ok(Keyspace::new(Arc::clone(&self.core), state));
            }
        }
    }

    /// Opens a keyspace that exists; `None` where it does not.
    ///
    /// ```
    /// # let dir = tempfile::tempdir().unwrap();
    /// # let db = sedimentdb::Db::open(dir.path())?;
    /// assert!(db.open_keyspace("users")?.is_none());
    /// # Ok::<(), sedimentdb::Error>(())
    /// ```
    pub fn open_keyspace(&self, name: &str) -> Result<Option<Keyspace>> {
        self.core.check_open()?;
        let state = self.core.machinery().keyspaces.get(name);
        Ok(state.map(|state| Keyspace::new(Arc::clone(&self.core), state)))
    }

    /// Makes a keyspace, durable on return; an error where the name is taken.
    ///
    /// ```
    /// # let dir = tempfile::tempdir().unwrap();
    /// # let db = sedimentdb::Db::open(dir.path())?;
    /// db.create_keyspace("users")?;
    /// assert!(db.create_keyspace("users").is_err());
    /// # Ok::<(), sedimentdb::Error>(())
    /// ```
    pub fn create_keyspace(&self, name: &str) -> Result<Keyspace> {
        self.create_keyspace_with(name, KeyspaceOptions::default())
    }

    /// Makes a keyspace with these settings, which are stored with it; durable on return; an error where the name is taken.
    ///
    /// ```
    /// # let dir = tempfile::tempdir().unwrap();
    /// # let db = sedimentdb::Db::open(dir.path())?;
    /// use sedimentdb::KeyspaceOptions;
    /// db.create_keyspace_with("users", KeyspaceOptions { filter_bits_per_key: Some(14), ..KeyspaceOptions::default() })?;
    /// # Ok::<(), sedimentdb::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`InvalidInput`](crate::ErrorKind::InvalidInput) where the name is taken, or for a number out of its range; it names the
    /// setting and the range.
    pub fn create_keyspace_with(&self, name: &str, options: KeyspaceOptions) -> Result<Keyspace> {
        match self.core.create_keyspace(name, &options)? {
            Some(state) => Ok(Keyspace::new(Arc::clone(&self.core), state)),
            None => Err(Error::invalid_input(format!("a keyspace named {name:?} exists already"))),
        }
    }

    /// The names of all keyspaces, sorted.
    ///
    /// ```
    /// # let dir = tempfile::tempdir().unwrap();
    /// # let db = sedimentdb::Db::open(dir.path())?;
    /// db.keyspace("users")?;
    /// db.keyspace("emails")?;
    /// assert_eq!(db.keyspace_names(), ["emails", "users"]);
    /// # Ok::<(), sedimentdb::Error>(())
    /// ```
    pub fn keyspace_names(&self) -> Vec<String> {
        self.core.machinery().keyspaces.names()
    }

    /// Drops a keyspace and all it holds, durably; `false` where there is none. Snapshots taken before still see it through
    /// handles made before, and its files go with the last of those.
    ///
    /// ```
    /// # let dir = tempfile::tempdir().unwrap();
    /// # let db = sedimentdb::Db::open(dir.path())?;
    /// db.keyspace("users")?;
    /// assert!(db.drop_keyspace("users")?);
    /// assert!(!db.drop_keyspace("users")?);
    /// # Ok::<(), sedimentdb::Error>(())
    /// ```
    pub fn drop_keyspace(&self, name: &str) -> Result<bool> {
        self.core.drop_keyspace(name)
    }

    /// An empty batch.
    ///
    /// ```
    /// # let dir = tempfile::tempdir().unwrap();
    /// # let db = sedimentdb::Db::open(dir.path())?;
    /// let users = db.keyspace("users")?;
    /// let mut batch = db.batch();
    /// batch.insert(&users, "u17", "Ada").insert(&users, "u18", "Grace");
    /// batch.commit()?;
    /// # Ok::<(), sedimentdb::Error>(())
    /// ```
    pub fn batch(&self) -> WriteBatch {
        WriteBatch::new(Arc::clone(&self.core))
    }

    /// The database as it is now, held.
    ///
    /// ```
    /// # let dir = tempfile::tempdir().unwrap();
    /// # let db = sedimentdb::Db::open(dir.path())?;
    /// let users = db.keyspace("users")?;
    /// let before = db.snapshot();
    /// users.insert("u17", "Ada")?;
    /// assert_eq!(before.get(&users, "u17")?, None);
    /// # Ok::<(), sedimentdb::Error>(())
    /// ```
    #[track_caller]
    pub fn snapshot(&self) -> Snapshot {
        Snapshot::new(Arc::clone(&self.core))
    }

    /// Raises every commit that has returned to `durability` at least.
    ///
    /// ```
    /// # let dir = tempfile::tempdir().unwrap();
    /// # let db = sedimentdb::Db::open(dir.path())?;
    /// # let users = db.keyspace("users")?;
    /// use sedimentdb::Durability;
    /// users.insert("u17", "Ada")?;
    /// db.persist(Durability::Sync)?; // from here on it survives loss of power
    /// # Ok::<(), sedimentdb::Error>(())
    /// ```
    pub fn persist(&self, durability: Durability) -> Result<()> {
        self.core.persist(durability)
    }

    /// Moves everything from memtables into tables; durable on return. Where nothing was written meanwhile, the log begins anew, and an open
    /// after the death of the process finds nothing to apply.
    ///
    /// ```
    /// # let dir = tempfile::tempdir().unwrap();
    /// # let db = sedimentdb::Db::open(dir.path())?;
    /// # let users = db.keyspace("users")?;
    /// users.insert("u17", "Ada")?;
    /// db.flush()?;
    /// assert_eq!(db.stats().keyspaces[0].levels.iter().map(|level| level.rows).sum::<u64>(), 1);
    /// # Ok::<(), sedimentdb::Error>(())
    /// ```
    pub fn flush(&self) -> Result<()> {
        self.core.flush()
    }

    /// Rewrites every keyspace into one sorted run, leaving out what no reader needs.
    ///
    /// ```
    /// # let dir = tempfile::tempdir().unwrap();
    /// # let db = sedimentdb::Db::open(dir.path())?;
    /// # let users = db.keyspace("users")?;
    /// users.insert("u17", "Ada")?;
    /// users.remove("u17")?;
    /// db.compact()?;
    /// assert_eq!(db.stats().keyspaces[0].levels.iter().map(|level| level.rows).sum::<u64>(), 0);
    /// # Ok::<(), sedimentdb::Error>(())
    /// ```
    pub fn compact(&self) -> Result<()> {
        self.core.compact()
    }

    /// From now on compactions together write no more than so many bytes a second, or as many as they can:
    /// [`ExpertOptions::compaction_bytes_per_s`], which holds at opening. One that is held up goes on at the new rate.
    ///
    /// ```
    /// # let dir = tempfile::tempdir().unwrap();
    /// # let db = sedimentdb::Db::open(dir.path())?;
    /// db.limit_compaction(Some(20 << 20))?; // by day
    /// db.limit_compaction(None)?; // by night
    /// # Ok::<(), sedimentdb::Error>(())
    /// ```
    pub fn limit_compaction(&self, bytes_per_s: Option<u64>) -> Result<()> {
        self.core.limit_compaction(bytes_per_s)
    }

    /// What the database is made of at this moment, and why it refuses writes if it does.
    ///
    /// ```
    /// # let dir = tempfile::tempdir().unwrap();
    /// # let db = sedimentdb::Db::open(dir.path())?;
    /// let held = db.snapshot();
    /// let stats = db.stats();
    /// assert!(stats.poisoned.is_none());
    /// println!("the oldest snapshot was made at {}", stats.snapshots[0].made_at);
    /// # Ok::<(), sedimentdb::Error>(())
    /// ```
    pub fn stats(&self) -> DbStats {
        self.core.stats()
    }

    /// Reads every byte of tables and log and reports each fault. Writers wait while the log is read.
    ///
    /// ```
    /// # let dir = tempfile::tempdir().unwrap();
    /// # let db = sedimentdb::Db::open(dir.path())?;
    /// assert!(db.verify()?.faults.is_empty());
    /// # Ok::<(), sedimentdb::Error>(())
    /// ```
    pub fn verify(&self) -> Result<VerifyReport> {
        self.core.verify()
    }

    /// Ends the log: everything that was committed is durable when this returns, also commits of [`Durability::Memory`].
    /// Every handle of this database answers with [`Closed`](crate::ErrorKind::Closed) from now on, and the lock is released
    /// with the last of them; iterators go on.
    ///
    /// ```
    /// # let dir = tempfile::tempdir().unwrap();
    /// # let db = sedimentdb::Db::open(dir.path())?;
    /// let users = db.keyspace("users")?;
    /// users.insert("u17", "Ada")?;
    /// db.close()?;
    /// assert!(users.get("u17").is_err());
    /// # Ok::<(), sedimentdb::Error>(())
    /// ```
    pub fn close(self) -> Result<()> {
        self.core.close()
    }
}

/// Opens a database with settings. Made by [`Db::builder`].
#[derive(Clone)]
#[must_use = "nothing is opened before `open`"]
pub struct DbBuilder {
    path: PathBuf,
    options: Options,
    brought: Brought,
    env: Option<Env>,
}

impl DbBuilder {
    /// Replaces all settings.
    ///
    /// ```
    /// # let dir = tempfile::tempdir().unwrap();
    /// use sedimentdb::{Db, Options};
    /// let options = Options { memory_bytes: 64 << 20, read_only: false, ..Options::default() };
    /// let db = Db::builder(dir.path()).options(options).open()?;
    /// # Ok::<(), sedimentdb::Error>(())
    /// ```
    pub fn options(mut self, options: Options) -> Self {
        self.options = options;
        self
    }

    /// What to do about a database that is missing, or there.
    ///
    /// ```
    /// # let dir = tempfile::tempdir().unwrap();
    /// use sedimentdb::{Create, Db};
    /// assert!(Db::builder(dir.path()).create(Create::MustExist).open().is_err());
    /// Db::builder(dir.path()).create(Create::New).open()?;
    /// # Ok::<(), sedimentdb::Error>(())
    /// ```
    pub fn create(mut self, create: Create) -> Self {
        self.options.create = create;
        self
    }

    /// Refuses every write. A reader takes the lock too, because files may go while another process writes; only where the
    /// directory cannot be written does it go without.
    ///
    /// ```
    /// # let dir = tempfile::tempdir().unwrap();
    /// # sedimentdb::Db::open(dir.path())?.keyspace("users")?;
    /// let db = sedimentdb::Db::builder(dir.path()).read_only(true).open()?;
    /// let users = db.open_keyspace("users")?.expect("made before");
    /// assert!(users.insert("u17", "Ada").is_err());
    /// # Ok::<(), sedimentdb::Error>(())
    /// ```
    pub fn read_only(mut self, read_only: bool) -> Self {
        self.options.read_only = read_only;
        self
    }

    /// Durability of commits that do not choose their own.
    ///
    /// ```
    /// # let dir = tempfile::tempdir().unwrap();
    /// use sedimentdb::{Db, Durability};
    /// let db = Db::builder(dir.path()).durability(Durability::Sync).open()?;
    /// # Ok::<(), sedimentdb::Error>(())
    /// ```
    pub fn durability(mut self, durability: Durability) -> Self {
        self.options.durability = durability;
        self
    }

    /// Memory for block cache and memtables, in bytes: see [`Options::memory_bytes`].
    ///
    /// ```
    /// # let dir = tempfile::tempdir().unwrap();
    /// let db = sedimentdb::Db::builder(dir.path()).memory(32 << 20).open()?;
    /// # Ok::<(), sedimentdb::Error>(())
    /// ```
    pub fn memory(mut self, bytes: usize) -> Self {
        self.options.memory_bytes = bytes;
        self
    }

    /// What to be good at where one thing costs another.
    ///
    /// ```
    /// # let dir = tempfile::tempdir().unwrap();
    /// use sedimentdb::{Db, Goal};
    /// let db = Db::builder(dir.path()).goal(Goal::Write).open()?;
    /// # Ok::<(), sedimentdb::Error>(())
    /// ```
    pub fn goal(mut self, goal: Goal) -> Self {
        self.options.goal = goal;
        self
    }

    /// Everything else.
    ///
    /// ```
    /// # let dir = tempfile::tempdir().unwrap();
    /// use sedimentdb::{Db, ExpertOptions};
    /// let expert = ExpertOptions { filter_bits_per_key: Some(14), ..ExpertOptions::default() };
    /// let db = Db::builder(dir.path()).expert(expert).open()?;
    /// # Ok::<(), sedimentdb::Error>(())
    /// ```
    pub fn expert(mut self, expert: ExpertOptions) -> Self {
        self.options.expert = expert;
        self
    }

    /// Somebody who is told of what the database does on its own: flushes, compactions, files that come and go, writers that
    /// have to wait, a full disk. Several are told in the order in which they were given. The rules for listeners are those of
    /// [`event`](crate::event).
    ///
    /// ```
    /// # let dir = tempfile::tempdir().unwrap();
    /// use sedimentdb::{Db, event::{EventListener, FlushEnded}};
    /// use std::sync::{Arc, atomic::{AtomicU64, Ordering}};
    ///
    /// #[derive(Default)]
    /// struct Flushed(AtomicU64);
    ///
    /// impl EventListener for Flushed {
    ///     fn flush_ended(&self, event: &FlushEnded) {
    ///         self.0.fetch_add(event.rows, Ordering::Relaxed);
    ///     }
    /// }
    ///
    /// let flushed = Arc::new(Flushed::default());
    /// let db = Db::builder(dir.path()).listener(flushed.clone()).open()?;
    /// db.keyspace("users")?.insert("u17", "Ada")?;
    /// db.flush()?;
    /// db.close()?; // ends the threads that tell
    /// assert_eq!(flushed.0.load(Ordering::Relaxed), 1);
    /// # Ok::<(), sedimentdb::Error>(())
    /// ```
    pub fn listener(mut self, listener: Arc<dyn EventListener>) -> Self {
        self.brought.listeners.push(listener);
        self
    }

    /// A merge operator that keyspaces name, beside `add`, `append` and `max`.
    ///
    /// ```
    /// # let dir = tempfile::tempdir().unwrap();
    /// use sedimentdb::{Db, KeyspaceOptions, MergeOperator, Result};
    /// use std::sync::Arc;
    ///
    /// /// Keeps the longest.
    /// #[derive(Debug)]
    /// struct Longest;
    ///
    /// impl MergeOperator for Longest {
    ///     fn name(&self) -> &str {
    ///         "longest"
    ///     }
    ///
    ///     fn fold(&self, _key: &[u8], base: Option<&[u8]>, operands: &[&[u8]]) -> Result<Vec<u8>> {
    ///         let all = base.into_iter().chain(operands.iter().copied());
    ///         Ok(all.max_by_key(|value| value.len()).unwrap_or_default().to_vec())
    ///     }
    /// }
    ///
    /// let db = Db::builder(dir.path()).merge_operator(Arc::new(Longest)).open()?;
    /// let options = KeyspaceOptions { merge_operator: Some("longest".into()), ..Default::default() };
    /// let names = db.keyspace_with("names", options)?;
    /// names.merge("u17", "Ada Lovelace")?;
    /// names.merge("u17", "Ada")?;
    /// assert_eq!(names.get("u17")?.as_deref(), Some(&b"Ada Lovelace"[..]));
    /// # Ok::<(), sedimentdb::Error>(())
    /// ```
    pub fn merge_operator(mut self, operator: Arc<dyn MergeOperator>) -> Self {
        self.brought.named.add_merge_operator(operator);
        self
    }

    /// A prefix extractor that keyspaces name, beside those that
    /// [`KeyspaceOptions::prefix_extractor`](crate::KeyspaceOptions::prefix_extractor) tells of.
    ///
    /// ```
    /// # let dir = tempfile::tempdir().unwrap();
    /// use sedimentdb::{Db, KeyspaceOptions, PrefixExtractor};
    /// use std::sync::Arc;
    ///
    /// /// The part of a key before its last four bytes would break the rule: a prefix must be known from its own bytes. This is the
    /// /// first byte, which says how long the name of the tenant behind it is, and that name.
    /// #[derive(Debug)]
    /// struct Tenant;
    ///
    /// impl PrefixExtractor for Tenant {
    ///     fn name(&self) -> &str {
    ///         "tenant"
    ///     }
    ///
    ///     fn prefix_lens(&self, key: &[u8], each: &mut dyn FnMut(usize)) {
    ///         let len = key.first().map_or(0, |len| 1 + usize::from(*len));
    ///         if (1..=key.len()).contains(&len) {
    ///             each(len);
    ///         }
    ///     }
    /// }
    ///
    /// let db = Db::builder(dir.path()).prefix_extractor(Arc::new(Tenant)).open()?;
    /// let options = KeyspaceOptions { prefix_extractor: Some("tenant".into()), ..Default::default() };
    /// let orders = db.keyspace_with("orders", options)?;
    /// orders.insert("\x04acme0001", "10 anvils")?;
    /// assert_eq!(orders.prefix("\x04acme").count(), 1);
    /// assert_eq!(orders.prefix("\x05other").count(), 0);
    /// # Ok::<(), sedimentdb::Error>(())
    /// ```
    pub fn prefix_extractor(mut self, extractor: Arc<dyn PrefixExtractor>) -> Self {
        self.brought.named.add_prefix_extractor(extractor);
        self
    }

    /// A codec that does not come with the database, for
    /// [`Compression::Other`](crate::Compression::Other). What was written with it is only read where it was given again.
    ///
    /// ```
    /// # let dir = tempfile::tempdir().unwrap();
    /// use sedimentdb::{BlockCodec, Compression, Db, Error, KeyspaceOptions, Result};
    /// use std::sync::Arc;
    ///
    /// /// A block whose second half repeats its first is stored as that.
    /// #[derive(Debug)]
    /// struct Halves;
    ///
    /// impl BlockCodec for Halves {
    ///     fn id(&self) -> u8 {
    ///         128
    ///     }
    ///
    ///     fn name(&self) -> &str {
    ///         "halves"
    ///     }
    ///
    ///     fn compress(&self, plain: &[u8], out: &mut Vec<u8>) -> Result<()> {
    ///         let (first, second) = plain.split_at(plain.len() / 2);
    ///         out.extend(if first == second { first } else { plain });
    ///         Ok(())
    ///     }
    ///
    ///     fn decompress(&self, stored: &[u8], plain: &mut [u8]) -> Result<()> {
    ///         if stored.len() * 2 != plain.len() {
    ///             return Err(Error::corruption("no halves"));
    ///         }
    ///         plain.chunks_mut(stored.len()).for_each(|half| half.copy_from_slice(stored));
    ///         Ok(())
    ///     }
    /// }
    ///
    /// let db = Db::builder(dir.path()).codec(Arc::new(Halves)).open()?;
    /// let options = KeyspaceOptions { compression: Some(Compression::Other(128)), ..Default::default() };
    /// let pairs = db.keyspace_with("pairs", options)?;
    /// pairs.insert("k", "v")?;
    /// # Ok::<(), sedimentdb::Error>(())
    /// ```
    pub fn codec(mut self, codec: Arc<dyn BlockCodec>) -> Self {
        self.brought.named.add_codec(codec);
        self
    }

    /// A dictionary that keyspaces name in [`KeyspaceOptions::dictionary`](crate::KeyspaceOptions::dictionary).
    ///
    /// ```
    /// # let dir = tempfile::tempdir().unwrap();
    /// use sedimentdb::{Compression, Db, Dictionary, KeyspaceOptions, ZstdLevel};
    /// use std::sync::Arc;
    ///
    /// let rows: Vec<String> = (0..500).map(|i| format!("{{\"order\":{i},\"state\":\"paid\",\"items\":[{}]}}", i * 7919 % 1000)).collect();
    /// let lens: Vec<usize> = rows.iter().map(String::len).collect();
    /// let dictionary = Dictionary::train(rows.concat().as_bytes(), &lens, 1024, ZstdLevel::FASTEST).expect("much in common");
    /// let db = Db::builder(dir.path()).dictionary("orders", Arc::new(dictionary)).open()?;
    /// let options = KeyspaceOptions {
    ///     compression: Some(Compression::Zstd(ZstdLevel::FASTEST)),
    ///     dictionary: Some("orders".into()),
    ///     ..Default::default()
    /// };
    /// db.keyspace_with("orders", options)?.insert("1", &rows[1])?;
    /// # Ok::<(), sedimentdb::Error>(())
    /// ```
    pub fn dictionary(mut self, name: impl Into<String>, dictionary: Arc<Dictionary>) -> Self {
        self.brought.named.add_dictionary(name.into(), dictionary);
        self
    }

    /// A compaction filter that keyspaces name: it has a say in which rows compactions keep. What it removes is gone for whoever begins to
    /// read afterwards; snapshots and scans that are open go on as they are, and until it ends, what a snapshot sees is not judged.
    ///
    /// ```
    /// # let dir = tempfile::tempdir().unwrap();
    /// use sedimentdb::{
    ///     Db, KeyspaceOptions, Result,
    ///     compaction_filter::{CompactionFilter, CompactionFilterFactory, FilterContext, FilterRow, Verdict},
    /// };
    /// use std::sync::Arc;
    ///
    /// /// Values begin with the second in which they expire, in eight big-endian bytes.
    /// #[derive(Debug)]
    /// struct Expiry;
    ///
    /// struct ExpiredBy([u8; 8]);
    ///
    /// impl CompactionFilterFactory for Expiry {
    ///     fn name(&self) -> &str {
    ///         "expiry"
    ///     }
    ///
    ///     fn make(&self, context: &FilterContext) -> Option<Box<dyn CompactionFilter>> {
    ///         Some(Box::new(ExpiredBy((context.now_us / 1_000_000).to_be_bytes())))
    ///     }
    /// }
    ///
    /// impl CompactionFilter for ExpiredBy {
    ///     fn filter(&mut self, row: &FilterRow<'_>) -> Result<Verdict> {
    ///         let is_expired = row.value.get(..8).is_some_and(|expiry| expiry <= &self.0[..]);
    ///         Ok(if is_expired { Verdict::Remove } else { Verdict::Keep })
    ///     }
    /// }
    ///
    /// let db = Db::builder(dir.path()).compaction_filter(Arc::new(Expiry)).open()?;
    /// let options = KeyspaceOptions { compaction_filter: Some("expiry".into()), ..Default::default() };
    /// let sessions = db.keyspace_with("sessions", options)?;
    /// sessions.insert("past", 1_u64.to_be_bytes())?;
    /// sessions.insert("future", u64::MAX.to_be_bytes())?;
    /// db.compact()?;
    /// assert_eq!(sessions.iter().count(), 1);
    /// # Ok::<(), sedimentdb::Error>(())
    /// ```
    pub fn compaction_filter(mut self, factory: Arc<dyn CompactionFilterFactory>) -> Self {
        self.brought.named.add_compaction_filter(factory);
        self
    }

    /// A strategy of compactions that keyspaces name, beside those of [`KeyspaceOptions::strategy`](crate::KeyspaceOptions::strategy). It
    /// decides what is worth its price. No rewrite that it asks for can lose a row; what it has forgotten is gone.
    ///
    /// ```
    /// # let dir = tempfile::tempdir().unwrap();
    /// use sedimentdb::{
    ///     Db, KeyspaceOptions,
    ///     strategy::{Backlog, Plan, Strategy, TreeView},
    /// };
    /// use std::sync::Arc;
    ///
    /// /// Merges all that has been flushed into level 1 once there are eight runs of it.
    /// #[derive(Debug)]
    /// struct Eights;
    ///
    /// impl Strategy for Eights {
    ///     fn name(&self) -> &str {
    ///         "eights"
    ///     }
    ///
    ///     fn pick(&self, tree: &TreeView<'_>) -> Option<Plan> {
    ///         let all = tree.tables(0).chain(tree.tables(1)).map(|table| table.id);
    ///         if tree.runs(0).count() < 8 { None } else { tree.rewrite(all, 1) }
    ///     }
    ///
    ///     fn scores(&self, tree: &TreeView<'_>) -> Vec<f64> {
    ///         vec![tree.runs(0).count() as f64 / 8.0]
    ///     }
    ///
    ///     fn backlog(&self, tree: &TreeView<'_>) -> Backlog {
    ///         Backlog { runs: tree.runs(0).count(), runs_due: 8, debt_bytes: 0 }
    ///     }
    /// }
    ///
    /// let db = Db::builder(dir.path()).strategy(Arc::new(Eights)).open()?;
    /// let options = KeyspaceOptions { strategy: Some("eights".into()), ..Default::default() };
    /// let archive = db.keyspace_with("archive", options)?;
    /// for year in 1990..2000 {
    ///     archive.insert(format!("{year}"), "a summer")?;
    ///     db.flush()?;
    /// }
    /// assert_eq!(archive.range("1991".."1999").count(), 8);
    /// # Ok::<(), sedimentdb::Error>(())
    /// ```
    pub fn strategy(mut self, strategy: Arc<dyn Strategy>) -> Self {
        self.brought.named.add_strategy(strategy);
        self
    }

    /// An order of keys that keyspaces name.
    ///
    /// ```
    /// # let dir = tempfile::tempdir().unwrap();
    /// use sedimentdb::{Comparator, Db, KeyspaceOptions};
    /// use std::{cmp::Ordering, sync::Arc};
    ///
    /// #[derive(Debug)]
    /// struct Newest;
    ///
    /// impl Comparator for Newest {
    ///     fn name(&self) -> &str {
    ///         "newest first"
    ///     }
    ///
    ///     fn compare(&self, a: &[u8], b: &[u8]) -> Ordering {
    ///         b.cmp(a)
    ///     }
    /// }
    ///
    /// let db = Db::builder(dir.path()).comparator(Arc::new(Newest)).open()?;
    /// let options = KeyspaceOptions { comparator: Some("newest first".into()), ..Default::default() };
    /// let events = db.keyspace_with("events", options)?;
    /// events.insert("2026-01-01", "a")?;
    /// events.insert("2026-02-01", "b")?;
    /// assert_eq!(events.iter().next().expect("there are two")?.0, "2026-02-01");
    /// # Ok::<(), sedimentdb::Error>(())
    /// ```
    pub fn comparator(mut self, comparator: Arc<dyn Comparator>) -> Self {
        self.brought.named.add_comparator(comparator);
        self
    }

    /// The outside world, for tests and unusual machines.
    ///
    /// ```
    /// use sedimentdb::{Db, Env, env::MemFs};
    /// let disk = MemFs::new();
    /// let db = Db::builder("people.db").env(Env::simulated(disk, 17)).open()?;
    /// # Ok::<(), sedimentdb::Error>(())
    /// ```
    pub fn env(mut self, env: Env) -> Self {
        self.env = Some(env);
        self
    }

    /// Opens. What is in the directory is checked, nothing is written to a database that exists.
    ///
    /// ```
    /// # let dir = tempfile::tempdir().unwrap();
    /// let db = sedimentdb::Db::builder(dir.path()).open()?;
    /// # Ok::<(), sedimentdb::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`Locked`](crate::ErrorKind::Locked) while another process has it open;
    /// [`InvalidInput`](crate::ErrorKind::InvalidInput) for a setting out of its range, for a directory that is not a database, or
    /// one that [`create`](Self::create) does not allow; [`Unsupported`](crate::ErrorKind::Unsupported) for one of a later version;
    /// [`Corruption`](crate::ErrorKind::Corruption) where something durable is damaged or missing.
    pub fn open(self) -> Result<Db> {
        let core = Core::open(&self.path, self.options, self.brought, self.env.unwrap_or_else(Env::system))?;
        Ok(Db { core: Arc::new(core) })
    }
}

impl fmt::Debug for DbBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut out = f.debug_struct("DbBuilder");
        out.field("path", &self.path).field("options", &self.options).field("listeners", &self.brought.listeners.len());
        out.finish_non_exhaustive()
    }
}
