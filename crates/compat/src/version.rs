//! `Version`: which tables there are, as plain data. Nothing is kept alive by it.

use crate::{
    blob::{BlobFileList, FragmentationMap, LinkedFile},
    checksum::Checksum,
    descriptor_table::TableId,
    error::{Result, invalid, of_tree},
    memtable::Memtable,
    seqno::SeqNo,
    slice::{Slice, UserKey},
    value::InternalValue,
};
use sediment_base::TableId as TreeTableId;
use sediment_table::{Properties, TableMeta};
use sediment_tree::RawRows;
use std::{fmt, ops::Deref, path::PathBuf, sync::Arc};

/// The tables of a tree at one moment.
#[derive(Clone, Debug)]
pub struct Version(Arc<VersionInner>);

/// What is in a [`Version`].
#[derive(Debug)]
pub struct VersionInner {
    /// Files of values: none.
    pub blob_files: BlobFileList,
    levels: Vec<Level>,
    gc_stats: FragmentationMap,
}

/// Runs of one age class, the newest first.
#[derive(Clone, Debug)]
pub struct Level(Vec<Arc<Run>>);

/// Tables with keys of their own, in key order.
#[derive(Clone, Debug)]
pub struct Run(Vec<Table>);

/// A table.
#[derive(Clone, Debug)]
pub struct Table(Arc<TableInner>);

/// What is in a [`Table`].
pub struct TableInner {
    /// What is known of it.
    pub metadata: TableMetadata,
    /// Where it lies.
    pub path: Arc<PathBuf>,
    root: u64,
    tree: Option<Arc<dyn TableHost>>,
}

/// What is known of a table.
#[derive(Clone, Debug)]
pub struct TableMetadata {
    /// Its number.
    pub id: TableId,
    /// Bytes of the file.
    pub file_size: u64,
    /// Rows, range tombstones left out.
    pub item_count: u64,
    /// Tombstones among them, weak ones included.
    pub tombstone_count: u64,
    /// Weak ones alone; 0 where the table could not be opened.
    pub weak_tombstone_count: u64,
    /// Data blocks; 0 where the table could not be opened.
    pub data_block_count: u64,
    /// The keys, those of range tombstones included.
    pub key_range: KeyRange,
    /// The time of its oldest write, in nanoseconds since 1970.
    pub created_at: u128,
    /// Its parity: none.
    pub ecc_params: Option<EccParams>,
    highest_kv_seqno: SeqNo,
    highest_seqno: SeqNo,
}

/// Keys from one to another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyRange(pub(crate) sediment_base::KeyRange);

/// Shards of parity.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EccParams(Never);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Never {}

/// What a tree consists of at one moment.
#[derive(Debug)]
pub struct SuperVersion {
    /// The memtable that takes writes.
    pub active_memtable: Arc<Memtable>,
    /// The tables.
    pub version: Version,
}

/// The states of a tree. Looking at them holds nothing up.
#[derive(Debug, Default)]
pub struct VersionHistory {
    latest: Option<SuperVersion>,
}

impl VersionHistory {
    /// The state when the lock was taken. Panics on a history of no tree.
    pub fn latest_version(&self) -> &SuperVersion {
        self.latest.as_ref().expect("set by who locks it")
    }

    pub(crate) fn set_latest(&mut self, latest: SuperVersion) {
        self.latest = Some(latest);
    }
}

/// The tree behind its tables. Finds nothing once that is closed.
pub(crate) trait TableHost: Send + Sync {
    /// The rows of a table.
    fn rows(&self, table: TreeTableId) -> Option<sediment_base::Result<RawRows>>;
}

impl EccParams {
    /// Shards of data.
    pub fn data_shards(&self) -> usize {
        match self.0 {}
    }

    /// Shards of parity.
    pub fn parity_shards(&self) -> usize {
        match self.0 {}
    }
}

impl KeyRange {
    /// The smallest key; empty where range tombstones have no start.
    pub fn min(&self) -> UserKey {
        Slice::wrap(self.0.min.clone())
    }

    /// The largest key; empty where range tombstones have no end.
    pub fn max(&self) -> UserKey {
        Slice::wrap(self.0.max.clone())
    }

    /// Whether a key lies inside, in the order of bytes.
    pub fn contains_key(&self, key: &[u8]) -> bool {
        self.0.contains(key, &sediment_base::KeyOrder::bytewise())
    }
}

