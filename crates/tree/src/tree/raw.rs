//! What lies in a tree, beside what a reader sees of it.

use super::Tree;
use crate::{
    compaction::{Busy, Plan, Strategy, TreeView},
    memtable::Memtable,
    read::{self, RawRows},
    write,
};
use sediment_base::{Error, InternalKey, KeyOrder, RangeTombstone, Result, SeqNo, TableId, range::owned_bounds};
use sediment_table::{Properties, TableMeta};
use std::{ops::RangeBounds, path::PathBuf, sync::Arc};

/// A memtable of a tree, looked at from outside. Holds its memory, and nothing else of the tree.
#[derive(Clone, Debug)]
pub struct MemtableView {
    memtable: Arc<Memtable>,
    order: KeyOrder,
}

impl MemtableView {
    /// How many memtables the tree had before it since it was opened.
    pub fn ordinal(&self) -> u64 {
        self.memtable.ordinal()
    }

    /// Rows and range tombstones in it, those on their way included.
    pub fn rows(&self) -> usize {
        self.memtable.rows()
    }

    /// Memory that it takes.
    pub fn bytes(&self) -> usize {
        self.memtable.bytes()
    }

    /// The highest seqno of a row or range tombstone.
    pub fn max_seqno(&self) -> Option<SeqNo> {
        self.memtable.max_seqno()
    }

    /// Its rows as they lie.
    pub fn raw_rows(&self) -> RawRows {
        RawRows::of_memtable(&self.memtable, self.order.clone())
    }

    /// Its range tombstones.
    pub fn range_tombstones(&self) -> Vec<RangeTombstone> {
        self.memtable.range_tombstone_list()
    }
}

impl Tree {
    /// Puts in a row of any kind: as [`Tree::insert`] and its like. Returns the memory of the memtable that took it, as of its last count: up
    /// to some dozens of small rows may have come since.
    pub fn put_row(&self, key: InternalKey<'_>, value: &[u8]) -> Result<u64> {
        write::apply(&self.inner.versions, key, value)
    }

    /// Asks the processor for the memory that the next row of `key` begins with: for who has something else to do first. It changes nothing.
    #[inline]
    pub fn expect_row(&self, key: &[u8]) {
        write::expect(&self.inner.versions, key);
    }

    /// The memtables, the active one first, then the sealed ones from the newest on.
    pub fn memtables(&self) -> Vec<MemtableView> {
        let order = self.order();
        let view = |memtable: &Arc<Memtable>| MemtableView { memtable: Arc::clone(memtable), order: order.clone() };
        self.inner.versions.load().memtables().map(view).collect()
    }

    /// Forgets what is in memtables and nowhere else. Whoever reads already goes on; a flush under way ends with `Cancelled`.
    pub fn clear_memtables(&self) {
        self.inner.versions.clear_memtables();
        self.inner.versions.sweep();
    }

    /// The rows of a range as they lie, all versions and kinds of them.
    pub fn raw_rows<K: AsRef<[u8]>, R: RangeBounds<K>>(&self, range: R) -> RawRows {
        RawRows::of_tree(self.inner.versions.pin(), self.order().clone(), owned_bounds(&range))
    }

    /// All range tombstones as they lie, the oldest first.
    pub fn raw_range_tombstones(&self) -> Result<Vec<RangeTombstone>> {
        read::range_tombstones(&self.inner.versions.pin())
    }

    /// The rows of one table as they lie. `InvalidInput` if the tree has no such table.
    pub fn table_rows(&self, id: TableId) -> Result<RawRows> {
        let pinned = self.inner.versions.pin();
        let file = pinned.version.tables().find(|file| file.meta.id == id).cloned().ok_or_else(|| no_table(id))?;
        RawRows::of_table(pinned, file, self.order().clone())
    }

    /// What one table says about itself; opens it. `InvalidInput` if the tree has no such table.
    pub fn table_properties(&self, id: TableId) -> Result<Properties> {
        let pinned = self.inner.versions.pin();
        let file = pinned.version.tables().find(|file| file.meta.id == id).ok_or_else(|| no_table(id))?;
        Ok(file.open()?.properties().clone())
    }

    /// Where a table of this number lies, if there is one.
    pub fn table_path(&self, id: TableId) -> PathBuf {
        self.inner.versions.home.path(id)
    }

    /// The number of the next table; `take` gives it away, so that no table will have it.
    pub fn next_table_id(&self, take: bool) -> TableId {
        let home = &self.inner.versions.home;
        if take { home.allocate() } else { home.next_id() }
    }

    /// Level by level, and there run by run from the newest on, what the manifest says of each table.
    pub fn table_metas(&self) -> Vec<Vec<Vec<TableMeta>>> {
        let (pinned, settings) = (self.inner.versions.pin(), self.inner.versions.settings());
        let nothing = Busy::default();
        let view = TreeView::new(&pinned.version, &nothing, &settings);
        (0..view.levels()).map(|level| view.runs(level).map(|run| run.cloned().collect()).collect()).collect()
    }

    /// What another strategy than the tree's own would do now, reserved for the caller. `now_us` is the wall clock, in microseconds
    /// since 1970.
    pub fn pick_with(&self, strategy: &dyn Strategy, now_us: u64) -> Option<Plan> {
        let versions = &self.inner.versions;
        let pick = |busy: &Busy| strategy.pick(&TreeView::new(&versions.pin().version, busy, &versions.settings()).at(now_us));
        self.inner.reservations.reserve(pick)
    }

    /// As [`Tree::pick_with`], once no compaction is under way.
    pub fn pick_alone(&self, strategy: &dyn Strategy, now_us: u64) -> Option<Plan> {
        let (versions, nothing) = (&self.inner.versions, Busy::default());
        let pick = || strategy.pick(&TreeView::new(&versions.pin().version, &nothing, &versions.settings()).at(now_us));
        self.inner.reservations.reserve_alone(pick)
    }
}

fn no_table(id: TableId) -> Error {
    Error::invalid_input(format!("the tree has no table {id}"))
}
