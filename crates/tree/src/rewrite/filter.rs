//! `Judge`: the caller's compaction filter in one rewrite.

use sediment_base::{
    InternalKey, Result,
    compaction_filter::{CompactionFilter, FilterRow, Verdict},
};
use std::fmt;

/// Asks the filter, and counts.
pub(crate) struct Judge {
    filter: Box<dyn CompactionFilter>,
    changed: u64,
    destroyed: u64,
}

impl Judge {
    /// Asks this filter.
    pub(crate) fn new(filter: Box<dyn CompactionFilter>) -> Self {
        Self { filter, changed: 0, destroyed: 0 }
    }

    /// What is to become of a value or operand.
    pub(super) fn judge(&mut self, key: InternalKey<'_>, value: &[u8]) -> Result<Verdict> {
        let row = FilterRow { key: key.user_key, seqno: key.seqno, kind: key.kind, value };
        let verdict = self.filter.filter(&row)?;
        self.changed += u64::from(!matches!(verdict, Verdict::Keep));
        self.destroyed += u64::from(matches!(verdict, Verdict::Destroy));
        Ok(verdict)
    }

    /// All rows were judged; how many did not stay as they were, and how many of these went without a trace.
    pub(crate) fn end(self) -> (u64, u64) {
        self.filter.finish();
        (self.changed, self.destroyed)
    }
}

impl fmt::Debug for Judge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Judge").field("changed", &self.changed).finish_non_exhaustive()
    }
}
