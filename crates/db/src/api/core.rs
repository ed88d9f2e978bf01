//! What every handle shares: the parts of an open database, put together.

use crate::{
    api::{DbStats, Iter, KeyspaceStats, LevelStats, SnapshotStats, VerifyReport},
    catalog::KeyspaceState,
    commit::{self, TreeMaker, Writes},
    options::{Create, Durability, KeyspaceOptions, Options, Settings},
    recover::{self, Found, Leftovers, Opened},
    snapshot::Snapshots,
    wal::{Fatal, Log, Lots},
    worker::{Machinery, Pool, Worker, WorkerSettings, delete_unseen, save_catalog, shorten_log},
};
use sediment_base::{Error, ErrorKind, Result, SeqNo, Slice, TreeId};
use sediment_env::{Env, fs::DirLock};
use std::{
    ops::Bound,
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
};

/// Bounds of a scan, owned.
pub(crate) type Bounds = (Bound<Slice>, Bound<Slice>);

/// An open database.
#[derive(Debug)]
pub(crate) struct Core {
    machinery: Arc<Machinery>,
    worker: Arc<Worker>,
    pool: Pool,
    dir: PathBuf,
    settings: Settings,
    next_tree: TreeId,
    is_closed: AtomicBool,
    /// What the first write clears away.
    leftovers: Mutex<Leftovers>,
    /// Whether recovery left anything for the first write.
    is_settled: bool,
    has_written: AtomicBool,
    /// Given back when the last handle goes.
    lock: Option<Box<dyn DirLock>>,
}

impl Core {
    /// Opens, or makes, the database in `dir`.
    pub(crate) fn open(dir: &Path, options: Options, env: Env) -> Result<Self> {
        let settings = Settings::new(options)?;
        let lock = Self::enter(dir, settings.options(), &env)?;
        let Found::Database(entries) = recover::look(&env, dir)? else {
            return Err(Error::corruption("the database vanished while it was being opened").in_file(dir));
        };
        let opened = recover::open(&env, dir, &entries, &settings)?;
        let Opened { catalog, keyspaces, wal, recovered, leftovers, next_tree } = opened;
        let lots = Arc::new(Lots::new(&*env.park));
        let fatal = Arc::new(Fatal::new(Arc::clone(&lots)));
        let is_settled = leftovers.is_empty() && catalog.unsaved_from().is_none() && recovered.is_clean;
        let snapshots = Arc::new(Snapshots::new(recovered.next_seqno, Arc::clone(&fatal), Arc::clone(&lots)));
        let log = Log::new(wal, recovered, Arc::clone(&fatal), Arc::clone(&lots), snapshots.ratchet());
        let worker = Arc::new(Worker::new(Self::worker_settings(settings.options(), &env), dir, &lots));
        let catalog = Mutex::new(catalog);
        let machinery = Arc::new(Machinery { env, log, fatal, lots, snapshots, keyspaces, catalog });
        let pool = Pool::start(&machinery, &worker)?;
        Ok(Self {
            worker,
            machinery,
            pool,
            dir: dir.to_path_buf(),
            settings,
            next_tree,
            is_closed: AtomicBool::new(false),
            leftovers: Mutex::new(leftovers),
            is_settled,
            has_written: AtomicBool::new(false),
            lock,
        })
    }

    fn worker_settings(options: &Options, env: &Env) -> WorkerSettings {
        WorkerSettings {
            memtables_bytes: options.memtables_bytes(),
            wal_files: options.wal_files(),
            reserve_bytes: options.expert.reserve_bytes,
            threads: if options.read_only { 0 } else { options.compaction_threads(env.spawn.cores()) },
        }
    }

    /// Takes the lock, and makes the database where it is missing and wanted.
    fn enter(dir: &Path, options: &Options, env: &Env) -> Result<Option<Box<dyn DirLock>>> {
        let may_create = options.create != Create::MustExist && !options.read_only;
        match recover::look(env, dir)? {
            Found::Database(_) if options.create == Create::New => {
                return Err(Error::invalid_input("a database exists already").in_file(dir));
            }
            Found::Database(_) => return recover::lock(env, dir, options.read_only),
            Found::Nothing if !may_create => {
                return Err(Error::invalid_input("there is no database").in_file(dir));
            }
            Found::Nothing => {}
        }
        recover::create_all(&*env.fs, dir)?;
        let lock = recover::lock(env, dir, false)?;
        // Another process may have been here before the lock.
        match recover::look(env, dir)? {
            Found::Nothing => recover::begin(env, dir)?,
            Found::Database(_) if options.create == Create::New => {
                return Err(Error::invalid_input("a database exists already").in_file(dir));
            }
            Found::Database(_) => {}
        }
        Ok(lock)
    }

