//! The pieces of maintenance, each run to its end on the thread that calls it.

use crate::{
    catalog::{Catalog, Incarnation, KeyspaceState},
    wal::Anchor,
    worker::{Machinery, Worker, measured, stamp::Stamp},
};
use sediment_base::{
    Error, ErrorKind, Result, SeqNo, TreeId,
    planted::{Bug, planted},
};
use sediment_env::Priority;
use sediment_tree::{CompactionContext, CompactionReport, FlushContext, FlushReport, Helpers, Plan, Progress, Tree};
use std::{ops::ControlFlow, sync::Arc};

/// How often it is looked at least whether something that is due can be done.
const LOOK_US: u64 = 1_000_000;

/// Makes the catalog durable, if it is not, and the log before it: the catalog is never ahead.
pub(crate) fn save_catalog(machinery: &Machinery, catalog: &mut Catalog) -> Result<()> {
    if catalog.is_saved() {
        return Ok(());
    }
    machinery.log.sync_through(catalog.state().seqno)?;
    catalog.save_changes()
}

/// Lets go of earlier states of trees that nobody can see, and of the trees of cleared keyspaces, unless the catalog on disk may still
/// name them.
pub(crate) fn delete_unseen(machinery: &Machinery, catalog: &Catalog) {
    machinery.keyspaces.forget_unseen(|| machinery.snapshots.in_use());
    if catalog.is_saved() {
        machinery.keyspaces.delete_unseen(|| machinery.snapshots.in_use());
    }
}

/// Has the trees of dropped keyspaces go that could not at once: the catalog on disk still named them.
pub(super) fn delete_dropped(machinery: &Machinery) -> Result<()> {
    if machinery.keyspaces.has_dropped() {
        let mut catalog = machinery.catalog();
        save_catalog(machinery, &mut catalog)?;
        delete_unseen(machinery, &catalog);
    }
    Ok(())
}

/// Rows of a keyspace that are to be moved into tables.
#[derive(Debug)]
pub(super) struct ToFlush {
    keyspace: Arc<KeyspaceState>,
    tree: Incarnation,
    boundary: SeqNo,
}

impl ToFlush {
    /// Seals what a keyspace holds in memory.
    pub(super) fn seal(machinery: &Machinery, keyspace: Arc<KeyspaceState>) -> Self {
        let tree = keyspace.newest();
        let boundary = machinery.log.at_boundary(|boundary| {
            tree.tree.seal(boundary);
            boundary
        });
        Self { keyspace, tree, boundary }
    }

    /// Whether they are in tables, or gone.
    pub(super) fn is_done(&self) -> bool {
        let tree = &self.tree.tree;
        let is_gone = self.keyspace.is_dropped() || self.keyspace.newest().id != self.tree.id;
        is_gone || tree.sealed_count() == 0 || tree.mark() >= Some(self.boundary)
    }
}

/// Moves the sealed memtables of a tree into tables.
pub(super) fn flush_sealed(machinery: &Machinery, tree: &Incarnation, advanced: &(dyn Fn(u64) + Sync)) -> Result<FlushReport> {
    machinery.log.check()?;
    let boundary = machinery.log.next_seqno() - 1;
    // Everything up to a boundary must be in its memtable before that is written.
    machinery.snapshots.wait_visible(boundary + 1)?;
    if planted(Bug::RemoveWalBeforeFlush) {
        machinery.log.trim(machinery.snapshots.visible(), SeqNo::MAX)?;
    }
    let covered = covered_elsewhere(machinery, tree, boundary)?;
    // Where rows of other trees are in the log alone: up to the mark, not only to the newest row. The mark counts the seqnos of other
    // keyspaces too, and if those were lost they would be given again, to rows that replay then takes for flushed.
    let log_is_durable = |seqno: SeqNo| {
        machinery.lots.breathe();
        let is_needed = covered.is_none_or(|covered| covered < boundary) && !planted(Bug::FlushBeforeLog);
        if is_needed { machinery.log.sync_through(seqno.max(boundary)) } else { Ok(()) }
    };
    let report = tree.tree.flush(&FlushContext {
        retention: machinery.snapshots.retention(),
        now_us: machinery.env.clock.wall_us(),
        through: boundary,
        covered,
        before_publish: &log_is_durable,
        on_slice: &|progress| {
            advanced(progress.bytes_read);
            machinery.lots.breathe();
            ControlFlow::Continue(())
        },
    })?;
    anchor(machinery, &tree.tree, tree.id)?;
    Ok(report)
}

