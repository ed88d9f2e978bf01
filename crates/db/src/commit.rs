//! The only way in which a write becomes durable and visible.
//!
//! ```text
//! encode and checksum | short lock: seqnos | log, written in groups | memtables, in parallel | visible in order | sync if asked
//! ```
//!
//! The log gives the order of commits (`wal/log.rs`). Each committer applies its own record once that is settled, and returns when
//! the commit is visible, so that a thread always reads its own writes. Visible comes before durable; only a caller that asked for
//! [`Durability::Sync`] waits for that, and shares the sync with whoever waits too.

mod change;
mod ingest;
mod swap;
mod writes;

pub(crate) use change::{TreeMaker, clear, configure, create, drop_keyspace};
pub(crate) use ingest::ingest;
pub(crate) use swap::{Swap, compare_and_swap};
pub(crate) use writes::Writes;

use writes::Encoded;

use crate::{
    catalog::KeyspaceState,
    options::Durability,
    wal::{Op, OpKind, Placed, Prepared, RecordKind, for_each_op},
    worker::{Asked, Machinery, Worker},
};
use sediment_base::{
    Error, ErrorKind, Kind, Result, SeqNo,
    planted::{Bug, planted},
    stats::{Counter, Histogram},
};
use sediment_tree::Tree;
use std::sync::Arc;

/// Applies all writes, in order and at once, or none.
pub(crate) fn commit(machinery: &Machinery, worker: &Worker, writes: Writes, durability: Durability) -> Result<()> {
    commit_if(machinery, worker, writes, durability, || Ok(()))
}

/// The same, if `admit` lets it in the moment in which its place in the order is decided.
fn commit_if(
    machinery: &Machinery,
    worker: &Worker,
    writes: Writes,
    durability: Durability,
    admit: impl Fn() -> Result<()>,
) -> Result<()> {
    let Encoded { payload, count, data_bytes, keyspaces, only_removes } = writes.finish()?;
    if count == 0 {
        return Ok(());
    }
    let (start_us, bytes) = (machinery.instruments.now_us(), payload.len());
    worker.admit(machinery, &Asked { keyspaces: &keyspaces, bytes, only_removes })?;
    let keyspace = if let [only] = &*keyspaces { only.id().0 } else { 0 };
    let record = Prepared::new(RecordKind::Batch, keyspace, count, payload);
    let alive = || keyspaces.iter().try_for_each(|keyspace| check_alive(keyspace)).and_then(|()| admit());
    let mut placed = if only_removes && worker.is_disk_full() {
        worker.patiently(machinery, || machinery.log.submit(record.clone(), durability, alive))?
    } else {
        worker.noticed(machinery, machinery.log.submit(record, durability, alive))?
    };
    apply(machinery, &keyspaces, &placed)?;
    let ticket = placed.ticket.take().expect("a batch takes seqnos");
    machinery.snapshots.pass(ticket, placed.end_seqno())?;
    if let Some(position) = placed.position
        && durability == Durability::Sync
        && !planted(Bug::SkipWalSync)
    {
        machinery.log.sync_commit(position)?;
    }
    let stats = &machinery.instruments.stats;
    let local = stats.local();
    local.add(Counter::CommitCount, 1);
    local.add(Counter::CommitRows, count.into());
    local.add(Counter::CommitBytes, data_bytes);
    worker.committed(machinery, &keyspaces, bytes);
    machinery.instruments.record_since(Histogram::CommitLatencyUs, start_us);
    Ok(())
}

/// Raises every commit that has returned to `durability`.
pub(crate) fn persist(machinery: &Machinery, durability: Durability) -> Result<()> {
    machinery.log.check()?;
    if durability == Durability::Memory {
        return Ok(());
    }
    match machinery.log.write_waiting()? {
        Some(position) if durability == Durability::Sync => machinery.log.sync_commit(position),
        _ => Ok(()),
    }
}

/// Refuses a keyspace that is gone.
pub(crate) fn check_alive(keyspace: &KeyspaceState) -> Result<()> {
    if keyspace.is_dropped() {
        return Err(Error::new(ErrorKind::Closed, format!("keyspace {:?} was dropped", keyspace.name())));
    }
    Ok(())
}

/// Puts one write of a batch into a tree.
#[inline]
pub(crate) fn apply_op(tree: &Tree, op: &Op<'_>, seqno: SeqNo) -> Result<()> {
    match op.kind {
        OpKind::Row(Kind::Value) => tree.insert(op.key, op.value, seqno),
        OpKind::Row(Kind::Tombstone) => tree.remove(op.key, seqno),
        OpKind::Row(Kind::WeakTombstone) => tree.remove_weak(op.key, seqno),
        OpKind::Row(Kind::Operand) => tree.merge(op.key, op.value, seqno),
        OpKind::RemoveRange => tree.remove_range(op.key, op.value, seqno),
    }
}

/// Puts a logged batch into its memtables. That cannot fail for rows within the limits; if it does, log and memory differ.
fn apply(machinery: &Machinery, keyspaces: &[Arc<KeyspaceState>], placed: &Placed) -> Result<()> {
    let mut next = placed.seqno();
    let record = placed.record();
    let applied = for_each_op(record.payload(), record.count(), |op| {
        let keyspace = keyspaces.iter().find(|keyspace| keyspace.id() == op.keyspace);
        let keyspace = keyspace.expect("a batch holds every keyspace that it names");
        keyspace.with_tree_for(next, |tree| apply_op(tree, &op, next))?;
        next += 1;
        Ok(())
    });
    applied.map_err(|error| machinery.fatal.set(error.context("a logged commit could not be applied")))
}
