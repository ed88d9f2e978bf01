//! What range tombstones hide goes soon, whatever the strategy: a table whose range tombstones hid others altogether when it was made is
//! rewritten with all that lies below it, if most of that goes unread.
//!
//! It takes what it overlaps of level 0 that is older, and of each deeper level what the keys of all this overlap; everything goes where the
//! deepest of it lies. So nothing that stays is passed. Where a snapshot keeps what is hidden, nothing is freed, and the range
//! tombstones, which then hide nothing elsewhere, are not tried again.

use super::{
    column::{bytes, column, newest_first},
    plan::{Action, Plan},
    strategy::TreeView,
};
use crate::version::TableFile;
use std::sync::Arc;

/// How many times as much must go unread as is read.
const UNREAD_PER_READ: u64 = 2;

/// The first such rewrite that is possible.
pub(super) fn pick_sweep(tree: &TreeView<'_>) -> Option<Plan> {
    let levels = tree.version.levels.iter().enumerate();
    let runs = levels.flat_map(|(level, tables)| tables.runs.iter().map(move |run| (level, run)));
    let hiding = runs.filter(|(_, run)| run.hides_tables());
    let mut seeds = hiding.flat_map(|(level, run)| run.tables().iter().map(move |file| (level, file)));
    seeds.find_map(|(level, seed)| if seed.hides_bytes > 0 { sweep(tree, level, seed) } else { None })
}

fn sweep(tree: &TreeView<'_>, level: usize, seed: &Arc<TableFile>) -> Option<Plan> {
    let (levels, order) = (&tree.version.levels, &tree.options.order);
    let (taken, mut range) = match level {
        0 => column(&newest_first(&levels[0]), seed, order),
        _ => (vec![Arc::clone(seed)], seed.meta.range.clone()),
    };
    let mut inputs = vec![(level, taken)];
    for (deeper, tables) in levels.iter().enumerate().skip(level + 1) {
        let met: Vec<_> = tables.overlapping(&range, order).cloned().collect();
        range = met.iter().fold(range, |range, file| range.union(file.meta.range.clone(), order));
        inputs.push((deeper, met));
    }
    let bytes: u64 = inputs.iter().map(|(_, files)| bytes(files)).sum();
    let unread = seed.hides_bytes.min(bytes);
    if unread < (bytes - unread).saturating_mul(UNREAD_PER_READ)
        || inputs.iter().flat_map(|(_, files)| files).any(|file| tree.busy.has(file.meta.id))
    {
        return None;
    }
    let target = inputs.iter().rev().find(|(_, files)| !files.is_empty())?.0.max(1);
    let plan = Plan { written_bytes: bytes - unread, ..Plan::new(Action::Rewrite, inputs, target, order)? };
    (!tree.busy.is_target(target, &plan.range, order)).then_some(plan)
}

#[cfg(test)]
mod tests {
    use crate::compaction::{Leveled, scripts};

    #[test]
    fn what_is_hidden_goes_where_most_of_it_is_not_read() {
        scripts::check(&Leveled, "sweep", &["sweep"]);
    }
}
