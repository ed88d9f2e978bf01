//! `Tree`: one LSM tree, a handle with one short method per verb.
//!
//! The caller brings seqnos, time, threads and durability. Reads at `S` see rows with a seqno below `S`. What was inserted is
//! in memory only until [`Tree::seal`] and [`Tree::flush`] have put it into tables. Every method may be called from any thread.

mod multi_get;
mod overlay;
mod raw;
mod reads;
#[cfg(test)]
mod tests;

pub use multi_get::{BegunMultiGet, StoppedMultiGet};
pub use overlay::Overlay;
pub use raw::MemtableView;

use crate::{
    admin::{self, TreeStats, VerifyReport},
    compaction::{self, Chosen, CompactionContext, CompactionReport, Plan, Pressure, Reservations, Strategy, Urgency},
    flush::{self, FlushContext, FlushReport},
    ingest::{IngestReport, Ingesting},
    open,
    options::TreeOptions,
    read::{Ended, Reader, Scan, Search, TakeValue},
    retention::Retention,
    super_version::{SuperVersion, SuperVersions, TreeParts},
    version::ManifestPosition,
    write::{self, WriteBatch},
};
use sediment_base::{
    Error, FileUuid, InternalKey, KeyOrder, Kind, RangeTombstone, Result, SeqNo, Slice,
    range::{owned_bounds, prefix_bounds, prefix_end},
};
use sediment_env::Env;
use sediment_raw::epoch::{self, Pin};
use sediment_table::Reach;
use std::{
    ops::RangeBounds,
    path::Path,
    sync::{Arc, Mutex, PoisonError},
};

/// One LSM tree. Cheap to clone; the clones are one tree.
#[derive(Clone, Debug)]
pub struct Tree {
    inner: Arc<Inner>,
}

/// A point read that was begun under an epoch pin.
#[derive(Debug)]
#[must_use = "it may have stopped half-way"]
pub enum BegunGet<'a, V> {
    /// It is at its end; whether the key has a value, which then was taken.
    Ended(bool),
    /// What it needs next takes time.
    Stopped(Box<StoppedGet<'a, V>>),
}

/// A point read half-way. Holds by counts what the pin held.
#[derive(Debug)]
pub struct StoppedGet<'a, V> {
    search: Search<'a, V>,
    pinned: Arc<SuperVersion>,
    tree: Tree,
}

/// Sorted rows on their way into tables of a tree. Dropped unfinished, it leaves nothing.
#[derive(Debug)]
#[must_use = "nothing is ingested before `finish`"]
pub struct Ingestion {
    ingesting: Ingesting,
    tree: Tree,
}

#[derive(Debug)]
struct Inner {
    versions: SuperVersions,
    strategy: Chosen,
    reservations: Arc<Reservations>,
    /// One flush at a time: they install in order.
    flushing: Mutex<()>,
}

impl Tree {
    /// Makes a tree in `dir`, which may be missing or hold what an earlier creation left. On return everything in it is
    /// durable; the name of `dir` in its parent is the caller's to sync. `InvalidInput` where a tree lies already.
    pub fn create(env: &Env, dir: &Path, db_uuid: FileUuid, options: TreeOptions) -> Result<Self> {
        Ok(Self::new(env, open::create(env, dir, db_uuid, options)?))
    }

    /// Opens the tree in `dir` and writes nothing. See [`is_not_created`](crate::is_not_created) for a directory without one.
    pub fn open(env: &Env, dir: &Path, options: TreeOptions) -> Result<Self> {
        Ok(Self::new(env, open::open(env, dir, options)?))
    }

    /// Gives `key` a value at `seqno`. Seqnos come in any order; none below the horizon of a running flush or compaction, and
    /// none at or below a boundary whose flush has begun: see [`Tree::seal`].
    pub fn insert(&self, key: &[u8], value: &[u8], seqno: SeqNo) -> Result<()> {
        self.put_row(InternalKey::new(key, seqno, Kind::Value), value).map(drop)
    }

    /// Removes `key` at `seqno`.
    pub fn remove(&self, key: &[u8], seqno: SeqNo) -> Result<()> {
        self.put_row(InternalKey::new(key, seqno, Kind::Tombstone), &[]).map(drop)
    }

