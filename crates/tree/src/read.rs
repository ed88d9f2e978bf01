//! Points and ranges.

mod cursor;
mod estimate;
mod fold;
mod get;
mod multi_get;
mod part;
mod raw;
mod reader;
mod scan;
mod value_len;

pub use cursor::Cursor;
pub(crate) use estimate::{approximate_bytes, approximate_len};
pub use get::TakeValue;
pub(crate) use get::{Ended, Search};
pub(crate) use multi_get::Searches;
pub use part::{Direction, ScanLimits, ScanPart};
pub(crate) use raw::range_tombstones;
pub use raw::{RawRow, RawRows};
pub(crate) use reader::{Overlaid, Reader};
pub use scan::Scan;
pub(crate) use scan::is_empty;
pub use value_len::ValueLen;
