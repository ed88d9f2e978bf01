//! What is most urgent.

use crate::{
    catalog::{Incarnation, KeyspaceState},
    worker::{Machinery, Worker, pace::compaction_backlog, upkeep::needed_from},
};
use sediment_base::SeqNo;
use sediment_tree::{Tree, Urgency};
use std::sync::Arc;

/// What any compaction costs beside the bytes that it writes, in such bytes: its files, their syncs, and the manifest's.
const COMPACTION_BYTES: u64 = 1 << 20;

impl Worker {
    /// The tree whose memtables should be flushed next, sealed already: one that has sealed ones; else the largest, if all of them
    /// together hold too much; else one that keeps the log from being cut.
    pub(super) fn choose_flush(&self, machinery: &Machinery) -> Option<Incarnation> {
        let all = machinery.keyspaces.all();
        let waiting = all.iter().map(|keyspace| keyspace.newest()).filter(|tree| tree.tree.sealed_count() > 0);
        if let Some(tree) = waiting.max_by_key(|tree| tree.tree.pressure().sealed_bytes) {
            return Some(tree);
        }
        let largest = || all.iter().max_by_key(|keyspace| keyspace.with_newest(Tree::memtable_bytes)).cloned();
        let chosen = if self.memtables.has_many_rows() { largest() } else { self.oldest_in_log(machinery, &all) }?;
        let tree = chosen.newest();
        let is_sealed = machinery.log.at_boundary(|boundary| tree.tree.seal(boundary));
        if is_sealed {
            // What it holds is not to be taken for active until it is flushed: every commit would ask for another flush.
            self.recount(machinery);
        }
        is_sealed.then_some(tree)
    }

    /// The trees that have a compaction due, the most urgent one first.
    pub(super) fn choose_compaction(&self, machinery: &Machinery) -> Vec<Incarnation> {
        let clock = &machinery.env.clock;
        let (now_us, monotonic_us) = (clock.wall_us(), clock.monotonic_us());
        let due = |tree: Incarnation| {
            tree.tree.set_expects_more(self.tempo.expects_more(tree.id, monotonic_us));
            let urgency = tree.tree.compaction_urgency(now_us);
            (urgency.score >= 1.0).then(|| (priority(compaction_backlog(&tree.tree.pressure()), urgency), tree))
        };
        let all = machinery.keyspaces.all();
        let mut trees: Vec<_> = all.iter().filter_map(|keyspace| due(keyspace.newest())).collect();
        trees.sort_by(|(a, _), (b, _)| b.0.total_cmp(&a.0).then(b.1.total_cmp(&a.1)));
        trees.into_iter().map(|(_, tree)| tree).collect()
    }

    /// A keyspace that needs the oldest file of the log. It begins at half of what the log may hold, because many of them may: a
    /// thousand that are seldom written take as many small flushes.
    fn oldest_in_log(&self, machinery: &Machinery, all: &[Arc<KeyspaceState>]) -> Option<Arc<KeyspaceState>> {
        let oldest_end = machinery.log.oldest_end(self.settings.wal_files.div_ceil(2))?;
        all.iter().find(|keyspace| needed_from(keyspace, SeqNo::MAX) < oldest_end).cloned()
    }
}

/// What is more urgent is greater. Trees that slow writers down come first, the one that does so most before the others. Then it is debt
/// by price: a tree that is far out of shape, or is soon in shape again, before one that keeps a thread for minutes and is hardly better for it.
/// That one waits no longer than until writers would notice.
fn priority(backlog: f64, urgency: Urgency) -> (f64, f64) {
    (backlog, urgency.score / (urgency.price_bytes + COMPACTION_BYTES) as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_slows_writers_down_is_first_and_then_what_is_worth_most_for_its_price() {
        const MIB: u64 = 1 << 20;
        let tree = |backlog, score, mib| priority(backlog, Urgency { score, price_bytes: mib * MIB });
        let in_order = [
            tree(0.5, 4.0, 4000),
            tree(0.1, 9.0, 10),
            tree(0.0, 1.0, 0),
            tree(0.0, 3.0, 10),
            tree(0.0, 1.0, 10),
            tree(0.0, 3.0, 100),
            tree(0.0, 1.5, 1000),
            tree(0.0, 1.0, 1000),
        ];
        assert!(in_order.is_sorted_by(|a, b| a > b), "{in_order:?}");
    }
}
