//! The tiered strategy, a pure function: runs of like size are merged, and nothing is rewritten for a run that is much smaller.
//!
//! The *runs* are the sublevels of level 0 and what each deeper level holds, the newest first; what is under way counts as one. As many
//! as `level0_trigger` are due, and the first of these that is possible is done:
//!
//! * all of them are merged, where those above the oldest have together grown to [`SPACE_MAX`] times its size: so much of them
//!   may be obsolete;
//! * of the newest runs, or those behind busy or lone ones, those are merged of which each is at most a fourth larger than all before it
//!   together: rows that were written at like times are rewritten as often;
//! * else the newest, as many as it takes to be below the trigger again.
//!
//! ```text
//!   runs      1 1 1 . 4 . . . . 16 ...............     1 1 1 are merged; then 3 4; then 7 16
//! ```
//!
//! What is merged stays in level 0, unless deeper levels take part: then it goes to the deepest of them; all together go as deep as
//! they fit. Each row is rewritten once for each tier, so writes cost little; reads meet more runs, and space is taken by what is
//! obsolete. (Size-tiered compaction; the rules are those that RocksDB's documentation calls universal compaction.)

use super::{
    full::pick_all,
    plan::Plan,
    strategy::{Backlog, Strategy, TreeView},
};
use sediment_table::TableMeta;

/// Runs above the oldest one may have so many times its bytes.
const SPACE_MAX: u64 = 2;

/// Merges runs of like size: each row is rewritten seldom, reads meet more runs, and up to three times the space is taken. For much that is
/// written and little that is read. Its number is `level0_trigger` of the tree's options: at so many runs some are merged.
#[derive(Clone, Copy, Debug, Default)]
pub struct Tiered;

/// A run, as far as it matters here.
struct Tier<'a> {
    level: usize,
    tables: Vec<&'a TableMeta>,
    bytes: u64,
    is_busy: bool,
}

impl Strategy for Tiered {
    fn name(&self) -> &str {
        "tiered"
    }

    fn pick(&self, tree: &TreeView<'_>) -> Option<Plan> {
        let tiers = tiers(tree);
        let free = tiers.iter().filter(|tier| !tier.is_busy).count();
        // What is under way will be one run.
        let left = free + usize::from(free < tiers.len());
        if left < trigger(tree) {
            return None;
        }
        self.pick_space(tree, &tiers).or_else(|| self.pick_like(tree, &tiers)).or_else(|| self.pick_newest(tree, &tiers, left))
    }

    fn scores(&self, tree: &TreeView<'_>) -> Vec<f64> {
        vec![tiers(tree).len() as f64 / trigger(tree) as f64]
    }

    fn backlog(&self, tree: &TreeView<'_>) -> Backlog {
        let tiers = tiers(tree);
        // All but the oldest wait to be merged, as soon as there are too many.
        let waiting = tiers.split_last().map_or(0, |(_, newer)| newer.iter().map(|tier| tier.bytes).sum());
        let debt_bytes = if tiers.len() > trigger(tree) { waiting } else { 0 };
        Backlog { runs: tiers.len(), runs_due: trigger(tree), debt_bytes }
    }
}

impl Tiered {
    fn pick_space(self, tree: &TreeView<'_>, tiers: &[Tier<'_>]) -> Option<Plan> {
        let (oldest, newer) = tiers.split_last()?;
        let newer_bytes: u64 = newer.iter().map(|tier| tier.bytes).sum();
        let is_due = newer_bytes > oldest.bytes.saturating_mul(SPACE_MAX) && !tiers.iter().any(|tier| tier.is_busy);
        if is_due { pick_all(tree.version, tree.options) } else { None }
    }

    fn pick_like(self, tree: &TreeView<'_>, tiers: &[Tier<'_>]) -> Option<Plan> {
        (0..tiers.len()).find_map(|first| {
            let mut bytes = 0_u64;
            let is_like = |tier: &&Tier<'_>| {
                let fits = bytes == 0 || tier.bytes <= bytes.saturating_add(bytes / 4);
                bytes = bytes.saturating_add(tier.bytes);
                fits && !tier.is_busy
            };
            let count = tiers[first..].iter().take_while(is_like).count();
            if count < 2 { None } else { merge(tree, &tiers[first..first + count]) }
        })
    }

    fn pick_newest(self, tree: &TreeView<'_>, tiers: &[Tier<'_>], left: usize) -> Option<Plan> {
        let count = left + 2 - trigger(tree);
        let first = tiers.iter().take_while(|tier| tier.is_busy).count();
        let newest = &tiers[first..tiers.len().min(first + count)];
        if newest.len() < 2 || newest.iter().any(|tier| tier.is_busy) { None } else { merge(tree, newest) }
    }
}

/// At least two: one run cannot be merged.
fn trigger(tree: &TreeView<'_>) -> usize {
    tree.options.level0_trigger.max(2)
}

fn tiers<'a>(tree: &TreeView<'a>) -> Vec<Tier<'a>> {
    let mut tiers = Vec::new();
    for level in 0..tree.levels() {
        for run in tree.runs(level) {
            let tables: Vec<_> = run.collect();
            let bytes = tables.iter().map(|table| table.file_bytes).sum();
            let is_busy = tables.iter().any(|table| tree.is_busy(table));
            tiers.push(Tier { level, tables, bytes, is_busy });
        }
    }
    tiers
}

fn merge(tree: &TreeView<'_>, tiers: &[Tier<'_>]) -> Option<Plan> {
    let target = tiers.iter().map(|tier| tier.level).max()?;
    tree.rewrite(tiers.iter().flat_map(|tier| &tier.tables).map(|table| table.id), target)
}

#[cfg(test)]
mod tests {
    use super::Tiered;
    use crate::compaction::scripts;

    #[test]
    fn runs_of_like_size_are_merged() {
        scripts::check(&Tiered, "tiered", &["like", "space", "newest", "busy", "levels"]);
    }
}