    /// Removes `key` at `seqno`: for one that was inserted once since it was last gone. Readers see no difference to
    /// [`Tree::remove`].
    pub fn remove_weak(&self, key: &[u8], seqno: SeqNo) -> Result<()> {
        self.put_row(InternalKey::new(key, seqno, Kind::WeakTombstone), &[]).map(drop)
    }

    /// Removes the keys from `start` up to, and without, `end` at `seqno`; an empty bound is none. It hides what has a lower seqno. O(1)
    /// in the number of keys. Bounds the wrong way round do nothing.
    pub fn remove_range(&self, start: &[u8], end: &[u8], seqno: SeqNo) -> Result<()> {
        let tombstone = RangeTombstone { start: start.into(), end: end.into(), seqno };
        write::apply_range(&self.inner.versions, &tombstone)
    }

    /// Removes the keys that begin with `prefix` at `seqno`, an empty one all. As [`Tree::remove_range`] in all else. `InvalidInput`
    /// under an order that is not lexicographic.
    pub fn remove_prefix(&self, prefix: &[u8], seqno: SeqNo) -> Result<()> {
        self.check_prefixes()?;
        self.remove_range(prefix, &prefix_end(prefix).unwrap_or_default(), seqno)
    }

    /// Merges an operand into `key` at `seqno`. Without a merge operator operands are kept, and reads of the key fail.
    pub fn merge(&self, key: &[u8], operand: &[u8], seqno: SeqNo) -> Result<()> {
        self.put_row(InternalKey::new(key, seqno, Kind::Operand), operand).map(drop)
    }

    /// Applies a batch at `seqno`, or nothing of it if it is refused: `InvalidInput` for a key that is written in two ways, or that has
    /// several operands which cannot be folded.
    pub fn apply(&self, batch: &WriteBatch, seqno: SeqNo) -> Result<()> {
        write::apply_batch(&self.inner.versions, batch, seqno)
    }

    /// The value of `key` at `read_seqno`.
    pub fn get(&self, key: &[u8], read_seqno: SeqNo) -> Result<Option<Slice>> {
        let mut value = Slice::default();
        Ok(self.get_into(key, read_seqno, &mut value)?.then_some(value))
    }

    /// The same, straight to where the caller wants it; whether there is one. For callers who give it on in a form of their own: a value
    /// that is copied as soon as it was returned is waited for.
    pub fn get_into(&self, key: &[u8], read_seqno: SeqNo, value: &mut Slice) -> Result<bool> {
        self.begin_get(&epoch::pin(), key, || read_seqno, value)?.finish()
    }

    /// The value of `key` at the seqno that `visible` returns, asked once the memtables and tables to read are pinned: a flush
    /// or compaction that ends in between cannot take the version away; and again where rows came in from elsewhere
    /// meanwhile. For readers without a registered snapshot.
    pub fn get_at(&self, key: &[u8], visible: impl FnMut() -> SeqNo) -> Result<Option<Slice>> {
        let mut value = Slice::default();
        let begun = self.begin_get(&epoch::pin(), key, visible, &mut value)?;
        Ok(begun.finish()?.then_some(value))
    }

