//! `Segment`: neighbouring rows of one block, for a walk that has nobody else to ask about them.
//!
//! A cursor moves row by row, because between two rows of one table there may be one of another source. Where a walk knows that
//! there is none, it takes all rows up to that point at once, and steps through them without a call to the cursor, without a
//! comparison and without a check for the block's end at every layer.

use super::{TableCursor, block_key::BlockKey};
use crate::{
    block::{Block, BlockRef},
    reader::Table,
};
use sediment_base::{
    InternalKey, KeyOrder, Kind, Result, RowFlags, SeqNo,
    range::{is_within_lower, is_within_upper},
};
use std::{
    ops::{Bound, Range},
    sync::Arc,
};

/// Neighbouring rows of one block, given key by key from either end: every key whole, with all its rows in the table. It keeps the
/// block alive. Made empty; cursors fill it.
#[derive(Debug, Default)]
pub struct Segment {
    block: Option<BlockRef>,
    /// Rows not given yet.
    rows: Range<usize>,
    /// User key of the row that it stands on.
    key: BlockKey,
    /// Where in the bytes of the block that row's value lies.
    value: Range<usize>,
    /// Where rows come from that are to be checked: their table, and the number of the block.
    digested: Option<(Arc<Table>, usize)>,
}

/// A row of a segment, but for its key and value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SegmentRow {
    /// Its place, for [`Segment::stand`].
    pub row: usize,
    /// Its version.
    pub seqno: SeqNo,
    /// What it does.
    pub kind: Kind,
    /// How to read the value.
    pub flags: RowFlags,
}

impl Segment {
    /// The rows of the next key, newest first.
    #[inline]
    pub fn next_key(&mut self) -> Option<Range<usize>> {
        if self.rows.is_empty() {
            return None;
        }
        let first = self.rows.start;
        self.rows.start = self.block().key_end(first);
        Some(first..self.rows.start)
    }

    /// The rows of the last key, newest first.
    #[inline]
    pub fn next_key_back(&mut self) -> Option<Range<usize>> {
        let last = self.rows.clone().next_back()?;
        let first = self.block().key_start(last);
        self.rows.end = first;
        Some(first..last + 1)
    }

    /// Whether rows are to be checked before they are looked at.
    #[inline]
    pub fn is_digested(&self) -> bool {
        self.digested.is_some()
    }

    /// The rows of the key that was given last have their digests. If not, they are given again, and fail again.
    pub fn check(&mut self, rows: &Range<usize>) -> Result<()> {
        let (Some((table, number)), Some(block)) = (&self.digested, &self.block) else { return Ok(()) };
        let block = Block::of(block);
        self.key.set_to(block, rows.start);
        let key_hash = table.key_hash(self.key.bytes());
        if rows.clone().all(|row| block.is_intact(row, key_hash)) {
            return Ok(());
        }
        let error = table.damaged(*number);
        if self.rows.start == rows.end {
            self.rows.start = rows.start;
        } else {
            self.rows.end = rows.end;
        }
        Err(error)
    }

    /// How many rows are not given yet.
    pub fn rows(&self) -> usize {
        self.rows.len()
    }

    /// What a row is. Panics outside the segment.
    #[inline]
    pub fn row(&self, row: usize) -> SegmentRow {
        let head = self.block().head(row);
        SegmentRow { row, seqno: head.seqno, kind: head.kind, flags: head.flags }
    }

    /// Makes [`Segment::key`] and [`Segment::value`] those of a row. Panics outside the block.
    #[inline]
    pub fn stand(&mut self, row: usize) {
        let Some(block) = &self.block else { return };
        let block = Block::of(block);
        let view = block.view(row);
        self.key.set(block, row, &view);
        self.value = view.value;
    }

    /// The user key of the row that it stands on.
    #[inline]
    pub fn key(&self) -> &[u8] {
        self.key.bytes()
    }

    /// The stored value of the row that it stands on.
    #[inline]
    pub fn value(&self) -> &[u8] {
        self.block.as_ref().map_or(&[], |block| &Block::of(block).bytes()[self.value.start..self.value.end])
    }

