//! Sealed memtables become tables of level 0.

use crate::retention::Retention;
use sediment_base::{Result, SeqNo};

/// What a flush needs from its caller.
pub struct FlushContext<'a> {
    /// Which versions must survive.
    pub retention: Retention,
    /// The wall clock, in microseconds since 1970.
    pub now_us: u64,
    /// Called once with the highest seqno of the flushed rows, when the tables are durable and before the manifest names them:
    /// it returns once the caller's log is durable up to there, so that no later write can survive an earlier one.
    pub before_publish: &'a dyn Fn(SeqNo) -> Result<()>,
}

/// What a flush did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FlushReport {
    /// Memtables that are now on disk.
    pub memtables: usize,
    /// Tables made.
    pub tables: usize,
    /// Bytes in them.
    pub bytes: u64,
    /// Rows in them.
    pub rows: u64,
    /// The boundary up to which everything is now in tables; `None` if nothing was sealed.
    pub mark: Option<SeqNo>,
}
