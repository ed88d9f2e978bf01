//! A cursor over a memtable: keys from the order, the rows of a key from its chain.

use super::{Memtable, order::Place, row::Row};
use sediment_base::{Cursor, Error, InternalKey, Result, SeqNo};
use sediment_codec::hash::key_hash;
use sediment_raw::{
    arena::{Record, RecordId},
    chain, epoch,
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
    failed: Option<Error>,
}

/// A cursor that moves forwards asks for the first rows of so many keys before it needs them;
const PREFETCH_KEYS: usize = 8;
/// so many before, for what leads to the newest row, where that is another one;
const PREFETCH_INDEX_KEYS: usize = 5;
/// and so many before, for that.
const PREFETCH_NEWEST_KEYS: usize = 2;

impl MemtableCursor {
    pub(super) fn new(memtable: Arc<Memtable>) -> Self {
        Self { memtable, window: None, index: 0, row: None, failed: None }
    }

    /// To the first row from `to` on, where no row of the memtable has a seqno from `cover` on; false, and nothing done, if one has.
    pub(crate) fn skip_below(&mut self, cover: SeqNo, to: Option<&[u8]>) -> Result<bool> {
        if self.memtable.max_row_seqno() >= Some(cover) {
            return Ok(false);
        }
        match to {
            Some(to) => self.seek(InternalKey::before(to))?,
            None => self.move_by(|this| this.stand(None))?,
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
            None => self.move_by(|this| this.stand(None))?,
        }
        Ok(true)
    }

    fn row(&self) -> Row<'_> {
        let row = self.row.expect("the cursor stands on a row");
        Row::of(self.memtable.arena.record(row))
    }

    /// Moves; where that fails, for ever.
    fn move_by(&mut self, step: impl FnOnce(&mut Self) -> Result<()>) -> Result<()> {
        if let Some(error) = &self.failed {
            return Err(error.clone());
        }
        step(self).inspect_err(|error| {
            self.failed = Some(error.clone());
            self.row = None;
        })
    }

    #[inline]
    fn stand(&mut self, row: Option<RecordId>) -> Result<()> {
        if self.memtable.is_digested
            && let Some(row) = row
            && !self.memtable.is_intact(self.memtable.arena.record(row))
        {
            return Err(self.memtable.damaged());
        }
        self.row = row;
        Ok(())
    }

    /// To the next row.
    #[inline]
    fn step(&mut self) -> Result<()> {
        match chain::previous(self.row().record()).map(Record::id) {
            Some(older) => self.stand(Some(older)),
            None => self.enter_next_key(),
        }
    }

    /// Where rows have digests, there is nothing at `user_key` that damage has hidden.
    fn prove_place(&self, user_key: &[u8]) -> Result<()> {
        if self.memtable.is_digested { self.memtable.prove_place(user_key) } else { Ok(()) }
    }

    /// Where rows have digests, those of one key between which `target` lies, or would, are whole.
    fn prove_version(&self, newest: Record<'_>, target: InternalKey<'_>) -> Result<()> {
        if !self.memtable.is_digested {
            return Ok(());
        }
        let before = chain::last_ahead(newest, |record| is_before(record, target));
        let from = chain::find(newest, |record| !is_before(record, target));
        let are_whole = before.into_iter().chain(from).all(|record| self.memtable.is_intact(record));
        if are_whole { Ok(()) } else { Err(self.memtable.damaged()) }
    }

    /// The newest row of the key that the window stands at.
    fn newest(&self) -> Result<Option<Record<'_>>> {
        let Some(window) = self.window.as_ref().filter(|window| self.index < window.len()) else { return Ok(None) };
        self.memtable.head(window.record(&self.memtable.arena, self.index)).map(Some)
    }

    /// Goes to that.
    #[inline]
    fn stand_on_newest(&mut self) -> Result<()> {
        if self.memtable.is_digested {
            let row = self.newest()?.map(Record::id);
            return self.stand(row);
        }
        let window = self.window.as_ref().filter(|window| self.index < window.len());
        let first = window.map(|window| window.record(&self.memtable.arena, self.index));
        self.row = first.map(|first| self.memtable.head_of(first)).map(Record::id);
        Ok(())
    }

    /// The oldest row of that key.
    fn oldest(&self) -> Result<Option<Record<'_>>> {
        Ok(self.newest()?.and_then(|newest| chain::last_ahead(newest, |_| true)))
    }

    fn set_window(&mut self, window: Option<Window>, index: usize) {
        (self.window, self.index) = (window, index);
        if let Some(window) = &self.window {
            for ahead in 0..PREFETCH_KEYS {
                window.prefetch(&self.memtable.arena, index + ahead);
            }
        }
    }

    /// Asks for what comes between the first rows of keys a little ahead and their newest ones.
    #[inline]
    fn expect_newest(&self, window: &Window) {
        let memtable = &*self.memtable;
        let superseded = |ahead: usize| {
            let index = self.index + ahead;
            let first = (index < window.len()).then(|| window.record(&memtable.arena, index))?;
            chain::is_superseded(first).then(|| key_hash(memtable.hash_seed, Row::of(first).user_key()))
        };
        if let Some(hash) = superseded(PREFETCH_INDEX_KEYS) {
            memtable.prefetch(hash, &epoch::pin());
        }
        if let Some(hash) = superseded(PREFETCH_NEWEST_KEYS) {
            memtable.prefetch_row(hash, &epoch::pin());
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
            self.expect_newest(window);
        } else {
            let here = self.user_key().expect("the cursor stands on a key");
            let window = self.memtable.keys.window_from(&self.memtable.arena, Place::Key(here), true);
            self.prove_end(window.as_ref())?;
            self.set_window(window, 0);
        }
        self.stand_on_newest()
    }

    /// Where rows have digests, there is nothing in front of the keys that come next which damage has hidden: as
    /// [`MemtableCursor::prove_place`] for the first of them.
    fn prove_end(&self, next: Option<&Window>) -> Result<()> {
        if !self.memtable.is_digested {
            return Ok(());
        }
        match next.filter(|next| !next.is_empty()) {
            Some(next) => self.memtable.prove_place(Row::of(next.record(&self.memtable.arena, 0)).user_key()),
            None => self.memtable.prove_last(),
        }
    }

    /// To the oldest row of the last key before the place.
    fn enter_key_before(&mut self, place: Place<'_>) -> Result<()> {
        if let Place::Key(user_key) = place {
            self.prove_place(user_key)?;
        }
        let window = self.memtable.keys.window_before(&self.memtable.arena, place);
        let last = window.as_ref().map_or(0, |window| window.len().saturating_sub(1));
        self.set_window(window, last);
        let row = self.oldest()?.map(Record::id);
        self.stand(row)
    }

    /// Whether the row is the oldest of its key. Older ones come only before the seqno of any reader.
    pub(crate) fn is_last_of_key(&self) -> bool {
        chain::previous(self.row().record()).is_none()
    }

    /// Whether the row is the newest of its key, but for those that came since and that no reader sees who was there before.
    pub(crate) fn is_first_of_key(&self) -> bool {
        self.newest().is_ok_and(|newest| newest == Some(self.row().record()))
    }
}

