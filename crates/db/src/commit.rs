//! The only way in which a write becomes durable and visible.
//!
//! ```text
//! encode and checksum | lock: seqnos, append, memtables, publish | sync if asked | maintenance if due
//! ```
//!
//! The log's lock is the order of commits. A commit is visible before it is durable; only a caller that asked for
//! [`Durability::Sync`] waits, outside the lock, and shares the sync with whoever waits too.

mod change;
mod writes;

pub(crate) use change::{TreeMaker, clear, create, drop_keyspace};
pub(crate) use writes::Writes;

use crate::{
    catalog::KeyspaceState,
    options::Durability,
    wal::{Prepared, RecordKind, for_each_op},
    worker::{Machinery, Worker},
};
use sediment_base::{
    Error, ErrorKind, Kind, Result, SeqNo,
    planted::{Bug, planted},
};
use std::sync::Arc;

/// Applies all writes, in order and at once, or none.
pub(crate) fn commit(machinery: &Machinery, worker: &Worker, writes: Writes, durability: Durability) -> Result<()> {
    let (payload, count, keyspaces) = writes.finish()?;
    if count == 0 {
        return Ok(());
    }
    worker.make_room(machinery, &keyspaces)?;
    let keyspace = if let [only] = &*keyspaces { only.id().0 } else { 0 };
    let record = Prepared::new(RecordKind::Batch, keyspace, count, payload);
    let position = {
        let mut log = machinery.log.lock();
        log.check()?;
        keyspaces.iter().try_for_each(|keyspace| check_alive(keyspace))?;
        let seqno = log.next_seqno();
        if durability == Durability::Memory && log.has_room(&record) {
            apply(machinery, &keyspaces, seqno, &record)?;
            log.buffer(record)?;
            machinery.snapshots.publish(log.next_seqno());
            None
        } else {
            let position = log.append(&record)?;
            apply(machinery, &keyspaces, seqno, &record)?;
            machinery.snapshots.publish(log.next_seqno());
            Some(position)
        }
    };
    if let Some(position) = position
        && durability == Durability::Sync
        && !planted(Bug::SkipWalSync)
    {
        machinery.log.sync_to(position)?;
    }
    worker.maintain(machinery, &keyspaces);
    Ok(())
}

/// Raises every commit that has returned to `durability`.
pub(crate) fn persist(machinery: &Machinery, durability: Durability) -> Result<()> {
    let position = {
        let mut log = machinery.log.lock();
        log.check()?;
        if durability == Durability::Memory {
            return Ok(());
        }
        log.write_pending()?
    };
    match position {
        Some(position) if durability == Durability::Sync => machinery.log.sync_to(position),
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

/// Puts a logged batch into its memtables. That cannot fail for rows within the limits; if it does, log and memory differ.
fn apply(machinery: &Machinery, keyspaces: &[Arc<KeyspaceState>], seqno: SeqNo, record: &Prepared) -> Result<()> {
    let mut next = seqno;
    let applied = for_each_op(record.payload(), record.count(), |op| {
        let keyspace = keyspaces.iter().find(|keyspace| keyspace.id() == op.keyspace);
        let keyspace = keyspace.expect("a batch holds every keyspace that it names");
        keyspace.with_newest(|tree| match op.kind {
            Kind::Value => tree.insert(op.key, op.value, next),
            Kind::Tombstone => tree.remove(op.key, next),
            kind => Err(Error::unsupported(format!("a write of kind {kind:?} is not known to this version"))),
        })?;
        next += 1;
        Ok(())
    });
    applied.map_err(|error| machinery.fatal.set(error.context("a logged commit could not be applied")))
}
