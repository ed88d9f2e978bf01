//! Rows and range tombstones into memtables.

mod apply;
mod batch;

pub(crate) use apply::{apply, apply_counted, apply_range, check, check_range};
pub use batch::WriteBatch;
pub(crate) use batch::apply_batch;
