//! Rows and range tombstones into memtables.

mod apply;
mod batch;

pub(crate) use apply::{apply, apply_range, check, check_range, expect};
pub use batch::WriteBatch;
pub(crate) use batch::apply_batch;