    pub(crate) fn options(&self) -> &Options {
        self.settings.options()
    }

    pub(crate) fn machinery(&self) -> &Machinery {
        &self.machinery
    }

    /// Refuses reads after a close.
    #[inline]
    pub(crate) fn check_open(&self) -> Result<()> {
        if self.is_closed.load(Ordering::Acquire) {
            return Err(Error::new(ErrorKind::Closed, "the database was closed"));
        }
        Ok(())
    }

    /// Refuses writes where there must be none.
    fn check_writable(&self) -> Result<()> {
        self.check_open()?;
        if self.options().read_only {
            return Err(Error::invalid_input("the database was opened for reading only"));
        }
        if self.lock.as_ref().is_some_and(|lock| !lock.is_owner()) {
            return Err(Error::new(ErrorKind::Locked, "a forked process does not hold the database's lock"));
        }
        Ok(())
    }

    pub(crate) fn commit(&self, writes: Writes, durability: Durability) -> Result<()> {
        self.check_writable()?;
        commit::commit(&self.machinery, &self.worker, writes, durability)?;
        self.settle();
        Ok(())
    }

    pub(crate) fn persist(&self, durability: Durability) -> Result<()> {
        self.check_writable()?;
        commit::persist(&self.machinery, durability)
    }

    pub(crate) fn settings(&self) -> &Settings {
        &self.settings
    }

    pub(crate) fn create_keyspace(&self, name: &str, options: &KeyspaceOptions) -> Result<Option<Arc<KeyspaceState>>> {
        self.check_writable()?;
        let made = commit::create(&self.machinery, &self.tree_maker(), name, options);
        let made = self.worker.noticed(&self.machinery, made)?;
        self.settle();
        Ok(made)
    }

    pub(crate) fn drop_keyspace(&self, name: &str) -> Result<bool> {
        self.check_writable()?;
        let is_dropped = commit::drop_keyspace(&self.machinery, name)?;
        self.settle();
        Ok(is_dropped)
    }

    pub(crate) fn configure(&self, keyspace: &KeyspaceState, options: &KeyspaceOptions) -> Result<()> {
        self.check_writable()?;
        let configured = commit::configure(&self.machinery, &self.settings, keyspace, options);
        self.worker.noticed(&self.machinery, configured)?;
        self.settle();
        Ok(())
    }

    pub(crate) fn clear(&self, keyspace: &KeyspaceState) -> Result<()> {
        self.check_writable()?;
        commit::clear(&self.machinery, &self.tree_maker(), keyspace)?;
        self.settle();
        Ok(())
    }

    pub(crate) fn flush(&self) -> Result<()> {
        self.check_writable()?;
        self.worker.flush_all(&self.machinery)?;
        self.settle();
        Ok(())
    }

    pub(crate) fn compact(&self) -> Result<()> {
        self.check_writable()?;
        self.worker.compact_all(&self.machinery)?;
        self.settle();
        Ok(())
    }

    /// Ends the log; every handle is refused from now on.
    pub(crate) fn close(&self) -> Result<()> {
        if self.is_closed.swap(true, Ordering::AcqRel) {
            return Ok(());
        }
        self.worker.stop();
        self.pool.join();
        self.machinery.log.set_helped(false);
        if self.options().read_only {
            return Ok(());
        }
        let shortened = shorten_log(&self.machinery);
        self.machinery.log.close().and(shortened)
    }

    /// A value now, or at a snapshot.
    pub(crate) fn get(&self, keyspace: &KeyspaceState, key: &[u8], at: Option<SeqNo>) -> Result<Option<Slice>> {
        self.check_open()?;
        match at {
            Some(seqno) => keyspace.at(seqno).map_or(Ok(None), |tree| tree.get(key, seqno)),
            None => {
                commit::check_alive(keyspace)?;
                keyspace.with_newest(|tree| tree.get_at(key, || self.machinery.snapshots.visible()))
            }
        }
    }

