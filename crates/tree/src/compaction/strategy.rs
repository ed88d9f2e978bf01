//! `Strategy`: what shape a tree is to have. A pure function from a view of the tree to a plan, and to how urgent one is.
//!
//! A strategy decides what is worth its price, and nothing else: that tables of a level do not overlap, and that nothing is taken
//! twice, is checked where a plan is made ([`TreeView::rewrite`]); what a rewrite may drop is decided by the rows alone. So one of the
//! caller's own can make a tree slow, and never wrong. What it has forgotten ([`TreeView::discard`]) is gone, though.

use super::{
    busy::Busy,
    plan::{Action, Plan},
};
use crate::{
    options::TreeOptions,
    version::{Level, TableFile, Version},
};
use sediment_base::{Slice, TableId, range::compare_starts};
use sediment_table::TableMeta;
use std::{cmp::Reverse, collections::HashSet, fmt, sync::Arc};

/// Chooses what a tree rewrites next.
///
/// ```
/// # use sediment_tree::{Backlog, Plan, Strategy, TreeView};
/// /// Keeps everything in one run.
/// #[derive(Debug)]
/// struct OneRun;
///
/// impl Strategy for OneRun {
///     fn name(&self) -> &str {
///         "one run"
///     }
///
///     fn pick(&self, tree: &TreeView<'_>) -> Option<Plan> {
///         let all: Vec<_> = (0..tree.levels()).flat_map(|level| tree.tables(level)).map(|table| table.id).collect();
///         if self.backlog(tree).runs < 2 { None } else { tree.rewrite(all, tree.levels() - 1) }
///     }
///
///     fn scores(&self, tree: &TreeView<'_>) -> Vec<f64> {
///         vec![if self.backlog(tree).runs < 2 { 0.0 } else { 1.0 }]
///     }
///
///     fn backlog(&self, tree: &TreeView<'_>) -> Backlog {
///         let runs = (0..tree.levels()).map(|level| tree.runs(level).count()).sum();
///         Backlog { runs, runs_due: 2, debt_bytes: 0 }
///     }
/// }
/// ```
pub trait Strategy: Send + Sync + fmt::Debug {
    /// A name to be told apart by.
    fn name(&self) -> &str;

    /// The most urgent work that is possible now; `None` if the tree is in shape, or what is due is under way.
    fn pick(&self, tree: &TreeView<'_>) -> Option<Plan>;

    /// How urgent the work of each level is, from level 0 on, as if nothing were under way; from 1.0 on [`Strategy::pick`] has something
    /// to do. Levels that are left out have none.
    fn scores(&self, tree: &TreeView<'_>) -> Vec<f64>;

    /// How far the tree is from being in shape: what writers are slowed down by. Asked often.
    fn backlog(&self, tree: &TreeView<'_>) -> Backlog;

    /// From when on, by the wall clock in microseconds since 1970, there is more to do although nothing else happens; `None` if time alone
    /// makes nothing due.
    fn due_us(&self, _tree: &TreeView<'_>) -> Option<u64> {
        None
    }

    /// Whether rows written from now on keep their seqnos for good, so that tables tell how old they are; else those that nothing older
    /// could meet lose them, which saves space.
    fn keeps_seqnos(&self) -> bool {
        false
    }

    /// Keys, ascending, at which tables of flushes end, unless they would be tiny: where those of the first level below level 0 begin
    /// that has any, so that they overlap fewer of them.
    fn guards(&self, tree: &TreeView<'_>) -> Vec<Slice> {
        let first = (1..tree.levels()).find(|level| tree.tables(*level).next().is_some());
        first.into_iter().flat_map(|level| tree.tables(level)).map(|table| table.range.min.clone()).collect()
    }
}

/// How far a tree is from the shape that its strategy wants.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Backlog {
    /// Runs that reads meet because they are not yet merged.
    pub runs: usize,
    /// How many of these make work due. Writers are slowed down when there are some times more.
    pub runs_due: usize,
    /// Bytes that are to be rewritten until the tree is in shape. Writers are slowed down when they are some times
    /// [`TreeOptions::level_base_bytes`].
    pub debt_bytes: u64,
}

/// What comes until the next flush of a tree that is written to steadily.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Coming {
    /// What readers pay until then for each run that they have to ask, as bytes that compactions could write for the same.
    pub toll_bytes: u64,
}

/// A tree as a strategy sees it: runs of tables by level, what is under way, and the settings.
#[derive(Clone, Copy, Debug)]
pub struct TreeView<'a> {
    pub(super) version: &'a Version,
    pub(super) busy: &'a Busy,
    pub(super) options: &'a TreeOptions,
    pub(super) now_us: u64,
    pub(super) coming: Option<Coming>,
}

impl<'a> TreeView<'a> {
    /// At a time that does not matter, with writers at rest.
    pub(crate) fn new(version: &'a Version, busy: &'a Busy, options: &'a TreeOptions) -> Self {
        Self { version, busy, options, now_us: 0, coming: None }
    }

    /// The same while more comes, or with writers at rest.
    pub(crate) fn awaiting(self, coming: Option<Coming>) -> Self {
        Self { coming, ..self }
    }

    /// The same at this time.
    pub(crate) fn at(self, now_us: u64) -> Self {
        Self { now_us, ..self }
    }

    /// What is expected while work waits, unless writers are at rest: more comes soon, and goes down at the price of one with what waits for
    /// it. See [`Tree::set_expects_more`](crate::Tree::set_expects_more).
    pub fn coming(&self) -> Option<Coming> {
        self.coming
    }