    fn block(&self) -> Block<'_> {
        Block::of(self.block.as_ref().expect("rows are those of a block"))
    }

    fn fill(&mut self, cursor: &TableCursor, rows: Range<usize>) {
        let (number, block) = cursor.standing();
        self.rows = rows;
        self.key.enter(Block::of(block));
        self.block = Some(block.clone());
        self.digested = cursor.is_digested.then(|| (Arc::clone(&cursor.table), number));
    }
}

impl TableCursor {
    /// Fills `segment` with the rows of all keys behind the current one, as far as they lie whole in the same block and within
    /// `upper`, and moves onto the last of them. False, and nothing done, where there are none. Panics on no row.
    pub fn segment_after(&mut self, upper: Bound<&[u8]>, segment: &mut Segment) -> bool {
        let (number, shared) = self.standing();
        let block = Block::of(shared);
        let first = block.key_end(self.row);
        let is_cut = self.table.index().continues(number + 1, &self.leaf);
        let whole = if is_cut { block.key_start(self.rows - 1) } else { self.rows };
        if first >= whole {
            return false;
        }
        let end = rows_below(block, whole, upper, self.table.order());
        if first >= end || self.is_digested && !(self.are_of_key(first) && self.is_within(end - 1, upper, is_within_upper)) {
            return false;
        }
        segment.fill(self, first..end);
        self.take_row(end - 1, false);
        true
    }

    /// Fills `segment` with the rows of the current key and of all before it, as far as they lie whole in the same block and within
    /// `lower`, and moves onto the first of them. The current row must be the oldest of its key. False, and nothing done, where
    /// there are none. Panics on no row.
    pub fn segment_before(&mut self, lower: Bound<&[u8]>, segment: &mut Segment) -> bool {
        let (number, shared) = self.standing();
        let block = Block::of(shared);
        let end = self.row + 1;
        let whole = if self.table.index().continues(number, &self.leaf) { block.key_end(0) } else { 0 };
        if whole >= end {
            return false;
        }
        let first = whole.max(rows_outside(block, lower, self.table.order()));
        if first >= end || self.is_digested && !self.is_within(first, lower, is_within_lower) {
            return false;
        }
        segment.fill(self, first..end);
        self.take_row(first, false);
        true
    }

    /// Whether the rows from the current one on up to `end` have their digests with its key.
    fn are_of_key(&self, end: usize) -> bool {
        let (block, key_hash) = (Block::of(self.standing().1), self.table.key_hash(self.key.bytes()));
        (self.row..end).all(|row| block.is_intact(row, key_hash))
    }

    /// Whether a row has its digest, and a key within the bound, where damage may have led the search for it astray. Where not, one step after
    /// the other will come to what is damaged.
    fn is_within(&self, row: usize, bound: Bound<&[u8]>, is_within: fn(&[u8], Bound<&[u8]>, &KeyOrder) -> bool) -> bool {
        let block = Block::of(self.standing().1);
        let key = block.user_key(row);
        block.is_intact(row, self.table.key_hash(&key)) && is_within(&key, bound, self.table.order())
    }
}

/// How many of the first `rows` rows are within `upper`.
fn rows_below(block: Block<'_>, rows: usize, upper: Bound<&[u8]>, order: &KeyOrder) -> usize {
    let (key, is_within) = match upper {
        Bound::Unbounded => return rows,
        Bound::Included(key) => (key, true),
        Bound::Excluded(key) => (key, false),
    };
    // Most often the whole block is: one comparison tells.
    let last = block.compare_key(rows - 1, key, order);
    if last.is_lt() || is_within && last.is_eq() { rows } else { rows.min(first_row(block, key, is_within, order)) }
}

/// How many rows at the beginning are not within `lower`.
fn rows_outside(block: Block<'_>, lower: Bound<&[u8]>, order: &KeyOrder) -> usize {
    let (key, is_past) = match lower {
        Bound::Unbounded => return 0,
        Bound::Included(key) => (key, false),
        Bound::Excluded(key) => (key, true),
    };
    let first = block.compare_key(0, key, order);
    if first.is_gt() || !is_past && first.is_eq() { 0 } else { first_row(block, key, is_past, order) }
}

/// The first row at or behind a user key; behind it, if `is_past`.
fn first_row(block: Block<'_>, key: &[u8], is_past: bool, order: &KeyOrder) -> usize {
    let row = block.lower_bound(InternalKey::before(key), order);
    if is_past && row < block.rows() && block.compare_key(row, key, order).is_eq() { block.key_end(row) } else { row }
}