    /// A range now, or at a snapshot.
    pub(crate) fn scan(&self, keyspace: &KeyspaceState, bounds: Bounds, at: Option<SeqNo>) -> Iter {
        if let Err(error) = self.check_open() {
            return Iter::failed(error);
        }
        match at {
            Some(seqno) => {
                keyspace.at(seqno).map_or_else(Iter::empty, |tree| Iter::over(tree.range::<Slice, _>(bounds, seqno)))
            }
            None => match commit::check_alive(keyspace) {
                Err(error) => Iter::failed(error),
                Ok(()) => {
                    let visible = || self.machinery.snapshots.visible();
                    Iter::over(keyspace.with_newest(|tree| tree.range_at::<Slice, _>(bounds, visible)))
                }
            },
        }
    }

    /// What a snapshot held may be deletable.
    pub(crate) fn snapshot_ended(&self) {
        // Where somebody is changing keyspaces, maintenance comes back to it.
        if self.check_writable().is_ok()
            && let Ok(catalog) = self.machinery.catalog.try_lock()
        {
            delete_unseen(&self.machinery, &catalog);
        }
    }

    pub(crate) fn stats(&self) -> DbStats {
        let (wal_files, wal_bytes) = self.machinery.log.size();
        let open = self.machinery.snapshots.open();
        DbStats {
            visible_seqno: self.machinery.snapshots.visible(),
            keyspaces: self.machinery.keyspaces.all().iter().map(|keyspace| keyspace_stats(keyspace)).collect(),
            wal_files,
            wal_bytes,
            snapshots: open.into_iter().map(|(read_seqno, made_at)| SnapshotStats { read_seqno, made_at }).collect(),
            poisoned: self.machinery.fatal.cause(),
        }
    }

    pub(crate) fn verify(&self) -> Result<VerifyReport> {
        self.check_open()?;
        let mut report = VerifyReport::default();
        for keyspace in self.machinery.keyspaces.all() {
            let found = keyspace.newest().tree.verify()?;
            report.files += found.tables;
            report.blocks += found.blocks;
            report.rows += found.rows;
            report.bytes += found.bytes;
            report.faults.extend(found.faults);
        }
        let (files, bytes, fault) = self.machinery.log.verify();
        report.files += files;
        report.bytes += bytes;
        report.faults.extend(fault);
        Ok(report)
    }

    fn tree_maker(&self) -> TreeMaker<'_> {
        TreeMaker { dir: &self.dir, settings: &self.settings, not_below: self.next_tree }
    }

    /// After the first write: maintenance begins, and what recovery left over goes where it belongs. What fails waits for the next
    /// open.
    fn settle(&self) {
        if self.has_written.load(Ordering::Acquire) || self.has_written.swap(true, Ordering::AcqRel) {
            return;
        }
        self.worker.begin();
        self.worker.reserve(&self.machinery);
        if self.is_settled {
            return;
        }
        let leftovers = std::mem::take(&mut *self.leftovers.lock().expect("no code panics under this lock"));
        let mut catalog = self.machinery.catalog();
        // Nothing goes that the catalog on disk may still name.
        if save_catalog(&self.machinery, &mut catalog).is_err() {
            return;
        }
        let _ = leftovers.clear(&self.machinery.env, &self.dir, &mut catalog);
        for keyspace in self.machinery.keyspaces.all() {
            let _ = keyspace.newest().tree.move_orphans();
        }
    }
}

impl Drop for Core {
    /// Nothing of this database runs once its last handle is gone: the directory may be somebody else's then.
    fn drop(&mut self) {
        self.worker.stop();
        self.pool.join();
    }
}

fn keyspace_stats(keyspace: &KeyspaceState) -> KeyspaceStats {
    let stats = keyspace.newest().tree.stats();
    let level = |level: &sediment_tree::LevelStats| LevelStats {
        tables: level.tables as u64,
        bytes: level.bytes,
        rows: level.rows,
        tombstones: level.tombstones,
    };
    KeyspaceStats {
        name: keyspace.name().to_owned(),
        memtable_bytes: stats.memtable_bytes as u64,
        sealed_bytes: stats.sealed_bytes as u64,
        levels: stats.levels.iter().map(level).collect(),
    }
}
