//! The keyspaces of an open database: names, ids, and the trees behind them.
//!
//! A keyspace that is cleared goes on with a fresh tree; the old one stays for the snapshots that still see it. Readers at `S`
//! use the newest tree that was there before `S`. The list of trees never changes: a clear puts another in its place, and readers and
//! writers follow it under an epoch pin. Shared; none of them waits for a clear or is waited for, and whoever still has the list of
//! before reads what was there at that moment.

use crate::options::{KeyspaceOptions, Settings};
use sediment_base::{Error, KeyOrder, KeyspaceId, Result, SeqNo, TreeId};
use sediment_env::Park;
use sediment_raw::epoch::{Pin, Swap};
use sediment_tree::Tree;
use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex, MutexGuard, RwLock, RwLockReadGuard, RwLockWriteGuard,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
};

/// All keyspaces, by name.
#[derive(Debug, Default)]
pub(crate) struct Keyspaces {
    by_name: RwLock<BTreeMap<String, Arc<KeyspaceState>>>,
    /// Those whose trees have not been told to go: the catalog on disk may name them.
    dropped: Mutex<Vec<Arc<KeyspaceState>>>,
    /// Whether some keyspace may have a tree that it no longer writes to.
    has_old_trees: AtomicBool,
    /// Whether some tree may keep earlier states for snapshots.
    has_history: AtomicBool,
}

/// One keyspace.
#[derive(Debug)]
pub(crate) struct KeyspaceState {
    id: KeyspaceId,
    name: Arc<str>,
    /// Oldest first, never empty.
    trees: Swap<Vec<Incarnation>>,
    /// Held while `trees` is exchanged.
    renewing: Mutex<()>,
    /// What was set for it.
    options: Mutex<KeyspaceOptions>,
    /// Size at which its memtable is flushed, as follows from that.
    memtable_bytes: AtomicUsize,
    is_dropped: AtomicBool,
    /// Whether operands can be folded.
    can_fold: bool,
    is_bytewise: bool,
}

/// A tree of a keyspace, and the seqno of the change that made it.
#[derive(Clone, Debug)]
pub(crate) struct Incarnation {
    /// The name of the keyspace.
    pub(crate) keyspace: Arc<str>,
    pub(crate) id: TreeId,
    pub(crate) since: SeqNo,
    pub(crate) tree: Tree,
}

impl Keyspaces {
    /// The keyspace of this name.
    pub(crate) fn get(&self, name: &str) -> Option<Arc<KeyspaceState>> {
        self.read().get(name).cloned()
    }

    /// All of them, by name.
    pub(crate) fn all(&self) -> Vec<Arc<KeyspaceState>> {
        self.read().values().cloned().collect()
    }

    /// All names, ascending.
    pub(crate) fn names(&self) -> Vec<String> {
        self.read().keys().cloned().collect()
    }

    /// Adds one.
    pub(crate) fn add(&self, keyspace: Arc<KeyspaceState>) {
        self.write().insert(keyspace.name().to_string(), keyspace);
    }

    /// Takes one away; handles that hold it find it dropped.
    pub(crate) fn remove(&self, name: &str) {
        if let Some(keyspace) = self.write().remove(name) {
            keyspace.is_dropped.store(true, Ordering::Release);
            self.dropped().push(keyspace);
        }
    }

    /// Lets a keyspace go on with a fresh tree.
    pub(crate) fn renew(&self, keyspace: &KeyspaceState, tree: Incarnation) {
        keyspace.push(tree);
        self.has_old_trees.store(true, Ordering::Release);
    }

    /// Whether trees of dropped keyspaces wait for [`Self::delete_unseen`].
    pub(crate) fn has_dropped(&self) -> bool {
        !self.dropped().is_empty()
    }

    /// Deletes the trees of dropped keyspaces, once nobody holds them, and every old tree that none of these read seqnos can see. `pins`
    /// must hold the visible seqno too.
    pub(crate) fn delete_unseen(&self, pins: impl FnOnce() -> Vec<SeqNo>) {
        let dropped = std::mem::take(&mut *self.dropped());
        dropped.iter().for_each(|keyspace| keyspace.delete_trees());
        if !self.has_old_trees.swap(false, Ordering::AcqRel) {
            return;
        }
        let pins = pins();
        for keyspace in self.all() {
            keyspace.take_unseen(&pins).iter().for_each(Tree::delete_when_unused);
            if keyspace.has_old_trees() {
                self.has_old_trees.store(true, Ordering::Release);
            }
        }
    }

