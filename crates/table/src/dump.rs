//! A table as text.

use crate::context::TableContext;
use sediment_base::Result;
use std::{fmt, path::Path};

/// Prints the table at `path`: header, regions, properties, blocks, rows.
pub fn dump_table(_context: &TableContext, _path: &Path, _out: &mut dyn fmt::Write) -> Result<()> {
    unimplemented!()
}
