//! Sorted rows straight into the tables of a keyspace.
//!
//! The rows are written while the caller brings them; nobody waits for that. At its end an ingestion takes one seqno, by a record of
//! its own in the log: the log is synced up to there, then the manifest names the tables, and only then does the seqno
//! become visible. A crash before the manifest leaves a record that means nothing, and tables that nobody names.

use crate::{
    catalog::{Incarnation, KeyspaceState},
    commit::{change::lock, check_alive},
    wal::Prepared,
    worker::{Machinery, anchor},
};
use sediment_base::{Error, ErrorKind, Result};
use sediment_tree::{IngestReport, Ingestion};

/// Ends an ingestion into a tree of a keyspace. Durable and visible on return.
pub(crate) fn ingest(
    machinery: &Machinery,
    keyspace: &KeyspaceState,
    into: &Incarnation,
    ingestion: Ingestion,
) -> Result<IngestReport> {
    // Held, so that the keyspace is neither dropped nor cleared meanwhile.
    let _catalog = lock(machinery)?;
    check_alive(keyspace)?;
    if keyspace.newest().id != into.id {
        let name = keyspace.name();
        return Err(Error::new(ErrorKind::Conflict, format!("keyspace {name:?} was cleared while rows were ingested into it")));
    }
    if ingestion.is_empty() {
        return Ok(IngestReport::default());
    }
    let mut placed = machinery.log.append_alone(Prepared::of_tables(keyspace.id(), into.id), &mut |_| {})?;
    let coming = machinery.snapshots.expect(&mut placed);
    let synced = machinery.log.sync_to(placed.position.expect("it was written"));
    let ingested = synced.and_then(|()| ingestion.finish(placed.seqno()));
    // Whatever became of it: what comes behind must not wait for ever.
    coming.pass()?;
    let report = ingested?;
    anchor(machinery, &into.tree, into.id)?;
    Ok(report)
}
