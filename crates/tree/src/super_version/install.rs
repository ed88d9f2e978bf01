//! The only door through which a new super-version becomes visible.
//!
//! [`SuperVersions::install`]: the edit is applied, made durable, and only then shown; then, and only then, do the tables that
//! it removed become obsolete. With a source of seqnos the change takes its stamp when it is shown, and the super-version before it
//! is kept for older reads (`earlier.rs`). [`SuperVersions::seal`] puts a new active memtable in front; the one behind it takes late rows until
//! [`SuperVersions::close_through`] begins its flush.

use super::{Change, Earlier, Obsolete, Orphans, Sealed, SuperVersion, change::Memtables};
use crate::{
    memtable::Memtable,
    options::{SeqnoSource, TreeOptions},
    retention::Retention,
    version::{AddedTable, Manifest, TableHome, Version},
};
use sediment_base::{Error, ErrorKind, Result, SeqNo, TableId, event::TableCreated, stats::Counter};
use sediment_raw::{
    epoch::{Guard, Pin, Pinned, Swap},
    sync::lock,
};
use std::{
    collections::HashSet,
    fmt,
    sync::{Arc, Mutex},
};

/// The current super-version of a tree and the means to replace it.
pub(crate) struct SuperVersions {
    /// What the tree was opened with: the components, which stay, and settings that may have changed since.
    pub(crate) options: TreeOptions,
    /// The settings that hold now, with the same components.
    settings: Swap<TreeOptions>,
    pub(crate) home: Arc<TableHome>,
    pub(crate) obsolete: Arc<Obsolete>,
    current: Swap<SuperVersion>,
    /// Held while the current super-version is exchanged; never across I/O.
    publishing: Mutex<()>,
    /// Held while a version is changed, across the sync of its edit.
    installing: Mutex<Installing>,
}

struct Installing {
    manifest: Manifest,
    /// Tables of edits that failed and may be on disk all the same; garbage once a later edit is in place.
    doubtful: Vec<TableId>,
}

/// What a tree is made from.
pub(crate) struct TreeParts {
    pub(crate) options: TreeOptions,
    pub(crate) home: Arc<TableHome>,
    pub(crate) version: Version,
    pub(crate) manifest: Manifest,
    pub(crate) orphans: Orphans,
}

impl SuperVersions {
    /// A tree with an empty memtable.
    pub(crate) fn new(parts: TreeParts) -> Self {
        let TreeParts { options, home, version, manifest, orphans } = parts;
        home.set_residency(&options);
        let obsolete = Obsolete::new(Arc::clone(&home), &options, orphans);
        let active = Arc::new(Memtable::new(options.order.clone(), home.hash_seed, options.entry_checksums, &options.budget));
        let first = SuperVersion::first(active, Arc::new(version), &obsolete);
        // Stepped, files go in the same step every time, whoever else in the process is in the middle of a read.
        let begin = if home.context.park.is_stepped() { Swap::waiting } else { Swap::new };
        Self {
            settings: Swap::new(Arc::new(options.clone())),
            options,
            home,
            obsolete,
            current: begin(first),
            publishing: Mutex::default(),
            installing: Mutex::new(Installing { manifest, doubtful: Vec::new() }),
        }
    }

    /// The settings for work that begins now. It ends under them, whatever changes meanwhile.
    pub(crate) fn settings(&self) -> Arc<TreeOptions> {
        self.settings.load_full()
    }

    /// Changes the settings for work that begins from now on.
    pub(crate) fn set_settings(&self, settings: &TreeOptions) {
        self.home.set_residency(settings);
        self.settings.store(Arc::new(self.options.with_settings_of(settings)));
    }

