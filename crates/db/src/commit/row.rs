//! A commit of one row, which is what most commits are: nothing is gathered, and the row is not read back out of its record.

use crate::{
    catalog::KeyspaceState,
    commit::{Begun, not_applied},
    options::Durability,
    wal::{Op, OpKind, Prepared, RecordKind, check_limits, put_op},
    worker::{Asked, Machinery, Worker},
};
use sediment_base::{InternalKey, Kind, Result, stats::Counter};
use std::{cell::Cell, slice, sync::Arc};

/// Payloads up to this long leave their memory to the next one of the thread.
const KEPT_BYTES_MAX: usize = 64 << 10;

/// The clock is read for one of so many commits of one row, of a thread, that wait for no sync.
const COMMITS_PER_SAMPLE: u64 = 16;

thread_local! {
    static PAYLOAD: Cell<Vec<u8>> = const { Cell::new(Vec::new()) };
}

/// A row to be written.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Row<'a> {
    pub(crate) kind: Kind,
    pub(crate) key: &'a [u8],
    /// Empty for a remove.
    pub(crate) value: &'a [u8],
}

/// As [`commit`](super::commit) does with a batch of one row.
pub(crate) fn commit_row(
    machinery: &Machinery,
    worker: &Worker,
    keyspace: &Arc<KeyspaceState>,
    row: Row<'_>,
    durability: Durability,
) -> Result<()> {
    let Row { kind, key, value } = row;
    let op = Op { keyspace: keyspace.id(), kind: OpKind::Row(kind), key, value };
    check_limits(&op)?;
    if kind == Kind::Operand {
        keyspace.check_merge()?;
    }
    let mut payload = PAYLOAD.take();
    put_op(&mut payload, op);
    let only_removes = !matches!(kind, Kind::Value | Kind::Operand);
    let asked = Asked { keyspaces: slice::from_ref(keyspace), bytes: payload.len(), only_removes };
    let is_timed = durability == Durability::Sync || is_sample(machinery);
    let committed = Begun::new(machinery, worker, asked, durability, is_timed).and_then(|begun| write(begun, row, &payload));
    if payload.capacity() <= KEPT_BYTES_MAX {
        payload.clear();
        PAYLOAD.set(payload);
    }
    committed
}

/// Whether to time a commit that takes little longer than two looks at the clock.
#[inline]
fn is_sample(machinery: &Machinery) -> bool {
    machinery.instruments.stats.local().own_count(Counter::CommitCount).is_multiple_of(COMMITS_PER_SAMPLE)
}

fn write(begun: Begun<'_>, row: Row<'_>, payload: &[u8]) -> Result<()> {
    let Row { kind, key, value } = row;
    let (machinery, keyspace) = (begun.machinery, &begun.asked.keyspaces[0]);
    // The log takes longer than that memory does to come.
    keyspace.with_newest(|tree| tree.expect_row(key));
    let record = Prepared::new(RecordKind::Batch, keyspace.id().0, 1, payload);
    let (placed, coming) = begun.place(record, || Ok(()))?;
    let seqno = placed.seqno();
    let applied = keyspace.with_tree_for(seqno, |tree| tree.put_row(InternalKey::new(key, seqno, kind), value));
    let memtable_bytes = applied.map_err(|error| not_applied(machinery, error))?;
    let is_full = |keyspace: &KeyspaceState| memtable_bytes >= keyspace.memtable_bytes() as u64;
    begun.end(placed, coming, (key.len() + value.len()) as u64, is_full)
}
