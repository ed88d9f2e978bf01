//! The lazy strategy, a pure function: tiers above, one run below, and the run is cut into partitions that are merged one by one.
//!
//! The *bottom* is one run in the deepest level that holds something. Its tables are its *partitions*, sized for that; small ones side by
//! side count as one. Everything above it lies in level 0:
//!
//! ```text
//!   young                [        f        ]        flushes and what was made of few: too small to be cut at partitions
//!                    [           e           ]
//!   settled       [ d ]     [   d   ]     [ d ]
//!                 [  c  ] [    c   ]   [   c  ]     tables of one partition each
//!   bottom       [    1    |    2    |    3    ]
//! ```
//!
//! A table is *settled* if it lies in one partition, or two neighbours, and so do all older ones that it overlaps; `lazy/shape.rs` tells
//! which are. The first that is due is done:
//!
//! * young tiers that are alike, as many as the trigger, are merged, and cut at partitions once the pieces are large enough to settle;
//! * settled tables that meet nothing below become part of the bottom as they are;
//! * a partition is merged with what has settled in it, once that weighs the given part of it. A tombstone weighs what it hides. The part
//!   is another for each partition, from half to one and a half times the given one: if they were all due at once, there would be
//!   nothing to do before and much after;
//! * tiers of one partition that are alike, as many as the trigger, are merged and stay above.
//!
//! So a row is rewritten once for each size of tiers, and the bottom once for each time that the given part of it has come; a merge
//! takes place in one partition, however large the tree is. What another strategy has left in levels between goes down first, table
//! by table. (Lazy leveling: Dayan, Idreos, "Dostoevsky", 2018; partitions: Dayan et al., "Spooky", 2022.)

use super::{
    column::bytes,
    plan::{Action, Plan},
    strategy::{Backlog, Strategy, TreeView},
    tiers::{Tier, alike, most_alike, trigger},
};
use crate::{rewrite::Cuts, version::TableFile};
use sediment_base::Slice;
use shape::{Partition, Shape};
use std::sync::Arc;

mod shape;

/// Collects in tiers what is written, and merges it with the rest, which is one run, partition by partition. Writes cost about half of what
/// they do under levels, at no more space; reads meet half as many runs again. Its numbers are `level0_trigger` of the tree's options,
/// and the part of a partition that is collected above it.
#[derive(Clone, Debug)]
pub struct Lazy {
    percent: u8,
    name: String,
}

impl Default for Lazy {
    /// A fifth.
    fn default() -> Self {
        Self::new(20)
    }
}

impl Lazy {
    /// Collects so many percent of a partition before it is merged, at least one: fewer take less space and more writing.
    pub fn new(percent: u8) -> Self {
        let percent = percent.max(1);
        let name = if percent == 20 { "lazy".into() } else { format!("lazy-{percent}") };
        Self { percent, name }
    }

    /// The one of this name: `lazy`, or `lazy-` and its percent.
    pub fn by_name(name: &str) -> Option<Self> {
        let percent = name.strip_prefix("lazy-").and_then(|percent| percent.parse().ok());
        [Self::default()].into_iter().chain(percent.map(Self::new)).find(|lazy| lazy.name == name)
    }
}

impl Strategy for Lazy {
    fn name(&self) -> &str {
        &self.name
    }

    fn pick(&self, tree: &TreeView<'_>) -> Option<Plan> {
        let shape = Shape::new(tree);
        if let Some(plan) = pick_young(tree, &shape) {
            return Some(plan);
        }
        if let Some(between) = shape.between {
            return pick_between(tree, between, shape.bottom);
        }
        pick_sinking(tree, &shape).or_else(|| self.pick_due(tree, &shape)).or_else(|| pick_settled(tree, &shape))
    }

    fn scores(&self, tree: &TreeView<'_>) -> Vec<f64> {
        let shape = Shape::new(tree);
        let mut tiers = Vec::new();
        let above = shape.partitions.iter().map(|partition| {
            shape.tiers(tree, partition, &mut tiers);
            most_alike(&tiers)
        });
        let most = above.max().max(Some(most_alike(&shape.young_tiers(tree)))).unwrap_or(0);
        let sinks = if sinking(tree, &shape).next().is_some() { 1.0 } else { 0.0 };
        let mut scores = vec![0.0; shape.bottom + 1];
        scores[0] = f64::max(sinks, most as f64 / trigger(tree) as f64);
        scores[shape.bottom] = self.partition_scores(tree, &shape).fold(0.0, f64::max);
        if let Some(between) = shape.between {
            scores[between] = 1.0;
        }
        scores
    }

    fn backlog(&self, tree: &TreeView<'_>) -> Backlog {
        let (shape, runs_due) = (Shape::new(tree), trigger(tree));
        let young = shape.young_tiers(tree);
        let surplus =
            |partition: &Partition| shape.weight(partition).saturating_sub(self.weight_max(tree, &shape, partition) as u64);
        let waiting = alike(&young, |_| true).find(|alike| alike.len() > runs_due);
        let debt_bytes = shape.partitions.iter().map(surplus).sum::<u64>()
            + waiting.map_or(0, |alike| alike.iter().map(|tier| tier.bytes).sum())
            + shape.between.map_or(0, |between| tree.version.levels[between].bytes());
        Backlog { runs: most_alike(&young), runs_due, debt_bytes }
    }

    fn guards(&self, tree: &TreeView<'_>) -> Vec<Slice> {
        let shape = Shape::new(tree);
        let flush_bytes = tree.options.level_base_bytes / trigger(tree) as u64;
        if shape.settles(tree, flush_bytes) { shape.guards() } else { Vec::new() }
    }
}

