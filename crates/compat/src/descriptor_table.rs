//! `DescriptorTable`: open files by number.
//!
//! The tree keeps the file of an open table with it, and asks nobody. The table is for callers who used one.

use crate::fs::FsFile;
use std::{
    collections::{BTreeMap, VecDeque},
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

/// The number of a tree, one of its own in each process.
pub type TreeId = u64;
/// The number of a table in its tree.
pub type TableId = u64;

/// A table of a tree.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct GlobalTableId(TreeId, TableId);

impl GlobalTableId {
    /// The tree.
    pub fn tree_id(&self) -> TreeId {
        self.0
    }

    /// The table.
    pub fn table_id(&self) -> TableId {
        self.1
    }
}

impl From<(TreeId, TableId)> for GlobalTableId {
    fn from((tree, table): (TreeId, TableId)) -> Self {
        Self(tree, table)
    }
}

/// Open files by number, of both kinds together no more than so many: the one that came first goes first.
pub struct DescriptorTable {
    capacity: usize,
    files: Mutex<Files>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    Table,
    Blob,
}

#[derive(Default)]
struct Files {
    open: BTreeMap<(Kind, GlobalTableId), Arc<dyn FsFile>>,
    arrival: VecDeque<(Kind, GlobalTableId)>,
}

impl DescriptorTable {
    /// A table of so many files.
    pub fn new(capacity: usize) -> Self {
        Self { capacity, files: Mutex::default() }
    }

    /// The file of a table, if it is open.
    pub fn access_for_table(&self, id: &GlobalTableId) -> Option<Arc<dyn FsFile>> {
        self.access((Kind::Table, *id))
    }

    /// Keeps the file of a table.
    pub fn insert_for_table(&self, id: GlobalTableId, item: Arc<dyn FsFile>) {
        self.insert((Kind::Table, id), item);
    }

    /// The file of values, if it is open.
    pub fn access_for_blob_file(&self, id: &GlobalTableId) -> Option<Arc<dyn FsFile>> {
        self.access((Kind::Blob, *id))
    }

    /// Keeps a file of values.
    pub fn insert_for_blob_file(&self, id: GlobalTableId, item: Arc<dyn FsFile>) {
        self.insert((Kind::Blob, id), item);
    }

    /// Lets the file of a table go.
    pub fn remove_for_table(&self, id: &GlobalTableId) {
        self.remove((Kind::Table, *id));
    }

    /// Lets a file of values go.
    pub fn remove_for_blob_file(&self, id: &GlobalTableId) {
        self.remove((Kind::Blob, *id));
    }

    fn access(&self, key: (Kind, GlobalTableId)) -> Option<Arc<dyn FsFile>> {
        self.lock().open.get(&key).cloned()
    }

    fn insert(&self, key: (Kind, GlobalTableId), file: Arc<dyn FsFile>) {
        let mut files = self.lock();
        if files.open.insert(key, file).is_none() {
            files.arrival.push_back(key);
        }
        while files.open.len() > self.capacity {
            let Some(first) = files.arrival.pop_front() else { break };
            files.open.remove(&first);
        }
    }

    fn remove(&self, key: (Kind, GlobalTableId)) {
        let mut files = self.lock();
        files.open.remove(&key);
        files.arrival.retain(|other| *other != key);
    }

    fn lock(&self) -> MutexGuard<'_, Files> {
        self.files.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for DescriptorTable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DescriptorTable").field("capacity", &self.capacity).finish_non_exhaustive()
    }
}
