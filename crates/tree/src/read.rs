//! Points and ranges.

mod scan;

pub use scan::Scan;
