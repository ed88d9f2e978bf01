//! The only door through which a new super-version becomes visible.
//!
//! [`SuperVersions::install`]: the edit is applied, made durable, and only then shown; then, and only then, do the tables that
//! it removed become obsolete. [`SuperVersions::seal`] puts a new active memtable in front; the one behind it takes late rows until
//! [`SuperVersions::close_through`] begins its flush.

use super::{Obsolete, Orphans, Sealed, SuperVersion};
use crate::{
    memtable::Memtable,
    options::TreeOptions,
    version::{AddedTable, Edit, Manifest, TableFile, TableHome, Version},
};
use sediment_base::{Error, Result, SeqNo, TableId, event::TableCreated, stats::Counter};
use sediment_raw::epoch::{Guard, Pin, Pinned, Swap};
use std::{
    collections::HashSet,
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
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
        let obsolete = Obsolete::new(Arc::clone(&home), &options, orphans);
        let active = Arc::new(Memtable::new(options.order.clone(), home.hash_seed, &options.budget));
        let first = super_version(active, Vec::new(), Arc::new(version), 0, &obsolete);
        Self {
            settings: Swap::new(Arc::new(options.clone())),
            options,
            home,
            obsolete,
            current: Swap::new(first),
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

    /// What to read for whoever is pinned already, and the seqno that `visible` returns, below which it holds every row.
    #[inline]
    pub(crate) fn load_at<'a>(&'a self, pin: &'a Pin, mut visible: impl FnMut() -> SeqNo) -> (Pinned<'a, SuperVersion>, SeqNo) {
        loop {
            let pinned = self.load_under(pin);
            let read_seqno = visible();
            if pinned.holds_rows_of(&self.load_under(pin)) {
                return (pinned, read_seqno);
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
        let active = Arc::new(before.active.successor());
        self.current.store(super_version(active, sealed, Arc::clone(&before.version), before.ingestions, &self.obsolete));
        true
    }

    /// Closes the sealed memtables up to a boundary, for their flush, and returns them, newest first. Writers that are refused
    /// find another memtable: one in front of these has been there since they were sealed.
    pub(crate) fn close_through(&self, through: SeqNo) -> Vec<Sealed> {
        let due: Vec<Sealed> = self.load().sealed.iter().filter(|sealed| sealed.boundary <= through).cloned().collect();
        due.iter().for_each(|sealed| sealed.memtable.close());
        due
    }

    /// Makes an edit durable and shows the version that it leads to, without the memtables that it flushes. After an error
    /// nothing has changed for readers, but the edit may be on disk: its tables must stay.
    pub(crate) fn install(&self, edit: Edit, flushed: &[Sealed]) -> Result<()> {
        self.install_with(edit, flushed, 0)
    }

    /// The same for an edit that brings rows from outside.
    pub(crate) fn install_ingested(&self, edit: Edit) -> Result<()> {
        self.install_with(edit, &[], 1)
    }

    fn install_with(&self, mut edit: Edit, flushed: &[Sealed], ingestions: u64) -> Result<()> {
        let mut installing = lock(&self.installing);
        edit.next_table = Some(self.home.next_id());
        let before = Arc::clone(&self.load().version);
        if before.operator.is_none() {
            edit.operator = self.options.merge_operator.as_ref().map(|operator| operator.name().into());
        }
        let version = Arc::new(before.apply(&self.home, edit.clone())?);
        if cfg!(debug_assertions) {
            version.check(&self.options.order);
        }
        let is_new_generation = match installing.manifest.commit(&edit, &version, self.home.next_id()) {
            Ok(is_new_generation) => is_new_generation,
            Err(error) => {
                let new = edit.added.iter().map(|added| added.meta.id).filter(|id| !edit.removed.contains(id));
                installing.doubtful.extend(new);
                return Err(error);
            }
        };
        self.publish(&version, flushed, ingestions);
        let named: HashSet<TableId> = edit.added.iter().map(|added| added.meta.id).collect();
        let (moved, gone): (HashSet<TableId>, HashSet<TableId>) = edit.removed.into_iter().partition(|id| named.contains(id));
        before.tables().filter(|file| gone.contains(&file.meta.id)).for_each(|file| TableFile::mark_obsolete(file));
        if is_new_generation {
            installing.doubtful.drain(..).for_each(|id| self.home.discard(id, None));
            self.obsolete.forget_lost();
        }
        drop((installing, before));
        edit.added.iter().filter(|added| !moved.contains(&added.meta.id)).for_each(|added| self.announce(added));
        self.obsolete.reclaim_soon();
        Ok(())
    }

    /// Makes what the manifest said at opening durable for certain, as a new generation. A process that died may have written
    /// it and never synced it, so nothing may go (orphans, a caller's log) that only it makes superfluous.
    pub(crate) fn confirm(&self) -> Result<()> {
        if self.with_manifest(Manifest::is_confirmed) { Ok(()) } else { self.install(Edit::default(), &[]) }
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

    fn publish(&self, version: &Arc<Version>, flushed: &[Sealed], ingestions: u64) {
        let _publishing = lock(&self.publishing);
        let before = self.pin();
        let is_flushed = |sealed: &Sealed| flushed.iter().any(|flushed| Arc::ptr_eq(&flushed.memtable, &sealed.memtable));
        let sealed = before.sealed.iter().filter(|sealed| !is_flushed(sealed)).cloned().collect();
        let (active, ingestions) = (Arc::clone(&before.active), before.ingestions + ingestions);
        self.current.store(super_version(active, sealed, Arc::clone(version), ingestions, &self.obsolete));
        flushed.iter().for_each(|flushed| flushed.memtable.retire());
    }
}

fn super_version(
    active: Arc<Memtable>,
    sealed: Vec<Sealed>,
    version: Arc<Version>,
    ingestions: u64,
    obsolete: &Arc<Obsolete>,
) -> Arc<SuperVersion> {
    let sealed_through = sealed.first().map_or(0, |sealed| sealed.boundary);
    Arc::new(SuperVersion { active, sealed, sealed_through, version, ingestions, obsolete: Arc::clone(obsolete) })
}

impl fmt::Debug for SuperVersions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SuperVersions").field("dir", &self.home.dir).finish_non_exhaustive()
    }
}

impl Drop for SuperVersions {
    fn drop(&mut self) {
        self.obsolete.close();
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
