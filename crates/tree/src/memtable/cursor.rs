//! A cursor over a memtable: keys from the order, the rows of a key from its chain.

use super::{Memtable, row::Row};
use sediment_base::{Cursor, InternalKey, Result};
use sediment_raw::{
    arena::{Record, RecordId},
    chain,
};
use std::{cmp::Ordering, ops::Bound, sync::Arc};

/// A [`Cursor`] over all rows of a memtable, which it keeps alive. Rows inserted while it stands somewhere may or may not be
/// met by the moves that follow; those whose insert had returned before a seek are.
pub(crate) struct MemtableCursor {
    memtable: Arc<Memtable>,
    row: Option<RecordId>,
}

impl MemtableCursor {
    pub(super) fn new(memtable: Arc<Memtable>) -> Self {
        Self { memtable, row: None }
    }

    fn row(&self) -> Row<'_> {
        let row = self.row.expect("the cursor stands on a row");
        Row::of(self.memtable.arena.record(row))
    }

    /// The newest row of the first key in `from`.
    fn first_of_key(&self, from: Bound<&[u8]>) -> Option<Record<'_>> {
        self.memtable.first_key(from).map(|first| self.memtable.head(first))
    }

    /// The oldest row of the last key in `to`.
    fn last_of_key(&self, to: Bound<&[u8]>) -> Option<Record<'_>> {
        let head = self.memtable.head(self.memtable.last_key(to)?);
        chain::last_ahead(head, |_| true)
    }

    fn stand(&mut self, row: Option<RecordId>) -> Result<()> {
        self.row = row;
        Ok(())
    }
}

/// Whether `record` comes before `target` among the rows of one key.
fn is_before(record: Record<'_>, target: InternalKey<'_>) -> bool {
    Row::of(record).key().compare_version(target) == Ordering::Less
}

impl Cursor for MemtableCursor {
    fn is_valid(&self) -> bool {
        self.row.is_some()
    }

    fn key(&self) -> InternalKey<'_> {
        self.row().key()
    }

    fn value(&self) -> &[u8] {
        self.row().value()
    }

    fn seek_to_first(&mut self) -> Result<()> {
        self.memtable.refresh();
        let row = self.first_of_key(Bound::Unbounded).map(Record::id);
        self.stand(row)
    }

    fn seek_to_last(&mut self) -> Result<()> {
        self.memtable.refresh();
        let row = self.last_of_key(Bound::Unbounded).map(Record::id);
        self.stand(row)
    }

    fn seek(&mut self, target: InternalKey<'_>) -> Result<()> {
        self.memtable.refresh();
        let of_key = self.memtable.find(target.user_key);
        let row = of_key.and_then(|head| chain::find(head, |record| !is_before(record, target)));
        let row = row.or_else(|| self.first_of_key(Bound::Excluded(target.user_key))).map(Record::id);
        self.stand(row)
    }

    fn seek_before(&mut self, target: InternalKey<'_>) -> Result<()> {
        self.memtable.refresh();
        let of_key = self.memtable.find(target.user_key);
        let row = of_key.and_then(|head| chain::last_ahead(head, |record| is_before(record, target)));
        let row = row.or_else(|| self.last_of_key(Bound::Excluded(target.user_key))).map(Record::id);
        self.stand(row)
    }

    fn next(&mut self) -> Result<()> {
        let row = self.row();
        let older = chain::previous(row.record());
        let next = older.or_else(|| self.first_of_key(Bound::Excluded(row.user_key()))).map(Record::id);
        self.stand(next)
    }

    fn prev(&mut self) -> Result<()> {
        let row = self.row();
        let key = row.key();
        let head = self.memtable.find(key.user_key).expect("a row's key is in the index");
        let previous = if head == row.record() {
            self.last_of_key(Bound::Excluded(key.user_key))
        } else {
            // Rows of equal seqno and kind lie between the last that is before and this one.
            let mut newer = chain::last_ahead(head, |record| is_before(record, key)).unwrap_or(head);
            while let Some(older) = chain::previous(newer).filter(|older| *older != row.record()) {
                newer = older;
            }
            Some(newer)
        };
        let previous = previous.map(Record::id);
        self.stand(previous)
    }
}
