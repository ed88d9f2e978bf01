//! What of level 0 goes to the base, the first of the other levels that is in use.
//!
//! First, what goes for nothing: tables of the oldest sublevel that overlap nothing in the base move there.
//!
//! Else a *column*: a table of the highest sublevel is the seed, and every older table that overlaps it, or one that goes for
//! this reason, must go as well, so that what lies deeper stays older. Their keys are one interval without gaps. With them go the
//! tables of the base that overlap it, and what else of level 0 lies within all these and on nothing that stays. Of several seeds
//! the one that drags along the least of the base for its bytes is taken, the first of equals; where it needs what is busy, the
//! next one; then those of the next sublevel, as long as the trigger is reached. So compactions of level 0 may run side by side,
//! each in its own interval. Where level 0 is due for its dense tables alone, the seeds are these.
//!
//! While writers go on, more goes at once: `leveled/patience.rs` tells how much.
//!
//! ```text
//!   level 0, 2           [ seed ]
//!            1   [  stays  ] [   goes   ]  [ goes, too ]
//!            0            [ goes ]   [  goes  ]
//!   base            [     goes     ] [        goes        ] [ stays ]
//! ```

use super::{hides_enough, is_dense, patience::patience};
use crate::{
    compaction::{
        column::{bytes, column, newest_first},
        plan::{Action, Plan},
        strategy::TreeView,
    },
    version::{Run, TableFile},
};
use sediment_base::{KeyOrder, KeyRange};
use std::{cmp::Reverse, sync::Arc};

/// Level 0, what is free of it, and what is below.
pub(super) struct Level0<'a> {
    tree: TreeView<'a>,
    /// Where it goes.
    base: usize,
    /// How many times what makes it due otherwise it may hold.
    patience: f64,
    /// All tables, newest first.
    files: Vec<&'a Arc<TableFile>>,
    /// Those that are free, as if the others had left, the newest sublevel first.
    sublevels: Vec<Arc<Run>>,
}

/// Tables that may go together.
struct Column {
    upper: Vec<Arc<TableFile>>,
    lower: Vec<Arc<TableFile>>,
    /// All keys of both.
    range: KeyRange,
}

impl<'a> Level0<'a> {
    pub(super) fn new(tree: TreeView<'a>, base: usize) -> Self {
        let level0 = &tree.version.levels[0];
        let files = newest_first(level0);
        let taken: Vec<_> = files.iter().filter(|file| tree.busy.has(file.meta.id)).map(|file| Arc::clone(file)).collect();
        Self { tree, base, patience: patience(&tree, base), files, sublevels: level0.without(&taken, &tree.options.order) }
    }

    /// How full it is; from 1.0 on it is due.
    pub(super) fn score(&self) -> f64 {
        let score = self.score_by_size();
        if score < 1.0 && self.dense_columns().next().is_some() { 1.0 } else { score }
    }

    /// What is best to do, if anything is possible.
    pub(super) fn pick(&self) -> Option<Plan> {
        if self.score_by_size() < 1.0 {
            return self.plan(cheapest(self.dense_columns()));
        }
        self.pick_moves().or_else(|| self.pick_column())
    }

    fn score_by_size(&self) -> f64 {
        let depth = self.sublevels.len() as f64 / self.trigger() as f64;
        depth.max(self.score_by_bytes())
    }

    /// So many sublevels go.
    fn trigger(&self) -> usize {
        (self.tree.options.level0_trigger as f64 * self.patience) as usize
    }

    /// Those to rewrite for the tombstones of their seed.
    fn dense_columns(&self) -> impl Iterator<Item = Column> {
        let seeds = self.sublevels.iter().rev().flat_map(|run| run.tables()).filter(|seed| is_dense(seed, self.tree.options));
        seeds.filter_map(|seed| self.column(seed).filter(|column| hides_enough(seed, &column.below())))
    }

