//! Compare and swap: a write that happens only if its key still holds what the caller believes.
//!
//! The key is watched (`wal/watch.rs`) before it is read. All commits that took their place before are waited for, those that take it
//! after are noticed: if one touches the key before ours has its place, we look again. Each time we do, somebody else has
//! got on.

use crate::{
    catalog::KeyspaceState,
    commit::{Writes, commit_if},
    options::Durability,
    wal::Watch,
    worker::{Machinery, Worker},
};
use sediment_base::{ErrorKind, Result, Slice};
use std::sync::Arc;

/// A write that depends on what is there.
#[derive(Debug)]
pub(crate) struct Swap<'a> {
    pub(crate) keyspace: &'a Arc<KeyspaceState>,
    pub(crate) key: &'a [u8],
    /// What must be there; `None`: nothing.
    pub(crate) expected: Option<&'a [u8]>,
    pub(crate) durability: Durability,
}

/// Commits what `write` makes if the key holds what is expected; else what it holds. `read` reads it now.
pub(crate) fn compare_and_swap(
    machinery: &Machinery,
    worker: &Worker,
    swap: &Swap<'_>,
    read: impl Fn() -> Result<Option<Slice>>,
    write: impl Fn() -> Writes,
) -> Result<std::result::Result<(), Option<Slice>>> {
    loop {
        let watch = Watch::new(&machinery.log, swap.keyspace.id(), swap.key, swap.keyspace.order())?;
        machinery.snapshots.wait_visible(watch.settled())?;
        let found = read()?;
        if found.as_deref() != swap.expected {
            return Ok(Err(found));
        }
        match commit_if(machinery, worker, write(), swap.durability, || watch.check()) {
            Err(error) if error.kind() == ErrorKind::Conflict => {}
            committed => return committed.map(Ok),
        }
    }
}
