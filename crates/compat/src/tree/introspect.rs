//! Sizes and counts.

use super::{Tree, TreeInner, open::filter_bits};
use crate::{
    config::Config,
    memtable::Memtable,
    metrics::Metrics,
    seqno::SeqNo,
    version::{Table, Version},
};
use sediment_base::{Account, Kind, TableId};
use sediment_table::{Properties, TableMeta};
use std::sync::Arc;

impl TreeInner {
    pub(crate) fn tree_id(&self) -> u64 {
        self.id
    }

    pub(crate) fn config(&self) -> &Config {
        &self.config
    }

    pub(crate) fn counted(&self) -> &Arc<Metrics> {
        &self.metrics
    }

    /// Tables by level and run.
    pub(crate) fn metas(&self) -> Vec<Vec<Vec<TableMeta>>> {
        self.tree.table_metas()
    }

    pub(crate) fn all_metas(&self) -> Vec<TableMeta> {
        self.metas().into_iter().flatten().flatten().collect()
    }

    pub(crate) fn tables_of_level(&self, level: usize) -> Option<usize> {
        let is_there = level < self.config.level_count.into();
        is_there.then(|| self.metas().get(level).map_or(0, |runs| runs.iter().map(Vec::len).sum()))
    }

    pub(crate) fn disk_bytes(&self) -> u64 {
        self.all_metas().iter().map(|meta| meta.file_bytes).sum()
    }

    pub(crate) fn tombstones(&self) -> u64 {
        self.all_metas().iter().map(|meta| meta.tombstones).sum()
    }

    pub(crate) fn weak_tombstones(&self) -> u64 {
        self.properties().iter().map(|properties| properties.weak_tombstones).sum()
    }

    /// Values right behind a weak tombstone of their key, table by table. Reads all tables that have such.
    pub(crate) fn reclaimable_values(&self) -> u64 {
        let has_weak =
            |meta: &TableMeta| self.tree.table_properties(meta.id).is_ok_and(|properties| properties.weak_tombstones > 0);
        self.all_metas().iter().filter(|meta| has_weak(meta)).map(|meta| self.reclaimable_of(meta.id)).sum()
    }

    fn reclaimable_of(&self, table: TableId) -> u64 {
        let (mut count, mut weak) = (0, None);
        for row in self.tree.table_rows(table).into_iter().flatten().map_while(Result::ok) {
            count += u64::from(row.kind == Kind::Value && weak.as_ref() == Some(&row.key));
            weak = (row.kind == Kind::WeakTombstone).then_some(row.key);
        }
        count
    }

    /// Those of tables that can be opened.
    fn properties(&self) -> Vec<Properties> {
        self.all_metas().iter().filter_map(|meta| self.tree.table_properties(meta.id).ok()).collect()
    }

    /// About: keys by the bits that each gets.
    pub(crate) fn filter_bytes(&self) -> u64 {
        let bits = u64::from(filter_bits(&self.config));
        self.properties().iter().map(|properties| (properties.user_keys * bits).div_ceil(8)).sum()
    }

    /// What open tables keep in memory: fences, filters and properties together. Shared with other trees of the cache.
    pub(crate) fn metadata_bytes(&self) -> usize {
        self.config.cache.blocks().budget().used(Account::Metadata) as usize
    }

    pub(crate) fn highest_in_tables(&self) -> Option<SeqNo> {
        self.all_metas().iter().map(TableMeta::newest_seqno).max()
    }

    pub(crate) fn highest_in_memtables(&self) -> Option<SeqNo> {
        self.tree.memtables().iter().filter_map(|memtable| memtable.max_seqno()).max()
    }

    pub(crate) fn memtable_bytes_sum(&self) -> u64 {
        self.tree.memtables().iter().map(|memtable| memtable.bytes() as u64).sum()
    }
}

impl Tree {
    pub(crate) fn active(&self) -> Arc<Memtable> {
        let views = self.tree.memtables();
        let active = views.into_iter().next().expect("a tree has an active memtable");
        Arc::new(Memtable::of_tree(active, self.behind()))
    }

    /// The tables as they are now.
    pub(crate) fn version(&self) -> Version {
        let behind = self.behind();
        let table = |meta: &TableMeta| {
            let properties = self.tree.table_properties(meta.id).ok();
            Table::new(meta, properties.as_ref(), self.tree.table_path(meta.id), Some(behind.clone()))
        };
        let run = |run: &Vec<TableMeta>| run.iter().map(table).collect::<Vec<_>>();
        Version::new(self.metas().iter().map(|runs| runs.iter().map(run).collect()).collect())
    }
}
