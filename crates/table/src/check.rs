//! Reads every byte of a table and reports every fault.

use crate::{context::TableContext, properties::TableMeta};
use sediment_base::{Error, Result};
use std::path::Path;

/// What a check found.
#[derive(Clone, Debug, Default)]
pub struct CheckReport {
    /// Data blocks read.
    pub blocks: u64,
    /// Rows in them.
    pub rows: u64,
    /// Bytes of the file.
    pub bytes: u64,
    /// Bytes among them that are padding.
    pub unused_bytes: u64,
    /// What is wrong, in the order of the file. Empty for a sound table.
    pub faults: Vec<Error>,
}

/// Reads every byte of the table at `path`; `meta` is what the manifest says of it. Fails only where nothing can be read.
pub fn check_table(_context: &TableContext, _path: &Path, _meta: Option<&TableMeta>) -> Result<CheckReport> {
    unimplemented!()
}
