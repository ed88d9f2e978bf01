//! A walk over the rows of one table.
//!
//! The fence says which block holds a target, so that a seek loads one block, or two where the target lies between them. Rows are
//! random access within a block: both directions cost the same. The block that the cursor stands on is kept alive by it.

use crate::{
    block::{Block, RowHead},
    cache::Heat,
    reader::Table,
};
use sediment_base::{Cursor, Error, InternalKey, Kind, Result, RowFlags};
use std::{cmp::Ordering, sync::Arc};

/// A cursor over a table, which it keeps open.
#[derive(Debug)]
pub struct TableCursor {
    table: Arc<Table>,
    heat: Heat,
    /// The block loaded last, and its number.
    block: Option<(usize, Arc<Block>)>,
    is_valid: bool,
    row: usize,
    rows: usize,
    head: RowHead,
    /// User key of the row: what the block's keys share, then the rest.
    key: Vec<u8>,
    prefix_len: usize,
    failed: Option<Error>,
}

impl Table {
    /// A cursor on no row.
    pub fn cursor(self: &Arc<Self>) -> TableCursor {
        TableCursor::new(Arc::clone(self), Heat::Scan)
    }

    /// A cursor that uses cached blocks but leaves none behind: for rewrites, which pass once.
    pub fn cursor_uncached(self: &Arc<Self>) -> TableCursor {
        TableCursor::new(Arc::clone(self), Heat::Once)
    }
}

impl TableCursor {
    fn new(table: Arc<Table>, heat: Heat) -> Self {
        Self {
            table,
            heat,
            block: None,
            is_valid: false,
            row: 0,
            rows: 0,
            head: RowHead { seqno: 0, kind: Kind::Value, flags: RowFlags::NONE },
            key: Vec::new(),
            prefix_len: 0,
            failed: None,
        }
    }

    /// The block with this number, on no row of it.
    fn load(&mut self, number: usize) -> Result<Arc<Block>> {
        self.is_valid = false;
        if let Some((loaded, block)) = &self.block
            && *loaded == number
        {
            return Ok(Arc::clone(block));
        }
        let block = match self.table.block(number, self.heat) {
            Ok(block) => block,
            Err(error) => {
                self.failed = Some(error.clone());
                return Err(error);
            }
        };
        self.key.clear();
        self.key.extend_from_slice(block.prefix());
        self.prefix_len = block.prefix().len();
        self.rows = block.rows();
        self.block = Some((number, Arc::clone(&block)));
        Ok(block)
    }

    /// Stands on a row of the loaded block.
    #[inline]
    fn stand(&mut self, row: usize, is_same_key: bool) {
        let Some((_, block)) = &self.block else { return };
        if !is_same_key {
            self.key.truncate(self.prefix_len);
            self.key.extend_from_slice(block.suffix(row));
        }
        self.head = block.head(row);
        self.row = row;
        self.is_valid = true;
    }

    /// Stands on the first row of this block, or on none behind the last block.
    fn stand_on_first(&mut self, number: usize) -> Result<()> {
        self.is_valid = false;
        if number < self.table.fence().blocks() {
            self.load(number)?;
            self.stand(0, false);
        }
        Ok(())
    }

    /// Stands on the last row before this block, or on none before the first.
    fn stand_before(&mut self, number: usize) -> Result<()> {
        self.is_valid = false;
        if let Some(number) = number.checked_sub(1) {
            let rows = self.load(number)?.rows();
            self.stand(rows - 1, false);
        }
        Ok(())
    }

    /// Whether every row of the block comes at or after `target`, by what the fence knows.
    fn starts_after(&self, number: usize, target: InternalKey<'_>) -> bool {
        let place = self.table.fence().place(number);
        place.max_seqno < target.seqno
            && !self.table.fence().continues(number)
            && self.table.order().compare(&self.table.fence().first_key(number), target.user_key) == Ordering::Equal
    }

    fn check(&self) -> Result<()> {
        self.failed.as_ref().map_or(Ok(()), |error| Err(error.clone()))
    }

    /// The block that the cursor stands on.
    fn standing(&self) -> (usize, &Block) {
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
        InternalKey::new(&self.key, self.head.seqno, self.head.kind)
    }

    #[inline]
    fn value(&self) -> &[u8] {
        self.standing().1.value(self.row)
    }

    #[inline]
    fn flags(&self) -> RowFlags {
        self.head.flags
    }

    fn seek_to_first(&mut self) -> Result<()> {
        self.check()?;
        self.stand_on_first(0)
    }

    fn seek_to_last(&mut self) -> Result<()> {
        self.check()?;
        self.stand_before(self.table.fence().blocks())
    }

    fn seek(&mut self, target: InternalKey<'_>) -> Result<()> {
        self.check()?;
        let Some(number) = self.table.fence().find(target, self.table.order()) else { return self.stand_on_first(0) };
        let block = self.load(number)?;
        match block.lower_bound(target, self.table.order()) {
            row if row < self.rows => self.stand(row, false),
            _ => self.stand_on_first(number + 1)?,
        }
        Ok(())
    }

    fn seek_before(&mut self, target: InternalKey<'_>) -> Result<()> {
        self.check()?;
        self.is_valid = false;
        let Some(number) = self.table.fence().find(target, self.table.order()) else { return Ok(()) };
        if self.starts_after(number, target) {
            return self.stand_before(number);
        }
        let block = self.load(number)?;
        match block.lower_bound(target, self.table.order()).checked_sub(1) {
            Some(row) => self.stand(row, false),
            None => self.stand_before(number)?,
        }
        Ok(())
    }

    #[inline]
    fn next(&mut self) -> Result<()> {
        self.check()?;
        let (number, block) = self.standing();
        let row = self.row + 1;
        if row < self.rows {
            let is_same_key = block.is_same_key(row);
            self.stand(row, is_same_key);
            return Ok(());
        }
        self.stand_on_first(number + 1)
    }

    #[inline]
    fn prev(&mut self) -> Result<()> {
        self.check()?;
        let (number, block) = self.standing();
        if let Some(row) = self.row.checked_sub(1) {
            let is_same_key = block.is_same_key(self.row);
            self.stand(row, is_same_key);
            return Ok(());
        }
        self.stand_before(number)
    }
}
