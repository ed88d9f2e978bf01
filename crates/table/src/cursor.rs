//! A walk over the rows of one table.

use crate::reader::Table;
use sediment_base::{Cursor, InternalKey, Result};
use std::sync::Arc;

/// A cursor over a table, which it keeps open.
#[derive(Debug)]
pub struct TableCursor {
    _table: Arc<Table>,
}

impl Table {
    /// A cursor on no row.
    pub fn cursor(self: &Arc<Self>) -> TableCursor {
        TableCursor { _table: Arc::clone(self) }
    }

    /// A cursor that uses cached blocks but leaves none behind: for rewrites, which pass once.
    pub fn cursor_uncached(self: &Arc<Self>) -> TableCursor {
        self.cursor()
    }
}

impl Cursor for TableCursor {
    fn is_valid(&self) -> bool {
        unimplemented!()
    }

    fn key(&self) -> InternalKey<'_> {
        unimplemented!()
    }

    fn value(&self) -> &[u8] {
        unimplemented!()
    }

    fn seek_to_first(&mut self) -> Result<()> {
        unimplemented!()
    }

    fn seek_to_last(&mut self) -> Result<()> {
        unimplemented!()
    }

    fn seek(&mut self, _target: InternalKey<'_>) -> Result<()> {
        unimplemented!()
    }

    fn seek_before(&mut self, _target: InternalKey<'_>) -> Result<()> {
        unimplemented!()
    }

    fn next(&mut self) -> Result<()> {
        unimplemented!()
    }

    fn prev(&mut self) -> Result<()> {
        unimplemented!()
    }
}
