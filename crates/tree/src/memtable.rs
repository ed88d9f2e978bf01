//! The memtable: recent writes in memory, found by hash, scanned in order.

use sediment_base::{Cursor, InternalKey, KeyOrder, Kind, Result, SeqNo};
use std::sync::Arc;

/// Recent writes in memory. Shared; any thread inserts, readers never block writers.
#[derive(Debug)]
pub(crate) struct Memtable {
    order: KeyOrder,
    hash_seed: u64,
}

/// What a lookup found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct MemtableRow<'a> {
    /// The version found.
    pub(crate) seqno: SeqNo,
    /// What it does to its key.
    pub(crate) kind: Kind,
    /// Its value; empty for tombstones.
    pub(crate) value: &'a [u8],
}
/// A [`Cursor`] over all rows of a memtable.
pub(crate) struct MemtableCursor {
    memtable: Arc<Memtable>,
}

impl Memtable {
    /// An empty memtable; `hash_seed` is the tree's.
    pub(crate) fn new(order: KeyOrder, hash_seed: u64) -> Self {
        Self { order, hash_seed }
    }

    /// Adds a row: any thread, any order of seqnos. Fails with `Closed` once the memtable is sealed: the caller takes the
    /// new active one and tries again.
    pub(crate) fn insert(&self, key: InternalKey<'_>, value: &[u8]) -> Result<()> {
        unimplemented!("{:?} {key:?} {value:?} {}", self.order, self.hash_seed)
    }

    /// The newest row of `user_key` with a seqno strictly below `read_seqno`. `hash` is the key's, under the tree's seed.
    pub(crate) fn get(&self, user_key: &[u8], hash: u64, read_seqno: SeqNo) -> Option<MemtableRow<'_>> {
        unimplemented!("{user_key:?} {hash} {read_seqno}")
    }

    /// A cursor that keeps the memtable alive. It sees at least the rows whose insert had returned before its last seek.
    pub(crate) fn cursor(self: &Arc<Self>) -> MemtableCursor {
        MemtableCursor { memtable: Arc::clone(self) }
    }

    /// Memory in use.
    pub(crate) fn bytes(&self) -> usize {
        unimplemented!()
    }

    /// Rows inserted.
    pub(crate) fn rows(&self) -> usize {
        unimplemented!()
    }

    /// Whether nothing was inserted.
    pub(crate) fn is_empty(&self) -> bool {
        self.rows() == 0
    }

    /// The lowest seqno of a row.
    pub(crate) fn min_seqno(&self) -> Option<SeqNo> {
        unimplemented!()
    }

    /// The highest seqno of a row.
    pub(crate) fn max_seqno(&self) -> Option<SeqNo> {
        unimplemented!()
    }

    /// Refuses further inserts, and waits for those in flight.
    pub(crate) fn seal(&self) {
        unimplemented!()
    }
}

impl Cursor for MemtableCursor {
    fn is_valid(&self) -> bool {
        unimplemented!("{:?}", self.memtable)
    }
    fn key(&self) -> InternalKey<'_> {
        unimplemented!()
    }
    fn value(&self) -> &[u8] {
        unimplemented!()
    }
    fn seek_to_first(&mut self) -> Result<()> {
        unimplemented!()
    }
    fn seek_to_last(&mut self) -> Result<()> {
        unimplemented!()
    }
    fn seek(&mut self, _target: InternalKey<'_>) -> Result<()> {
        unimplemented!()
    }
    fn seek_before(&mut self, _target: InternalKey<'_>) -> Result<()> {
        unimplemented!()
    }
    fn next(&mut self) -> Result<()> {
        unimplemented!()
    }
    fn prev(&mut self) -> Result<()> {
        unimplemented!()
    }
}
