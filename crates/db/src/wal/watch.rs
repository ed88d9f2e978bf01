//! `Watch`: a key that somebody has read and means to write, if nobody else has by then.
//!
//! Who watches a key looks at it, and asks under the log's lock, where his own commit takes its place, whether any commit that took
//! one since has touched it. Commits look at watches as they take their place; mostly there are none.

use crate::wal::{
    format::{OpKind, RecordKind, for_each_op},
    prepared::Prepared,
};
use sediment_base::{KeyOrder, KeyspaceId, RangeTombstone, Slice};
use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

/// A watched key.
#[derive(Debug)]
pub(crate) struct Watched {
    keyspace: KeyspaceId,
    key: Slice,
    order: KeyOrder,
    is_touched: AtomicBool,
}

impl Watched {
    pub(super) fn new(keyspace: KeyspaceId, key: &[u8], order: KeyOrder) -> Arc<Self> {
        Arc::new(Self { keyspace, key: key.into(), order, is_touched: AtomicBool::new(false) })
    }

    /// Whether a commit that took its place since may have changed the key. To be asked under the log's lock.
    pub(super) fn is_touched(&self) -> bool {
        self.is_touched.load(Ordering::Relaxed)
    }

    /// A commit takes its place.
    fn look_at(&self, record: &Prepared<'_>) {
        if self.may_be_in(record) {
            self.is_touched.store(true, Ordering::Relaxed);
        }
    }

    fn may_be_in(&self, record: &Prepared<'_>) -> bool {
        if record.kind() != RecordKind::Batch {
            return record.keyspace() == self.keyspace.0;
        }
        let mut is_in = false;
        let read = for_each_op(record.payload(), record.count(), |op| {
            is_in |= op.keyspace == self.keyspace
                && match op.kind {
                    OpKind::Row(_) => *op.key == *self.key,
                    OpKind::RemoveRange => {
                        let range = RangeTombstone { start: op.key.into(), end: op.value.into(), seqno: 0 };
                        range.contains(&self.key, &self.order)
                    }
                };
            Ok(())
        });
        is_in || read.is_err()
    }
}

/// All watched keys.
#[derive(Debug, Default)]
pub(super) struct Watches(Vec<Arc<Watched>>);

impl Watches {
    pub(super) fn add(&mut self, watched: Arc<Watched>) {
        self.0.push(watched);
    }

    pub(super) fn remove(&mut self, watched: &Arc<Watched>) {
        self.0.retain(|other| !Arc::ptr_eq(other, watched));
    }

    /// A commit takes its place.
    #[inline]
    pub(super) fn look_at(&self, record: &Prepared<'_>) {
        self.0.iter().for_each(|watched| watched.look_at(record));
    }
}
