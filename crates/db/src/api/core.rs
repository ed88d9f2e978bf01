//! What every handle shares: the parts of an open database, put together.

use crate::{
    api::{Cursor, Iter, ScanPart, VerifyReport, part::token_at},
    catalog::{Incarnation, KeyspaceState},
    commit::{self, Row, Swap, TreeMaker, Writes},
    instruments::{Delivery, Growth, Instruments, Outbox},
    options::{Components, Create, Durability, KeyspaceOptions, Options, Settings, check_compaction_rate},
    recover::{self, Found, Leftovers, Opened},
    snapshot::{self, Snapshots},
    status::{self, DbStats, Keeper},
    token::TokenHome,
    wal::{Fatal, Log, Lots, OpKind},
    worker::{Crew, Machinery, Pool, Rate, Worker, WorkerSettings, delete_unseen, save_catalog, shorten_log},
};
use sediment_base::{
    Error, ErrorKind, EventListener, FileUuid, Kind, Result, SeqNo, Slice, TreeId, range::prefix_bounds, stats::Counter,
};
use sediment_env::{Env, fs::DirLock};
use sediment_tree::{Direction, Ingestion, ScanLimits, TakeValue, Tree};
use std::{
    ops::Bound,
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
};

/// What a compare and swap came to: done, or what the key holds instead.
pub(crate) type Swapped = std::result::Result<(), Option<Slice>>;

/// Bounds of a scan, owned.
pub(crate) type Bounds = (Bound<Slice>, Bound<Slice>);

/// The clock is read for one of so many point reads of a thread.
const GETS_PER_SAMPLE: u64 = 64;

/// What a caller brings in code.
#[derive(Clone, Default)]
pub(crate) struct Brought {
    pub(crate) listeners: Vec<Arc<dyn EventListener>>,
    pub(crate) named: Components,
}

/// An open database.
#[derive(Debug)]
pub(crate) struct Core {
    machinery: Arc<Machinery>,
    worker: Arc<Worker>,
    pool: Pool,
    keeper: Keeper,
    dir: PathBuf,
    uuid: FileUuid,
    settings: Settings,
    next_tree: TreeId,
    is_closed: AtomicBool,
    /// What the first write clears away.
    leftovers: Mutex<Leftovers>,
    /// Whether recovery left anything for the first write.
    is_settled: bool,
    has_written: AtomicBool,
    /// Behind all that may have something to tell when it goes.
    last_words: LastWords,
    /// Given back when the last handle goes.
    lock: Option<Box<dyn DirLock>>,
}

impl Core {
    /// Opens, or makes, the database in `dir`.
    pub(crate) fn open(dir: &Path, options: Options, brought: Brought, env: Env) -> Result<Self> {
        let Brought { listeners, named } = brought;
        let instruments = Arc::new(Instruments::new(options.memory_bytes as u64, Arc::clone(&env.clock), listeners));
        let last_words = LastWords(Arc::clone(&instruments.events));
        let settings = Settings::new(options, named, &instruments)?;
        let lock = Self::enter(dir, settings.options(), &env)?;
        let Found::Database(entries) = recover::look(&env, dir)? else {
            return Err(Error::corruption("the database vanished while it was being opened").in_file(dir));
        };
        let lots = Arc::new(Lots::new(&*env.park));
        let worker = Arc::new(Worker::new(Self::worker_settings(settings.options()), dir, &lots));
        let settings = settings.reclaimed_by(worker.reclaimer()).sparing_memory_of(&*env.fs);
        let opened = recover::open(&env, dir, &entries, &settings, &instruments)?;
        let Opened { catalog, keyspaces, wal, recovered, leftovers, next_tree } = opened;
        let fatal = Arc::new(Fatal::new(Arc::clone(&lots), Arc::clone(&instruments.events)));
        let is_settled = leftovers.is_empty() && catalog.unsaved_from().is_none() && recovered.is_clean;
        let tickets = snapshot::tickets(recovered.next_seqno);
        let snapshots = Arc::new(Snapshots::new(&tickets, Arc::clone(&fatal), Arc::clone(&lots)));
        let log = Log::new(wal, recovered, Arc::clone(&fatal), Arc::clone(&lots), tickets);
        let uuid = catalog.db_uuid();
        let catalog = Mutex::new(catalog);
        let expert = &settings.options().expert;
        let (rate, crew) = (Rate::new(expert.compaction_bytes_per_s), Crew::new(expert.compaction_portions_max));
        let machinery = Arc::new(Machinery { env, instruments, log, fatal, lots, snapshots, keyspaces, catalog, rate, crew });
        machinery.instruments.fit_cache(Growth::Whole);
        let interval_us = settings.options().expert.stats_file_interval_us;
        let keeper = Keeper::start(&machinery, &worker, dir, interval_us)?;
        Ok(Self {
            worker,
            machinery,
            pool: Pool::default(),
            keeper,
            dir: dir.to_path_buf(),
            uuid,
            settings,
            next_tree,
            is_closed: AtomicBool::new(false),
            leftovers: Mutex::new(leftovers),
            is_settled,
            has_written: AtomicBool::new(false),
            last_words,
            lock,
        })
    }

