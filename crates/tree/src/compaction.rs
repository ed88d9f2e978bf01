//! Tables become fewer, and sink: planners choose what to rewrite, a job does it.

mod plan;

pub use plan::Plan;

use crate::retention::Retention;

/// What a compaction needs from its caller.
pub struct CompactionContext<'a> {
    /// Which versions must survive.
    pub retention: Retention,
    /// The wall clock, in microseconds since 1970.
    pub now_us: u64,
    /// Asked once per slice of output; `true` ends the job with `Cancelled` and leaves everything as it was.
    pub cancel: &'a dyn Fn() -> bool,
}

/// What a compaction did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CompactionReport {
    /// Tables read, or moved without being read.
    pub tables_in: usize,
    /// Bytes in them.
    pub bytes_in: u64,
    /// Rows in them.
    pub rows_in: u64,
    /// Tables written, or moved.
    pub tables_out: usize,
    /// Bytes in them.
    pub bytes_out: u64,
    /// Rows in them.
    pub rows_out: u64,
    /// Whether tables only changed their level.
    pub moved: bool,
}
