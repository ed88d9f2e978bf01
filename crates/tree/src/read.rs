//! Points and ranges.

mod get;
mod scan;

pub(crate) use get::Search;
pub use get::TakeValue;
pub use scan::Scan;