    /// As [`Tree::get_at`], but it stops in front of what takes time: a caller who is pinned lets the pin go before it has the read
    /// finished. Takes no lock and raises no shared count where all that it needs is in memory; then it is at its end, too. Fails with
    /// `HistoryGone` where what the seqno asks for is no longer kept.
    #[inline]
    pub fn begin_get<'a, V: TakeValue>(
        &self,
        pin: &Pin,
        key: &'a [u8],
        visible: impl FnMut() -> SeqNo,
        value: &'a mut V,
    ) -> Result<BegunGet<'a, V>> {
        let versions = &self.inner.versions;
        let (pinned, read_seqno) = versions.load_at(pin, visible);
        pinned.check_history(read_seqno)?;
        let mut search = Search::new(&pinned, key, read_seqno, value);
        search.look_into_memtables(&pinned)?;
        if !versions.is_sweep_due() && search.go_on(&pinned, &versions.options, Reach::Resident(pin))? {
            let ended = search.result()?;
            if ended != Ended::Operand {
                search.count(&pinned, &versions.options);
                return Ok(BegunGet::Ended(ended == Ended::Found));
            }
        }
        Ok(BegunGet::Stopped(Box::new(StoppedGet { search, pinned: pinned.to_arc(), tree: self.clone() })))
    }

    /// Whether `key` has a value at `read_seqno`.
    pub fn contains_key(&self, key: &[u8], read_seqno: SeqNo) -> Result<bool> {
        let mut value = ();
        let begun = self.begin_get(&epoch::pin(), key, || read_seqno, &mut value)?;
        begun.finish()
    }

    /// The rows of a range at `read_seqno`. Errors come from the scan.
    pub fn range<K: AsRef<[u8]>, R: RangeBounds<K>>(&self, range: R, read_seqno: SeqNo) -> Scan {
        self.range_at(range, || read_seqno)
    }

    /// The rows of a range at the seqno that `visible` returns, asked as in [`Tree::get_at`], and again where a memtable was
    /// sealed meanwhile: no row below that seqno is missed.
    pub fn range_at<K: AsRef<[u8]>, R: RangeBounds<K>>(&self, range: R, visible: impl FnMut() -> SeqNo) -> Scan {
        let bounds = owned_bounds(&range);
        let (pinned, read_seqno) = self.pin_at(visible);
        Scan::new(pinned, self.reader(read_seqno), bounds)
    }

    /// The rows whose keys begin with `prefix`. `InvalidInput` under an order that is not lexicographic.
    pub fn prefix(&self, prefix: &[u8], read_seqno: SeqNo) -> Result<Scan> {
        self.prefix_at(prefix, || read_seqno)
    }

    /// The rows whose keys begin with `prefix` at the seqno that `visible` returns, asked as in [`Tree::range_at`].
    pub fn prefix_at(&self, prefix: &[u8], visible: impl FnMut() -> SeqNo) -> Result<Scan> {
        self.check_prefixes()?;
        let (pinned, read_seqno) = self.pin_at(visible);
        Ok(Scan::new(pinned, self.reader(read_seqno), prefix_bounds(prefix)))
    }

    /// The order of its keys.
    pub fn order(&self) -> &KeyOrder {
        &self.inner.versions.options.order
    }

    /// Bytes of the active memtable.
    pub fn memtable_bytes(&self) -> usize {
        self.inner.versions.load().active.bytes()
    }

    /// Memtables that wait for their flush.
    pub fn sealed_count(&self) -> usize {
        self.inner.versions.load().sealed.len()
    }

    /// Whether no memtable holds rows. Rows on their way do not count.
    pub fn is_clean(&self) -> bool {
        self.inner.versions.load().memtables().all(|memtable| memtable.is_empty())
    }

    /// Seals the active memtable and begins another; false, and nothing done, if it is empty: a row at or below `boundary` that is
    /// still on its way then comes into the active one, and a later boundary covers it. Inserts need not pause: until the flush of
    /// the sealed one begins it takes rows at or below `boundary`, and may get a few above from those who found it active. When
    /// that flush begins, every row at or below `boundary` must have been inserted, see [`FlushContext::through`], because
    /// [`Tree::mark`] will say that they are in tables. Boundaries do not descend: a lower one counts as the one before.
    pub fn seal(&self, boundary: SeqNo) -> bool {
        self.inner.versions.seal(boundary)
    }

    /// Writes the sealed memtables that are due to tables, durably, the oldest first.
    pub fn flush(&self, context: &FlushContext<'_>) -> Result<FlushReport> {
        let _one_at_a_time = self.inner.flushing.lock().unwrap_or_else(PoisonError::into_inner);
        flush::flush(&self.inner.versions, &self.inner.strategy, context)
    }

    /// Begins to write sorted rows straight into tables. Nothing is seen of them before [`Ingestion::finish`]; `now_us` is the wall
    /// clock, in microseconds since 1970.
    pub fn ingest(&self, now_us: u64) -> Ingestion {
        Ingestion { ingesting: Ingesting::new(&self.inner.versions, now_us), tree: self.clone() }
    }

    /// Takes everything away at once: tables, memtables, and the disk space of all that no read in use needs. Whoever reads already
    /// goes on; reads that begin later find what is inserted from now on, and those of before:
    ///
    /// * with a [`SeqnoSource`](crate::SeqnoSource), what they saw, as long as `retention` says that somebody may read there: a clear
    ///   takes a stamp as a flush does. [`Retention::Watermark`](crate::Retention::Watermark) at `SeqNo::MAX` keeps nothing for them;
    /// * without one, `HistoryGone`. So it is refused with `InvalidInput` if `retention` knows of open snapshots, and
    ///   [`Tree::remove_range`] over all keys, which takes a seqno that they do not see, is there instead.
    ///
    /// A flush or compaction under way ends with `Cancelled`. [`Tree::mark`] stays. What a row's seqno is does not matter, but whether
    /// it was inserted before: a row that is on its way may come after. A caller's log has to know of the clear.
    pub fn clear(&self, retention: &Retention) -> Result<()> {
        self.inner.versions.clear(retention)
    }

    /// The newest durable boundary: everything at or below it is in tables.
    pub fn mark(&self) -> Option<SeqNo> {
        self.inner.versions.load().version.mark
    }

    /// The newest durable seqno below which nothing of the caller's log is needed, by this tree or any other, as flushes were told by
    /// [`FlushContext::covered`].
    pub fn covered(&self) -> Option<SeqNo> {
        self.inner.versions.load().version.covered
    }

    /// The most urgent compaction, reserved for the caller; `None` when the tree is in shape or what is due is under way. `now_us` is the
    /// wall clock, in microseconds since 1970.
    pub fn pick_compaction(&self, now_us: u64) -> Option<Plan> {
        let Inner { versions, strategy, reservations, .. } = &*self.inner;
        reservations.reserve(|busy| strategy.pick(&versions.pin(), busy, &versions.settings(), now_us))
    }

    /// Runs a compaction.
    pub fn compact(&self, plan: Plan, context: &CompactionContext<'_>) -> Result<CompactionReport> {
        compaction::run(&self.inner.versions, &self.inner.strategy, &plan, context)
    }

    /// A rewrite of all tables into one run, reserved for the caller once no other compaction is under way; `None` without tables.
    pub fn pick_full_compaction(&self) -> Option<Plan> {
        let versions = &self.inner.versions;
        self.inner.reservations.reserve_alone(|| compaction::pick_all(&versions.pin().version, &versions.settings()))
    }

    /// Rewrites all tables into one run, waiting first for compactions under way.
    pub fn compact_all(&self, context: &CompactionContext<'_>) -> Result<CompactionReport> {
        match self.pick_full_compaction() {
            Some(plan) => self.compact(plan, context),
            None => Ok(CompactionReport::default()),
        }
    }

    /// The highest seqno that this tree ever held, in memory or durably.
    pub fn highest_seqno(&self) -> Option<SeqNo> {
        self.inner.versions.load().highest_seqno()
    }

    /// From here on every read is exact; below, only those of snapshots that each flush and compaction since knew as pins, and those that
    /// an earlier state answers: see [`Tree::history_len`].
    pub fn history_floor(&self) -> SeqNo {
        self.inner.versions.load().version.history.floor
    }

    /// How many earlier states are kept for reads at or below the stamps of later changes; 0 without a
    /// [`SeqnoSource`](crate::SeqnoSource) and without a compaction filter.
    pub fn history_len(&self) -> usize {
        self.inner.versions.load().earlier.len()
    }

    /// Lets go of earlier states that no read at `oldest_reader` or above needs. Flushes and compactions do so as well; this is for when
    /// the last reader of one has ended, or nobody reads below a stamp.
    pub fn forget_history(&self, oldest_reader: SeqNo) {
        let versions = &self.inner.versions;
        versions.let_earlier_go(oldest_reader);
        versions.sweep();
        versions.obsolete.reclaim_soon();
    }

    /// Whether states of before wait for [`Tree::sweep`]: there was a reader when they were replaced. For who begins scans under a pin
    /// of his own; all other reads and changes see to it themselves.
    #[inline]
    pub fn is_sweep_due(&self) -> bool {
        self.inner.versions.is_sweep_due()
    }

    /// Lets go of states of before that no reader holds any more: hold no epoch pin. Files that only they had are removed once a scan
    /// ends, or with the next change.
    pub fn sweep(&self) {
        self.inner.versions.sweep();
    }

    /// How far the manifest is durable.
    pub fn manifest_position(&self) -> ManifestPosition {
        self.inner.versions.with_manifest(|manifest| manifest.position())
    }

    /// Compares with a position remembered elsewhere: a manifest that ends before it has lost something.
    pub fn check_position(&self, remembered: ManifestPosition) -> Result<()> {
        let found = self.manifest_position();
        if (found.generation, found.length) >= (remembered.generation, remembered.length) {
            return Ok(());
        }
        let error = Error::corruption("the manifest is older than the log remembers it").in_file(&self.inner.versions.home.dir);
        Err(error.expected_found(remembered, found))
    }

    /// Makes sure that [`Tree::mark`] and all that was found at opening is durable: the process before may have died between
    /// writing and syncing it. To be called before anything is removed because this tree holds it.
    pub fn confirm(&self) -> Result<()> {
        self.inner.versions.confirm()
    }

    /// Whether [`Tree::confirm`] has nothing to do.
    pub fn is_confirmed(&self) -> bool {
        self.inner.versions.is_confirmed()
    }

    /// Moves files that nothing names to `lost/`; how many.
    pub fn move_orphans(&self) -> Result<usize> {
        let versions = &self.inner.versions;
        if versions.obsolete.has_orphans() {
            versions.confirm()?;
        }
        versions.obsolete.move_orphans()
    }

    /// Says whether writers go on, so that another flush comes soon; at first they do not. Strategies may then wait for more where one
    /// compaction of more costs less than two; the default does so with level 0, as long as readers pay less for that.
    pub fn set_expects_more(&self, expects_more: bool) {
        self.inner.strategy.set_expects_more(expects_more);
    }

    /// How urgent the most urgent compaction is: the highest score of a level, from 1.0 on due. One that is under way counts until it is
    /// done. `now_us` is the wall clock, in microseconds since 1970. Cheap to ask.
    pub fn compaction_score(&self, now_us: u64) -> f64 {
        self.compaction_urgency(now_us).score
    }

    /// The same with its price, for a caller who compares trees. Cheap to ask.
    pub fn compaction_urgency(&self, now_us: u64) -> Urgency {
        let Inner { versions, strategy, .. } = &*self.inner;
        strategy.urgency(&versions.load(), &versions.settings(), now_us)
    }

    /// From when on, by the same clock, more is due although nothing is written; `None` where time alone makes nothing due.
    pub fn compaction_due_us(&self) -> Option<u64> {
        let Inner { versions, strategy, .. } = &*self.inner;
        strategy.due_us(&versions.pin().version, &versions.settings())
    }

    /// How far flushes and compactions are behind the writers.
    pub fn pressure(&self) -> Pressure {
        let Inner { versions, strategy, .. } = &*self.inner;
        let (now, settings) = (versions.pin(), versions.settings());
        compaction::pressure(&now, strategy.backlog(&now.version, &settings), &settings)
    }

    /// Chooses which compactions are due from now on; [`Leveled`](crate::Leveled) by default. Any strategy reads what another left.
    pub fn set_strategy(&self, strategy: Arc<dyn Strategy>) {
        self.inner.strategy.set(strategy);
    }

    /// Changes the settings. Flushes and compactions that begin from now on follow them; what is written already stays as it is
    /// until a compaction takes it up. Only numbers are taken: the components stay those of opening.
    pub fn set_options(&self, options: &TreeOptions) -> Result<()> {
        options.validate()?;
        options.check_codecs(&self.inner.versions.options.codecs)?;
        self.inner.versions.set_settings(options);
        self.inner.strategy.forget_score();
        Ok(())
    }

    /// Sizes at this moment.
    pub fn stats(&self) -> TreeStats {
        admin::stats(&self.inner.versions, &self.inner.strategy)
    }

    /// Reads every byte on disk and reports every fault.
    pub fn verify(&self) -> Result<VerifyReport> {
        Ok(admin::verify(&self.inner.versions))
    }

    /// Removes one file that nothing needs any more; false if there is none. For who was told by [`Reclaimer`](crate::Reclaimer);
    /// takes as long as the file system does.
    pub fn reclaim_one(&self) -> bool {
        self.inner.versions.obsolete.reclaim_one()
    }

    /// Marks the tree as dropped: its files go when the last handle and the last scan do.
    pub fn delete_when_unused(&self) {
        self.inner.versions.obsolete.remove_all_when_unused();
    }

    fn new(env: &Env, parts: TreeParts) -> Self {
        let versions = SuperVersions::new(parts);
        let reservations = Reservations::new(Arc::clone(&env.park));
        let strategy = Chosen::default();
        Self { inner: Arc::new(Inner { versions, strategy, reservations, flushing: Mutex::default() }) }
    }

    fn check_prefixes(&self) -> Result<()> {
        let order = &self.inner.versions.options.order;
        if order.is_lexicographic() {
            return Ok(());
        }
        Err(Error::invalid_input(format!("prefixes need the order of bytes, this tree has {:?}", order.name())))
    }

    fn reader(&self, read_seqno: SeqNo) -> Reader {
        Reader::new(&self.inner.versions.options, read_seqno)
    }

    /// What to read, and a seqno below which it holds every row: with a memtable sealed between the two, or rows ingested, some could be
    /// visible and not pinned, while others above them are.
    fn pin_at(&self, visible: impl FnMut() -> SeqNo) -> (Arc<SuperVersion>, SeqNo) {
        let versions = &self.inner.versions;
        let current = versions.load();
        let (pinned, read_seqno) = versions.load_at(current.pin(), visible);
        (pinned.to_arc(), read_seqno)
    }
}