    /// Some tree has kept an earlier state: lets go of it, or of others, where none of these read seqnos can see it. `pins` must hold
    /// the visible seqno too.
    pub(crate) fn keep_history(&self, pins: impl FnOnce() -> Vec<SeqNo>) {
        self.has_history.store(true, Ordering::Release);
        self.forget_unseen(pins);
    }

    /// Lets go of every earlier state that none of these read seqnos can see.
    pub(crate) fn forget_unseen(&self, pins: impl FnOnce() -> Vec<SeqNo>) {
        if !self.has_history.swap(false, Ordering::AcqRel) {
            return;
        }
        let oldest = pins().first().copied().unwrap_or(0);
        for keyspace in self.all() {
            let Incarnation { tree, .. } = keyspace.newest();
            if tree.history_len() > 0 {
                tree.forget_history(oldest);
            }
            if tree.history_len() > 0 {
                self.has_history.store(true, Ordering::Release);
            }
        }
    }

    fn dropped(&self) -> MutexGuard<'_, Vec<Arc<KeyspaceState>>> {
        self.dropped.lock().expect("no code panics under this lock")
    }

    fn read(&self) -> RwLockReadGuard<'_, BTreeMap<String, Arc<KeyspaceState>>> {
        self.by_name.read().expect("no code panics under this lock")
    }

    fn write(&self) -> RwLockWriteGuard<'_, BTreeMap<String, Arc<KeyspaceState>>> {
        self.by_name.write().expect("no code panics under this lock")
    }
}

impl KeyspaceState {
    /// A keyspace with its first tree, which was made or opened with these settings, in a world where threads wait like this.
    pub(crate) fn new(
        id: KeyspaceId,
        tree: Incarnation,
        options: KeyspaceOptions,
        settings: &Settings,
        park: &dyn Park,
    ) -> Self {
        let memtable_bytes = AtomicUsize::new(settings.shape(&options).memtable_bytes);
        let (can_fold, is_bytewise) = (settings.can_fold(&options), options.is_bytewise());
        let name = Arc::clone(&tree.keyspace);
        // Stepped, trees go in the same step every time, whoever else in the process is in the middle of a read.
        let begin = if park.is_stepped() { Swap::waiting } else { Swap::new };
        let (trees, options) = (begin(Arc::new(vec![tree])), Mutex::new(options));
        let (renewing, is_dropped) = (Mutex::default(), AtomicBool::new(false));
        Self { id, name, trees, renewing, options, memtable_bytes, is_dropped, can_fold, is_bytewise }
    }

    pub(crate) fn id(&self) -> KeyspaceId {
        self.id
    }

    pub(crate) fn name(&self) -> &Arc<str> {
        &self.name
    }

    /// What was set for it.
    pub(crate) fn options(&self) -> KeyspaceOptions {
        self.options.lock().expect("no code panics under this lock").clone()
    }

    /// Size at which its active memtable is flushed.
    #[inline]
    pub(crate) fn memtable_bytes(&self) -> usize {
        self.memtable_bytes.load(Ordering::Relaxed)
    }

    /// Goes on under other settings.
    pub(crate) fn configure(&self, options: &KeyspaceOptions, settings: &Settings) -> Result<()> {
        self.memtable_bytes.store(settings.shape(options).memtable_bytes, Ordering::Relaxed);
        self.options.lock().expect("no code panics under this lock").clone_from(options);
        let tree = &self.newest().tree;
        tree.set_strategy(settings.strategy(options));
        tree.set_options(&settings.tree_options(options)?)
    }

    /// Refuses operands that nobody could fold.
    pub(crate) fn check_merge(&self) -> Result<()> {
        if self.can_fold {
            return Ok(());
        }
        let name = &self.name;
        Err(Error::invalid_input(match self.options().merge_operator {
            None => format!("keyspace {name:?} has no merge operator: make it with KeyspaceOptions::merge_operator"),
            Some(operator) => {
                format!(
                    "the merge operator {operator:?} of keyspace {name:?} is not known: give it to DbBuilder::merge_operator"
                )
            }
        }))
    }

    /// The order of its keys.
    pub(crate) fn order(&self) -> KeyOrder {
        self.newest().tree.order().clone()
    }

    /// Whether keys are in the order of bytes.
    pub(crate) fn is_bytewise(&self) -> bool {
        self.is_bytewise
    }

    /// Refuses prefixes where keys have an order of their own.
    pub(crate) fn check_prefixes(&self) -> Result<()> {
        if self.is_bytewise {
            return Ok(());
        }
        let name = &self.name;
        Err(Error::invalid_input(format!("keyspace {name:?} has an order of its own: prefixes need that of bytes")))
    }