impl Version {
    /// The tables that are told of level by level and run by run.
    pub(crate) fn new(levels: Vec<Vec<Vec<Table>>>) -> Self {
        let run = |tables| Arc::new(Run(tables));
        let level = |runs: Vec<Vec<Table>>| Level(runs.into_iter().map(run).collect());
        let levels = levels.into_iter().map(level).collect();
        Self(Arc::new(VersionInner { blob_files: BlobFileList::default(), levels, gc_stats: FragmentationMap::default() }))
    }
}

impl Deref for Version {
    type Target = VersionInner;

    fn deref(&self) -> &VersionInner {
        &self.0
    }
}

impl VersionInner {
    /// All tables.
    pub fn iter_tables(&self) -> impl Iterator<Item = &Table> {
        self.levels.iter().flat_map(Level::tables)
    }

    /// A level, if there is one of this number.
    pub fn level(&self, index: usize) -> Option<&Level> {
        self.levels.get(index)
    }

    /// What nothing names any more of files of values: nothing.
    pub fn gc_stats(&self) -> &FragmentationMap {
        &self.gc_stats
    }
}

impl Level {
    /// Its tables, run by run.
    pub fn tables(&self) -> impl Iterator<Item = &Table> {
        self.0.iter().flat_map(|run| run.iter())
    }

    /// Bytes in them.
    pub(crate) fn bytes(&self) -> u64 {
        self.tables().map(|table| table.metadata.file_size).sum()
    }
}

impl Deref for Level {
    type Target = [Arc<Run>];

    fn deref(&self) -> &[Arc<Run>] {
        &self.0
    }
}

impl Deref for Run {
    type Target = [Table];

    fn deref(&self) -> &[Table] {
        &self.0
    }
}

impl Deref for Table {
    type Target = TableInner;

    fn deref(&self) -> &TableInner {
        &self.0
    }
}

impl Table {
    /// A table as planners see it, without what takes opening it.
    pub(crate) fn planned(meta: &TableMeta) -> Self {
        Self::new(meta, None, PathBuf::new(), None)
    }

    pub(crate) fn new(
        meta: &TableMeta,
        properties: Option<&Properties>,
        path: PathBuf,
        tree: Option<Arc<dyn TableHost>>,
    ) -> Self {
        let metadata = TableMetadata {
            id: meta.id.0,
            file_size: meta.file_bytes,
            item_count: meta.rows,
            tombstone_count: meta.tombstones,
            weak_tombstone_count: properties.map_or(0, |properties| properties.weak_tombstones),
            data_block_count: properties.map_or(0, |properties| properties.blocks),
            key_range: KeyRange(meta.range.clone()),
            created_at: u128::from(meta.oldest_write_us) * 1000,
            ecc_params: None,
            highest_kv_seqno: meta.max_seqno,
            highest_seqno: meta.newest_seqno(),
        };
        Self(Arc::new(TableInner { metadata, path: Arc::new(path), root: meta.root, tree }))
    }

    /// Its number.
    pub fn id(&self) -> TableId {
        self.metadata.id
    }

    /// Over all its frames.
    pub fn checksum(&self) -> Checksum {
        Checksum::from_raw(self.root.into())
    }

    /// The highest number of a row or range tombstone.
    pub fn get_highest_seqno(&self) -> SeqNo {
        self.metadata.highest_seqno
    }

    /// The highest number of a row; 0 without any.
    pub fn get_highest_kv_seqno(&self) -> SeqNo {
        self.metadata.highest_kv_seqno
    }

    /// Which files of values it names: none.
    pub fn list_blob_file_references(&self) -> Result<Option<Vec<LinkedFile>>> {
        Ok(None)
    }

    /// Its rows as they lie. The first is an error where the tree is closed, or no longer has the table.
    pub fn iter(&self) -> Box<dyn Iterator<Item = Result<InternalValue>> + Send> {
        let rows = self.tree.as_ref().and_then(|tree| tree.rows(TreeTableId(self.id())));
        match rows {
            Some(Ok(rows)) => Box::new(rows.map(|row| row.map(InternalValue::from).map_err(of_tree))),
            Some(Err(error)) => Box::new(std::iter::once(Err(of_tree(error)))),
            None => Box::new(std::iter::once(Err(invalid("the tree of the table is closed")))),
        }
    }
}

impl fmt::Debug for TableInner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Table").field("metadata", &self.metadata).finish_non_exhaustive()
    }
}
