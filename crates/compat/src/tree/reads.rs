//! Reads.

use super::{CopiedOverlay, Tree, TreeInner, lock};
use crate::{
    error::{Result, of_tree},
    guard::{BoxedIterator, IterGuard, IterGuardImpl, Rows},
    memtable::Memtable,
    seqno::SeqNo,
    slice::{KvPair, Slice, UserKey, UserValue, owned_bounds},
    value::{InternalValue, PinnableSlice},
};
use sediment_base::{ErrorKind, range::prefix_bounds};
use sediment_tree::{Overlay, Scan};
use std::{
    ops::{Bound, RangeBounds},
    sync::{Arc, Weak},
};

/// Rows of the caller's to be read as well, and below which number.
pub(crate) type Idx = Option<(Arc<Memtable>, SeqNo)>;
type Bounds = (Bound<sediment_base::Slice>, Bound<sediment_base::Slice>);

impl TreeInner {
    #[inline]
    pub(crate) fn get_value(&self, key: &[u8], seqno: SeqNo) -> Result<Option<UserValue>> {
        let mut value = sediment_base::Slice::default();
        match self.tree.get_into(key, seqno, &mut value) {
            Ok(is_found) => Ok(is_found.then(|| Slice::wrap(value))),
            Err(error) => Err(of_tree(error)),
        }
    }

    pub(crate) fn get_owned(&self, key: &[u8], seqno: SeqNo) -> Result<Option<PinnableSlice>> {
        Ok(self.get_value(key, seqno)?.map(PinnableSlice::owned))
    }

    pub(crate) fn has_key(&self, key: &[u8], seqno: SeqNo) -> Result<bool> {
        self.tree.contains_key(key, seqno).map_err(of_tree)
    }

    pub(crate) fn value_len(&self, key: &[u8], seqno: SeqNo) -> Result<Option<u32>> {
        Ok(self.tree.size_of(key, seqno).map_err(of_tree)?.map(|len| len as u32))
    }

    pub(crate) fn get_many<K: AsRef<[u8]>>(
        &self,
        keys: impl IntoIterator<Item = K>,
        seqno: SeqNo,
    ) -> Result<Vec<Option<UserValue>>> {
        let values = self.tree.multi_get(keys, seqno).map_err(of_tree)?;
        Ok(values.into_iter().map(|value| value.map(Slice::wrap)).collect())
    }

