//! Writes. Their signatures have no errors: what no tree can hold is a mistake of the caller's, and panics.

use super::TreeInner;
use crate::{
    batch::WriteBatch,
    error::{Error, Result, of_tree},
    memtable::ROW_BYTES,
    seqno::SeqNo,
};
use sediment_base::{ErrorKind, InternalKey, Kind, limits, range::prefix_end};

impl TreeInner {
    /// Writes a row; its size, and that of the memtable.
    #[inline]
    pub(crate) fn write(&self, kind: Kind, key: &[u8], value: &[u8], seqno: SeqNo) -> (u64, u64) {
        match self.tree.put_row(InternalKey::new(key, seqno, kind), value) {
            Ok(memtable) => ((key.len() + value.len()) as u64 + ROW_BYTES, memtable),
            Err(error) => refuse(key, &error),
        }
    }

    /// Removes a range; bytes, 0 where nothing was written.
    pub(crate) fn remove_range_of(&self, start: &[u8], end: &[u8], seqno: SeqNo) -> u64 {
        let is_too_long = [start, end].iter().any(|bound| bound.len() > limits::KEY_BYTES_MAX);
        // To the tree an empty bound is none.
        if is_too_long || end.is_empty() || self.tree.order().compare(start, end).is_ge() {
            return 0;
        }
        match self.tree.remove_range(start, end, seqno) {
            Ok(()) => (start.len() + end.len()) as u64 + ROW_BYTES,
            Err(error) => refuse(start, &error),
        }
    }

    /// Removes all keys with a prefix; bytes, 0 where nothing was written.
    pub(crate) fn remove_prefix_of(&self, prefix: &[u8], seqno: SeqNo) -> u64 {
        match prefix_end(prefix) {
            Some(end) if self.tree.order().is_lexicographic() => self.remove_range_of(prefix, &end, seqno),
            _ => 0,
        }
    }

    /// Applies a batch; bytes of it, and of the memtable.
    pub(crate) fn apply(&self, batch: WriteBatch, seqno: SeqNo) -> Result<(u64, u64)> {
        let bytes = batch.bytes();
        if batch.is_empty() {
            return Ok((0, self.tree.memtable_bytes() as u64));
        }
        let of_tree_batch = batch.clone().of_tree();
        match self.tree.apply(&of_tree_batch, seqno) {
            Ok(()) => Ok((bytes, self.tree.memtable_bytes() as u64)),
            Err(error) if error.kind() == ErrorKind::InvalidInput && batch.is_mixed() => Err(Error::MixedOperationBatch),
            Err(error) => Err(of_tree(error)),
        }
    }
}

#[cold]
fn refuse(key: &[u8], error: &sediment_base::Error) -> ! {
    assert!(!key.is_empty(), "key may not be empty");
    panic!("no tree can hold the write: {error}");
}
