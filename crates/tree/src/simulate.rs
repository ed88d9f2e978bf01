//! `Simulation`: a tree without files, to see what a strategy does with a load before any disk does.
//!
//! Rows are a key's number and a seqno, tables are lists of them, and everything else is real: versions, edits, the strategy's plans, the
//! cuts of tables. What is counted are bytes, as many as rows of the given size would take. One row may stand for many: a
//! terabyte of rows of 64 KiB behaves as one of a hundred bytes does, since what a merge drops depends on how large memtables and
//! levels are to each other, and not on how many rows they hold.
//!
//! Compactions take no time here: after every flush, all that is due is done. So it says what is written and kept, and nothing of pace. Nobody
//! reads, and writers rest after every flush, unless it is said that they go on ([`Simulation::expect_more`]).

use crate::{
    compaction::{Action, Busy, Coming, Plan, Strategy, TreeView},
    options::TreeOptions,
    rewrite::Cuts,
    version::{AddedTable, Edit, Identity, TableHome, Version, VersionBuilder},
};
use sediment_base::{FileUuid, KeyRange, Result, SeqNo, Slice, TableId};
use sediment_env::{Env, fs::MemFs};
use sediment_table::{RangeCounts, RemovedCounts, TableContext, TableMeta};
use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    path::PathBuf,
    sync::Arc,
};

/// A row of a simulation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Row {
    key: u64,
    seqno: SeqNo,
    is_tombstone: bool,
}

/// A tree without files.
#[derive(Debug)]
pub struct Simulation {
    options: TreeOptions,
    strategy: Arc<dyn Strategy>,
    row_bytes: u64,
    memtable_rows: usize,
    home: Arc<TableHome>,
    version: Arc<Version>,
    memtable: BTreeMap<u64, Row>,
    tables: HashMap<TableId, Arc<[Row]>>,
    next_seqno: SeqNo,
    coming: Option<Coming>,
    /// Keys that have a value.
    live: BTreeSet<u64>,
    counts: SimulationCounts,
}

/// What a simulation has done so far, in bytes of rows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SimulationCounts {
    /// Written by the caller.
    pub written_bytes: u64,
    /// Written by flushes.
    pub flushed_bytes: u64,
    /// Read by compactions.
    pub compaction_read_bytes: u64,
    /// Written by compactions.
    pub compaction_written_bytes: u64,
    /// Compactions that rewrote something.
    pub compactions: u64,
    /// Tables that changed their level as they are.
    pub moves: u64,
}

impl SimulationCounts {
    /// Bytes written to tables for each byte that the caller wrote.
    pub fn write_amplification(&self) -> f64 {
        (self.flushed_bytes + self.compaction_written_bytes) as f64 / self.written_bytes.max(1) as f64
    }
}

impl Simulation {
    /// An empty tree whose memtables hold so many bytes of rows of this size.
    pub fn new(options: TreeOptions, strategy: Arc<dyn Strategy>, row_bytes: u64, memtable_bytes: u64) -> Result<Self> {
        options.validate()?;
        let env = Env::simulated(MemFs::new(), 1);
        let cache = Arc::clone(&options.cache);
        let context = TableContext::new(env.fs, env.random, FileUuid::default(), options.order.clone(), cache);
        let home = TableHome::new(context, PathBuf::from("simulated"), 0, TableId(1));
        let mut builder = VersionBuilder::empty(&home);
        let identity = Identity { order: options.order.name().into(), hash_version: 1, hash_seed: 0 };
        builder.apply(Edit { identity: Some(identity), ..Edit::default() })?;
        let version = Arc::new(builder.build()?);
        Ok(Self {
            options,
            strategy,
            row_bytes: row_bytes.max(1),
            memtable_rows: (memtable_bytes / row_bytes.max(1)).max(1) as usize,
            home,
            version,
            memtable: BTreeMap::new(),
            tables: HashMap::new(),
            next_seqno: 1,
            coming: None,
            live: BTreeSet::new(),
            counts: SimulationCounts::default(),
        })
    }

    /// Writers go on from here on, and what may wait for more does, as where threads do the maintenance.
    pub fn expect_more(&mut self) {
        self.coming = Some(Coming::default());
    }