impl Lazy {
    /// For each partition, how much there is above it for what may be.
    fn partition_scores(&self, tree: &TreeView<'_>, shape: &Shape<'_>) -> impl Iterator<Item = f64> {
        let weight_max = |partition: &Partition| self.weight_max(tree, shape, partition).max(1.0);
        shape.partitions.iter().map(move |partition| shape.weight(partition) as f64 / weight_max(partition))
    }

    /// What may settle above a partition before it is merged: its part, or the share of it in what level 0 brings at once under levels.
    fn weight_max(&self, tree: &TreeView<'_>, shape: &Shape<'_>, partition: &Partition) -> f64 {
        let (bytes, all) = (partition.bottom_bytes() as f64, shape.bottom_bytes as f64);
        let share = if all > 0.0 { bytes / all } else { 1.0 };
        let part = bytes * f64::from(self.percent) / 100.0 * shape.stagger(partition);
        part.max(tree.options.level_base_bytes as f64 * share)
    }

    /// The partition with the most above it for what may be, or the next one where that is not possible.
    fn pick_due(&self, tree: &TreeView<'_>, shape: &Shape<'_>) -> Option<Plan> {
        let mut due: Vec<_> =
            self.partition_scores(tree, shape).zip(&shape.partitions).filter(|(score, _)| *score >= 1.0).collect();
        due.sort_by(|a, b| b.0.total_cmp(&a.0));
        due.into_iter().find_map(|(_, partition)| {
            let cuts = Cuts { table_bytes: shape.even(partition.bytes()), ..Cuts::by_size(tree.options) };
            tree.rewrite(shape.ids(partition), shape.bottom).map(|plan| plan.cut(cuts))
        })
    }
}

/// Young tiers that are alike.
fn pick_young(tree: &TreeView<'_>, shape: &Shape<'_>) -> Option<Plan> {
    let tiers = shape.young_tiers(tree);
    let merged = merge_alike(tree, &tiers)?;
    let bytes = merged.iter().map(|tier| tier.bytes).sum();
    let plan = tree.rewrite(merged.iter().flat_map(|tier| shape.young_ids(tier)), 0)?;
    let guards = if shape.settles(tree, bytes) { shape.guards() } else { Vec::new() };
    let guarded_bytes_min = tree.options.guarded_bytes_min() / shape::SLACK;
    Some(plan.cut(Cuts { guards, guarded_bytes_min, table_bytes: shape.partition_bytes }))
}

/// Tiers of one partition that are alike.
fn pick_settled(tree: &TreeView<'_>, shape: &Shape<'_>) -> Option<Plan> {
    let mut tiers = Vec::new();
    shape.partitions.iter().find_map(|partition| {
        shape.tiers(tree, partition, &mut tiers);
        let merged = merge_alike(tree, &tiers)?;
        let plan = tree.rewrite(merged.iter().flat_map(|tier| shape.tier_ids(partition, tier)), 0)?;
        Some(plan.cut(Cuts { table_bytes: shape.partition_bytes, ..Cuts::by_size(tree.options) }))
    })
}

fn merge_alike<'t>(tree: &TreeView<'_>, tiers: &'t [Tier]) -> Option<&'t [Tier]> {
    alike(tiers, |tier| !tier.is_busy).find(|alike| alike.len() >= trigger(tree))
}

/// Settled tables that meet nothing below.
fn sinking<'a>(tree: &'a TreeView<'_>, shape: &'a Shape<'_>) -> impl Iterator<Item = Arc<TableFile>> {
    let (busy, order) = (tree.busy, &tree.options.order);
    let is_free =
        move |file: &&Arc<TableFile>| !busy.has(file.meta.id) && !busy.is_target(shape.bottom, &file.meta.range, order);
    shape.partitions.iter().flat_map(|partition| shape.sinking(partition)).filter(is_free).cloned()
}

/// As they are, unless the bottom is compressed in another way.
fn pick_sinking(tree: &TreeView<'_>, shape: &Shape<'_>) -> Option<Plan> {
    let mut sinking: Vec<_> = sinking(tree, shape).collect();
    if tree.options.level0_codec == tree.options.codec {
        return Plan::new(Action::Move, vec![(0, sinking)], shape.bottom, &tree.options.order);
    }
    // One by one: what is made of two would span what lies between them below.
    sinking.truncate(1);
    Plan::new(Action::Rewrite, vec![(0, sinking)], shape.bottom, &tree.options.order)
}

/// Of the level that lies directly above the bottom, the table that drags along the least.
fn pick_between(tree: &TreeView<'_>, between: usize, bottom: usize) -> Option<Plan> {
    let (levels, order) = (&tree.version.levels, &tree.options.order);
    let lower = |file: &Arc<TableFile>| levels[bottom].overlapping(&file.meta.range, order).cloned().collect::<Vec<_>>();
    let mut choices: Vec<_> = levels[between].tables().map(|file| (file, lower(file))).collect();
    choices.sort_by(|(a, a_lower), (b, b_lower)| {
        let ratio = |file: &TableFile, lower| bytes(lower) as f64 / file.meta.file_bytes.max(1) as f64;
        ratio(a, a_lower).total_cmp(&ratio(b, b_lower))
    });
    choices.into_iter().find_map(|(file, lower)| match &lower[..] {
        [] => tree.relocate([file.meta.id], bottom),
        _ => tree.rewrite(std::iter::once(file).chain(&lower).map(|file| file.meta.id), bottom),
    })
}

#[cfg(test)]
mod tests;