    fn score_by_bytes(&self) -> f64 {
        let held: u64 = self.sublevels.iter().map(|run| run.bytes()).sum();
        held as f64 / (self.tree.options.level0_bytes_max() as f64 * self.patience)
    }

    /// Everything that sinks without meeting a row below: as it is, unless the level below is compressed in another way.
    fn pick_moves(&self) -> Option<Plan> {
        let (below, order) = (&self.tree.version.levels[self.base], self.order());
        let sinks = |file: &&Arc<TableFile>| {
            let range = &file.meta.range;
            !self.tree.busy.has(file.meta.id)
                && below.overlapping(range, order).next().is_none()
                && !self.tree.busy.is_target(self.base, range, order)
        };
        let oldest = self.tree.version.levels[0].runs.last()?;
        let mut sinking = oldest.tables().iter().filter(sinks).cloned();
        if self.tree.options.level0_codec == self.tree.options.codec {
            return Plan::new(Action::Move, vec![(0, sinking.collect())], self.base, order);
        }
        // One by one: what is made of two would span what lies between them below.
        Plan::new(Action::Rewrite, vec![(0, sinking.next().into_iter().collect())], self.base, order)
    }

    fn pick_column(&self) -> Option<Plan> {
        let depth_min = if self.score_by_bytes() >= 1.0 { 1 } else { self.trigger() };
        let high = self.sublevels.len().saturating_sub(depth_min - 1);
        let best = |run: &Arc<Run>| cheapest(run.tables().iter().filter_map(|seed| self.column(seed)));
        self.plan(self.sublevels[..high].iter().find_map(best))
    }

    fn plan(&self, column: Option<Column>) -> Option<Plan> {
        let mut column = column?;
        self.fill(&mut column);
        Plan::new(Action::Rewrite, vec![(0, column.upper), (self.base, column.lower)], self.base, self.order())
    }

    /// The column under a seed, if all of it is free.
    fn column(&self, seed: &Arc<TableFile>) -> Option<Column> {
        let order = self.order();
        let (upper, range) = column(&self.files, seed, order);
        let lower: Vec<_> = self.tree.version.levels[self.base].overlapping(&range, order).cloned().collect();
        let range = lower.iter().fold(range, |range, file| range.union(file.meta.range.clone(), order));
        let is_free = !upper.iter().chain(&lower).any(|file| self.tree.busy.has(file.meta.id))
            && !self.tree.busy.is_target(self.base, &range, order);
        is_free.then_some(Column { upper, lower, range })
    }

    /// Adds what goes without more of the base.
    fn fill(&self, column: &mut Column) {
        let order = self.order();
        let mut staying: Vec<&KeyRange> = Vec::new();
        for file in self.files.iter().rev().filter(|file| !column.has(file)).collect::<Vec<_>>() {
            let range = &file.meta.range;
            if column.range.holds(range, order)
                && !self.tree.busy.has(file.meta.id)
                && !staying.iter().any(|older| older.overlaps(range, order))
            {
                column.upper.push(Arc::clone(file));
            } else {
                staying.push(range);
            }
        }
        column.upper.sort_by_key(|file| Reverse(file.age()));
    }

    fn order(&self) -> &'a KeyOrder {
        &self.tree.options.order
    }
}

/// The first of those that drag along the least.
fn cheapest(columns: impl Iterator<Item = Column>) -> Option<Column> {
    columns.min_by(|a, b| a.ratio().total_cmp(&b.ratio()))
}

impl Column {
    /// All but the seed.
    fn below(&self) -> Vec<Arc<TableFile>> {
        self.upper.iter().skip(1).chain(&self.lower).cloned().collect()
    }

    /// What the base costs, for each byte that level 0 loses.
    fn ratio(&self) -> f64 {
        bytes(&self.lower) as f64 / bytes(&self.upper).max(1) as f64
    }

    fn has(&self, file: &Arc<TableFile>) -> bool {
        self.upper.iter().any(|chosen| Arc::ptr_eq(chosen, file))
    }
}
