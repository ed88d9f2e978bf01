//! `Elsewhere`: could a source outside of a rewrite hold an older row of a key?
//!
//! Asked of memtables by their lowest seqno, and of tables by theirs, their bounds and, where it is worth it, their filters: it errs
//! towards yes. The answer stays right while the rewrite runs, because rows that come later, into whichever memtable, are at or
//! above the horizon, and so above every row that the rules ask about; and what other rewrites move about was somewhere
//! outside before.
//!
//! Most rows ask, in the order of their keys, and between two bounds of tables all get the same answer: it is kept for so long.

use super::rules::Outside;
use crate::{
    memtable::Memtable,
    super_version::SuperVersion,
    version::{Run, TableFile},
};
use sediment_base::{KeyOrder, KeyRange, RangeTombstone, Result, SeqNo, Slice, TableId};
use std::{cell::RefCell, collections::HashSet, sync::Arc};

/// The sources outside of a rewrite. Shared by its portions.
#[derive(Debug)]
pub(crate) struct Elsewhere {
    order: KeyOrder,
    /// Lowest seqno of a row in a memtable outside.
    memtables_min: Option<SeqNo>,
    /// The tables outside.
    runs: Vec<Run>,
}

/// The same, asked by one portion about one key after the other.
#[derive(Debug)]
pub(super) struct Asked<'a> {
    elsewhere: &'a Elsewhere,
    /// Where the key lies that was asked about last.
    stretch: RefCell<Stretch>,
}

/// Keys that lie in the same tables.
#[derive(Debug)]
struct Stretch {
    /// All from here on; empty for none, as no key is.
    from: Vec<u8>,
    /// And before this one; empty for all.
    until: Slice,
    /// The lowest seqno in any of the tables, of rows and range tombstones.
    oldest: Option<SeqNo>,
}

impl Stretch {
    /// Of no key.
    fn none() -> Self {
        Self { from: Vec::new(), until: Slice::default(), oldest: None }
    }

    #[inline]
    fn holds(&self, user_key: &[u8], order: &KeyOrder) -> bool {
        let is_before_end = self.until.is_empty() || order.compare(user_key, &self.until).is_lt();
        is_before_end && !self.from.is_empty() && order.compare(&self.from, user_key).is_le()
    }

    /// It begins at this key, and ends where a table does, or another begins.
    fn move_to(&mut self, user_key: &[u8], runs: &[Run], order: &KeyOrder) {
        self.from.clear();
        self.from.extend_from_slice(user_key);
        (self.until, self.oldest) = (Slice::default(), None);
        for run in runs {
            let Some(next) = run.tables().get(run.seek(user_key, order)) else { continue };
            let range = &next.meta.range;
            let end = if range.is_above(user_key, order) {
                &range.min
            } else {
                let oldest = next.meta.oldest_seqno();
                self.oldest = Some(self.oldest.map_or(oldest, |before| before.min(oldest)));
                &range.max
            };
            if self.until.is_empty() || (!end.is_empty() && order.compare(end, &self.until).is_lt()) {
                self.until = end.clone();
            }
        }
    }
}

impl Elsewhere {
    /// All that `pinned` holds but these memtables and tables.
    pub(crate) fn new(pinned: &SuperVersion, order: KeyOrder, memtables: &[Arc<Memtable>], inside: &HashSet<TableId>) -> Self {
        let is_outside = |memtable: &&Arc<Memtable>| !memtables.iter().any(|inside| Arc::ptr_eq(inside, memtable));
        let memtables_min = pinned.memtables().filter(is_outside).filter_map(|memtable| memtable.min_seqno()).min();
        let runs = pinned.version.runs.iter().filter_map(|run| run.without(inside)).collect();
        Self { order, memtables_min, runs }
    }

    /// Follows keys that ascend.
    pub(super) fn follow(&self) -> Asked<'_> {
        Asked { elsewhere: self, stretch: RefCell::new(Stretch::none()) }
    }

    /// Whether a row with a key in `keys` and a seqno at or below `seqno` may lie outside.
    pub(crate) fn may_hold_older_within(&self, keys: &KeyRange, seqno: SeqNo) -> bool {
        let is_older = |file: &Arc<TableFile>| file.meta.rows > 0 && file.meta.min_seqno <= seqno;
        self.is_in_memtables(seqno) || self.runs.iter().any(|run| run.overlapping(keys, &self.order).iter().any(is_older))
    }

    /// Bytes of the tables outside of which a range tombstone hides every row from whoever sees it.
    pub(crate) fn hidden_bytes(&self, tombstone: &RangeTombstone) -> u64 {
        let keys = tombstone.range();
        let is_hidden =
            |file: &&Arc<TableFile>| file.meta.newest_seqno() < tombstone.seqno && keys.holds(&file.meta.range, &self.order);
        let hidden = self.runs.iter().flat_map(|run| run.overlapping(&keys, &self.order)).filter(is_hidden);
        hidden.map(|file| file.meta.file_bytes).sum()
    }

    fn is_in_memtables(&self, seqno: SeqNo) -> bool {
        self.memtables_min.is_some_and(|min| min <= seqno)
    }

    /// The tables that may hold the key below a seqno, or a range tombstone for it.
    fn tables<'a>(&'a self, user_key: &'a [u8], seqno: SeqNo) -> impl Iterator<Item = &'a Arc<TableFile>> {
        let older = self.runs.iter().filter(move |run| run.min_seqno() <= seqno);
        let files = older.filter_map(move |run| run.find(user_key, &self.order));
        files.filter(move |file| file.meta.oldest_seqno() <= seqno)
    }
}

impl Outside for Asked<'_> {
    #[inline]
    fn may_hold_older(&self, user_key: &[u8], seqno: SeqNo) -> bool {
        let elsewhere = self.elsewhere;
        if elsewhere.is_in_memtables(seqno) {
            return true;
        }
        let mut stretch = self.stretch.borrow_mut();
        if !stretch.holds(user_key, &elsewhere.order) {
            stretch.move_to(user_key, &elsewhere.runs, &elsewhere.order);
        }
        let answer = stretch.oldest.is_some_and(|oldest| oldest <= seqno);
        debug_assert_eq!(answer, elsewhere.tables(user_key, seqno).next().is_some());
        answer
    }

    fn may_hold_older_row(&self, user_key: &[u8], seqno: SeqNo) -> bool {
        // A table that cannot be opened or asked may hold anything.
        let asked = |file: &Arc<TableFile>| file.open().and_then(|table| table.may_contain(table.key_hash(user_key)));
        let may_contain = |file: &Arc<TableFile>| asked(file).unwrap_or(true);
        self.elsewhere.is_in_memtables(seqno) || self.elsewhere.tables(user_key, seqno).any(may_contain)
    }

    fn may_hold_between(&self, user_key: &[u8], above: SeqNo, below: SeqNo) -> bool {
        let Some(last) = below.checked_sub(1).filter(|last| *last > above) else { return false };
        let newer = |file: &&Arc<TableFile>| file.meta.newest_seqno() > above;
        let elsewhere = self.elsewhere;
        elsewhere.is_in_memtables(last)
            || elsewhere.tables(user_key, last).filter(newer).any(|file| {
                let newest = || -> Result<Option<SeqNo>> {
                    let table = file.open()?;
                    let row = table.get(user_key, table.key_hash(user_key), below)?;
                    let cover = table.range_tombstones().map(|ranges| ranges.cover(user_key, below, &elsewhere.order));
                    Ok(row.map(|row| row.seqno).max(cover))
                };
                newest().map_or(true, |newest| newest > Some(above))
            })
    }
}
