//! `Db` and its builder.

use crate::{
    api::{DbStats, Keyspace, Snapshot, VerifyReport, WriteBatch},
    options::{Create, Durability, Options},
};
use sediment_base::Result;
use sediment_env::Env;
use std::path::{Path, PathBuf};

/// An open database. Cheap to clone, usable from any thread.
#[derive(Clone, Debug)]
pub struct Db {}

impl Db {
    /// Opens the database in directory `path`, making it where it is missing.
    pub fn open(path: impl AsRef<Path>) -> Result<Self> {
        Self::builder(path).open()
    }

    /// Opens with settings.
    pub fn builder(path: impl AsRef<Path>) -> DbBuilder {
        DbBuilder { path: path.as_ref().to_path_buf(), options: Options::default(), env: None }
    }

    /// Opens a keyspace, making it where it is missing.
    pub fn keyspace(&self, _name: &str) -> Result<Keyspace> {
        unimplemented!()
    }

    /// Opens a keyspace that exists; `None` where it does not.
    pub fn open_keyspace(&self, _name: &str) -> Result<Option<Keyspace>> {
        unimplemented!()
    }

    /// Makes a keyspace; an error where the name is taken.
    pub fn create_keyspace(&self, _name: &str) -> Result<Keyspace> {
        unimplemented!()
    }

    /// The names of all keyspaces, sorted.
    pub fn keyspace_names(&self) -> Vec<String> {
        unimplemented!()
    }

    /// Drops a keyspace and all it holds; `false` where there is none.
    pub fn drop_keyspace(&self, _name: &str) -> Result<bool> {
        unimplemented!()
    }

    /// An empty batch.
    pub fn batch(&self) -> WriteBatch {
        unimplemented!()
    }

    /// The database as it is now, held.
    #[track_caller]
    pub fn snapshot(&self) -> Snapshot {
        unimplemented!()
    }

    /// Raises every commit that has returned to `durability` at least.
    pub fn persist(&self, _durability: Durability) -> Result<()> {
        unimplemented!()
    }

    /// Moves everything from memtables into tables.
    pub fn flush(&self) -> Result<()> {
        unimplemented!()
    }

    /// Rewrites every keyspace into as few tables as can be, leaving out what no reader needs.
    pub fn compact(&self) -> Result<()> {
        unimplemented!()
    }

    /// What the database is made of at this moment.
    pub fn stats(&self) -> DbStats {
        unimplemented!()
    }

    /// Reads every byte and reports each fault.
    pub fn verify(&self) -> Result<VerifyReport> {
        unimplemented!()
    }

    /// Ends the log cleanly. The lock is released with the last handle.
    pub fn close(self) -> Result<()> {
        unimplemented!()
    }
}

/// Opens a database with settings.
#[derive(Clone, Debug)]
#[must_use]
pub struct DbBuilder {
    #[expect(dead_code, reason = "read by open")]
    path: PathBuf,
    options: Options,
    env: Option<Env>,
}

impl DbBuilder {
    /// Replaces all settings.
    pub fn options(mut self, options: Options) -> Self {
        self.options = options;
        self
    }

    /// What to do about a database that is missing, or there.
    pub fn create(mut self, create: Create) -> Self {
        self.options.create = create;
        self
    }

    /// Refuses every write.
    pub fn read_only(mut self, read_only: bool) -> Self {
        self.options.read_only = read_only;
        self
    }

    /// Durability of commits that do not choose their own.
    pub fn durability(mut self, durability: Durability) -> Self {
        self.options.durability = durability;
        self
    }

    /// Memory for block cache and memtables, in bytes.
    pub fn memory(mut self, bytes: usize) -> Self {
        self.options.memory_bytes = bytes;
        self
    }

    /// The outside world, for tests and unusual machines.
    pub fn env(mut self, env: Env) -> Self {
        self.env = Some(env);
        self
    }

    /// Opens.
    pub fn open(self) -> Result<Db> {
        unimplemented!()
    }
}
