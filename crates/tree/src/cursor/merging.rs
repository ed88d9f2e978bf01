//! `Merging`: several cursors as one, in the order of internal keys.
//!
//! A tournament finds the least row (`merging/losers.rs`). It compares 8-byte heads, taken from where keys differ
//! (`merging/heads.rs`); keys are compared whole only where heads tie. Rows that are equal in key, seqno and kind come in the order
//! of the sources, which callers give newest first. Turning round seeks every source anew. One caller at a time.
//!
//! A source that has won a few times in a row is likely to go on: it is asked for all its rows up to the next row of any other, which
//! then need no comparison at all.

mod heads;
mod losers;

use super::{Segmented, Source};
use heads::Heads;
use losers::Losers;
use sediment_base::{
    Cursor, Error, InternalKey, KeyOrder, Result, RowFlags, SeqNo,
    range::{is_within_lower, is_within_upper},
};
use sediment_table::{Segment, TableCursor, WholeBlock};
use std::ops::Bound;

/// After so many wins in a row a source is asked for a segment, at least and at most. Where sources alternate, asking costs more than
/// it saves.
const STREAK_MIN: u32 = 3;
const STREAK_MAX: u32 = 12;

/// A segment of so many rows was worth asking for.
const ROWS_WORTHWHILE: usize = 12;

/// Several cursors as one.
pub(crate) struct Merging<C> {
    sources: Vec<C>,
    order: KeyOrder,
    heads: Heads,
    losers: Losers,
    direction: Direction,
    /// How often the winner has won in a row.
    streak: u32,
    /// How often it has to, to be asked for a segment: more often while segments are short.
    patience: u32,
    /// Where a segment had to end, kept for its memory.
    rival: Vec<u8>,
    error: Option<Error>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Direction {
    Forward,
    Backward,
}

impl Direction {
    /// What is lower for what comes earlier. It may be the highest number, which is that of sources on no row.
    #[inline]
    fn rank(self, head: u64) -> u64 {
        match self {
            Self::Forward => head,
            Self::Backward => !head,
        }
    }
}

impl<C: Cursor> Merging<C> {
    /// A cursor on no row over these, newest first.
    pub(crate) fn new(sources: Vec<C>, order: KeyOrder) -> Self {
        let count = sources.len();
        Self {
            sources,
            heads: Heads::new(order.clone()),
            order,
            losers: Losers::new(count),
            direction: Direction::Forward,
            streak: 0,
            patience: STREAK_MIN,
            rival: Vec::new(),
            error: None,
        }
    }

    #[inline]
    fn winner(&self) -> &C {
        &self.sources[self.losers.winner().source]
    }

    /// Moves every source and finds the winner anew.
    fn restart(&mut self, direction: Direction, mut step: impl FnMut(&mut C) -> Result<()>) -> Result<()> {
        self.move_by(|this| {
            for source in &mut this.sources {
                step(source)?;
            }
            this.direction = direction;
            this.rebuild();
            Ok(())
        })
    }

    /// Moves the winner, and lets it play its way up again.
    #[inline]
    fn advance(&mut self, direction: Direction, step: impl FnOnce(&mut C) -> Result<()>) -> Result<()> {
        self.move_by(|this| {
            if this.direction != direction {
                this.turn(direction)?;
            }
            let winner = this.losers.winner().source;
            step(&mut this.sources[winner])?;
            this.replay(winner);
            this.streak = if this.losers.winner().source == winner { this.streak + 1 } else { 0 };
            Ok(())
        })
    }

    /// Puts every source but the winner on its first row after the winner's, in the new direction.
    fn turn(&mut self, direction: Direction) -> Result<()> {
        let winner = self.losers.winner().source;
        let key = self.sources[winner].key();
        let (user_key, seqno, kind) = (key.user_key.to_vec(), key.seqno, key.kind);
        let target = InternalKey::new(&user_key, seqno, kind);
        for (index, source) in self.sources.iter_mut().enumerate().filter(|(index, _)| *index != winner) {
            source.seek(target)?;
            let is_equal = source.is_valid() && source.key() == target;
            // Among equal rows the order of the sources decides which lie before the winner's.
            match direction {
                Direction::Forward if is_equal && index < winner => source.next()?,
                Direction::Backward if is_equal && index < winner => {}
                Direction::Backward => source.seek_before(target)?,
                Direction::Forward => {}
            }
        }
        self.direction = direction;
        self.rebuild();
        // The winner stands where it stood; it leads in the new direction as well.
        debug_assert_eq!(self.losers.winner().source, winner);
        Ok(())
    }

