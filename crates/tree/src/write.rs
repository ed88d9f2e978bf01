//! Rows and range tombstones into memtables; how far behind the tree is.

mod apply;
mod batch;
mod pressure;

pub(crate) use apply::{apply, apply_range, check, check_range};
pub use batch::WriteBatch;
pub(crate) use batch::apply_batch;
pub use pressure::Pressure;
pub(crate) use pressure::pressure;
