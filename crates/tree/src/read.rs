//! Points and ranges.

mod fold;
mod get;
mod scan;

pub use get::TakeValue;
pub(crate) use get::{Ended, Search};
pub use scan::Scan;
