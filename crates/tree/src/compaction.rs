//! Tables become fewer, and sink: planners choose what to rewrite, a job does it.
//!
//! A [`Strategy`] is a pure function from a version, what is busy and the options to a [`Plan`]; it is told nothing else, so that it
//! can be tested and simulated without files. Picking reserves, running is a second call.

#[cfg(test)]
mod any_version;
mod busy;
mod chosen;
mod column;
mod fifo;
mod full;
mod job;
mod lazy;
mod leveled;
mod named;
mod plan;
mod portions;
mod pressure;
#[cfg(test)]
mod scripts;
mod strategy;
mod sweep;
mod tiered;
mod tiers;

pub(crate) use busy::{Busy, Reservations};
pub(crate) use chosen::Chosen;
pub use fifo::Fifo;
pub(crate) use full::pick_all;
pub(crate) use job::run;
pub use lazy::Lazy;
pub use leveled::Leveled;
pub use named::strategy_by_name;
pub(crate) use plan::Action;
pub use plan::Plan;
pub use portions::Helpers;
pub(crate) use pressure::pressure;
pub use pressure::{Pressure, Urgency};
pub use strategy::{Backlog, Coming, Strategy, TreeView};
pub use tiered::Tiered;

use crate::{retention::Retention, rewrite::OnSlice};
use sediment_base::{Result, SeqNo};
use std::fmt;

/// What a compaction needs from its caller.
pub struct CompactionContext<'a> {
    /// Which versions must survive.
    pub retention: Retention,
    /// The wall clock, in microseconds since 1970.
    pub now_us: u64,
    /// Asked after every slice whether to go on.
    pub on_slice: OnSlice<'a>,
    /// Where a compaction whose filter has changed something takes a *stamp*, once, before that becomes durable: a seqno that was never
    /// given to anything else. From then on until the compaction returns, no read begins above it; reads at or below go on finding what
    /// was there before. Not asked where the tree has a [`SeqnoSource`](crate::SeqnoSource), which gives stamps by itself.
    pub take_stamp: Option<&'a dyn Fn() -> Result<SeqNo>>,
    /// Who may help where there is much to do; `None` for a compaction in one portion, on the thread that calls.
    pub helpers: Option<Helpers<'a>>,
}

impl fmt::Debug for CompactionContext<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CompactionContext").field("retention", &self.retention).finish_non_exhaustive()
    }
}

/// What a compaction did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CompactionReport {
    /// Tables read, or moved without being read.
    pub tables_in: usize,
    /// Bytes in them.
    pub bytes_in: u64,
    /// The part of these that was in level 0.
    pub bytes_in_level0: u64,
    /// Rows in them.
    pub rows_in: u64,
    /// Tables among them that went unread, because range tombstones hide all of them.
    pub tables_dropped: usize,
    /// Bytes in these.
    pub bytes_dropped: u64,
    /// Tables written, or moved.
    pub tables_out: usize,
    /// Bytes in them.
    pub bytes_out: u64,
    /// Rows in them.
    pub rows_out: u64,
    /// Portions that were done side by side, where there was help, or one after the other; 0 where nothing was rewritten.
    pub portions: usize,
    /// Blocks that were taken over as they were, because no row of them changed and none came between.
    pub blocks_carried: u64,
    /// Rows that the compaction filter removed or replaced.
    pub rows_filtered: u64,
    /// Whether tables only changed their level.
    pub moved: bool,
}