/// The seqno, at most `boundary`, up to which all trees but this one hold the rows of the log in tables, durably, and the catalog its
/// changes; `None` where it is not known to be durable.
fn covered_elsewhere(machinery: &Machinery, tree: &Incarnation, boundary: SeqNo) -> Result<Option<SeqNo>> {
    let mut catalog = machinery.catalog();
    match save_catalog(machinery, &mut catalog) {
        Err(error) if error.kind() == ErrorKind::NoSpace => return Ok(None),
        saved => saved?,
    }
    let mut covered = boundary;
    for keyspace in machinery.keyspaces.all() {
        let other = keyspace.newest();
        if other.id == tree.id || planted(Bug::CoverUnflushed) {
            continue;
        }
        if !other.tree.is_confirmed() {
            return Ok(None);
        }
        covered = covered.min(needed_from(&keyspace, boundary.saturating_add(1)).saturating_sub(1));
    }
    Ok(Some(covered))
}

/// Runs what is due in a tree, one compaction after the other.
pub(super) fn compact(machinery: &Machinery, worker: &Worker, tree: &Incarnation) -> Result<()> {
    while !worker.is_stopped() && compact_once(machinery, worker, tree)?.is_some() {}
    Ok(())
}

/// Runs the most urgent compaction of a tree; the bytes that it rewrote out of level 0, `None` if nothing was due, or has no room.
pub(super) fn compact_once(machinery: &Machinery, worker: &Worker, tree: &Incarnation) -> Result<Option<u64>> {
    let plan = tree.tree.pick_compaction(machinery.env.clock.wall_us());
    let Some(plan) = plan.filter(|plan| worker.may_begin(machinery, plan)) else { return Ok(None) };
    machinery.lots.breathe();
    let report = measured::compact(machinery, tree, plan, &|| worker.is_stopped())?;
    // Tables that are only moved take no time, and say nothing about how long rewriting takes.
    Ok(Some(if report.moved { 0 } else { report.bytes_in_level0 }))
}

/// Microseconds until time alone makes a compaction due.
pub(super) fn us_until_due(machinery: &Machinery) -> Option<u64> {
    let due_us = machinery.keyspaces.all().iter().filter_map(|keyspace| keyspace.with_newest(Tree::compaction_due_us)).min()?;
    // Not at once again: another thread may be at it.
    Some(due_us.saturating_sub(machinery.env.clock.wall_us()).max(LOOK_US))
}

/// Rewrites every tree into one run; if not each of them has room, the rest, and says so.
pub(super) fn compact_everything(machinery: &Machinery, worker: &Worker) -> Result<Option<Error>> {
    delete_unseen(machinery, &machinery.catalog());
    let mut refusal = None;
    for keyspace in machinery.keyspaces.all() {
        let tree = keyspace.newest();
        match tree.tree.pick_full_compaction() {
            Some(plan) if !worker.may_begin(machinery, &plan) => refusal = Some(has_no_room(&tree, &plan)),
            Some(plan) => {
                measured::compact(machinery, &tree, plan, &|| worker.is_stopped())?;
            }
            None => {}
        }
    }
    Ok(refusal)
}

fn has_no_room(tree: &Incarnation, plan: &Plan) -> Error {
    let (keyspace, bytes) = (&tree.keyspace, plan.written_bytes());
    let message = format!(
        "a compaction of keyspace {keyspace:?} needs up to {bytes} bytes beside what is there: make room on the disk first"
    );
    Error::new(ErrorKind::NoSpace, message)
}

/// Carries out a plan.
pub(super) fn run_plan(
    machinery: &Machinery,
    tree: &Incarnation,
    plan: Plan,
    is_cancelled: &(dyn Fn() -> bool + Sync),
) -> Result<CompactionReport> {
    let shift = machinery.crew.begin();
    let ask = |wanted| shift.take(wanted);
    let portion_bytes = machinery.crew.portion_bytes();
    let helpers = Helpers { spawn: &*machinery.env.spawn, priority: Priority::Low, ask: &ask, portion_bytes };
    let on_slice = |progress: Progress| go_on(machinery, progress, is_cancelled);
    let (retention, now_us) = (machinery.snapshots.retention(), machinery.env.clock.wall_us());
    let stamp = Stamp::default();
    let take_stamp = || stamp.take(machinery, tree);
    let context =
        CompactionContext { retention, now_us, on_slice: &on_slice, take_stamp: Some(&take_stamp), helpers: Some(helpers) };
    let compacted = tree.tree.compact(plan, &context);
    // Whatever became of it: what comes behind must not wait for ever.
    stamp.end(machinery)?;
    let report = compacted?;
    machinery.lots.breathe();
    anchor(machinery, &tree.tree, tree.id)?;
    Ok(report)
}