impl Ingestion {
    /// Gives `key` a value. Keys ascend, each once; another is `InvalidInput`, and harmless.
    pub fn insert(&mut self, key: &[u8], value: &[u8]) -> Result<()> {
        self.ingesting.add(Kind::Value, key, value)
    }

    /// Removes `key`. As [`Ingestion::insert`] in all else.
    pub fn remove(&mut self, key: &[u8]) -> Result<()> {
        self.ingesting.add(Kind::Tombstone, key, &[])
    }

    /// Removes `key`, which was inserted once since it was last gone. As [`Ingestion::insert`] in all else.
    pub fn remove_weak(&mut self, key: &[u8]) -> Result<()> {
        self.ingesting.add(Kind::WeakTombstone, key, &[])
    }

    /// Whether it holds no row.
    pub fn is_empty(&self) -> bool {
        self.ingesting.is_empty()
    }

    /// Gives all rows this seqno, makes them durable and shows them, at once or not at all: newer than what has a lower one, wherever
    /// that is. The caller's log is durable up to there, and no read at a higher seqno has begun.
    pub fn finish(self, seqno: SeqNo) -> Result<IngestReport> {
        let inner = &self.tree.inner;
        self.ingesting.finish(&inner.versions, &inner.reservations, seqno)
    }
}

impl<V: TakeValue> BegunGet<'_, V> {
    /// Goes on to the end; whether the key has a value, which then was taken. Does I/O: hold no epoch pin.
    #[inline]
    pub fn finish(self) -> Result<bool> {
        match self {
            Self::Ended(is_found) => Ok(is_found),
            Self::Stopped(stopped) => stopped.finish(),
        }
    }
}

impl<V: TakeValue> StoppedGet<'_, V> {
    #[cold]
    fn finish(self) -> Result<bool> {
        let Self { mut search, pinned, tree } = self;
        let versions = &tree.inner.versions;
        let found = search.finish(&pinned, &versions.options);
        search.count(&pinned, &versions.options);
        drop(pinned);
        versions.sweep();
        found
    }
}
