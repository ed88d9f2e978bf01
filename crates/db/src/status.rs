//! What a database tells about itself: as data, as JSON, and in a file for other processes.
//!
//! Everything is gathered without stopping anybody: each number is exact, all of them together are of about one moment.

mod db_stats;
mod gather;
mod json;
mod keeper;

pub use db_stats::{DbStats, KeyspaceStats, LevelStats, MemoryStats, SnapshotStats};
pub(crate) use gather::gather;
pub(crate) use keeper::Keeper;
