//! What range tombstones hide goes soon, whatever the strategy: a table whose range tombstones hid others altogether when it was made is
//! rewritten with all that lies below it, if most of that goes unread.
//!
//! It takes what it overlaps of level 0 that is older, and of each deeper level what the keys of all this overlap; everything goes where the
//! deepest of it lies. So nothing that stays is passed. Where a snapshot keeps what is hidden, nothing is freed, and the range
//! tombstones, which then hide nothing elsewhere, are not tried again.

use super::{
    plan::{Action, Plan},
    strategy::TreeView,
};
use crate::version::{Level, TableFile};
use std::sync::Arc;

/// How many times as much must go unread as is read.
const UNREAD_PER_READ: u64 = 2;

/// The first such rewrite that is possible.
pub(super) fn pick_sweep(tree: &TreeView<'_>) -> Option<Plan> {
    let levels = tree.version.levels.iter().enumerate();
    let mut seeds =
        levels.flat_map(|(level, tables)| tables.tables().filter(|file| file.hides_bytes > 0).map(move |file| (level, file)));
    seeds.find_map(|(level, seed)| sweep(tree, level, seed))
}

fn sweep(tree: &TreeView<'_>, level: usize, seed: &Arc<TableFile>) -> Option<Plan> {
    let (levels, order) = (&tree.version.levels, &tree.options.order);
    let mut range = seed.meta.range.clone();
    let mut inputs: Vec<(usize, Vec<Arc<TableFile>>)> = Vec::new();
    for (index, tables) in levels.iter().enumerate().skip(level) {
        let mut taken = Vec::new();
        if index == level {
            taken.push(Arc::clone(seed));
        }
        if index == 0 {
            for older in older(&levels[0], seed) {
                if older.meta.range.overlaps(&range, order) {
                    range = range.union(older.meta.range.clone(), order);
                    taken.push(Arc::clone(older));
                }
            }
        } else if index > level {
            taken.extend(tables.overlapping(&range, order).cloned());
            range = taken.iter().fold(range, |range, file| range.union(file.meta.range.clone(), order));
        }
        inputs.push((index, taken));
    }
    let all = || inputs.iter().flat_map(|(_, files)| files);
    let bytes: u64 = all().map(|file| file.meta.file_bytes).sum();
    let unread = seed.hides_bytes.min(bytes);
    if unread < (bytes - unread).saturating_mul(UNREAD_PER_READ) || all().any(|file| tree.busy.has(file.meta.id)) {
        return None;
    }
    let target = inputs.iter().rev().find(|(_, files)| !files.is_empty())?.0.max(1);
    let plan = Plan { written_bytes: bytes - unread, ..Plan::new(Action::Rewrite, inputs, target, order)? };
    (!tree.busy.is_target(target, &plan.range, order)).then_some(plan)
}

/// What of level 0 is older than a table, the newest first.
fn older<'a>(level0: &'a Level, seed: &TableFile) -> Vec<&'a Arc<TableFile>> {
    let mut older: Vec<_> = level0.tables().filter(|file| file.age() < seed.age()).collect();
    older.sort_by_key(|file| std::cmp::Reverse(file.age()));
    older
}

#[cfg(test)]
mod tests {
    use crate::compaction::{Leveled, scripts};

    #[test]
    fn what_is_hidden_goes_where_most_of_it_is_not_read() {
        scripts::check(&Leveled, "sweep", &["sweep"]);
    }
}
