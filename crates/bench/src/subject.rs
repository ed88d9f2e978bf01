//! The database under measurement: a fresh one in a directory of its own, and what it is filled with.

use crate::{
    clock::{Clock, nanoseconds, sleep},
    failure::{Failure, Result},
    files,
    generator::{Distribution, Values, Zipf},
    machine::{anonymous_bytes, cpu_ns},
    settings::Settings,
};
use sedimentdb::{Create, Db, Keyspace, KeyspaceOptions};
use std::{
    fs, io,
    path::{Path, PathBuf},
};
use tempfile::TempDir;

/// How often to look whether the database still works in the background.
const GLANCE_NS: u64 = 50_000_000;
/// More processor time than this in a glance means that it does; the system counts in steps of 10 ms.
const IDLE_CPU_NS: u64 = 10_000_000;

/// A database with `keys` keys, or room for them.
#[derive(Debug)]
pub(crate) struct Subject {
    open: Option<(Db, Keyspace)>,
    settings: Settings,
    keys: u64,
    values: Values,
    zipf: Option<Zipf>,
    memory: usize,
    /// Memory of the process before it opened the database.
    anonymous_before: Option<u64>,
    /// Behind the handles, so that it goes after them.
    place: Place,
}

#[derive(Debug)]
enum Place {
    Temporary(TempDir),
    Kept(PathBuf),
}

impl Subject {
    /// An empty database with room for so many keys.
    pub(crate) fn new(settings: &Settings, keys: u64) -> Result<Self> {
        Self::with_memory(settings, keys, settings.memory)
    }

    /// The same with other memory than the settings say.
    pub(crate) fn with_memory(settings: &Settings, keys: u64, memory: usize) -> Result<Self> {
        settings.check()?;
        let parent = settings.dir.clone().unwrap_or_else(std::env::temp_dir);
        let mut subject = Self {
            open: None,
            settings: settings.clone(),
            keys,
            values: Values::new(settings.value_bytes(), settings.seed),
            zipf: (settings.distribution == Distribution::Zipf).then(|| Zipf::new(keys)),
            memory,
            anonymous_before: anonymous_bytes(),
            place: place(&parent, settings.keep).map_err(|error| Failure::io("make a directory in", &parent, &error))?,
        };
        subject.open()?;
        Ok(subject)
    }

    /// Opens the database after it was closed or abandoned.
    pub(crate) fn open(&mut self) -> Result<()> {
        let builder = Db::builder(self.database_dir()).create(Create::IfMissing).memory(self.memory);
        let db = builder.durability(self.settings.durability.into()).goal(self.settings.goal.into()).open()?;
        let keyspace = db.keyspace("bench")?;
        if let Some(strategy) = &self.settings.strategy {
            keyspace.set_options(KeyspaceOptions { strategy: Some(strategy.clone()), ..keyspace.options() })?;
        }
        self.open = Some((db, keyspace));
        Ok(())
    }

    /// Closes the database and opens it with other memory; if it is to be cold, with nothing of it in the system's memory either.
    pub(crate) fn reopen(&mut self, memory: usize, cold: bool) -> Result<()> {
        self.close()?;
        if cold {
            let dir = self.database_dir();
            files::forget(&dir).map_err(|error| Failure::io("forget", &dir, &error))?;
        }
        self.memory = memory;
        self.open()
    }

    /// Ends the log and lets go of everything.
    pub(crate) fn close(&mut self) -> Result<()> {
        if let Some((db, _keyspace)) = self.open.take() {
            db.close()?;
        }
        Ok(())
    }

    /// Lets go of everything, as the death of the process would.
    pub(crate) fn abandon(&mut self) {
        self.open = None;
    }

    /// The database.
    pub(crate) fn db(&self) -> &Db {
        &self.open.as_ref().expect("it is used only while it is open").0
    }

    /// The keyspace that everything happens in.
    pub(crate) fn keyspace(&self) -> &Keyspace {
        &self.open.as_ref().expect("it is used only while it is open").1
    }

    pub(crate) fn settings(&self) -> &Settings {
        &self.settings
    }

    pub(crate) fn keys(&self) -> u64 {
        self.keys
    }

    pub(crate) fn values(&self) -> &Values {
        &self.values
    }

    pub(crate) fn zipf(&self) -> Option<Zipf> {
        self.zipf
    }

    pub(crate) fn anonymous_before(&self) -> Option<u64> {
        self.anonymous_before
    }

    /// Flushes, then waits until nothing happens in the background any more. Returns for how many seconds something did.
    ///
    /// The database is not asked whether it has work to do, for what it calls work could differ from what costs: it is drained
    /// when its levels stay as they are and its threads use no processor.
    pub(crate) fn drain(&self) -> Result<f64> {
        let clock = Clock::start();
        self.db().flush()?;
        let (mut busy_until, mut shape, mut cpu) = (clock.now(), self.shape(), cpu_ns());
        while clock.now() - busy_until < nanoseconds(self.settings.quiet) {
            sleep(GLANCE_NS.min(nanoseconds(self.settings.quiet)));
            let (new_shape, new_cpu) = (self.shape(), cpu_ns());
            let used = new_cpu.zip(cpu).map_or(0, |(new, old)| new - old);
            if used > IDLE_CPU_NS || new_shape != shape {
                busy_until = clock.now();
            }
            (shape, cpu) = (new_shape, new_cpu);
        }
        Ok(crate::clock::seconds(busy_until))
    }

    /// Bytes of all files of the database.
    pub(crate) fn disk_bytes(&self) -> Result<u64> {
        let dir = self.database_dir();
        files::length(&dir).map_err(|error| Failure::io("read", &dir, &error))
    }

    /// The directory that holds the database's, and what measures beside it.
    pub(crate) fn dir(&self) -> &Path {
        match &self.place {
            Place::Temporary(dir) => dir.path(),
            Place::Kept(dir) => dir,
        }
    }

    fn database_dir(&self) -> PathBuf {
        self.dir().join("db")
    }

    /// Bytes waiting for a flush, then tables and bytes of each level.
    fn shape(&self) -> Vec<(u64, u64)> {
        let stats = self.db().stats();
        let keyspaces = stats.keyspaces.iter();
        let shape = keyspaces.flat_map(|keyspace| {
            let levels = keyspace.levels.iter().map(|level| (level.tables, level.bytes));
            std::iter::once((keyspace.sealed_bytes, 0)).chain(levels)
        });
        shape.collect()
    }
}

fn place(parent: &Path, keep: bool) -> io::Result<Place> {
    fs::create_dir_all(parent)?;
    let dir = tempfile::Builder::new().prefix("sediment-bench-").tempdir_in(parent)?;
    Ok(if keep { Place::Kept(dir.keep()) } else { Place::Temporary(dir) })
}