    /// How many levels there are. Level 0 may have many runs, every other at most one.
    pub fn levels(&self) -> usize {
        self.version.levels.len()
    }

    /// The runs of a level, newest first: the tables of each, in key order.
    pub fn runs(&self, level: usize) -> impl Iterator<Item = impl Iterator<Item = &'a TableMeta>> {
        self.version.levels[level].runs.iter().map(|run| run.tables().iter().map(|file| &file.meta))
    }

    /// The tables of a level, run by run.
    pub fn tables(&self, level: usize) -> impl Iterator<Item = &'a TableMeta> {
        self.runs(level).flatten()
    }

    /// Whether a compaction under way has taken this table.
    pub fn is_busy(&self, table: &TableMeta) -> bool {
        self.busy.has(table.id)
    }

    /// The settings of the tree.
    pub fn options(&self) -> &'a TreeOptions {
        self.options
    }

    /// The wall clock, in microseconds since 1970. Clocks may go back: reckon with ages that saturate. It is 0 for
    /// [`Strategy::backlog`], [`Strategy::guards`] and [`Strategy::due_us`], and where a shape is only shown.
    pub fn now_us(&self) -> u64 {
        self.now_us
    }

    /// A plan to merge these tables into one run at `target`. `None` if there are none, if one is not there or taken, or if what comes of
    /// them could meet other tables of that level, be they there or on their way; level 0 takes anything.
    pub fn rewrite(&self, tables: impl IntoIterator<Item = TableId>, target: usize) -> Option<Plan> {
        let wanted: HashSet<TableId> = tables.into_iter().collect();
        let is_wanted = |file: &&Arc<TableFile>| wanted.contains(&file.meta.id);
        let (levels, order) = (&self.version.levels, &self.options.order);
        let plan = self.plan(Action::Rewrite, &wanted, target)?;
        let is_met = |level: &Level| level.overlapping(&plan.range, order).any(|file| !is_wanted(&file));
        let is_free =
            || levels.get(target).is_some_and(|level| !is_met(level)) && !self.busy.is_target(target, &plan.range, order);
        (target == 0 || is_free()).then_some(plan)
    }

    /// A plan to forget these tables with all their rows. Snapshots and scans that began before go on with them. `None` if there are none,
    /// if one is not there or taken, or if older rows of their keys, which would come to light, may lie in tables that stay.
    pub fn discard(&self, tables: impl IntoIterator<Item = TableId>) -> Option<Plan> {
        let wanted: HashSet<TableId> = tables.into_iter().collect();
        let is_wanted = |file: &Arc<TableFile>| wanted.contains(&file.meta.id);
        let (levels, order) = (&self.version.levels, &self.options.order);
        let plan = self.plan(Action::Discard, &wanted, 0)?;
        let (going, staying): (Vec<_>, Vec<_>) = levels.iter().flat_map(Level::tables).partition(|file| is_wanted(file));
        let would_show = |going: &TableMeta, staying: &TableMeta| {
            staying.oldest_seqno() <= going.newest_seqno() && staying.range.overlaps(&going.range, order)
        };
        let shows = |file: &Arc<TableFile>| staying.iter().any(|staying| would_show(&file.meta, &staying.meta));
        (!going.into_iter().any(shows)).then_some(plan)
    }

    /// As [`TreeView::discard`], but older rows of their keys come to light: for a caller who wants just these tables gone.
    pub fn drop_tables(&self, tables: impl IntoIterator<Item = TableId>) -> Option<Plan> {
        self.plan(Action::Discard, &tables.into_iter().collect(), 0)
    }

    /// A plan to name these tables at the deeper level `target`, without reading them. `None` if there are none, if one is not there, taken
    /// or deep enough already, or if one meets another table in its own level, in `target` or in between.
    pub fn relocate(&self, tables: impl IntoIterator<Item = TableId>, target: usize) -> Option<Plan> {
        let wanted: HashSet<TableId> = tables.into_iter().collect();
        let order = &self.options.order;
        let plan = self.plan(Action::Move, &wanted, target).filter(|_| target < self.version.levels.len())?;
        let is_free = |level: usize, file: &TableFile| {
            let mut met =
                self.version.levels[level..=target].iter().flat_map(|level| level.overlapping(&file.meta.range, order));
            level < target && met.all(|met| met.meta.id == file.meta.id)
        };
        let all_free = wanted.iter().filter_map(|id| self.version.table(*id)).all(|moved| is_free(moved.level, &moved.file));
        (all_free && !self.busy.is_target(target, &plan.range, order)).then_some(plan)
    }

    /// What takes these tables, if all are there and none is taken.
    fn plan(&self, action: Action, wanted: &HashSet<TableId>, target: usize) -> Option<Plan> {
        let mut inputs: Vec<(usize, Vec<Arc<TableFile>>)> = (0..self.levels()).map(|level| (level, Vec::new())).collect();
        for id in wanted {
            let placed = self.version.table(*id).filter(|_| !self.busy.has(*id))?;
            inputs[placed.level].1.push(Arc::clone(&placed.file));
        }
        let order = &self.options.order;
        inputs[0].1.sort_by_key(|file| Reverse(file.age()));
        inputs[1..]
            .iter_mut()
            .for_each(|(_, files)| files.sort_by(|a, b| compare_starts(&a.meta.range.min, &b.meta.range.min, order)));
        Plan::new(action, inputs, target, order)
    }
}
