//! The leveled strategy, a pure function: every level but 0 is one run, and holds some times more than the one above.
//!
//! A level's *score* is how full it is: level 0 by runs against its trigger, a deeper one by bytes against its size, where a
//! tombstone weighs like the row that it hides. The fullest level from 1.0 on is relieved first:
//!
//! * level 0: all of its tables with what they overlap in level 1, because its runs overlap each other;
//! * level n: the table that drags along the least of level n + 1 for its own size; the first of several. What was cut on the
//!   next level's bounds then sinks cheaply, and the keys take turns by themselves, since where tables just arrived overlap is
//!   dear.
//!
//! Tables move without a rewrite if nothing that stays could be older and overlap them (DESIGN: trivial move).

use super::{
    busy::Busy,
    plan::{Action, Plan},
};
use crate::{
    options::TreeOptions,
    version::{Level, TableFile, Version},
};
use sediment_base::{KeyOrder, KeyRange};
use std::sync::Arc;

/// The most urgent compaction, if any is due and possible.
pub(crate) fn pick(version: &Version, busy: &Busy, options: &TreeOptions) -> Option<Plan> {
    let last = version.levels.len() - 1;
    let mut due: Vec<(f64, usize)> = (0..last).map(|level| (score(version, level, options), level)).collect();
    due.retain(|(score, _)| *score >= 1.0);
    due.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
    due.into_iter().find_map(|(_, level)| match level {
        0 => pick_level0(version, busy, &options.order),
        _ => pick_level(version, level, busy, &options.order),
    })
}

/// All tables into one run, at the first level from the deepest one on that they fit.
pub(crate) fn pick_all(version: &Version, options: &TreeOptions) -> Option<Plan> {
    let bytes: u64 = version.levels.iter().map(Level::bytes).sum();
    let deepest = version.levels.iter().rposition(|level| !level.is_empty())?.max(1);
    let last = version.levels.len() - 1;
    let target = (deepest..last).find(|level| options.level_bytes_max(*level) >= bytes).unwrap_or(last);
    let inputs = version.levels.iter().enumerate().map(|(index, level)| (index, level.tables().cloned().collect())).collect();
    Plan::new(Action::Rewrite, inputs, target, &options.order)
}

/// How full a level is; from 1.0 on it is due.
fn score(version: &Version, index: usize, options: &TreeOptions) -> f64 {
    let level = &version.levels[index];
    if index == 0 {
        return level.runs.len() as f64 / options.level0_trigger as f64;
    }
    let bytes: u64 = level.tables().map(|file| compensated_bytes(file)).sum();
    bytes as f64 / options.level_bytes_max(index) as f64
}

/// A table's bytes, with each tombstone counted as a row of average size below.
fn compensated_bytes(file: &TableFile) -> u64 {
    let row_bytes = file.meta.file_bytes / file.meta.rows.max(1);
    file.meta.file_bytes.saturating_add(file.meta.tombstones.saturating_mul(row_bytes))
}

fn pick_level0(version: &Version, busy: &Busy, order: &KeyOrder) -> Option<Plan> {
    let upper: Vec<Arc<TableFile>> = version.levels[0].tables().cloned().collect();
    let range = range_of(&upper, order)?;
    let lower = overlapping(&version.levels[1], &range, order);
    let action = if lower.is_empty() && are_disjoint(&upper, order) { Action::Move } else { Action::Rewrite };
    plan_if_free(action, 0, upper, lower, busy, order)
}

fn pick_level(version: &Version, index: usize, busy: &Busy, order: &KeyOrder) -> Option<Plan> {
    let below = &version.levels[index + 1];
    let mut choices: Vec<(f64, &Arc<TableFile>)> = Vec::new();
    for file in version.levels[index].tables() {
        let dragged: u64 = overlapping(below, &file.meta.range, order).iter().map(|file| file.meta.file_bytes).sum();
        choices.push((dragged as f64 / file.meta.file_bytes.max(1) as f64, file));
    }
    choices.sort_by(|a, b| a.0.total_cmp(&b.0));
    choices.into_iter().find_map(|(_, file)| {
        let lower = overlapping(below, &file.meta.range, order);
        let action = if lower.is_empty() { Action::Move } else { Action::Rewrite };
        plan_if_free(action, index, vec![Arc::clone(file)], lower, busy, order)
    })
}

/// The plan, unless a running one is in its way.
fn plan_if_free(
    action: Action,
    index: usize,
    upper: Vec<Arc<TableFile>>,
    lower: Vec<Arc<TableFile>>,
    busy: &Busy,
    order: &KeyOrder,
) -> Option<Plan> {
    if upper.iter().chain(&lower).any(|file| busy.has(file)) {
        return None;
    }
    let plan = Plan::new(action, vec![(index, upper), (index + 1, lower)], index + 1, order)?;
    (!busy.is_target(plan.target, &plan.range, order)).then_some(plan)
}

fn overlapping(level: &Level, range: &KeyRange, order: &KeyOrder) -> Vec<Arc<TableFile>> {
    level.runs.iter().flat_map(|run| run.overlapping(range, order)).cloned().collect()
}

fn range_of(files: &[Arc<TableFile>], order: &KeyOrder) -> Option<KeyRange> {
    files.iter().map(|file| file.meta.range.clone()).reduce(|a, b| a.union(b, order))
}

fn are_disjoint(files: &[Arc<TableFile>], order: &KeyOrder) -> bool {
    let mut ranges: Vec<&KeyRange> = files.iter().map(|file| &file.meta.range).collect();
    ranges.sort_by(|a, b| order.compare(&a.min, &b.min));
    ranges.windows(2).all(|pair| !pair[0].overlaps(pair[1], order))
}

#[cfg(test)]
mod tests;
