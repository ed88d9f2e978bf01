//! What else can be asked of a tree: sizes, ends, counts, and cursors.

use super::Tree;
use crate::read::{self, Cursor, Direction, ScanLimits, ScanPart, ValueLen};
use sediment_base::{Result, SeqNo, Slice, range::owned_bounds};
use sediment_raw::epoch;
use std::ops::RangeBounds;

impl Tree {
    /// How long the value of `key` is at `read_seqno`, in bytes. The value is not copied.
    pub fn size_of(&self, key: &[u8], read_seqno: SeqNo) -> Result<Option<usize>> {
        let mut len = ValueLen::default();
        let begun = self.begin_get(&epoch::pin(), key, || read_seqno, &mut len)?;
        Ok(begun.finish()?.then_some(len.0))
    }

    /// The row with the smallest key at `read_seqno`.
    pub fn first(&self, read_seqno: SeqNo) -> Result<Option<(Slice, Slice)>> {
        self.range::<Slice, _>(.., read_seqno).next().transpose()
    }

    /// The row with the largest key at `read_seqno`.
    pub fn last(&self, read_seqno: SeqNo) -> Result<Option<(Slice, Slice)>> {
        self.range::<Slice, _>(.., read_seqno).next_back().transpose()
    }

    /// How many keys have a value at `read_seqno`: counts them, which reads all of the tree.
    pub fn len(&self, read_seqno: SeqNo) -> Result<u64> {
        self.range::<Slice, _>(.., read_seqno).count_rows()
    }

    /// Whether no key has a value at `read_seqno`.
    pub fn is_empty(&self, read_seqno: SeqNo) -> Result<bool> {
        Ok(self.range::<Slice, _>(.., read_seqno).next_ref()?.is_none())
    }

    /// Whether a key that begins with `prefix` has a value at `read_seqno`. `InvalidInput` as from [`Tree::prefix`].
    pub fn contains_prefix(&self, prefix: &[u8], read_seqno: SeqNo) -> Result<bool> {
        Ok(self.prefix(prefix, read_seqno)?.next_ref()?.is_some())
    }

    /// Rows in memory and in tables, old versions and tombstones among them: at least as many as there are keys, as long as nobody
    /// writes. Reads nothing.
    pub fn approximate_len(&self) -> u64 {
        read::approximate_len(&self.inner.versions.load())
    }

    /// Bytes on disk of the rows of a range, those of old versions among them, to within two blocks a run. Rows in memory do not
    /// count. Reads no data block: fences know where blocks lie.
    pub fn approximate_bytes<K: AsRef<[u8]>, R: RangeBounds<K>>(&self, range: R) -> Result<u64> {
        let bounds = owned_bounds(&range);
        let versions = &self.inner.versions;
        let order = &versions.options.order;
        if read::is_empty(&bounds, order) {
            return Ok(0);
        }
        read::approximate_bytes(&versions.pin(), &bounds, order)
    }

    /// A part of a scan at `read_seqno`, which stops when it has done what it may: [`ScanPart::rest`] is what to ask for next. Errors come
    /// from the part.
    pub fn scan_part<K: AsRef<[u8]>, R: RangeBounds<K>>(
        &self,
        range: R,
        way: (Direction, ScanLimits),
        read_seqno: SeqNo,
    ) -> ScanPart {
        self.scan_part_at(range, way, || read_seqno)
    }

    /// A part of a scan at the seqno that `visible` returns, asked as in [`Tree::range_at`].
    pub fn scan_part_at<K: AsRef<[u8]>, R: RangeBounds<K>>(
        &self,
        range: R,
        way: (Direction, ScanLimits),
        visible: impl FnMut() -> SeqNo,
    ) -> ScanPart {
        let bounds = owned_bounds(&range);
        let (pinned, read_seqno) = self.pin_at(visible);
        ScanPart::new(pinned, self.reader(read_seqno), bounds, way)
    }

    /// A cursor over the rows at `read_seqno`, before the first of them. Errors come from the cursor.
    pub fn cursor(&self, read_seqno: SeqNo) -> Cursor {
        self.cursor_at(|| read_seqno)
    }

    /// A cursor over the rows at the seqno that `visible` returns, asked as in [`Tree::range_at`].
    pub fn cursor_at(&self, visible: impl FnMut() -> SeqNo) -> Cursor {
        let (pinned, read_seqno) = self.pin_at(visible);
        Cursor::new(pinned, self.reader(read_seqno))
    }
}
