//! `RunCursor`: the tables of a run, one after another, each opened when it is reached.

use crate::version::Run;
use sediment_base::{Cursor, Error, InternalKey, KeyOrder, Result, RowFlags, SeqNo, Slice};
use sediment_table::{Segment, TableCursor, WholeBlock};
use std::{
    ops::{Bound, Range},
    sync::Arc,
};

/// What a cursor leaves in memory of the blocks that it reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Leaves {
    /// All, for who comes next.
    Cached,
    /// Nothing in the cache.
    Uncached,
    /// Nothing in the memory of the operating system, either.
    Nothing,
}

/// A cursor over some neighbouring tables of a run. One caller at a time.
pub(crate) struct RunCursor {
    run: Arc<Run>,
    /// Which of its tables.
    tables: Range<usize>,
    order: KeyOrder,
    /// What all keys that are wanted begin with.
    shared: Slice,
    leaves: Leaves,
    /// The table where the cursor stands.
    current: Option<(usize, TableCursor)>,
    error: Option<Error>,
}

impl RunCursor {
    /// For readers of keys that begin with `shared`: it may stand behind others, or pass over them.
    pub(crate) fn new(run: Arc<Run>, tables: Range<usize>, order: KeyOrder, shared: Slice) -> Self {
        Self { run, tables, order, shared, leaves: Leaves::Cached, current: None, error: None }
    }

    /// For those who want every key.
    pub(crate) fn of_all_keys(run: Arc<Run>, tables: Range<usize>, order: KeyOrder) -> Self {
        Self::new(run, tables, order, Slice::default())
    }

    /// The same, leaving this in memory.
    pub(crate) fn leaving(self, leaves: Leaves) -> Self {
        Self { leaves, ..self }
    }

    /// [`Segmented::segment_after`](super::Segmented::segment_after), within one block.
    pub(super) fn segment_after(&mut self, upper: Bound<&[u8]>, segment: &mut Segment) -> bool {
        self.current.as_mut().is_some_and(|(_, cursor)| cursor.segment_after(upper, segment))
    }

    /// [`Segmented::segment_before`](super::Segmented::segment_before), within one block.
    pub(super) fn segment_before(&mut self, lower: Bound<&[u8]>, segment: &mut Segment) -> bool {
        self.current.as_mut().is_some_and(|(_, cursor)| cursor.segment_before(lower, segment))
    }

    /// [`Segmented::skip_below`](super::Segmented::skip_below). Tables on the way are not opened.
    pub(super) fn skip_below(&mut self, cover: SeqNo, to: Option<&[u8]>) -> Result<bool> {
        let (run, start) = (Arc::clone(&self.run), self.standing());
        let is_below = |index: &usize| run.tables()[*index].meta.max_seqno < cover;
        if !is_below(&start) {
            return Ok(false);
        }
        let ends_before = |index: &usize| to.is_none_or(|to| run.tables()[*index].meta.range.is_below(to, &self.order));
        let skipped = (start..self.tables.end).take_while(|index| is_below(index) && ends_before(index)).count();
        let next = start + skipped;
        self.move_by(|this| match to {
            Some(to) if next < this.tables.end && run.tables()[next].meta.max_seqno < cover => {
                let cursor = this.enter(next)?;
                cursor.seek(InternalKey::before(to))?;
                if cursor.is_valid() { Ok(()) } else { this.first_from(next + 1) }
            }
            _ => this.first_from(next),
        })?;
        Ok(true)
    }

    /// [`Segmented::skip_back_below`](super::Segmented::skip_back_below). Tables on the way are not opened.
    pub(super) fn skip_back_below(&mut self, cover: SeqNo, from: Option<&[u8]>) -> Result<bool> {
        let (run, start) = (Arc::clone(&self.run), self.standing());
        let is_below = |index: &usize| run.tables()[*index].meta.max_seqno < cover;
        if !is_below(&start) {
            return Ok(false);
        }
        let order = self.order.clone();
        let is_behind = |index: &usize| {
            let min = &run.tables()[*index].meta.range.min;
            from.is_none_or(|from| !min.is_empty() && order.compare(from, min).is_le())
        };
        let skipped = (self.tables.start..=start).rev().take_while(|index| is_below(index) && is_behind(index)).count();
        let end = start + 1 - skipped;
        self.move_by(|this| match (from, end.checked_sub(1)) {
            (Some(from), Some(last)) if last >= this.tables.start && run.tables()[last].meta.max_seqno < cover => {
                let cursor = this.enter(last)?;
                cursor.seek_before(InternalKey::before(from))?;
                if cursor.is_valid() { Ok(()) } else { this.last_before(last) }
            }
            _ => this.last_before(end),
        })?;
        Ok(true)
    }

    /// The table where it stands.
    fn standing(&self) -> usize {
        self.current.as_ref().expect("the cursor stands on a row").0
    }

    /// [`Segmented::is_last_of_key`](super::Segmented::is_last_of_key). No key is in two tables of a run.
    #[inline]
    pub(super) fn is_last_of_key(&self) -> bool {
        self.here().is_last_of_key()
    }

    /// [`Segmented::is_first_of_key`](super::Segmented::is_first_of_key).
    #[inline]
    pub(super) fn is_first_of_key(&self) -> bool {
        self.here().is_first_of_key()
    }

