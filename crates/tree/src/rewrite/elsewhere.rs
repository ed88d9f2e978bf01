//! `Elsewhere`: could a source outside of a rewrite hold an older row of a key?
//!
//! Asked of memtables by their lowest seqno, and of tables by theirs and their bounds: it errs towards yes. The answer stays
//! right while the rewrite runs, because rows that come later, into whichever memtable, are at or above the horizon, and so above
//! every row that the rules ask about; and what other rewrites move about was somewhere outside before.

use crate::{memtable::Memtable, super_version::SuperVersion, version::Run};
use sediment_base::{KeyOrder, SeqNo, TableId};
use std::{collections::HashSet, sync::Arc};

/// The sources outside of a rewrite.
#[derive(Debug)]
pub(crate) struct Elsewhere {
    order: KeyOrder,
    /// Lowest seqno of a row in a memtable outside.
    memtables_min: Option<SeqNo>,
    /// The tables outside.
    runs: Vec<Run>,
}

impl Elsewhere {
    /// All that `pinned` holds but these memtables and tables.
    pub(crate) fn new(pinned: &SuperVersion, order: KeyOrder, memtables: &[Arc<Memtable>], inside: &HashSet<TableId>) -> Self {
        let is_outside = |memtable: &&Arc<Memtable>| !memtables.iter().any(|inside| Arc::ptr_eq(inside, memtable));
        let memtables_min = pinned.memtables().filter(is_outside).filter_map(|memtable| memtable.min_seqno()).min();
        let runs = pinned.version.runs.iter().filter_map(|run| run.without(inside, &order)).collect();
        Self { order, memtables_min, runs }
    }

    /// Whether a row of `user_key` with a seqno at or below `seqno` may lie outside.
    #[inline]
    pub(crate) fn may_hold_older(&self, user_key: &[u8], seqno: SeqNo) -> bool {
        self.memtables_min.is_some_and(|min| min <= seqno)
            || self.runs.iter().any(|run| {
                run.min_seqno() <= seqno && run.find(user_key, &self.order).is_some_and(|file| file.meta.min_seqno <= seqno)
            })
    }
}
