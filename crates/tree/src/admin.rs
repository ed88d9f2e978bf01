//! For operators: verify every byte, print what a directory holds.

mod inspect;
mod stats;
mod verify;

pub use inspect::{dump_current, dump_manifest};
pub(crate) use stats::stats;
pub use stats::{LevelStats, TreeStats};
pub use verify::VerifyReport;
pub(crate) use verify::verify;
