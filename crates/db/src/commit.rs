//! The only way in which a write becomes durable and visible.
//!
//! ```text
//! encode and checksum | short lock: seqnos | log, written in groups | memtables, in parallel | visible in order | sync if asked
//! ```
//!
//! The log gives the order of commits (`wal/log.rs`). Each committer applies its own record once that is settled, and returns when
//! reads that begin then find it (`snapshot.rs`), so that a thread always reads its own writes. Visible comes before durable; only a
//! caller that asked for [`Durability::Sync`] waits for that, and shares the sync with whoever waits too.

mod change;
mod ingest;
mod row;
mod swap;
mod writes;

pub(crate) use change::{TreeMaker, clear, configure, create, drop_keyspace};
pub(crate) use ingest::ingest;
pub(crate) use row::{Row, commit_row};
pub(crate) use swap::{Swap, compare_and_swap};
pub(crate) use writes::Writes;

use writes::Encoded;

use crate::{
    catalog::KeyspaceState,
    options::Durability,
    snapshot::Coming,
    wal::{Op, OpKind, Placed, Prepared, RecordKind, for_each_op},
    worker::{Asked, Machinery, Worker, Written, is_full},
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
    let asked = Asked { keyspaces: &keyspaces, bytes: payload.len(), only_removes };
    let begun = Begun::new(machinery, worker, asked, durability, true)?;
    let keyspace = if let [only] = &*keyspaces { only.id().0 } else { 0 };
    let record = Prepared::new(RecordKind::Batch, keyspace, count, payload);
    let (placed, coming) = begun.place(record, admit)?;
    apply(machinery, &keyspaces, &placed)?;
    begun.end(placed, coming, data_bytes, is_full)
}

/// A commit that was let in.
#[derive(Debug)]
struct Begun<'a> {
    machinery: &'a Machinery,
    worker: &'a Worker,
    asked: Asked<'a>,
    durability: Durability,
    /// When it began, if it is timed.
    start_us: Option<u64>,
}

impl<'a> Begun<'a> {
    /// Waits as long as maintenance asks for.
    fn new(
        machinery: &'a Machinery,
        worker: &'a Worker,
        asked: Asked<'a>,
        durability: Durability,
        is_timed: bool,
    ) -> Result<Self> {
        let start_us = is_timed.then(|| machinery.instruments.now_us());
        worker.admit(machinery, &asked)?;
        Ok(Self { machinery, worker, asked, durability, start_us })
    }

    /// Gives its record a place in the log, if its keyspaces are there and `admit` lets it in at that moment.
    fn place<'r>(&self, record: Prepared<'r>, admit: impl Fn() -> Result<()>) -> Result<(Placed<'r>, Coming<'a>)> {
        let Self { machinery, worker, asked, durability, .. } = *self;
        let alive = || asked.keyspaces.iter().try_for_each(|keyspace| check_alive(keyspace)).and_then(|()| admit());
        let mut placed = if asked.only_removes && worker.is_disk_full() {
            worker.patiently(machinery, || machinery.log.submit(record.clone(), durability, alive))?
        } else {
            worker.noticed(machinery, machinery.log.submit(record, durability, alive))?
        };
        let coming = machinery.snapshots.expect(&mut placed);
        Ok((placed, coming))
    }

    /// It is applied: sees to it that it is visible, and durable if that was asked for. `is_full` knows memtables that are to be sealed.
    fn end(
        self,
        placed: Placed<'_>,
        coming: Coming<'_>,
        data_bytes: u64,
        is_full: impl Fn(&KeyspaceState) -> bool,
    ) -> Result<()> {
        let Self { machinery, worker, asked, durability, start_us } = self;
        coming.pass()?;
        if let Some(position) = placed.position
            && durability == Durability::Sync
            && !planted(Bug::SkipWalSync)
        {
            machinery.log.sync_commit(position)?;
        }
        let stats = &machinery.instruments.stats;
        let local = stats.local();
        local.add(Counter::CommitCount, 1);
        let rows = placed.record().count().into();
        local.add(Counter::CommitRows, rows);
        local.add(Counter::CommitBytes, data_bytes);
        worker.committed(machinery, &asked, Written { by: local, rows, data_bytes }, is_full);
        if let Some(start_us) = start_us {
            machinery.instruments.record_since(Histogram::CommitLatencyUs, start_us);
        }
        Ok(())
    }
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
fn apply(machinery: &Machinery, keyspaces: &[Arc<KeyspaceState>], placed: &Placed<'_>) -> Result<()> {
    let mut next = placed.seqno();
    let record = placed.record();
    let applied = for_each_op(record.payload(), record.count(), |op| {
        let keyspace = keyspaces.iter().find(|keyspace| keyspace.id() == op.keyspace);
        let keyspace = keyspace.expect("a batch holds every keyspace that it names");
        keyspace.with_tree_for(next, |tree| apply_op(tree, &op, next))?;
        next += 1;
        Ok(())
    });
    applied.map_err(|error| not_applied(machinery, error))
}

#[cold]
fn not_applied(machinery: &Machinery, error: Error) -> Error {
    machinery.fatal.set(error.context("a logged commit could not be applied"))
}
