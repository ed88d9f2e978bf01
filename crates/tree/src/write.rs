//! Rows enter memtables, and the tree says how far behind it is.

mod apply;
mod pressure;

pub(crate) use apply::apply;
pub use pressure::Pressure;
pub(crate) use pressure::pressure;