    /// Whether it was dropped while handles held it.
    pub(crate) fn is_dropped(&self) -> bool {
        self.is_dropped.load(Ordering::Acquire)
    }

    /// Calls `use_it` with the tree that takes writes, under an epoch pin: it is short, waits for nothing and does no I/O.
    #[inline]
    pub(crate) fn with_newest<T>(&self, use_it: impl FnOnce(&Tree) -> T) -> T {
        use_it(&newest(&self.trees.load()).tree)
    }

    /// Calls `use_it`, as [`Self::with_newest`] does, with the tree that a write at `seqno` belongs to: a clear may be ahead of a write
    /// that came before it.
    #[inline]
    pub(crate) fn with_tree_for<T>(&self, seqno: SeqNo, use_it: impl FnOnce(&Tree) -> T) -> T {
        let trees = self.trees.load();
        let tree = trees.iter().rev().find(|tree| tree.since < seqno).or(trees.first());
        use_it(&tree.expect("never empty").tree)
    }

    /// Calls `use_it`, as [`Self::with_newest`] does, with the tree that a reader sees, now or at a seqno, and the pin; `None`, and no
    /// call, if the keyspace was not there yet.
    #[inline]
    pub(crate) fn with_tree_at<T>(&self, read_seqno: Option<SeqNo>, use_it: impl FnOnce(&Tree, &Pin) -> T) -> Option<T> {
        let trees = self.trees.load();
        let found = match read_seqno {
            None => trees.last(),
            Some(read_seqno) => trees.iter().rev().find(|tree| tree.since < read_seqno),
        };
        found.map(|found| use_it(&found.tree, trees.pin()))
    }

    /// Begins a scan with the tree that a reader sees, as [`Self::with_tree_at`] finds it. States of before that readers no longer hold go
    /// afterwards: nothing is let go of under the pin.
    pub(crate) fn begin_scan<T>(&self, read_seqno: Option<SeqNo>, begin: impl FnOnce(&Tree) -> T) -> Option<T> {
        let begin = |tree: &Tree, _: &Pin| (begin(tree), tree.is_sweep_due().then(|| tree.clone()));
        let (begun, swept) = self.with_tree_at(read_seqno, begin)?;
        if let Some(tree) = swept {
            tree.sweep();
        }
        Some(begun)
    }

    /// The tree that takes writes, to keep.
    pub(crate) fn newest(&self) -> Incarnation {
        newest(&self.trees.load()).clone()
    }

    /// Removes one file that none of its trees needs any more; false if there is none.
    pub(crate) fn reclaim_one(&self) -> bool {
        self.trees.load_full().iter().any(|tree| tree.tree.reclaim_one())
    }

    /// The files of a dropped keyspace go when the last handle and the last scan do.
    fn delete_trees(&self) {
        self.trees.load().iter().for_each(|tree| tree.tree.delete_when_unused());
    }

    /// Whether it may hold a tree that it no longer writes to.
    fn has_old_trees(&self) -> bool {
        self.trees.has_retired() || self.trees.load().len() > 1
    }

    /// Goes on with a fresh tree.
    fn push(&self, tree: Incarnation) {
        let _renewing = self.renewing();
        let trees = self.trees.load_full().iter().cloned().chain([tree]).collect();
        self.trees.store(Arc::new(trees));
    }

    /// Takes away every tree that neither the newest state nor one of these read seqnos (ascending) can see.
    fn take_unseen(&self, pins: &[SeqNo]) -> Vec<Tree> {
        if self.trees.load().len() < 2 {
            return Vec::new();
        }
        let _renewing = self.renewing();
        let trees = self.trees.load_full();
        let ends = trees.iter().skip(1).map(|tree| tree.since).chain([SeqNo::MAX]);
        let is_seen = |tree: &Incarnation, end| end == SeqNo::MAX || pins.iter().any(|pin| tree.since < *pin && *pin <= end);
        let (seen, unseen): (Vec<_>, Vec<_>) = trees.iter().zip(ends).partition(|(tree, end)| is_seen(tree, *end));
        if !unseen.is_empty() {
            self.trees.store(Arc::new(seen.into_iter().map(|(tree, _)| tree.clone()).collect()));
        }
        unseen.into_iter().map(|(tree, _)| tree.tree.clone()).collect()
    }

    fn renewing(&self) -> MutexGuard<'_, ()> {
        self.renewing.lock().expect("no code panics under this lock")
    }
}

#[inline]
fn newest(trees: &[Incarnation]) -> &Incarnation {
    trees.last().expect("never empty")
}
