//! Points and ranges.

mod get;
mod scan;

pub(crate) use get::{contains_key, get};
pub use scan::Scan;
