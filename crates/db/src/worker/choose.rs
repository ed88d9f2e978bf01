//! What is most urgent.

use crate::{
    catalog::{Incarnation, KeyspaceState},
    worker::{Machinery, Worker, upkeep::needed_from},
};
use sediment_base::SeqNo;
use sediment_tree::Tree;
use std::sync::Arc;

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

    /// The tree whose compaction is most urgent.
    pub(super) fn choose_compaction(&self, machinery: &Machinery) -> Vec<Incarnation> {
        let mut trees: Vec<(f64, u64, Incarnation)> = Vec::new();
        let now_us = machinery.env.clock.wall_us();
        for keyspace in machinery.keyspaces.all() {
            let tree = keyspace.newest();
            let score = tree.tree.compaction_score(now_us);
            if score >= 1.0 {
                trees.push((score, tree.tree.pressure().backlog.debt_bytes, tree));
            }
        }
        trees.sort_by(|a, b| b.0.total_cmp(&a.0).then(b.1.cmp(&a.1)));
        trees.into_iter().map(|(_, _, tree)| tree).collect()
    }

    /// A keyspace that needs the oldest file of the log. It begins at half of what the log may hold, because many of them may: a
    /// thousand that are seldom written take as many small flushes.
    fn oldest_in_log(&self, machinery: &Machinery, all: &[Arc<KeyspaceState>]) -> Option<Arc<KeyspaceState>> {
        let oldest_end = machinery.log.oldest_end(self.settings.wal_files.div_ceil(2))?;
        all.iter().find(|keyspace| needed_from(keyspace, SeqNo::MAX) < oldest_end).cloned()
    }
}