    pub(crate) fn scan<K: AsRef<[u8]>>(
        &self,
        range: &impl RangeBounds<K>,
        seqno: SeqNo,
        index: &Idx,
    ) -> BoxedIterator<'static> {
        Rows::of(self.scan_bounds(owned_bounds(range), seqno, index))
    }

    pub(crate) fn scan_prefix(&self, prefix: &[u8], seqno: SeqNo, index: &Idx) -> BoxedIterator<'static> {
        Rows::of(self.prefix_scan(prefix, seqno, index))
    }

    /// One end of everything.
    pub(crate) fn end(&self, is_last: bool, seqno: SeqNo, index: &Idx) -> Option<IterGuardImpl> {
        let mut rows = self.scan::<&[u8]>(&.., seqno, index);
        if is_last { rows.next_back() } else { rows.next() }
    }

    pub(crate) fn count(&self, seqno: SeqNo, index: &Idx) -> Result<usize> {
        let everything = (Bound::Unbounded, Bound::Unbounded);
        let rows = self.scan_bounds(everything, seqno, index).and_then(Scan::count_rows).map_err(of_tree)?;
        Ok(rows as usize)
    }

    pub(crate) fn has_none(&self, seqno: SeqNo, index: &Idx) -> Result<bool> {
        let everything = (Bound::Unbounded, Bound::Unbounded);
        self.scan_bounds(everything, seqno, index).and_then(is_empty).map_err(of_tree)
    }

    pub(crate) fn has_prefix(&self, prefix: &[u8], seqno: SeqNo, index: &Idx) -> Result<bool> {
        let is_empty = self.prefix_scan(prefix, seqno, index).and_then(is_empty).map_err(of_tree)?;
        Ok(!is_empty)
    }

    /// The newest row of a key that a read sees, as it lies; none where that is a tombstone.
    pub(crate) fn newest_row(&self, key: &[u8], seqno: SeqNo) -> Result<Option<InternalValue>> {
        if !self.has_key(key, seqno)? {
            return Ok(None);
        }
        let bounds = (Bound::Included(key), Bound::Included(key));
        for row in self.tree.raw_rows::<&[u8], _>(bounds) {
            let row = row.map_err(of_tree)?;
            if row.seqno < seqno {
                return Ok(Some(row.into()));
            }
        }
        Ok(None)
    }

    /// Prints all rows of a key.
    pub(crate) fn trace(&self, key: &[u8]) -> Result<()> {
        let bounds = (Bound::Included(key), Bound::Included(key));
        for row in self.tree.raw_rows::<&[u8], _>(bounds) {
            eprintln!("{:?}", row.map_err(of_tree)?);
        }
        Ok(())
    }

    fn prefix_scan(&self, prefix: &[u8], seqno: SeqNo, index: &Idx) -> sediment_base::Result<Scan> {
        if index.is_none() && !prefix.is_empty() {
            return self.tree.prefix(prefix, seqno);
        }
        if !prefix.is_empty() && !self.tree.order().is_lexicographic() {
            return Err(sediment_base::Error::new(ErrorKind::InvalidInput, "prefixes need the order of bytes"));
        }
        self.scan_bounds(prefix_bounds(prefix), seqno, index)
    }

    fn scan_bounds(&self, bounds: Bounds, seqno: SeqNo, index: &Idx) -> sediment_base::Result<Scan> {
        match index {
            None => Ok(self.tree.range(bounds, seqno)),
            Some((memtable, cutoff)) => {
                let overlay = self.overlay(memtable)?;
                self.tree.range_with_overlay(bounds, seqno, (&overlay, *cutoff))
            }
        }
    }

    /// A memtable of the caller's where the tree reads it, up to date.
    fn overlay(&self, memtable: &Arc<Memtable>) -> sediment_base::Result<Overlay> {
        if !memtable.is_own() {
            let overlay = self.tree.overlay();
            memtable.copy_to(&overlay, 0)?;
            return Ok(overlay);
        }
        let mut overlays = lock(&self.overlays);
        overlays.retain(|copied| copied.of.strong_count() > 0);
        let is_it = |copied: &CopiedOverlay| Weak::as_ptr(&copied.of) == Arc::as_ptr(memtable);
        let at = overlays.iter().position(is_it).unwrap_or_else(|| {
            let (of, overlay) = (Arc::downgrade(memtable), self.tree.overlay());
            overlays.push(CopiedOverlay { of, overlay, known: 0 });
            overlays.len() - 1
        });
        let copied = &mut overlays[at];
        copied.known = memtable.copy_to(&copied.overlay, copied.known)?;
        Ok(copied.overlay.clone())
    }
}

/// Rows of a scan that need no opening.
macro_rules! created {
    ($($(#[$doc:meta])* $name:ident($($arg:ident: $type:ty),*) => |$tree:ident, $seqno:ident, $index:ident| $scan:expr;)*) => {
        impl Tree {
            $($(#[$doc])*
            #[doc(hidden)]
            pub fn $name(
                &self,
                $($arg: $type,)*
                $seqno: SeqNo,
                index: Option<(Arc<Memtable>, SeqNo)>,
            ) -> impl DoubleEndedIterator<Item = Result<KvPair>> + Send + 'static {
                let ($tree, $index) = (self, &index);
                $scan.map(IterGuard::into_inner)
            })*
        }
    };
}

created! {
    /// All rows.
    create_iter() => |tree, seqno, index| tree.scan::<&[u8]>(&.., seqno, index);
    /// The rows of a range.
    create_range(range: &(Bound<UserKey>, Bound<UserKey>)) => |tree, seqno, index| tree.scan::<UserKey>(range, seqno, index);
    /// The rows of a prefix.
    create_prefix(prefix: &[u8]) => |tree, seqno, index| tree.scan_prefix(prefix, seqno, index);
}

fn is_empty(mut scan: Scan) -> sediment_base::Result<bool> {
    Ok(scan.next_ref()?.is_none())
}