    /// Gives a key a value.
    pub fn insert(&mut self, key: u64) -> Result<()> {
        self.live.insert(key);
        self.write(key, false)
    }

    /// Removes a key.
    pub fn remove(&mut self, key: u64) -> Result<()> {
        self.live.remove(&key);
        self.write(key, true)
    }

    /// What has been done so far.
    pub fn counts(&self) -> SimulationCounts {
        self.counts
    }

    /// Bytes of all tables for each byte of the keys that have a value.
    pub fn space_amplification(&self) -> f64 {
        let bytes: u64 = self.version.levels.iter().map(|level| level.bytes()).sum();
        bytes as f64 / (self.live.len() as u64 * self.row_bytes).max(1) as f64
    }

    /// Runs that a scan merges.
    pub fn runs(&self) -> usize {
        self.version.runs.len()
    }

    /// Bytes of each level.
    pub fn level_bytes(&self) -> Vec<u64> {
        self.version.levels.iter().map(|level| level.bytes()).collect()
    }

    fn write(&mut self, key: u64, is_tombstone: bool) -> Result<()> {
        self.memtable.insert(key, Row { key, seqno: self.next_seqno, is_tombstone });
        self.next_seqno += 1;
        self.counts.written_bytes += self.row_bytes;
        if self.memtable.len() < self.memtable_rows {
            return Ok(());
        }
        self.flush()?;
        while let Some(plan) = self.pick() {
            self.run(&plan)?;
        }
        Ok(())
    }

    fn pick(&self) -> Option<Plan> {
        let busy = Busy::default();
        self.strategy.pick(&TreeView::new(&self.version, &busy, &self.options).awaiting(self.coming))
    }

    fn flush(&mut self) -> Result<()> {
        let rows: Vec<Row> = std::mem::take(&mut self.memtable).into_values().collect();
        self.counts.flushed_bytes += rows.len() as u64 * self.row_bytes;
        let guards = self.strategy.guards(&TreeView::new(&self.version, &Busy::default(), &self.options));
        let added = self.place(rows, 0, &Cuts::at(guards, &self.options));
        self.install(Edit { added, ..Edit::default() })
    }

    fn run(&mut self, plan: &Plan) -> Result<()> {
        let ids: Vec<TableId> = plan.tables().collect();
        if plan.action == Action::Move {
            self.counts.moves += ids.len() as u64;
            let moved = self.version.tables().filter(|file| ids.contains(&file.meta.id));
            let added = moved.map(|file| file.added(plan.target, TableId(0))).collect();
            return self.install(Edit { removed: ids, added, ..Edit::default() });
        }
        let mut rows: Vec<Row> = ids.iter().filter_map(|id| self.tables.remove(id)).flat_map(|rows| rows.to_vec()).collect();
        if plan.action == Action::Discard {
            return self.install(Edit { removed: ids, ..Edit::default() });
        }
        self.counts.compactions += 1;
        self.counts.compaction_read_bytes += rows.len() as u64 * self.row_bytes;
        rows.sort_unstable_by_key(|row| (row.key, std::cmp::Reverse(row.seqno)));
        rows.dedup_by_key(|row| row.key);
        rows.retain(|row| !row.is_tombstone || self.is_in_tables(row.key));
        self.counts.compaction_written_bytes += rows.len() as u64 * self.row_bytes;
        let cuts = plan.cuts.clone().unwrap_or_else(|| Cuts::by_size(&self.options));
        let added = self.place(rows, plan.target, &cuts);
        self.install(Edit { removed: ids, added, ..Edit::default() })
    }

    /// Whether a row of the key lies outside of what is being rewritten, which is no longer among the tables.
    fn is_in_tables(&self, key: u64) -> bool {
        self.version.runs.iter().any(|run| {
            let file = run.find(&bytes(key), &self.options.order);
            let rows = file.and_then(|file| self.tables.get(&file.meta.id));
            rows.is_some_and(|rows| rows.binary_search_by_key(&key, |row| row.key).is_ok())
        })
    }

