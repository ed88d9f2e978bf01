//! Sorted rows to a table file.

use crate::{context::TableContext, options::TableOptions, properties::TableMeta};
use sediment_base::{InternalKey, Result, RowFlags, TableId};
use std::path::PathBuf;

/// Writes one table. One caller at a time; after an error the file is abandoned, with its id.
#[derive(Debug)]
pub struct TableWriter;

impl TableWriter {
    /// Makes the file.
    pub fn create(_context: &TableContext, _options: &TableOptions, _path: PathBuf, _id: TableId) -> Result<Self> {
        unimplemented!()
    }

    /// Adds a row. Rows come strictly ascending in internal order; anything else is `InvalidInput`.
    pub fn add(&mut self, _key: InternalKey<'_>, _flags: RowFlags, _value: &[u8]) -> Result<()> {
        unimplemented!()
    }

    /// Bytes that the file has by now, those not yet written out included.
    pub fn written_bytes(&self) -> u64 {
        unimplemented!()
    }

    /// Rows added.
    pub fn rows(&self) -> u64 {
        unimplemented!()
    }

    /// Completes the file and syncs it. Making its name durable is the caller's.
    pub fn finish(self) -> Result<TableMeta> {
        unimplemented!()
    }
}
