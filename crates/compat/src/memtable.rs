//! `Memtable`: rows in memory, either one of a tree or one of the caller's own, to be read over a tree.

use crate::{
    comparator::SharedComparator,
    seqno::SeqNo,
    slice::UserKey,
    value::{InternalValue, ValueType},
};
use sediment_base::RangeTombstone;
use sediment_raw::sync::lock;
use sediment_tree::{MemtableView, Overlay};
use std::{
    cmp::Reverse,
    collections::BTreeSet,
    fmt,
    sync::{Arc, Mutex},
};

/// The number of a memtable: 0 for the first since the tree was opened.
pub type MemtableId = u64;

/// Bytes that a row takes beside key and value, about.
pub(crate) const ROW_BYTES: u64 = 32;

/// Rows in memory.
pub struct Memtable {
    #[doc(hidden)]
    pub id: MemtableId,
    rows: Rows,
}

enum Rows {
    /// Made by the caller. In the order of arrival.
    Own { comparator: SharedComparator, log: Mutex<Log> },
    /// Looked at in a tree.
    OfTree { view: MemtableView, tree: Arc<dyn MemtableHost> },
}

#[derive(Default)]
struct Log {
    writes: Vec<Write>,
    bytes: u64,
    is_flagged: bool,
}

/// One write.
#[derive(Clone)]
enum Write {
    Row(InternalValue),
    Range(RangeTombstone),
}

/// The tree behind its memtables. Does nothing once that is closed.
pub(crate) trait MemtableHost: Send + Sync {
    /// Writes a row into the tree; its size and that of the active memtable.
    fn write(&self, row: InternalValue) -> (u64, u64);

    /// Removes a range in the tree; bytes.
    fn write_range(&self, tombstone: RangeTombstone) -> u64;

    /// Numbers of memtables that their user wants to be rotated.
    fn flagged(&self) -> Option<Arc<Mutex<BTreeSet<MemtableId>>>>;
}

impl Memtable {
    /// An empty one, to be read over a tree of this order.
    #[doc(hidden)]
    pub fn new(id: MemtableId, comparator: SharedComparator) -> Self {
        Self { id, rows: Rows::Own { comparator, log: Mutex::default() } }
    }

    pub(crate) fn of_tree(view: MemtableView, tree: Arc<dyn MemtableHost>) -> Self {
        Self { id: view.ordinal(), rows: Rows::OfTree { view, tree } }
    }

    /// Its number.
    pub fn id(&self) -> MemtableId {
        self.id
    }

    /// Whether [`Memtable::flag_rotated`] was called.
    pub fn is_flagged_for_rotation(&self) -> bool {
        match &self.rows {
            Rows::Own { log, .. } => lock(log).is_flagged,
            Rows::OfTree { tree, .. } => tree.flagged().is_some_and(|flagged| lock(&flagged).contains(&self.id)),
        }
    }

    /// Notes that it ought to be rotated. Nobody here looks: a host does.
    pub fn flag_rotated(&self) {
        match &self.rows {
            Rows::Own { log, .. } => lock(log).is_flagged = true,
            Rows::OfTree { tree, .. } => _ = tree.flagged().map(|flagged| lock(&flagged).insert(self.id)),
        }
    }

