//! A cursor over a memtable: keys from the order, the rows of a key from its chain.

use super::{Memtable, order::Place, row::Row};
use sediment_base::{Cursor, InternalKey, Result, SeqNo};
use sediment_raw::{
    arena::{Record, RecordId},
    chain,
    ordered::Window,
};
use std::{cmp::Ordering, sync::Arc};

/// A [`Cursor`] over all rows of a memtable, which it keeps alive. Rows inserted while it stands somewhere may or may not be
/// met by the moves that follow; those whose insert had returned before a seek are.
pub(crate) struct MemtableCursor {
    memtable: Arc<Memtable>,
    /// Keys around the row, and which of them is the row's.
    window: Option<Window>,
    index: usize,
    row: Option<RecordId>,
}

/// A cursor that moves forwards asks for the rows of so many keys before it needs them.
const PREFETCH_KEYS: usize = 8;

impl MemtableCursor {
    pub(super) fn new(memtable: Arc<Memtable>) -> Self {
        Self { memtable, window: None, index: 0, row: None }
    }

    /// To the first row from `to` on, where no row of the memtable has a seqno from `cover` on; false, and nothing done, if one has.
    pub(crate) fn skip_below(&mut self, cover: SeqNo, to: Option<&[u8]>) -> Result<bool> {
        if self.memtable.max_row_seqno() >= Some(cover) {
            return Ok(false);
        }
        match to {
            Some(to) => self.seek(InternalKey::before(to))?,
            None => self.stand(None)?,
        }
        Ok(true)
    }

    /// To the last row before `from`, where no row of the memtable has a seqno from `cover` on; false, and nothing done, if one has.
    pub(crate) fn skip_back_below(&mut self, cover: SeqNo, from: Option<&[u8]>) -> Result<bool> {
        if self.memtable.max_row_seqno() >= Some(cover) {
            return Ok(false);
        }
        match from {
            Some(from) => self.seek_before(InternalKey::before(from))?,
            None => self.stand(None)?,
        }
        Ok(true)
    }

    fn row(&self) -> Row<'_> {
        let row = self.row.expect("the cursor stands on a row");
        Row::of(self.memtable.arena.record(row))
    }

    fn stand(&mut self, row: Option<RecordId>) -> Result<()> {
        self.row = row;
        Ok(())
    }

    /// The newest row of the key that the window stands at.
    fn newest(&self) -> Option<Record<'_>> {
        let window = self.window.as_ref().filter(|window| self.index < window.len())?;
        Some(self.memtable.head(window.record(&self.memtable.arena, self.index)))
    }

    /// The oldest row of that key.
    fn oldest(&self) -> Option<Record<'_>> {
        chain::last_ahead(self.newest()?, |_| true)
    }

    fn set_window(&mut self, window: Option<Window>, index: usize) {
        (self.window, self.index) = (window, index);
        if let Some(window) = &self.window {
            for ahead in 0..PREFETCH_KEYS {
                window.prefetch(&self.memtable.arena, index + ahead);
            }
        }
    }

    /// The key that the window stands at.
    fn user_key(&self) -> Option<&[u8]> {
        let window = self.window.as_ref().filter(|window| self.index < window.len())?;
        Some(Row::of(window.record(&self.memtable.arena, self.index)).user_key())
    }

    /// To the newest row of the key after the window's.
    fn enter_next_key(&mut self) -> Result<()> {
        if let Some(window) = self.window.as_ref().filter(|window| self.index + 1 < window.len()) {
            self.index += 1;
            window.prefetch(&self.memtable.arena, self.index + PREFETCH_KEYS - 1);
        } else {
            let here = self.user_key().expect("the cursor stands on a key");
            let window = self.memtable.keys.window_from(&self.memtable.arena, Place::Key(here), true);
            self.set_window(window, 0);
        }
        let row = self.newest().map(Record::id);
        self.stand(row)
    }

    /// To the oldest row of the last key before the place.
    fn enter_key_before(&mut self, place: Place<'_>) -> Result<()> {
        let window = self.memtable.keys.window_before(&self.memtable.arena, place);
        let last = window.as_ref().map_or(0, |window| window.len().saturating_sub(1));
        self.set_window(window, last);
        let row = self.oldest().map(Record::id);
        self.stand(row)
    }

    /// Whether the row is the oldest of its key. Older ones come only before the seqno of any reader.
    pub(crate) fn is_last_of_key(&self) -> bool {
        chain::previous(self.row().record()).is_none()
    }

    /// Whether the row is the newest of its key, but for those that came since and that no reader sees who was there before.
    pub(crate) fn is_first_of_key(&self) -> bool {
        self.newest().is_some_and(|newest| newest == self.row().record())
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
        self.memtable.fill_order();
        let window = self.memtable.keys.window_from(&self.memtable.arena, Place::First, false);
        self.set_window(window, 0);
        let row = self.newest().map(Record::id);
        self.stand(row)
    }

    fn seek_to_last(&mut self) -> Result<()> {
        self.memtable.fill_order();
        self.enter_key_before(Place::Last)
    }

    fn seek(&mut self, target: InternalKey<'_>) -> Result<()> {
        self.memtable.fill_order();
        let window = self.memtable.keys.window_from(&self.memtable.arena, Place::Key(target.user_key), false);
        self.set_window(window, 0);
        let Some(newest) = self.newest() else { return self.stand(None) };
        let row = if Row::of(newest).user_key() == target.user_key {
            chain::find(newest, |record| !is_before(record, target))
        } else {
            Some(newest)
        };
        match row.map(Record::id) {
            Some(row) => self.stand(Some(row)),
            None => self.enter_next_key(),
        }
    }

    fn seek_before(&mut self, target: InternalKey<'_>) -> Result<()> {
        self.memtable.fill_order();
        let window = self.memtable.keys.window_from(&self.memtable.arena, Place::Key(target.user_key), false);
        self.set_window(window, 0);
        let newest = self.newest().filter(|newest| Row::of(*newest).user_key() == target.user_key);
        let row = newest.and_then(|newest| chain::last_ahead(newest, |record| is_before(record, target)));
        match row.map(Record::id) {
            Some(row) => self.stand(Some(row)),
            None => self.enter_key_before(Place::Key(target.user_key)),
        }
    }

    fn next(&mut self) -> Result<()> {
        match chain::previous(self.row().record()).map(Record::id) {
            Some(older) => self.stand(Some(older)),
            None => self.enter_next_key(),
        }
    }

    fn prev(&mut self) -> Result<()> {
        let row = self.row();
        let newest = self.newest().expect("the cursor stands on a key");
        if newest != row.record() {
            // Rows of equal seqno and kind lie between the last that is before and this one.
            let mut newer = chain::last_ahead(newest, |record| is_before(record, row.key())).unwrap_or(newest);
            while let Some(older) = chain::previous(newer).filter(|older| *older != row.record()) {
                newer = older;
            }
            let newer = newer.id();
            return self.stand(Some(newer));
        }
        if self.index > 0 {
            self.index -= 1;
            let row = self.oldest().map(Record::id);
            return self.stand(row);
        }
        let memtable = Arc::clone(&self.memtable);
        let here = Row::of(memtable.arena.record(self.row.expect("as above"))).user_key();
        self.enter_key_before(Place::Key(here))
    }
}
