//! An open table: points.

use crate::{
    context::TableContext,
    properties::{Properties, TableMeta},
};
use sediment_base::{Kind, Result, RowFlags, SeqNo, Slice};
use std::path::Path;

/// An open table. Shared; immutable.
#[derive(Debug)]
pub struct Table {
    meta: TableMeta,
    properties: Properties,
}

/// A row found by a point lookup.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TableRow {
    /// Its version.
    pub seqno: SeqNo,
    /// What it does.
    pub kind: Kind,
    /// How to read the value.
    pub flags: RowFlags,
    /// The stored value.
    pub value: Slice,
}

impl Table {
    /// Opens the table that the manifest describes: identity, length and content root must be the same.
    pub fn open(_context: &TableContext, _path: &Path, _meta: &TableMeta) -> Result<Self> {
        unimplemented!()
    }

    /// Opens a table by what it says about itself: for dumps and repair.
    pub fn open_alone(_context: &TableContext, _path: &Path) -> Result<Self> {
        unimplemented!()
    }

    /// The newest row of `user_key` with a sequence number below `read_seqno`. `hash` is the key's hash under the table's seed.
    pub fn get(&self, _user_key: &[u8], _hash: u64, _read_seqno: SeqNo) -> Result<Option<TableRow>> {
        unimplemented!()
    }

    /// False only if no row has a user key with this hash.
    pub fn may_contain(&self, _hash: u64) -> bool {
        unimplemented!()
    }

    /// What the table says about itself.
    pub fn properties(&self) -> &Properties {
        &self.properties
    }

    /// What a manifest records of it.
    pub fn meta(&self) -> &TableMeta {
        &self.meta
    }
}
