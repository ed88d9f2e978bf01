//! `Overlay`: rows of a caller's own that are read with those of a tree.

use super::Tree;
use crate::{
    memtable::Memtable,
    read::{Ended, Overlaid, Scan, Search},
    write,
};
use sediment_base::{Error, InternalKey, Kind, RangeTombstone, Result, SeqNo, Slice, range::owned_bounds};
use sediment_table::Reach;
use std::{
    ops::{Bound, RangeBounds},
    sync::Arc,
};

/// Rows in memory beside a tree: what a transaction has written and not committed. They are read with the tree's as if they were in it,
/// and never flushed. Their seqnos are to be above the tree's rows of the same keys: a tree forgets removals that hide nothing in it, and
/// an older row of an overlay would come to light. Cheap to clone; the clones are one overlay. Every method may be called from any thread.
#[derive(Clone, Debug)]
pub struct Overlay {
    tree: Tree,
    memtable: Arc<Memtable>,
}

impl Overlay {
    /// Gives `key` a value at `seqno`: as [`Tree::insert`], in any order of seqnos.
    pub fn insert(&self, key: &[u8], value: &[u8], seqno: SeqNo) -> Result<()> {
        self.apply(InternalKey::new(key, seqno, Kind::Value), value)
    }

    /// Removes `key` at `seqno`: hides what the tree and the overlay hold of it below.
    pub fn remove(&self, key: &[u8], seqno: SeqNo) -> Result<()> {
        self.apply(InternalKey::new(key, seqno, Kind::Tombstone), &[])
    }

    /// Removes the keys of a range at `seqno`: as [`Tree::remove_range`].
    pub fn remove_range(&self, start: &[u8], end: &[u8], seqno: SeqNo) -> Result<()> {
        let tombstone = RangeTombstone { start: start.into(), end: end.into(), seqno };
        if write::check_range(&self.tree.inner.versions, &tombstone)? {
            self.memtable.remove_range(tombstone)?;
        }
        Ok(())
    }

    /// Merges an operand into `key` at `seqno`: as [`Tree::merge`].
    pub fn merge(&self, key: &[u8], operand: &[u8], seqno: SeqNo) -> Result<()> {
        self.apply(InternalKey::new(key, seqno, Kind::Operand), operand)
    }

    /// How many rows and range tombstones it holds, of all kinds and versions.
    pub fn rows(&self) -> usize {
        self.memtable.rows()
    }

    /// Memory that it takes.
    pub fn bytes(&self) -> usize {
        self.memtable.bytes()
    }

    fn apply(&self, key: InternalKey<'_>, value: &[u8]) -> Result<()> {
        write::check(&key, value)?;
        self.memtable.insert(key, value)
    }
}

impl Tree {
    /// An empty overlay over this tree: for it and no other.
    pub fn overlay(&self) -> Overlay {
        let versions = &self.inner.versions;
        let memtable = versions.load().active.successor(versions.settings().entry_checksums);
        Overlay { tree: self.clone(), memtable: Arc::new(memtable) }
    }

    /// The value of `key`: of the tree's rows below `read_seqno` and the overlay's below its `cutoff`, the one with the highest seqno
    /// decides: no key has two rows of one seqno. `InvalidInput` for the overlay of another tree.
    pub fn get_with_overlay(
        &self,
        key: &[u8],
        read_seqno: SeqNo,
        (overlay, cutoff): (&Overlay, SeqNo),
    ) -> Result<Option<Slice>> {
        self.check_overlay(overlay)?;
        let (options, mut value) = (&self.inner.versions.options, Slice::default());
        let (pinned, read_seqno) = self.pin_at(|| read_seqno);
        pinned.check_history(read_seqno)?;
        let mut search = Search::new(&pinned, key, read_seqno, &mut value);
        search.look_into_overlay(&overlay.memtable, cutoff)?;
        search.look_into_memtables(&pinned)?;
        search.go_on(&pinned, options, Reach::All)?;
        let ended = search.result()?;
        search.count(&pinned, options);
        match ended {
            Ended::Absent => Ok(None),
            Ended::Found => Ok(Some(value)),
            // What it folds with may be in any source: a scan of one key finds all of it.
            Ended::Operand => {
                let bounds = (Bound::Included(key), Bound::Included(key));
                let mut scan = self.range_with_overlay::<&[u8], _>(bounds, read_seqno, (overlay, cutoff))?;
                Ok(scan.next_ref()?.map(|(_, value)| Slice::new(value)))
            }
        }
    }

    /// The rows of a range, of tree and overlay as in [`Tree::get_with_overlay`]. Rows put into the overlay during the scan may or may not be
    /// met. Errors come from the scan.
    pub fn range_with_overlay<K: AsRef<[u8]>, R: RangeBounds<K>>(
        &self,
        range: R,
        read_seqno: SeqNo,
        (overlay, cutoff): (&Overlay, SeqNo),
    ) -> Result<Scan> {
        self.check_overlay(overlay)?;
        let bounds = owned_bounds(&range);
        let overlaid = Overlaid { memtable: Arc::clone(&overlay.memtable), cutoff };
        let (pinned, read_seqno) = self.pin_at(|| read_seqno);
        Ok(Scan::new(pinned, self.reader(read_seqno).with_overlay(overlaid), bounds))
    }

    fn check_overlay(&self, overlay: &Overlay) -> Result<()> {
        if Arc::ptr_eq(&overlay.tree.inner, &self.inner) {
            return Ok(());
        }
        Err(Error::invalid_input("the overlay is of another tree"))
    }
}
