//! A walk over the rows of one table.
//!
//! The fence says which block holds a target, so that a seek loads one block, or two where the target lies between them. Rows are
//! random access within a block: both directions cost the same. The block that the cursor stands on is kept alive by it.

mod block_key;
mod segment;
mod whole;

pub use segment::{Segment, SegmentRow};
pub use whole::WholeBlock;

use block_key::BlockKey;

use crate::{
    block::{Block, BlockRef, RowHead},
    cache::Heat,
    reader::{HeldLeaf, Table, Window},
};
use sediment_base::{Account, Cursor, Error, InternalKey, Kind, Result, RowFlags, budget::Charge};
use std::{cmp::Ordering, ops::Range, sync::Arc};

/// Most that a scan reads ahead.
const SCAN_BYTES: u64 = 64 << 10;
/// Most that a rewrite reads ahead.
const REWRITE_BYTES: u64 = 512 << 10;

/// A cursor over a table, which it keeps open.
#[derive(Debug)]
pub struct TableCursor {
    table: Arc<Table>,
    heat: Heat,
    window: Window,
    /// What is known of the block that it stands on, where the fence is not in memory.
    leaf: HeldLeaf,
    /// Whether rows are checked before it stands on them.
    is_digested: bool,
    /// The block loaded last, and its number.
    block: Option<(usize, BlockRef)>,
    is_valid: bool,
    row: usize,
    rows: usize,
    head: RowHead,
    /// Where in the bytes of the block the value lies.
    value: Range<usize>,
    /// User key of the row.
    key: BlockKey,
    failed: Option<Error>,
}

impl Table {
    /// A cursor on no row.
    pub fn cursor(self: &Arc<Self>) -> TableCursor {
        TableCursor::new(Arc::clone(self), Heat::Scan, Window::new(SCAN_BYTES, None))
    }

    /// A cursor that uses cached blocks but leaves none behind: for rewrites, which pass once.
    pub fn cursor_uncached(self: &Arc<Self>) -> TableCursor {
        let charge = Charge::new(self.budget(), Account::Compaction, 0);
        TableCursor::new(Arc::clone(self), Heat::Once, Window::new(REWRITE_BYTES, Some(charge)))
    }

    /// The same, that leaves nothing behind in the memory of the system, either: what it reads from the file is
    /// [evicted](sediment_env::File::evict) once it has passed.
    pub fn cursor_evicting(self: &Arc<Self>) -> TableCursor {
        let cursor = self.cursor_uncached();
        TableCursor { window: cursor.window.leaving(self.wake()), ..cursor }
    }
}

impl TableCursor {
    fn new(table: Arc<Table>, heat: Heat, window: Window) -> Self {
        Self {
            is_digested: table.has_digests(),
            table,
            heat,
            window,
            leaf: HeldLeaf::default(),
            block: None,
            is_valid: false,
            row: 0,
            rows: 0,
            head: RowHead { seqno: 0, kind: Kind::Value, flags: RowFlags::NONE },
            value: 0..0,
            key: BlockKey::default(),
            failed: None,
        }
    }

    /// Takes the block with this number, on no row of it.
    fn load(&mut self, number: usize) -> Result<()> {
        self.is_valid = false;
        if let Err(error) = self.table.hold(number, self.heat, &mut self.leaf) {
            return self.fail(error);
        }
        match &self.block {
            Some((loaded, _)) if *loaded == number => Ok(()),
            _ => self.take(number),
        }
    }

    fn take(&mut self, number: usize) -> Result<()> {
        let block = match self.table.block(number, self.heat, &self.leaf, &mut self.window) {
            Ok(block) => block,
            Err(error) => return self.fail(error),
        };
        self.key.enter(Block::of(&block));
        self.rows = Block::of(&block).rows();
        self.block = Some((number, block));
        Ok(())
    }

    /// The first row at or after `target` in the block with this number, which is taken; its number of rows if there is none.
    fn lower_bound(&mut self, number: usize, target: InternalKey<'_>) -> Result<usize> {
        self.load(number)?;
        let block = Block::of(&self.block.as_ref().expect("the block was just taken").1);
        let row = block.lower_bound(target, self.table.order());
        if self.is_digested && !self.table.proves_place(number, block, row, target) {
            return self.fail(self.table.damaged(number));
        }
        Ok(row)
    }

    /// It stays on no row, with this error.
    #[cold]
    fn fail<T>(&mut self, error: Error) -> Result<T> {
        self.is_valid = false;
        self.failed = Some(error.clone());
        Err(error)
    }

    /// Stands on a row of the loaded block, which has another user key than the row before unless `is_same_key`.
    #[inline]
    fn stand(&mut self, row: usize, is_same_key: bool) -> Result<()> {
        if self.is_digested {
            self.check_row(row, is_same_key)?;
        }
        self.take_row(row, is_same_key);
        Ok(())
    }

    /// The row has its digest, with the key that it will have here.
    #[inline(never)]
    fn check_row(&mut self, row: usize, is_same_key: bool) -> Result<()> {
        let Some((number, block)) = &self.block else { return Ok(()) };
        let block = Block::of(block);
        if !is_same_key {
            self.key.set_to(block, row);
        }
        if !block.is_intact(row, self.table.key_hash(self.key.bytes())) {
            return self.fail(self.table.damaged(*number));
        }
        Ok(())
    }

