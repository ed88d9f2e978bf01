//! The stamp of a compaction whose filter has changed something: a seqno, so that snapshots from before do not see it.
//!
//! It is taken like that of an ingestion, by a record of its own, which replay passes over: what the compaction made is in the tree's
//! manifest or nowhere, and after a crash nobody is left who has read anything. So the log is not synced for it.

use crate::{
    catalog::Incarnation,
    wal::{Placed, Prepared},
    worker::Machinery,
};
use sediment_base::{Error, ErrorKind, Result, SeqNo};
use std::cell::RefCell;

/// A stamp, once it is taken. What is written meanwhile becomes visible after [`Stamp::end`].
#[derive(Debug, Default)]
pub(super) struct Stamp(RefCell<Option<Placed<'static>>>);

impl Stamp {
    /// Takes it.
    pub(super) fn take(&self, machinery: &Machinery, tree: &Incarnation) -> Result<SeqNo> {
        let keyspace = machinery.keyspaces.get(&tree.keyspace);
        let keyspace = keyspace.ok_or_else(|| Error::new(ErrorKind::Cancelled, "the keyspace was dropped meanwhile"))?;
        let placed = machinery.log.append_alone(Prepared::of_tables(keyspace.id(), tree.id), &mut |_| {})?;
        let seqno = placed.seqno();
        *self.0.borrow_mut() = Some(placed);
        Ok(seqno)
    }

    /// The compaction is installed, or has failed: what is above may be seen. What nobody sees any more goes.
    pub(super) fn end(self, machinery: &Machinery) -> Result<()> {
        let Some(mut placed) = self.0.into_inner() else { return Ok(()) };
        machinery.snapshots.expect(&mut placed).pass()?;
        machinery.keyspaces.keep_history(|| machinery.snapshots.in_use());
        Ok(())
    }
}