/// Removes one table that nothing needs any more; false if there is none.
pub(super) fn reclaim_one(machinery: &Machinery) -> bool {
    machinery.keyspaces.all().iter().any(|keyspace| keyspace.reclaim_one())
}

/// Removes log files that no tree and not the catalog needs.
pub(super) fn trim(machinery: &Machinery) -> Result<()> {
    let mut catalog = machinery.catalog();
    if !machinery.log.is_crowded(1) {
        return Ok(());
    }
    save_catalog(machinery, &mut catalog)?;
    let keyspaces = machinery.keyspaces.all();
    keyspaces.iter().try_for_each(|keyspace| keyspace.newest().tree.confirm())?;
    // What is below is applied; what is not yet is above.
    let next = machinery.snapshots.visible();
    let needed = keyspaces.iter().map(|keyspace| needed_from(keyspace, next)).min().unwrap_or(next);
    let needed = catalog.unsaved_from().map_or(needed, |unsaved| needed.min(unsaved));
    let covered = catalog.cover(keyspaces.iter().filter_map(|keyspace| keyspace.newest().tree.covered()));
    drop(catalog);
    machinery.log.trim(needed, covered)
}

/// A log that nothing needs any more goes, so that the system need not write it to the disk, and the next open has nothing to read. Where
/// memtables hold rows it stays. On a full disk, too. A short one is not worth a new file. Whether the log began anew.
pub(crate) fn shorten_log(machinery: &Machinery) -> Result<bool> {
    let next = machinery.snapshots.visible();
    let is_needed = |keyspace: &Arc<KeyspaceState>| needed_from(keyspace, next) < next;
    if machinery.log.is_short() || machinery.keyspaces.all().iter().any(is_needed) {
        return Ok(false);
    }
    let has_begun = unless_full(machinery.log.begin_anew())?;
    if has_begun {
        // What the old files said of the manifests goes with them.
        let keyspaces = machinery.keyspaces.all();
        let mut trees = keyspaces.iter().map(|keyspace| keyspace.newest());
        let anchored = trees.try_for_each(|tree| anchor(machinery, &tree.tree, tree.id));
        unless_full(anchored.and_then(|()| trim(machinery)))?;
    }
    Ok(has_begun)
}

/// After everything was flushed: the log begins anew if nothing needs it any more, else the files go that nothing needs.
pub(super) fn shorten_or_trim(machinery: &Machinery) -> Result<()> {
    if shorten_log(machinery)? { Ok(()) } else { trim(machinery) }
}

/// What a full disk forbids, and can wait, is left for another time.
fn unless_full<T: Default>(done: Result<T>) -> Result<T> {
    match done {
        Err(error) if error.kind() == ErrorKind::NoSpace => Ok(T::default()),
        done => done,
    }
}

/// Seqno from which on the log must be kept for this keyspace; `next`, below which every write must be applied, where its tables
/// hold all of those.
pub(super) fn needed_from(keyspace: &KeyspaceState, next: SeqNo) -> SeqNo {
    let tree = keyspace.newest();
    if tree.tree.is_clean() {
        return next;
    }
    tree.tree.mark().map_or(tree.since, |mark| mark.max(tree.since)).saturating_add(1)
}

/// After each slice: others get a turn, the rate is kept, and whoever ends the database need not wait.
fn go_on(machinery: &Machinery, progress: Progress, is_cancelled: &dyn Fn() -> bool) -> ControlFlow<()> {
    machinery.lots.breathe();
    machinery.rate.pay(machinery, progress.bytes_written, is_cancelled);
    if is_cancelled() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
}

/// Notes in the log how far the tree's manifest is durable, which one that was only read is not known to be: it is made so first. On
/// a full disk the log goes without.
pub(crate) fn anchor(machinery: &Machinery, tree: &Tree, id: TreeId) -> Result<()> {
    unless_full(tree.confirm().and_then(|()| {
        let position = tree.manifest_position();
        machinery.log.append_anchor(Anchor { tree: id, generation: position.generation, length: position.length })
    }))
}
