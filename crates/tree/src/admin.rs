//! For operators: verify every byte, print what a directory holds.

mod inspect;
mod stats;
mod verify;

pub use inspect::{dump_current, dump_manifest};
pub use stats::{LevelStats, TreeStats};
pub use verify::VerifyReport;