    /// The current one, for a short look without I/O.
    #[inline]
    pub(crate) fn load(&self) -> Guard<'_, SuperVersion> {
        self.current.load()
    }

    /// The current one, for whoever is pinned already. See [`SuperVersions::is_sweep_due`].
    #[inline]
    pub(crate) fn load_under<'a>(&'a self, pin: &'a Pin) -> Pinned<'a, SuperVersion> {
        self.current.load_under(pin)
    }

    /// What to read for whoever is pinned already, and the seqno that `visible` returns, below which it holds every row. An earlier one
    /// if the present one has left out, or brought, what a read at that seqno sees otherwise.
    #[inline]
    pub(crate) fn load_at<'a>(&'a self, pin: &'a Pin, mut visible: impl FnMut() -> SeqNo) -> (Pinned<'a, SuperVersion>, SeqNo) {
        loop {
            let pinned = self.load_under(pin);
            let read_seqno = visible();
            if pinned.holds_rows_of(&self.load_under(pin)) {
                if read_seqno > pinned.stamp {
                    return (pinned, read_seqno);
                }
                return (pinned.follow(|now| now.earlier_at(read_seqno)).unwrap_or(pinned), read_seqno);
            }
        }
    }

    /// Whether earlier ones wait for somebody to let them go by [`SuperVersions::sweep`].
    #[inline]
    pub(crate) fn is_sweep_due(&self) -> bool {
        self.current.has_retired()
    }

    /// Lets earlier ones go that no reader holds any more, with all that only they held: hold no pin.
    pub(crate) fn sweep(&self) {
        if self.is_sweep_due() {
            self.current.collect();
        }
    }

    /// The current one, to keep.
    #[inline]
    pub(crate) fn pin(&self) -> Arc<SuperVersion> {
        self.current.load_full()
    }

    /// An empty memtable for rows from now on.
    fn memtable_after(&self, before: &SuperVersion) -> Arc<Memtable> {
        Arc::new(before.active.successor(self.settings.load().entry_checksums))
    }

    /// Seals the active memtable and puts an empty one in front; `false` if it is empty itself. A boundary below an earlier one
    /// counts as that one.
    pub(crate) fn seal(&self, boundary: SeqNo) -> bool {
        let _publishing = lock(&self.publishing);
        let before = self.pin();
        if before.active.is_empty() {
            return false;
        }
        let sealed = Sealed { memtable: Arc::clone(&before.active), boundary: boundary.max(before.sealed_through) };
        let sealed = std::iter::once(sealed).chain(before.sealed.iter().cloned()).collect();
        let active = self.memtable_after(&before);
        self.current.store(SuperVersion { active, sealed, ..(*before).clone() }.completed());
        true
    }

    /// Closes the sealed memtables up to a boundary, for their flush, and returns them, newest first. Writers that are refused
    /// find another memtable: one in front of these has been there since they were sealed.
    pub(crate) fn close_through(&self, through: SeqNo) -> Vec<Sealed> {
        let due: Vec<Sealed> = self.load().sealed.iter().filter(|sealed| sealed.boundary <= through).cloned().collect();
        due.iter().for_each(|sealed| sealed.memtable.close());
        due
    }

    /// Makes a change durable and shows what it leads to. After an error nothing has changed for readers, but the edit may be on
    /// disk: its tables must stay. `Cancelled` if the tree was cleared since the change was begun: its tables are discarded.
    pub(crate) fn install(&self, change: Change<'_>) -> Result<()> {
        let added = self.install_under(&mut lock(&self.installing), change)?;
        added.iter().for_each(|added| self.announce(added));
        self.obsolete.reclaim_soon();
        Ok(())
    }

    /// Takes everything away, at once.
    pub(crate) fn clear(&self, retention: &Retention) -> Result<()> {
        self.check_retention(retention)?;
        if self.options.seqno_source.is_none() && retention.has_old_readers() {
            let message =
                "a snapshot still needs what is to be cleared: remove the range of all keys, which snapshots do not see";
            return Err(Error::invalid_input(message));
        }
        let mut installing = lock(&self.installing);
        // What is on disk has to tell from where on it is cleared: the stamp is taken first.
        let source = self.options.seqno_source.as_deref();
        let stamp = source.map(|source| source.next());
        let cleared = self.install_under(&mut installing, Change::clear(&self.pin(), retention, stamp));
        if let (Err(_), Some(source), Some(stamp)) = (&cleared, source, stamp) {
            source.show(stamp.saturating_add(1));
        }
        drop(installing);
        cleared?;
        self.obsolete.reclaim_soon();
        Ok(())
    }

    /// Forgets what is in memory alone. A flush of it ends with `Cancelled`.
    pub(crate) fn clear_memtables(&self) {
        let _publishing = lock(&self.publishing);
        let before = self.pin();
        before.memtables().for_each(|memtable| memtable.close());
        let active = self.memtable_after(&before);
        self.current.store(SuperVersion { active, sealed: Vec::new(), ..(*before).clone() }.completed());
        before.memtables().for_each(|memtable| memtable.retire());
    }

    /// Which tables are new.
    fn install_under(&self, installing: &mut Installing, mut change: Change<'_>) -> Result<Vec<AddedTable>> {
        let present = self.pin();
        if !change.applies_to(&present) {
            change.new_tables().into_iter().for_each(|id| self.home.discard(id, None));
            return Err(Error::new(ErrorKind::Cancelled, "the tree was cleared meanwhile"));
        }
        change.outdate_runs(&present, &self.options.order);
        let before = Arc::clone(&present.version);
        drop(present);
        change.edit.next_table = Some(self.home.next_id());
        if before.operator.is_none() {
            change.edit.operator = self.options.merge_operator.as_ref().map(|operator| operator.name().into());
        }
        let version = Arc::new(before.apply(&self.home, change.edit.clone())?);
        if cfg!(debug_assertions) {
            version.check(&self.options.order);
        }
        let is_new_generation = match installing.manifest.commit(&change.edit, &version, self.home.next_id()) {
            Ok(is_new_generation) => is_new_generation,
            Err(error) => {
                installing.doubtful.extend(change.new_tables());
                return Err(error);
            }
        };
        self.show(&version, &change);
        let edit = change.edit;
        let named: HashSet<TableId> = edit.added.iter().map(|added| added.meta.id).collect();
        let (moved, gone): (HashSet<TableId>, HashSet<TableId>) = edit.removed.into_iter().partition(|id| named.contains(id));
        gone.into_iter().filter_map(|id| before.table(id)).for_each(|placed| placed.file.mark_obsolete());
        if is_new_generation {
            installing.doubtful.drain(..).for_each(|id| self.home.discard(id, None));
            self.obsolete.forget_lost();
        }
        Ok(edit.added.into_iter().filter(|added| !moved.contains(&added.meta.id)).collect())
    }

    /// Makes what the manifest said at opening durable for certain, as a new generation. A process that died may have written
    /// it and never synced it, so nothing may go (orphans, a caller's log) that only it makes superfluous.
    pub(crate) fn confirm(&self) -> Result<()> {
        if self.is_confirmed() { Ok(()) } else { self.install(Change::nothing()) }
    }

    /// Whether that is known.
    pub(crate) fn is_confirmed(&self) -> bool {
        self.with_manifest(Manifest::is_confirmed)
    }

    /// Asks the manifest.
    pub(crate) fn with_manifest<T>(&self, ask: impl FnOnce(&Manifest) -> T) -> T {
        ask(&lock(&self.installing).manifest)
    }

    /// Why no version is accepted any more.
    pub(crate) fn poison(&self) -> Option<Error> {
        self.with_manifest(|manifest| manifest.poison().cloned())
    }

    /// Tells of a table that readers have not seen before.
    fn announce(&self, added: &AddedTable) {
        let AddedTable { level, meta, .. } = added;
        self.options.stats.add(Counter::TablesCreated, 1);
        self.options.listeners.tell(|| TableCreated {
            path: self.home.path(meta.id),
            table: meta.id,
            level: *level,
            rows: meta.rows,
            bytes: meta.file_bytes,
        });
    }

    /// Refuses a watermark where old reads would find what a rewrite has left out.
    pub(crate) fn check_retention(&self, retention: &Retention) -> Result<()> {
        if self.options.seqno_source.is_some() || !retention.is_watermark() {
            return Ok(());
        }
        let message = "a watermark needs a source of seqnos: open the tree with `TreeOptions::seqno_source`, or say by \
                       `Retention::Snapshots` which snapshots are open";
        Err(Error::invalid_input(message))
    }

    /// Shows a version, and what goes with it. What no read needs any more goes last: reads that began before the stamp could be seen
    /// are not above it.
    fn show(&self, version: &Arc<Version>, change: &Change<'_>) {
        let source = self.options.seqno_source.as_deref().filter(|_| change.oldest_reader.is_some());
        let stamp = self.publish(version, change, source);
        if let Some(source) = source {
            source.show(stamp.saturating_add(1));
        }
        if let Some(oldest_reader) = change.oldest_reader {
            self.let_earlier_go(oldest_reader);
        }
    }

    /// The stamp.
    fn publish(&self, version: &Arc<Version>, change: &Change<'_>, source: Option<&dyn SeqnoSource>) -> SeqNo {
        let _publishing = lock(&self.publishing);
        let before = self.pin();
        let mut next = SuperVersion { version: Arc::clone(version), ..(*before).clone() };
        next.ingestions += u64::from(change.is_ingestion);
        next.unsettled += u64::from(change.unsettles());
        match change.memtables {
            Memtables::Flushed(flushed) => next.sealed.retain(|sealed| !flushed.iter().any(|flushed| flushed.is(sealed))),
            Memtables::Cleared => {
                // Whoever is refused finds the empty one in place soon.
                before.memtables().for_each(|memtable| memtable.close());
                (next.active, next.sealed) = (self.memtable_after(&before), Vec::new());
            }
        }
        if let Some(stamp) = change.stamp.or_else(|| source.map(|source| source.next())) {
            next.stamp = stamp.max(before.stamp);
            next.earlier = Earlier::behind(&before);
        }
        let next = next.completed();
        self.current.store(Arc::clone(&next));
        let is_gone = |memtable: &&Arc<Memtable>| !next.memtables().any(|there| Arc::ptr_eq(there, memtable));
        before.memtables().filter(is_gone).for_each(|memtable| memtable.retire());
        next.stamp
    }

    /// Lets go of earlier ones that no read needs from this seqno on.
    pub(crate) fn let_earlier_go(&self, oldest_reader: SeqNo) {
        let _publishing = lock(&self.publishing);
        let present = self.pin();
        if let Some(earlier) = present.earlier.trimmed(oldest_reader, present.stamp) {
            self.current.store(SuperVersion { earlier, ..(*present).clone() }.completed());
        }
    }
}

impl fmt::Debug for SuperVersions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SuperVersions").field("dir", &self.home.dir).finish_non_exhaustive()
    }
}

impl Drop for SuperVersions {
    fn drop(&mut self) {
        self.let_earlier_go(SeqNo::MAX);
        // Readers of other trees may be pinned, and hold nothing of this one.
        self.current.collect_all();
        self.obsolete.close();
    }
}