    #[inline]
    fn take_row(&mut self, row: usize, is_same_key: bool) {
        let Some((_, block)) = &self.block else { return };
        let block = Block::of(block);
        let view = block.view(row);
        if !is_same_key {
            self.key.set(block, row, &view);
        }
        (self.row, self.head, self.value) = (row, view.head, view.value);
        self.is_valid = true;
    }

    /// Stands on the first row of this block, or on none behind the last block.
    fn stand_on_first(&mut self, number: usize) -> Result<()> {
        self.is_valid = false;
        if number < self.table.index().blocks() {
            self.load(number)?;
            self.stand(0, false)?;
        }
        Ok(())
    }

    /// Stands on the last row before this block, or on none before the first.
    fn stand_before(&mut self, number: usize) -> Result<()> {
        self.is_valid = false;
        if let Some(number) = number.checked_sub(1) {
            self.load(number)?;
            self.stand(self.rows - 1, false)?;
        }
        Ok(())
    }

    /// Whether no row of the table behind this one has its user key. Panics on no row.
    #[inline]
    pub fn is_last_of_key(&self) -> bool {
        let (number, block) = self.standing();
        let (row, next) = (self.row + 1, number + 1);
        if row < self.rows {
            return !Block::of(block).is_same_key(row);
        }
        !self.table.index().continues(next, &self.leaf)
    }

    /// Whether no row of the table before this one has its user key. Panics on no row.
    #[inline]
    pub fn is_first_of_key(&self) -> bool {
        let (number, _) = self.standing();
        !self.head.flags.contains(RowFlags::SAME_KEY) && (self.row > 0 || !self.table.index().continues(number, &self.leaf))
    }

    /// Whether every row of the block that was found comes at or after `target`, by what the fence knows.
    fn starts_after(&self, number: usize, target: InternalKey<'_>) -> bool {
        let (index, leaf) = (self.table.index(), &self.leaf);
        index.place(number, leaf).max_seqno < target.seqno
            && !index.continues(number, leaf)
            && self.table.order().compare(&index.first_key(number, leaf), target.user_key) == Ordering::Equal
    }

    /// The block in which a search for `target` begins, of which it holds what is known; nothing if all rows come after.
    fn find(&mut self, target: InternalKey<'_>) -> Result<Option<usize>> {
        match self.table.find_block(target, self.heat, &mut self.leaf) {
            Err(error) => self.fail(error),
            found => found,
        }
    }

    fn check(&self) -> Result<()> {
        self.failed.as_ref().map_or(Ok(()), |error| Err(error.clone()))
    }

    /// The block that the cursor stands on.
    fn standing(&self) -> (usize, &BlockRef) {
        assert!(self.is_valid, "the cursor stands on no row");
        let (number, block) = self.block.as_ref().expect("a cursor on a row has its block");
        (*number, block)
    }
}

impl Cursor for TableCursor {
    #[inline]
    fn is_valid(&self) -> bool {
        self.is_valid
    }

    #[inline]
    fn key(&self) -> InternalKey<'_> {
        assert!(self.is_valid, "the cursor stands on no row");
        InternalKey::new(self.key.bytes(), self.head.seqno, self.head.kind)
    }

    #[inline]
    fn value(&self) -> &[u8] {
        &Block::of(self.standing().1).bytes()[self.value.start..self.value.end]
    }

    #[inline]
    fn flags(&self) -> RowFlags {
        self.head.flags
    }

    fn digest(&self, hash_seed: u64) -> Option<u32> {
        if !self.is_digested || self.table.properties().hash_seed != hash_seed {
            return None;
        }
        Block::of(self.standing().1).digest(self.row)
    }

    fn seek_to_first(&mut self) -> Result<()> {
        self.check()?;
        self.stand_on_first(0)
    }

    fn seek_to_last(&mut self) -> Result<()> {
        self.check()?;
        self.stand_before(self.table.index().blocks())
    }

    fn seek(&mut self, target: InternalKey<'_>) -> Result<()> {
        self.check()?;
        let Some(number) = self.find(target)? else { return self.stand_on_first(0) };
        match self.lower_bound(number, target)? {
            row if row < self.rows => self.stand(row, false),
            _ => self.stand_on_first(number + 1),
        }
    }

    fn seek_before(&mut self, target: InternalKey<'_>) -> Result<()> {
        self.check()?;
        self.is_valid = false;
        let Some(number) = self.find(target)? else { return Ok(()) };
        if self.starts_after(number, target) {
            return self.stand_before(number);
        }
        match self.lower_bound(number, target)?.checked_sub(1) {
            Some(row) => self.stand(row, false),
            None => self.stand_before(number),
        }
    }

    #[inline]
    fn next(&mut self) -> Result<()> {
        self.check()?;
        let (number, block) = self.standing();
        let row = self.row + 1;
        if row < self.rows {
            let is_same_key = Block::of(block).is_same_key(row);
            return self.stand(row, is_same_key);
        }
        self.stand_on_first(number + 1)
    }

    #[inline]
    fn prev(&mut self) -> Result<()> {
        self.check()?;
        let (number, _) = self.standing();
        if let Some(row) = self.row.checked_sub(1) {
            let is_same_key = self.head.flags.contains(RowFlags::SAME_KEY);
            return self.stand(row, is_same_key);
        }
        self.stand_before(number)
    }
}