    /// Its rows, by key, the newest of a key first. A copy.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = InternalValue> + '_ {
        self.sorted().into_iter()
    }

    /// Bytes that it takes, about.
    pub fn size(&self) -> u64 {
        match &self.rows {
            Rows::Own { log, .. } => lock(log).bytes,
            Rows::OfTree { view, .. } => view.bytes() as u64,
        }
    }

    /// How many rows.
    pub fn len(&self) -> usize {
        match &self.rows {
            Rows::Own { log, .. } => lock(log).rows().count(),
            Rows::OfTree { view, .. } => view.rows() - view.range_tombstones().len(),
        }
    }

    /// Whether there is neither a row nor a range tombstone.
    pub fn is_empty(&self) -> bool {
        match &self.rows {
            Rows::Own { log, .. } => lock(log).writes.is_empty(),
            Rows::OfTree { view, .. } => view.rows() == 0,
        }
    }

    /// Removes the keys from `start` up to, and without, `end`; bytes that it takes, 0 where nothing lies between them.
    pub fn insert_range_tombstone(&self, start: UserKey, end: UserKey, seqno: SeqNo) -> u64 {
        let tombstone = RangeTombstone { start: start.unwrap(), end: end.unwrap(), seqno };
        match &self.rows {
            Rows::OfTree { tree, .. } => tree.write_range(tombstone),
            Rows::Own { comparator, .. } if comparator.compare(&tombstone.start, &tombstone.end).is_ge() => 0,
            Rows::Own { log, .. } => lock(log).push(Write::Range(tombstone)).0,
        }
    }

    /// How many range tombstones.
    pub fn range_tombstone_count(&self) -> usize {
        match &self.rows {
            Rows::Own { log, .. } => {
                let log = lock(log);
                log.writes.len() - log.rows().count()
            }
            Rows::OfTree { view, .. } => view.range_tombstones().len(),
        }
    }

    /// The highest number of a row or range tombstone.
    pub fn get_highest_seqno(&self) -> Option<SeqNo> {
        match &self.rows {
            Rows::Own { log, .. } => lock(log).writes.iter().map(Write::seqno).max(),
            Rows::OfTree { view, .. } => view.max_seqno(),
        }
    }

    /// Adds a row; its size and that of the memtable.
    #[doc(hidden)]
    pub fn insert(&self, row: InternalValue) -> (u64, u64) {
        match &self.rows {
            Rows::Own { log, .. } => lock(log).push(Write::Row(row)),
            Rows::OfTree { tree, .. } => tree.write(row),
        }
    }

    /// Adds rows; their size and that of the memtable.
    #[doc(hidden)]
    pub fn insert_batch(&self, rows: Vec<InternalValue>) -> (u64, u64) {
        rows.into_iter().fold((0, self.size()), |(bytes, _), row| {
            let (row_bytes, memtable) = self.insert(row);
            (bytes + row_bytes, memtable)
        })
    }

    /// The newest row of a key below `seqno`.
    #[doc(hidden)]
    pub fn get(&self, key: &[u8], seqno: SeqNo) -> Option<InternalValue> {
        self.iter().find(|row| *row.key.user_key == *key && row.key.seqno < seqno)
    }

    fn sorted(&self) -> Vec<InternalValue> {
        match &self.rows {
            Rows::Own { comparator, log } => {
                let mut rows: Vec<InternalValue> = lock(log).rows().cloned().collect();
                rows.sort_by(|a, b| {
                    let keys = comparator.compare(&a.key.user_key, &b.key.user_key);
                    keys.then(Reverse(a.key.seqno).cmp(&Reverse(b.key.seqno)))
                });
                rows
            }
            // Rows in memory are read without a failure.
            Rows::OfTree { view, .. } => view.raw_rows().filter_map(Result::ok).map(InternalValue::from).collect(),
        }
    }

    /// Puts what came in after the first `known` writes into an overlay of a tree; how many there are by now.
    pub(crate) fn copy_to(&self, overlay: &Overlay, known: usize) -> sediment_base::Result<usize> {
        match &self.rows {
            Rows::Own { log, .. } => {
                let log = lock(log);
                log.writes[known..].iter().try_for_each(|write| put(overlay, write))?;
                Ok(log.writes.len())
            }
            Rows::OfTree { view, .. } => {
                let rows = self.sorted().into_iter().map(Write::Row);
                rows.chain(view.range_tombstones().into_iter().map(Write::Range)).try_for_each(|write| put(overlay, &write))?;
                Ok(0)
            }
        }
    }

    /// Whether it grows by what its user puts into it alone, so that a copy can be brought up to date.
    pub(crate) fn is_own(&self) -> bool {
        matches!(self.rows, Rows::Own { .. })
    }
}

fn put(overlay: &Overlay, write: &Write) -> sediment_base::Result<()> {
    match write {
        Write::Range(RangeTombstone { start, end, seqno }) => overlay.remove_range(start, end, *seqno),
        Write::Row(row) => {
            let (key, seqno) = (&row.key.user_key, row.key.seqno);
            match row.key.value_type {
                ValueType::Value | ValueType::Indirection => overlay.insert(key, &row.value, seqno),
                ValueType::Tombstone | ValueType::WeakTombstone => overlay.remove(key, seqno),
                ValueType::MergeOperand => overlay.merge(key, &row.value, seqno),
            }
        }
    }
}

impl Write {
    fn seqno(&self) -> SeqNo {
        match self {
            Self::Row(row) => row.key.seqno,
            Self::Range(tombstone) => tombstone.seqno,
        }
    }

    fn bytes(&self) -> u64 {
        let bytes = match self {
            Self::Row(row) => row.key.user_key.len() + row.value.len(),
            Self::Range(tombstone) => tombstone.start.len() + tombstone.end.len(),
        };
        bytes as u64 + ROW_BYTES
    }
}

impl Log {
    fn push(&mut self, write: Write) -> (u64, u64) {
        let bytes = write.bytes();
        self.bytes += bytes;
        self.writes.push(write);
        (bytes, self.bytes)
    }

    fn rows(&self) -> impl Iterator<Item = &InternalValue> {
        self.writes.iter().filter_map(|write| match write {
            Write::Row(row) => Some(row),
            Write::Range(_) => None,
        })
    }
}

impl fmt::Debug for Memtable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Memtable").field("id", &self.id).field("size", &self.size()).finish_non_exhaustive()
    }
}