    fn rebuild(&mut self) {
        self.streak = 0;
        self.fit_heads();
        let Self { sources, order, heads, losers, direction, .. } = self;
        losers.play(sources.iter().map(|source| rank(source, heads, *direction)), tie(sources, order, heads, *direction));
    }

    /// Lets the winner, which has moved, play again.
    #[inline]
    fn replay(&mut self, winner: usize) {
        let source = &self.sources[winner];
        let rank = if source.is_valid() {
            match self.heads.of(source.key().user_key) {
                Some(head) if !self.heads.is_worn() => self.direction.rank(head),
                _ => self.remake_heads(winner),
            }
        } else {
            u64::MAX
        };
        let Self { sources, order, heads, losers, direction, .. } = self;
        losers.replay(rank, tie(sources, order, heads, *direction));
    }

    /// Makes the heads of all sources anew; returns the rank of this one, whose key is not like the others or tied too often.
    #[cold]
    fn remake_heads(&mut self, index: usize) -> u64 {
        if self.heads.is_worn() {
            self.fit_heads();
        } else {
            self.heads.admit(self.sources[index].key().user_key);
        }
        let Self { sources, heads, losers, direction, .. } = self;
        losers.rerank(|source| rank(&sources[source], heads, *direction));
        rank(&sources[index], heads, *direction)
    }

    /// Takes heads from where the rows of the sources differ.
    fn fit_heads(&mut self) {
        let live = self.sources.iter().filter(|source| source.is_valid());
        self.heads.fit(live.map(|source| source.key().user_key));
    }

    /// The user key where the next best source stands.
    fn runner_up(&self) -> Option<&[u8]> {
        let Self { sources, order, heads, losers, direction, .. } = self;
        let runner_up = &sources[losers.runner_up(tie(sources, order, heads, *direction))?];
        runner_up.is_valid().then(|| runner_up.key().user_key)
    }

    #[inline]
    fn move_by(&mut self, step: impl FnOnce(&mut Self) -> Result<()>) -> Result<()> {
        if let Some(error) = &self.error {
            return Err(error.clone());
        }
        step(self).inspect_err(|error| self.error = Some(error.clone()))
    }
}

/// The rank of a source, whose key was admitted to the heads.
#[inline]
fn rank<C: Cursor>(source: &C, heads: &Heads, direction: Direction) -> u64 {
    if !source.is_valid() {
        return u64::MAX;
    }
    direction.rank(heads.of(source.key().user_key).expect("admitted"))
}

/// Tells of two sources of equal rank whether the first comes before the other.
fn tie<'a, C: Cursor>(
    sources: &'a [C],
    order: &'a KeyOrder,
    heads: &'a Heads,
    direction: Direction,
) -> impl Fn(usize, usize) -> bool + 'a {
    move |a, b| {
        let (left, right) = (&sources[a], &sources[b]);
        if !(left.is_valid() && right.is_valid()) {
            return left.is_valid();
        }
        heads.tied();
        let ordering = left.key().compare(right.key(), order).then(a.cmp(&b));
        match direction {
            Direction::Forward => ordering.is_lt(),
            Direction::Backward => ordering.is_gt(),
        }
    }
}

impl<C: Cursor> Cursor for Merging<C> {
    #[inline]
    fn is_valid(&self) -> bool {
        self.error.is_none() && !self.sources.is_empty() && self.winner().is_valid()
    }

    #[inline]
    fn key(&self) -> InternalKey<'_> {
        self.winner().key()
    }

    #[inline]
    fn value(&self) -> &[u8] {
        self.winner().value()
    }

    #[inline]
    fn flags(&self) -> RowFlags {
        self.winner().flags()
    }

    fn digest(&self, hash_seed: u64) -> Option<u32> {
        self.winner().digest(hash_seed)
    }

    fn seek_to_first(&mut self) -> Result<()> {
        self.restart(Direction::Forward, C::seek_to_first)
    }

    fn seek_to_last(&mut self) -> Result<()> {
        self.restart(Direction::Backward, C::seek_to_last)
    }

    fn seek(&mut self, target: InternalKey<'_>) -> Result<()> {
        self.restart(Direction::Forward, |source| source.seek(target))
    }

    fn seek_before(&mut self, target: InternalKey<'_>) -> Result<()> {
        self.restart(Direction::Backward, |source| source.seek_before(target))
    }

    #[inline]
    fn next(&mut self) -> Result<()> {
        self.advance(Direction::Forward, C::next)
    }

    #[inline]
    fn prev(&mut self) -> Result<()> {
        self.advance(Direction::Backward, C::prev)
    }
}