/// Whether `record` comes before `target` among the rows of one key.
fn is_before(record: Record<'_>, target: InternalKey<'_>) -> bool {
    Row::of(record).place().compare_version(target) == Ordering::Less
}

impl Cursor for MemtableCursor {
    fn is_valid(&self) -> bool {
        self.row.is_some()
    }

    fn key(&self) -> InternalKey<'_> {
        self.row().key()
    }

    fn value(&self) -> &[u8] {
        let row = self.row();
        if self.memtable.is_digested { row.digested().map_or(&[], |(value, _)| value) } else { row.value() }
    }

    fn digest(&self, hash_seed: u64) -> Option<u32> {
        let has_digest = self.memtable.is_digested && self.memtable.hash_seed == hash_seed;
        if has_digest { self.row().digested().map(|(_, digest)| digest) } else { None }
    }

    fn seek_to_first(&mut self) -> Result<()> {
        self.move_by(|this| {
            this.memtable.fill_order()?;
            let window = this.memtable.keys.window_from(&this.memtable.arena, Place::First, false);
            this.set_window(window, 0);
            this.stand_on_newest()
        })
    }

    fn seek_to_last(&mut self) -> Result<()> {
        self.move_by(|this| {
            this.memtable.fill_order()?;
            this.enter_key_before(Place::Last)
        })
    }

    fn seek(&mut self, target: InternalKey<'_>) -> Result<()> {
        self.move_by(|this| {
            this.memtable.fill_order()?;
            this.prove_place(target.user_key)?;
            let window = this.memtable.keys.window_from(&this.memtable.arena, Place::Key(target.user_key), false);
            this.set_window(window, 0);
            let Some(newest) = this.newest()? else { return this.stand(None) };
            let row = if Row::of(newest).user_key() == target.user_key {
                this.prove_version(newest, target)?;
                chain::find(newest, |record| !is_before(record, target))
            } else {
                Some(newest)
            };
            match row.map(Record::id) {
                Some(row) => this.stand(Some(row)),
                None => this.enter_next_key(),
            }
        })
    }

    fn seek_before(&mut self, target: InternalKey<'_>) -> Result<()> {
        self.move_by(|this| {
            this.memtable.fill_order()?;
            let window = this.memtable.keys.window_from(&this.memtable.arena, Place::Key(target.user_key), false);
            this.set_window(window, 0);
            let newest = this.newest()?.filter(|newest| Row::of(*newest).user_key() == target.user_key);
            if let Some(newest) = newest {
                this.prove_version(newest, target)?;
            }
            let row = newest.and_then(|newest| chain::last_ahead(newest, |record| is_before(record, target)));
            match row.map(Record::id) {
                Some(row) => this.stand(Some(row)),
                None => this.enter_key_before(Place::Key(target.user_key)),
            }
        })
    }

    fn next(&mut self) -> Result<()> {
        if self.memtable.is_digested {
            return self.move_by(Self::step);
        }
        // Nothing fails.
        self.step()
    }

    fn prev(&mut self) -> Result<()> {
        self.move_by(|this| {
            let row = this.row();
            let newest = this.newest()?.expect("the cursor stands on a key");
            if newest != row.record() {
                this.prove_version(newest, row.key())?;
                // Rows of equal seqno and kind lie between the last that is before and this one.
                let mut newer = chain::last_ahead(newest, |record| is_before(record, row.key())).unwrap_or(newest);
                while let Some(older) = chain::previous(newer).filter(|older| *older != row.record()) {
                    newer = older;
                }
                let newer = newer.id();
                return this.stand(Some(newer));
            }
            if this.index > 0 {
                this.index -= 1;
                let row = this.oldest()?.map(Record::id);
                return this.stand(row);
            }
            let memtable = Arc::clone(&this.memtable);
            let here = Row::of(memtable.arena.record(this.row.expect("as above"))).user_key();
            this.enter_key_before(Place::Key(here))
        })
    }
}