    /// What maintains the database, for tests of that.
    #[cfg(test)]
    pub(crate) fn maintenance(&self) -> (&Machinery, &Worker) {
        (&self.machinery, &self.worker)
    }

    fn worker_settings(options: &Options) -> WorkerSettings {
        WorkerSettings {
            memtables_bytes: options.memtables_bytes(),
            wal_files: options.wal_files(),
            reserve_bytes: options.expert.reserve_bytes,
            has_threads: !options.read_only && options.expert.background_threads != Some(0),
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

    fn delivery(&self) -> Delivery<&Outbox> {
        self.last_words.0.delivery()
    }

    pub(crate) fn options(&self) -> &Options {
        self.settings.options()
    }

    pub(crate) fn machinery(&self) -> &Machinery {
        &self.machinery
    }

    /// The seqno that a read of many keys is made at: that of a snapshot, or of now. To be asked for where nothing is pinned yet: it
    /// may take a while.
    fn moment(&self, at: Option<SeqNo>) -> impl Fn() -> SeqNo {
        let snapshots = &self.machinery.snapshots;
        if at.is_none() {
            snapshots.settle();
        }
        move || at.unwrap_or_else(|| snapshots.visible())
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

    /// Before whatever writes.
    fn begin_write(&self) -> Result<()> {
        self.check_writable()?;
        let threads = || self.options().compaction_threads(self.machinery.env.spawn.cores());
        self.pool.ensure_started(&self.machinery, &self.worker, threads)
    }

    pub(crate) fn commit(&self, writes: Writes, durability: Durability) -> Result<()> {
        let _delivery = self.delivery();
        self.begin_write()?;
        commit::commit(&self.machinery, &self.worker, writes, durability)?;
        self.settle();
        Ok(())
    }

    pub(crate) fn commit_row(&self, keyspace: &Arc<KeyspaceState>, row: Row<'_>) -> Result<()> {
        let _delivery = self.delivery();
        self.begin_write()?;
        commit::commit_row(&self.machinery, &self.worker, keyspace, row, self.options().durability)?;
        self.settle();
        Ok(())
    }

    /// Writes `new` (`None` removes) if the key holds what is expected; else what it holds.
    pub(crate) fn compare_and_swap(&self, swap: &Swap<'_>, new: Option<&[u8]>) -> Result<Swapped> {
        let _delivery = self.delivery();
        self.begin_write()?;
        let read = || {
            let mut value = Slice::default();
            Ok(self.get(swap.keyspace, swap.key, None, &mut value)?.then_some(value))
        };
        let write = || {
            let mut writes = Writes::default();
            let kind = if new.is_some() { Kind::Value } else { Kind::Tombstone };
            writes.push(swap.keyspace, OpKind::Row(kind), swap.key, new.unwrap_or_default());
            writes
        };
        let swapped = commit::compare_and_swap(&self.machinery, &self.worker, swap, read, write)?;
        self.settle();
        Ok(swapped)
    }

    pub(crate) fn persist(&self, durability: Durability) -> Result<()> {
        let _delivery = self.delivery();
        self.begin_write()?;
        commit::persist(&self.machinery, durability)
    }

    pub(crate) fn settings(&self) -> &Settings {
        &self.settings
    }

    pub(crate) fn create_keyspace(&self, name: &str, options: &KeyspaceOptions) -> Result<Option<Arc<KeyspaceState>>> {
        let _delivery = self.delivery();
        self.begin_write()?;
        let made = commit::create(&self.machinery, &self.tree_maker(), name, options);
        let made = self.worker.noticed(&self.machinery, made)?;
        self.settle();
        Ok(made)
    }

    pub(crate) fn drop_keyspace(&self, name: &str) -> Result<bool> {
        let _delivery = self.delivery();
        self.begin_write()?;
        let is_dropped = self.worker.patiently(&self.machinery, || commit::drop_keyspace(&self.machinery, name))?;
        self.worker.freed(&self.machinery);
        self.settle();
        Ok(is_dropped)
    }

    pub(crate) fn configure(&self, keyspace: &KeyspaceState, options: &KeyspaceOptions) -> Result<()> {
        let _delivery = self.delivery();
        self.begin_write()?;
        let configured = commit::configure(&self.machinery, &self.settings, keyspace, options);
        self.worker.noticed(&self.machinery, configured)?;
        self.settle();
        Ok(())
    }

    /// Ends an ingestion.
    pub(crate) fn ingest(&self, keyspace: &KeyspaceState, into: &Incarnation, ingestion: Ingestion) -> Result<()> {
        let _delivery = self.delivery();
        self.begin_write()?;
        let ingested = commit::ingest(&self.machinery, keyspace, into, ingestion);
        self.worker.noticed(&self.machinery, ingested)?;
        self.settle();
        Ok(())
    }

    /// Refuses to begin one where there must be no writes.
    pub(crate) fn check_ingest(&self, keyspace: &KeyspaceState) -> Result<()> {
        self.begin_write()?;
        commit::check_alive(keyspace)
    }

    pub(crate) fn clear(&self, keyspace: &KeyspaceState) -> Result<()> {
        let _delivery = self.delivery();
        self.begin_write()?;
        self.worker.patiently(&self.machinery, || commit::clear(&self.machinery, &self.tree_maker(), keyspace))?;
        self.worker.freed(&self.machinery);
        self.settle();
        Ok(())
    }

    pub(crate) fn flush(&self) -> Result<()> {
        let _delivery = self.delivery();
        self.begin_write()?;
        self.worker.flush_all(&self.machinery)?;
        self.settle();
        Ok(())
    }

    pub(crate) fn compact(&self) -> Result<()> {
        let _delivery = self.delivery();
        self.begin_write()?;
        self.worker.compact_all(&self.machinery)?;
        self.settle();
        Ok(())
    }

    pub(crate) fn limit_compaction(&self, bytes_per_s: Option<u64>) -> Result<()> {
        check_compaction_rate(bytes_per_s)?;
        self.machinery.rate.limit(bytes_per_s);
        self.machinery.lots.room.wake_all();
        Ok(())
    }

    /// Ends the log; every handle is refused from now on.
    pub(crate) fn close(&self) -> Result<()> {
        let _delivery = self.delivery();
        if self.is_closed.swap(true, Ordering::AcqRel) {
            return Ok(());
        }
        self.end_threads();
        self.machinery.log.set_helped(false);
        if self.options().read_only {
            return Ok(());
        }
        let shortened = shorten_log(&self.machinery);
        self.machinery.log.close().and(shortened.map(drop))
    }

    /// Whether a key has a value, now or at a snapshot; `value` takes it.
    ///
    /// What is in memory is read under one epoch pin, without a lock or a shared count from the list of trees to the block.
    #[inline]
    pub(crate) fn get<V: TakeValue>(
        &self,
        keyspace: &KeyspaceState,
        key: &[u8],
        at: Option<SeqNo>,
        value: &mut V,
    ) -> Result<bool> {
        self.check_readable(keyspace, at)?;
        let instruments = &self.machinery.instruments;
        let is_sample = instruments.stats.local().own_count(Counter::GetCount).is_multiple_of(GETS_PER_SAMPLE);
        let start_us = is_sample.then(|| instruments.now_us());
        let visible = || at.unwrap_or_else(|| self.machinery.snapshots.newest());
        let begun = keyspace.with_tree_at(at, |tree, pin| tree.begin_get(pin, key, visible, value));
        let found = begun.map_or(Ok(false), |begun| begun?.finish());
        if let Some(start_us) = start_us {
            instruments.sampled_get(start_us);
        }
        found
    }

    /// The values of several keys, now or at a snapshot: all of one moment.
    pub(crate) fn multi_get<K: AsRef<[u8]>>(
        &self,
        keyspace: &KeyspaceState,
        keys: &[K],
        at: Option<SeqNo>,
    ) -> Result<Vec<Option<Slice>>> {
        self.check_readable(keyspace, at)?;
        let mut values = vec![Slice::default(); keys.len()];
        let visible = self.moment(at);
        let begun = keyspace.with_tree_at(at, |tree, pin| tree.begin_multi_get(pin, keys, visible, &mut values));
        let Some(begun) = begun else { return Ok(vec![None; keys.len()]) };
        let found = begun?.finish()?;
        Ok(values.into_iter().zip(found).map(|(value, is_found)| is_found.then_some(value)).collect())
    }

    /// A range now, or at a snapshot.
    pub(crate) fn scan(&self, keyspace: &KeyspaceState, bounds: Bounds, at: Option<SeqNo>) -> Iter {
        if let Err(error) = self.check_readable(keyspace, at) {
            return Iter::failed(error);
        }
        let visible = self.moment(at);
        let scan = keyspace.begin_scan(at, |tree| tree.range_at::<Slice, _>(bounds, visible));
        scan.map_or_else(Iter::empty, |scan| Iter::over(scan, &self.machinery.instruments.events))
    }

    /// The keys that begin with `prefix`, now or at a snapshot. Where keys have an order of their own, only the empty one has a place.
    pub(crate) fn scan_prefix(&self, keyspace: &KeyspaceState, prefix: &[u8], at: Option<SeqNo>) -> Iter {
        if !prefix.is_empty()
            && let Err(error) = keyspace.check_prefixes()
        {
            return Iter::failed(error);
        }
        self.scan(keyspace, prefix_bounds(prefix), at)
    }

    /// A cursor over a keyspace as it is now, or at a snapshot.
    pub(crate) fn cursor(&self, keyspace: &KeyspaceState, at: Option<SeqNo>) -> Cursor {
        if let Err(error) = self.check_readable(keyspace, at) {
            return Cursor::failed(error);
        }
        let visible = self.moment(at);
        let cursor = keyspace.begin_scan(at, |tree| tree.cursor_at(visible));
        cursor.map_or_else(Cursor::empty, |cursor| Cursor::over(cursor, &self.machinery.instruments.events))
    }

    /// A part of a scan, now or at a snapshot.
    pub(crate) fn scan_part(
        &self,
        keyspace: &KeyspaceState,
        bounds: Bounds,
        way: (Direction, ScanLimits),
        at: Option<SeqNo>,
    ) -> Result<ScanPart> {
        self.check_readable(keyspace, at)?;
        let visible = self.moment(at);
        let home = self.token_home(keyspace);
        let part = keyspace.begin_scan(at, |tree| tree.scan_part_at::<Slice, _>(bounds, way, visible));
        let over = |part| ScanPart::over(part, &self.machinery.instruments.events, home, at);
        Ok(part.map_or_else(|| ScanPart::nothing(home, at), over))
    }

    /// The next part of a scan, now or at a snapshot.
    pub(crate) fn next_part(
        &self,
        keyspace: &KeyspaceState,
        token: &[u8],
        limits: ScanLimits,
        at: Option<SeqNo>,
    ) -> Result<ScanPart> {
        let token = token_at(token, self.token_home(keyspace), at)?;
        self.scan_part(keyspace, token.rest, (token.direction, limits), at)
    }

    fn token_home(&self, keyspace: &KeyspaceState) -> TokenHome {
        TokenHome { database: self.uuid, keyspace: keyspace.id() }
    }

    /// Asks the tree of a keyspace as it is now. Does I/O: the tree is held by its count.
    pub(crate) fn with_present<T>(&self, keyspace: &KeyspaceState, ask: impl FnOnce(&Tree) -> Result<T>) -> Result<T> {
        self.check_readable(keyspace, None)?;
        ask(&keyspace.newest().tree)
    }

    /// Refuses reads after a close, and of the present where there is none.
    #[inline]
    fn check_readable(&self, keyspace: &KeyspaceState, at: Option<SeqNo>) -> Result<()> {
        self.check_open()?;
        if at.is_none() { commit::check_alive(keyspace) } else { Ok(()) }
    }

    /// What a snapshot held may be deletable.
    pub(crate) fn snapshot_ended(&self) {
        let _delivery = self.delivery();
        // Where somebody is changing keyspaces, maintenance comes back to it.
        if self.check_writable().is_ok()
            && let Ok(catalog) = self.machinery.catalog.try_lock()
        {
            delete_unseen(&self.machinery, &catalog);
        }
    }

    pub(crate) fn stats(&self) -> DbStats {
        status::gather(&self.machinery, &self.worker)
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
        // Held, so that no file goes because of something that is not yet counted as covered.
        let catalog = self.machinery.catalog();
        let (files, bytes, fault) = self.machinery.log.verify(catalog.covered());
        drop(catalog);
        report.files += files;
        report.bytes += bytes;
        report.faults.extend(fault);
        Ok(report)
    }

    fn end_threads(&self) {
        self.worker.stop();
        self.pool.join();
        self.keeper.join();
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
        self.keeper.forget_stale(&self.machinery);
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

/// Tells listeners what is left to tell.
#[derive(Debug)]
struct LastWords(Arc<Outbox>);

impl Drop for LastWords {
    fn drop(&mut self) {
        self.0.deliver_all();
    }
}

impl Drop for Core {
    /// Nothing of this database runs once its last handle is gone: the directory may be somebody else's then.
    fn drop(&mut self) {
        self.end_threads();
    }
}