    /// The block on whose first row it stands, see [`TableCursor::whole_block`].
    #[inline]
    pub(super) fn whole_block(&self) -> Option<WholeBlock<'_>> {
        self.here().whole_block()
    }

    /// Moves to the first row behind the block that it stands on.
    pub(super) fn pass_block(&mut self) -> Result<()> {
        self.step_on(TableCursor::pass_block)
    }

    /// The cursor over the table in which it stands, if it stands on a row: not to be moved.
    pub(super) fn table_cursor(&mut self) -> Option<&mut TableCursor> {
        self.current.as_mut().map(|(_, cursor)| cursor)
    }

    /// Whether a table has no key that is wanted.
    fn is_passed_over(&self, index: usize) -> Result<bool> {
        Ok(!self.shared.is_empty() && !self.run.tables()[index].open()?.may_contain_prefix(&self.shared)?)
    }

    /// Opens a table, or finds it open.
    fn enter(&mut self, index: usize) -> Result<&mut TableCursor> {
        if self.current.as_ref().is_none_or(|(current, _)| *current != index) {
            self.current = None;
            let table = self.run.tables()[index].open()?;
            let cursor = match self.leaves {
                Leaves::Cached => table.cursor(),
                Leaves::Uncached => table.cursor_uncached(),
                Leaves::Nothing => table.cursor_evicting(),
            };
            self.current = Some((index, cursor));
        }
        Ok(&mut self.current.as_mut().expect("set above").1)
    }

    /// From the first row of table `index` on, where there is one.
    fn first_from(&mut self, index: usize) -> Result<()> {
        for index in index.max(self.tables.start)..self.tables.end {
            if self.is_passed_over(index)? {
                continue;
            }
            let cursor = self.enter(index)?;
            cursor.seek_to_first()?;
            if cursor.is_valid() {
                return Ok(());
            }
        }
        self.current = None;
        Ok(())
    }

    /// The last row before table `end`, where there is one.
    fn last_before(&mut self, end: usize) -> Result<()> {
        for index in (self.tables.start..end.min(self.tables.end)).rev() {
            if self.is_passed_over(index)? {
                continue;
            }
            let cursor = self.enter(index)?;
            cursor.seek_to_last()?;
            if cursor.is_valid() {
                return Ok(());
            }
        }
        self.current = None;
        Ok(())
    }

    /// Steps on in the table where it stands, and from its end to the next one.
    #[inline]
    fn step_on(&mut self, step: impl FnOnce(&mut TableCursor) -> Result<()>) -> Result<()> {
        self.move_by(|this| {
            let (index, cursor) = this.current.as_mut().expect("the cursor stands on a row");
            step(cursor)?;
            if cursor.is_valid() {
                return Ok(());
            }
            let next = *index + 1;
            this.first_from(next)
        })
    }

    fn move_by(&mut self, step: impl FnOnce(&mut Self) -> Result<()>) -> Result<()> {
        if let Some(error) = &self.error {
            return Err(error.clone());
        }
        step(self).inspect_err(|error| {
            self.error = Some(error.clone());
            self.current = None;
        })
    }

    fn here(&self) -> &TableCursor {
        &self.current.as_ref().expect("the cursor stands on a row").1
    }
}

impl Cursor for RunCursor {
    #[inline]
    fn is_valid(&self) -> bool {
        self.current.as_ref().is_some_and(|(_, cursor)| cursor.is_valid())
    }

    #[inline]
    fn key(&self) -> InternalKey<'_> {
        self.here().key()
    }

    #[inline]
    fn value(&self) -> &[u8] {
        self.here().value()
    }

    #[inline]
    fn flags(&self) -> RowFlags {
        self.here().flags()
    }

    fn digest(&self, hash_seed: u64) -> Option<u32> {
        self.here().digest(hash_seed)
    }

    fn seek_to_first(&mut self) -> Result<()> {
        self.move_by(|this| this.first_from(0))
    }

    fn seek_to_last(&mut self) -> Result<()> {
        self.move_by(|this| this.last_before(usize::MAX))
    }

    fn seek(&mut self, target: InternalKey<'_>) -> Result<()> {
        self.move_by(|this| {
            let index = this.run.seek(target.user_key, &this.order).max(this.tables.start);
            if index >= this.tables.end {
                this.current = None;
                return Ok(());
            }
            if this.is_passed_over(index)? {
                return this.first_from(index + 1);
            }
            let cursor = this.enter(index)?;
            cursor.seek(target)?;
            if cursor.is_valid() { Ok(()) } else { this.first_from(index + 1) }
        })
    }

    fn seek_before(&mut self, target: InternalKey<'_>) -> Result<()> {
        self.move_by(|this| {
            let index = this.run.seek(target.user_key, &this.order).max(this.tables.start);
            if index >= this.tables.end {
                return this.last_before(this.tables.end);
            }
            if this.is_passed_over(index)? {
                return this.last_before(index);
            }
            let cursor = this.enter(index)?;
            cursor.seek_before(target)?;
            if cursor.is_valid() { Ok(()) } else { this.last_before(index) }
        })
    }

    #[inline]
    fn next(&mut self) -> Result<()> {
        self.step_on(TableCursor::next)
    }

    #[inline]
    fn prev(&mut self) -> Result<()> {
        self.move_by(|this| {
            let (index, cursor) = this.current.as_mut().expect("the cursor stands on a row");
            cursor.prev()?;
            if cursor.is_valid() {
                return Ok(());
            }
            let end = *index;
            this.last_before(end)
        })
    }
}