impl Merging<Source> {
    /// The block on whose first row it stands, if no other source has a row among those of the block. Asked walking forwards.
    #[inline]
    pub(crate) fn whole_block(&self) -> Option<WholeBlock<'_>> {
        let block = self.winner().whole_block()?;
        self.is_alone(&block).then_some(block)
    }

    fn is_alone(&self, block: &WholeBlock<'_>) -> bool {
        self.runner_up().is_none_or(|rival| block.ends_before(rival))
    }

    /// Moves to the first row behind the block that [`Merging::whole_block`] has shown.
    pub(crate) fn pass_block(&mut self) -> Result<()> {
        self.advance(Direction::Forward, Source::pass_block)
    }

    /// The cursor over the table of the current row, if it is in a table: not to be moved.
    pub(crate) fn table_cursor(&mut self) -> Option<&mut TableCursor> {
        self.sources.get_mut(self.losers.winner().source)?.table_cursor()
    }
}

#[cfg(test)]
mod tests;

impl<C: Segmented> Merging<C> {
    /// Whether asking the winner for a segment is likely to pay.
    #[inline]
    fn has_segment(&self, direction: Direction) -> bool {
        self.direction == direction && (self.streak >= self.patience || self.sources.len() == 1)
    }

    /// Lets the winner give its rows up to where the runner-up stands or `bound` ends, the nearer of the two.
    fn segment(
        &mut self,
        bound: Bound<&[u8]>,
        is_within: impl Fn(&[u8], &KeyOrder) -> bool,
        give: impl FnOnce(&mut C, Bound<&[u8]>) -> Option<usize>,
    ) -> bool {
        let winner = self.losers.winner().source;
        let mut rival = std::mem::take(&mut self.rival);
        rival.clear();
        let nearer = self.runner_up().filter(|rival| is_within(rival, &self.order));
        rival.extend_from_slice(nearer.unwrap_or_default());
        // No key is empty.
        let bound = if rival.is_empty() { bound } else { Bound::Excluded(&*rival) };
        let given = give(&mut self.sources[winner], bound);
        self.rival = rival;
        if given.is_some_and(|rows| rows >= ROWS_WORTHWHILE) {
            self.patience = STREAK_MIN;
        } else {
            self.patience = (self.patience + 1).min(STREAK_MAX);
        }
        if given.is_some() {
            self.replay(winner);
            debug_assert_eq!(self.losers.winner().source, winner);
        } else {
            self.streak = 0;
        }
        given.is_some()
    }
}

impl<C: Segmented> Segmented for Merging<C> {
    #[inline]
    fn segment_after(&mut self, upper: Bound<&[u8]>, segment: &mut Segment) -> bool {
        if !self.has_segment(Direction::Forward) {
            return false;
        }
        let is_within = |key: &[u8], order: &KeyOrder| is_within_upper(key, upper, order);
        self.segment(upper, is_within, |source, upper| source.segment_after(upper, segment).then(|| segment.rows()))
    }

    #[inline]
    fn segment_before(&mut self, lower: Bound<&[u8]>, segment: &mut Segment) -> bool {
        if !self.has_segment(Direction::Backward) {
            return false;
        }
        let is_within = |key: &[u8], order: &KeyOrder| is_within_lower(key, lower, order);
        self.segment(lower, is_within, |source, lower| source.segment_before(lower, segment).then(|| segment.rows()))
    }

    #[inline]
    fn is_last_of_key(&self) -> bool {
        self.direction == Direction::Forward && !self.losers.is_tied() && self.winner().is_last_of_key()
    }

    #[inline]
    fn is_first_of_key(&self) -> bool {
        self.direction == Direction::Backward && !self.losers.is_tied() && self.winner().is_first_of_key()
    }

    fn skip_below(&mut self, cover: SeqNo, to: Option<&[u8]>) -> Result<bool> {
        let mut is_skipped = false;
        self.advance(Direction::Forward, |source| source.skip_below(cover, to).map(|done| is_skipped = done))?;
        Ok(is_skipped)
    }

    fn skip_back_below(&mut self, cover: SeqNo, from: Option<&[u8]>) -> Result<bool> {
        let mut is_skipped = false;
        self.advance(Direction::Backward, |source| source.skip_back_below(cover, from).map(|done| is_skipped = done))?;
        Ok(is_skipped)
    }
}
