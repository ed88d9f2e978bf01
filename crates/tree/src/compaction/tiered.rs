//! The tiered strategy, a pure function: runs of like size are merged, and nothing is rewritten for a run that is much smaller.
//!
//! The *runs* are the sublevels of level 0 and what each deeper level holds, the newest first; which are *alike*, `tiers.rs` says. Of two things that are due the first is done:
//!
//! * all runs are merged, where those above the oldest have together grown to more than [`SPACE_MAX`] times its size: so much of
//!   them may be obsolete;
//! * `level0_trigger` runs that are alike, or more, are merged, the newest such: rows that were written at like times are rewritten
//!   as often.
//!
//! ```text
//!   runs      1 1 1 1 . 4 4 4 . . 16 16 ............     1 1 1 1 are merged to a fourth 4, and then these
//! ```
//!
//! What is merged stays in level 0, unless deeper levels take part: then it goes to the deepest of them; all together go as deep as
//! they fit. Each row is rewritten once for each size of runs, so writes cost little; reads meet up to the trigger of each size, and
//! space is taken by what is obsolete. (Size-tiered compaction; what is alike and what takes too much space are the rules of universal
//! compaction in RocksDB's documentation.)

use super::{
    full::pick_all,
    plan::Plan,
    strategy::{Backlog, Strategy, TreeView},
    tiers::{Tier, alike, most_alike, trigger},
};

/// Runs above the oldest one may have so many times its bytes.
const SPACE_MAX: u64 = 2;

/// Merges runs of like size: each row is rewritten seldom, reads meet more runs, and up to three times the space is taken. For much that is
/// written and little that is read. Its number is `level0_trigger` of the tree's options: so many runs of like size are merged.
#[derive(Clone, Copy, Debug, Default)]
pub struct Tiered;

impl Strategy for Tiered {
    fn name(&self) -> &str {
        "tiered"
    }

    fn pick(&self, tree: &TreeView<'_>) -> Option<Plan> {
        let tiers = tiers(tree);
        let is_free = |tier: &Tier| !tier.is_busy;
        if space_score(&tiers) > 1.0 && tiers.iter().all(is_free) {
            return pick_all(tree.version, tree.options);
        }
        let alike = alike(&tiers, is_free).find(|alike| alike.len() >= trigger(tree))?;
        let merged: Vec<_> = alike.iter().map(|tier| &tree.version.runs[tier.number]).collect();
        let ids = || merged.iter().flat_map(|run| run.tables()).map(|file| file.meta.id);
        let target = ids().filter_map(|id| tree.version.table(id)).map(|placed| placed.level).max()?;
        tree.rewrite(ids(), target)
    }

    fn scores(&self, tree: &TreeView<'_>) -> Vec<f64> {
        let tiers = tiers(tree);
        let most = most_alike(&tiers) as f64 / trigger(tree) as f64;
        let space = space_score(&tiers);
        // Above 1.0 it is due, and at 1.0 not yet.
        vec![if space > 1.0 { most.max(space) } else { most }]
    }

    fn backlog(&self, tree: &TreeView<'_>) -> Backlog {
        let (tiers, runs_due) = (tiers(tree), trigger(tree));
        let runs = most_alike(&tiers);
        let waiting = alike(&tiers, |_| true).find(|alike| alike.len() > runs_due);
        Backlog { runs, runs_due, debt_bytes: waiting.map_or(0, |alike| alike.iter().map(|tier| tier.bytes).sum()) }
    }
}

/// How much space the newer runs take, for what they may.
fn space_score(tiers: &[Tier]) -> f64 {
    let Some((oldest, newer)) = tiers.split_last() else { return 0.0 };
    let newer_bytes: u64 = newer.iter().map(|tier| tier.bytes).sum();
    newer_bytes as f64 / oldest.bytes.saturating_mul(SPACE_MAX).max(1) as f64
}

fn tiers(tree: &TreeView<'_>) -> Vec<Tier> {
    tree.version.runs.iter().enumerate().map(|(number, run)| Tier::of_run(tree, number, run)).collect()
}

#[cfg(test)]
mod tests {
    use super::Tiered;
    use crate::compaction::scripts;

    #[test]
    fn runs_of_like_size_are_merged() {
        scripts::check(&Tiered, "tiered", &["like", "space", "busy", "levels"]);
    }
}