    /// Rows as tables of a level, cut as rewrites cut them.
    fn place(&mut self, rows: Vec<Row>, level: usize, cuts: &Cuts) -> Vec<AddedTable> {
        let mut tables: Vec<Vec<Row>> = Vec::new();
        let mut cutter = cuts.follow();
        for row in rows {
            let written = tables.last().map_or(0, |table| table.len() as u64 * self.row_bytes);
            let ends = cutter.ends_before(&bytes(row.key), written, &self.options.order);
            match tables.last_mut() {
                Some(table) if !ends => table.push(row),
                _ => tables.push(vec![row]),
            }
        }
        let mut run = None;
        let added = tables.into_iter().map(|rows| {
            let meta = self.table(&rows);
            self.tables.insert(meta.id, rows.into());
            AddedTable { level, run: *run.get_or_insert(if level == 0 { meta.id } else { TableId(0) }), meta, hides_bytes: 0 }
        });
        added.collect()
    }

    fn table(&self, rows: &[Row]) -> TableMeta {
        let key = |row: &Row| Slice::new(&bytes(row.key));
        let seqnos = || rows.iter().map(|row| row.seqno);
        TableMeta {
            id: self.home.allocate(),
            uuid: FileUuid::default(),
            file_bytes: rows.len() as u64 * self.row_bytes,
            root: 0,
            range: KeyRange::closed(key(&rows[0]), key(&rows[rows.len() - 1])),
            min_seqno: seqnos().min().unwrap_or(0),
            max_seqno: seqnos().max().unwrap_or(0),
            rows: rows.len() as u64,
            tombstones: rows.iter().filter(|row| row.is_tombstone).count() as u64,
            ranges: RangeCounts::default(),
            removed: RemovedCounts::default(),
            oldest_write_us: 0,
        }
    }

    fn install(&mut self, edit: Edit) -> Result<()> {
        self.version = Arc::new(self.version.apply(&self.home, Edit { next_table: Some(self.home.next_id()), ..edit })?);
        Ok(())
    }
}

/// A key in the order of its number.
fn bytes(key: u64) -> [u8; 8] {
    key.swap_bytes().to_le_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compaction::{Leveled, Tiered};
    use sediment_table::BlockCache;

    fn simulation(strategy: Arc<dyn Strategy>) -> Simulation {
        let options =
            TreeOptions { table_bytes: 1000, level_base_bytes: 4000, ..TreeOptions::new(Arc::new(BlockCache::new(1 << 16))) };
        Simulation::new(options, strategy, 10, 1000).unwrap()
    }

    #[test]
    fn keys_in_order_are_written_once() {
        let mut tree = simulation(Arc::new(Leveled));
        (0..100_000).for_each(|key| tree.insert(key).unwrap());
        assert_eq!(tree.counts().write_amplification(), 1.0);
        assert_eq!((tree.runs() < 8, tree.space_amplification()), (true, 1.0));
    }

    #[test]
    fn overwrites_cost_more_under_levels_and_take_more_space_in_tiers() {
        let run = |strategy: Arc<dyn Strategy>| {
            let mut tree = simulation(strategy);
            for step in 0..200_000_u64 {
                tree.insert(step.wrapping_mul(0x9E37_79B9_7F4A_7C15) % 20_000).unwrap();
            }
            (tree.counts().write_amplification(), tree.space_amplification(), tree.runs())
        };
        let (leveled, tiered) = (run(Arc::new(Leveled)), run(Arc::new(Tiered)));
        assert!(leveled.0 > 1.5 * tiered.0, "{leveled:?} {tiered:?}");
        assert!(leveled.1 < 1.6 && tiered.1 < 3.2, "{leveled:?} {tiered:?}");
    }

    #[test]
    fn what_is_removed_goes() {
        let mut tree = simulation(Arc::new(Leveled));
        (0..10_000).for_each(|key| tree.insert(key).unwrap());
        (0..10_000).for_each(|key| tree.remove(key).unwrap());
        (20_000..30_000).for_each(|key| tree.insert(key).unwrap());
        assert!(tree.level_bytes().iter().sum::<u64>() < 150_000, "{:?}", tree.level_bytes());
    }
}
