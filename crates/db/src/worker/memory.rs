//! What all memtables hold together.
//!
//! Asking every keyspace at every commit would cost too much. So it is counted now and then, exactly, and what was written since
//! is added by its length.

use crate::worker::Machinery;
use sediment_tree::Tree;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

/// What a row takes in memory beside key and value, roughly.
const ROW_OVERHEAD_BYTES: usize = 48;
/// After this part of the limit has been written, it is counted again.
const COUNTS_PER_LIMIT: usize = 16;

/// Bytes of all memtables against their limit. Shared.
#[derive(Debug)]
pub(super) struct Memtables {
    limit_bytes: usize,
    active: AtomicUsize,
    sealed: AtomicUsize,
    added: AtomicUsize,
}

impl Memtables {
    pub(super) fn new(limit_bytes: usize) -> Self {
        let [active, sealed, added] = std::array::from_fn(|_| AtomicUsize::new(0));
        Self { limit_bytes, active, sealed, added }
    }

    /// A commit has added rows; whether it is time to count.
    pub(super) fn add(&self, bytes: usize) -> bool {
        let before = self.added.fetch_add(bytes + ROW_OVERHEAD_BYTES, Relaxed);
        before + bytes > self.limit_bytes / COUNTS_PER_LIMIT
    }

    /// Counts.
    pub(super) fn recount(&self, machinery: &Machinery) {
        self.added.store(0, Relaxed);
        let (mut active, mut sealed) = (0, 0);
        for keyspace in machinery.keyspaces.all() {
            // What an empty memtable takes cannot be had back by a flush.
            if !keyspace.with_newest(Tree::is_clean) {
                active += keyspace.with_newest(Tree::memtable_bytes);
                sealed += keyspace.with_newest(|tree| tree.pressure().sealed_bytes);
            }
        }
        self.active.store(active, Relaxed);
        self.sealed.store(sealed, Relaxed);
    }

    /// Whether no more may be written.
    pub(super) fn is_full(&self) -> bool {
        self.bytes() >= self.limit_bytes
    }

    /// The same for what only removes, and so may make room: a little goes in all the same.
    pub(super) fn is_full_of_removes(&self) -> bool {
        self.bytes() >= self.limit_bytes + self.limit_bytes / 4
    }

    /// Whether rows in many memtables, none of them full, take so much that some have to go.
    pub(super) fn has_many_rows(&self) -> bool {
        self.active.load(Relaxed) + self.added.load(Relaxed) > self.limit_bytes / 2
    }

    /// How far the second half of the limit is used, 0 to 1.
    pub(super) fn backlog(&self) -> f64 {
        let half = self.limit_bytes / 2;
        self.bytes().saturating_sub(half) as f64 / half.max(1) as f64
    }

    fn bytes(&self) -> usize {
        self.active.load(Relaxed) + self.sealed.load(Relaxed) + self.added.load(Relaxed)
    }
}
