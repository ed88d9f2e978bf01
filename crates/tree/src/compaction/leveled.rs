//! The leveled strategy, a pure function: every level but 0 is one run, and holds some times more than the one above.
//!
//! A level's *score* is how full it is: level 0 by sublevels against their trigger, or by bytes, whichever is more; a deeper one by
//! bytes against its target, where a tombstone weighs like the row that it hides; see `leveled/targets.rs` for these. What a running
//! compaction takes away counts as gone. The fullest level from 1.0 on is relieved first, or the next one where that is not possible:
//!
//! * level 0: see `leveled/level0.rs`;
//! * level n: the table that drags along the least of level n + 1 for its own size; the first of several. The keys take turns by
//!   themselves, since where tables just arrived overlap is dear.
//!
//! A level is also due, at 1.0, if a table of it is *dense*: at least half tombstones, many, and at least half as many as there are rows
//! to rewrite with it, so that scans step over more than they give. It sinks, level by level, until it has met all that it hides, or
//! nothing lies below. Where snapshots keep tombstones alive, that ends at the last level.
//!
//! Tables move without a rewrite if nothing that stays could be older and overlap them (DESIGN: trivial move).

use super::{
    column::bytes,
    plan::{Action, Plan},
    strategy::{Backlog, Strategy, TreeView},
};
use crate::{options::TreeOptions, version::TableFile};
use level0::Level0;
use sediment_base::Slice;
use std::sync::Arc;
use targets::Targets;

mod level0;
mod patience;
mod targets;

/// Every level but 0 is one run, and some times larger than the one above: little space for what is obsolete, and few runs to read.
/// Levels are counted from the last one: there are as many as the size of the tree asks for. The default. Its numbers are `level0_trigger`, `level_ratio`, `level_base_bytes` and `tombstones_due` of the tree's options.
#[derive(Clone, Copy, Debug, Default)]
pub struct Leveled;

impl Strategy for Leveled {
    fn name(&self) -> &str {
        "leveled"
    }

    fn pick(&self, tree: &TreeView<'_>) -> Option<Plan> {
        let shape = Shape::new(tree);
        let mut due = shape.scores();
        due.retain(|(score, _)| *score >= 1.0);
        due.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
        due.into_iter().find_map(|(_, level)| match level {
            0 => shape.level0.pick(),
            _ => pick_level(tree, level, shape.score_by_size(level) >= 1.0),
        })
    }

    fn scores(&self, tree: &TreeView<'_>) -> Vec<f64> {
        Shape::new(tree).scores().into_iter().map(|(score, _)| score).collect()
    }

    fn backlog(&self, tree: &TreeView<'_>) -> Backlog {
        let (levels, options) = (&tree.version.levels, tree.options);
        let (runs, runs_due, level0_bytes) = (levels[0].runs.len(), options.level0_trigger, levels[0].bytes());
        let is_due = runs >= runs_due || level0_bytes >= options.level0_bytes_max();
        let targets = Targets::new(tree.version, options);
        let deeper: u64 = (1..levels.len()).map(|level| targets.surplus(level, levels[level].bytes())).sum();
        Backlog { runs, runs_due, debt_bytes: deeper + if is_due { level0_bytes } else { 0 } }
    }

    fn guards(&self, tree: &TreeView<'_>) -> Vec<Slice> {
        tree.tables(Targets::new(tree.version, tree.options).base).map(|table| table.range.min.clone()).collect()
    }
}

/// A tree, and what its levels are to hold.
struct Shape<'a> {
    tree: &'a TreeView<'a>,
    targets: Targets,
    level0: Level0<'a>,
}

impl<'a> Shape<'a> {
    fn new(tree: &'a TreeView<'a>) -> Self {
        let targets = Targets::new(tree.version, tree.options);
        Self { tree, targets, level0: Level0::new(*tree, targets.base) }
    }

    /// Each level that can be relieved, with how full it is, leaving out what leaves it already.
    fn scores(&self) -> Vec<(f64, usize)> {
        let score = |level: usize| {
            let score = self.score_by_size(level);
            (if score < 1.0 && has_dense(self.tree, level) { 1.0 } else { score }, level)
        };
        std::iter::once((self.level0.score(), 0)).chain((1..self.tree.levels() - 1).map(score)).collect()
    }

    fn score_by_size(&self, level: usize) -> f64 {
        let tree = self.tree;
        let held: u64 = tree.version.levels[level].runs.iter().map(|run| run.weighed_bytes()).sum();
        let leaving = tree.busy.taken().filter_map(|id| tree.version.table(id));
        let leaving = leaving.filter(|placed| placed.level == level && tree.busy.takes_from(level, &placed.file));
        let bytes = held.saturating_sub(leaving.map(|placed| placed.file.weighed_bytes()).sum());
        self.targets.fullness(level, bytes)
    }
}

/// Whether a level is due for a table of tombstones that does not leave it already.
fn has_dense(tree: &TreeView<'_>, index: usize) -> bool {
    let level = &tree.version.levels[index];
    let is_due = |file: &Arc<TableFile>| {
        is_dense(file, tree.options) && !tree.busy.takes_from(index, file) && hides_enough(file, below(tree, index, file))
    };
    level.runs.iter().any(|run| run.tombstones() >= tree.options.tombstones_due && run.tables().iter().any(is_due))
}

/// What a table meets in the level below its own.
fn below<'a>(tree: &TreeView<'a>, index: usize, file: &TableFile) -> &'a [Arc<TableFile>] {
    let run = tree.version.levels[index + 1].runs.first();
    run.map_or(&[], |run| run.overlapping(&file.meta.range, &tree.options.order))
}

/// Whether a table is mostly tombstones, and many.
fn is_dense(file: &TableFile, options: &TreeOptions) -> bool {
    file.meta.tombstones >= options.tombstones_due && file.meta.tombstones.saturating_mul(2) >= file.meta.rows
}

/// Whether it has at least half as many tombstones as there are rows to rewrite with it.
fn hides_enough(file: &TableFile, others: &[Arc<TableFile>]) -> bool {
    file.meta.tombstones.saturating_mul(2) >= others.iter().map(|file| file.meta.rows).sum()
}

fn pick_level(tree: &TreeView<'_>, index: usize, is_full: bool) -> Option<Plan> {
    let mut choices = Vec::new();
    for file in tree.version.levels[index].tables() {
        let lower = below(tree, index, file);
        let is_dense = is_dense(file, tree.options) && hides_enough(file, lower);
        if is_full || is_dense {
            let action = if lower.is_empty() && !is_dense { Action::Move } else { Action::Rewrite };
            choices.push((bytes(lower) as f64 / file.meta.file_bytes.max(1) as f64, action, file, lower));
        }
    }
    choices.sort_by(|a, b| a.0.total_cmp(&b.0));
    choices.into_iter().find_map(|(_, action, file, lower)| plan_if_free(tree, action, index, file, lower))
}

/// The plan, unless a running one is in its way.
fn plan_if_free(
    tree: &TreeView<'_>,
    action: Action,
    index: usize,
    upper: &Arc<TableFile>,
    lower: &[Arc<TableFile>],
) -> Option<Plan> {
    let (busy, order) = (tree.busy, &tree.options.order);
    if std::iter::once(upper).chain(lower).any(|file| busy.has(file.meta.id)) {
        return None;
    }
    let inputs = vec![(index, vec![Arc::clone(upper)]), (index + 1, lower.to_vec())];
    let plan = Plan::new(action, inputs, index + 1, order)?;
    (!busy.is_target(plan.target, &plan.range, order)).then_some(plan)
}

#[cfg(test)]
mod tests;
