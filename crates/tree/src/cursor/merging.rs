//! `Merging`: several cursors as one, in the order of internal keys.
//!
//! A tree of losers: each inner node keeps the source that lost there, so that one step compares along one path from a leaf to
//! the root. Comparisons are of 8-byte heads; keys are compared whole only where heads tie. Rows that are equal in key, seqno
//! and kind come in the order of the sources, which callers give newest first. Turning round seeks every source anew. One
//! caller at a time.
//!
//! A source that has won a few times in a row is likely to go on: it is asked for all its rows up to the next row of any other, which
//! then need no comparison at all.

use super::Segmented;
use sediment_base::{
    Cursor, Error, InternalKey, KeyOrder, Result, RowFlags, SeqNo,
    range::{is_within_lower, is_within_upper},
};
use sediment_table::Segment;
use smallvec::{SmallVec, smallvec};
use std::{cmp::Ordering, ops::Bound};

/// Up to so many sources take no memory of their own for the tree.
const SOURCES: usize = 8;

/// After so many wins in a row a source is asked for a segment. Where sources alternate, asking costs more than it saves.
const STREAK: u32 = 3;

/// Several cursors as one.
pub(crate) struct Merging<C> {
    sources: Vec<C>,
    order: KeyOrder,
    leaves: SmallVec<[Leaf; SOURCES]>,
    /// `losers[0]` is the winner; node `n` has the children `2n` and `2n + 1`, source `i` is the leaf `n = count + i`.
    losers: SmallVec<[usize; SOURCES]>,
    direction: Direction,
    /// How often the winner has won in a row.
    streak: u32,
    /// Where a segment had to end, kept for its memory.
    rival: Vec<u8>,
    error: Option<Error>,
}

/// What the tree knows of a source.
#[derive(Clone, Copy, Default)]
struct Leaf {
    /// Head of its row; meaningless where it is on none.
    head: u64,
    is_live: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Direction {
    Forward,
    Backward,
}

impl<C: Cursor> Merging<C> {
    /// A cursor on no row over these, newest first.
    pub(crate) fn new(sources: Vec<C>, order: KeyOrder) -> Self {
        let count = sources.len();
        Self {
            sources,
            order,
            leaves: smallvec![Leaf::default(); count],
            losers: smallvec![0; count],
            direction: Direction::Forward,
            streak: 0,
            rival: Vec::new(),
            error: None,
        }
    }

    fn winner(&self) -> &C {
        &self.sources[self.losers[0]]
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
            let winner = this.losers[0];
            step(&mut this.sources[winner])?;
            this.refresh(winner);
            this.replay(winner);
            this.streak = if this.losers[0] == winner { this.streak + 1 } else { 0 };
            Ok(())
        })
    }

    /// Puts every source but the winner on its first row after the winner's, in the new direction.
    fn turn(&mut self, direction: Direction) -> Result<()> {
        let winner = self.losers[0];
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
        debug_assert_eq!(self.losers[0], winner);
        Ok(())
    }

    fn rebuild(&mut self) {
        self.streak = 0;
        let count = self.sources.len();
        if count == 0 {
            return;
        }
        (0..count).for_each(|index| self.refresh(index));
        let mut winners: SmallVec<[usize; 2 * SOURCES]> = (0..count).map(|_| 0).chain(0..count).collect();
        for node in (1..count).rev() {
            let (left, right) = (winners[2 * node], winners[2 * node + 1]);
            let is_left = self.beats(left, right);
            (winners[node], self.losers[node]) = if is_left { (left, right) } else { (right, left) };
        }
        self.losers[0] = winners[1];
    }

    #[inline]
    fn refresh(&mut self, index: usize) {
        let source = &self.sources[index];
        let is_live = source.is_valid();
        let head = if is_live { self.order.head(source.key().user_key) } else { 0 };
        self.leaves[index] = Leaf { head, is_live };
    }

    #[inline]
    fn replay(&mut self, leaf: usize) {
        let mut winner = leaf;
        let mut node = (self.sources.len() + leaf) / 2;
        while node > 0 {
            if self.beats(self.losers[node], winner) {
                std::mem::swap(&mut self.losers[node], &mut winner);
            }
            node /= 2;
        }
        self.losers[0] = winner;
    }

    /// Whether source `a` comes before source `b` in the current direction.
    #[inline]
    fn beats(&self, a: usize, b: usize) -> bool {
        let (leaf, other) = (self.leaves[a], self.leaves[b]);
        if !(leaf.is_live && other.is_live) {
            return leaf.is_live;
        }
        let ordering = match leaf.head.cmp(&other.head) {
            Ordering::Equal => self.compare_whole(a, b),
            unequal => unequal,
        };
        match self.direction {
            Direction::Forward => ordering.is_lt(),
            Direction::Backward => ordering.is_gt(),
        }
    }

    /// The user key where the next best source stands: the best of those that lost against the winner.
    fn runner_up(&self) -> Option<&[u8]> {
        let mut best: Option<usize> = None;
        let mut node = (self.sources.len() + self.losers[0]) / 2;
        while node > 0 {
            let loser = self.losers[node];
            if self.leaves[loser].is_live && best.is_none_or(|best| self.beats(loser, best)) {
                best = Some(loser);
            }
            node /= 2;
        }
        best.map(|best| self.sources[best].key().user_key)
    }

    fn compare_whole(&self, a: usize, b: usize) -> Ordering {
        self.sources[a].key().compare(self.sources[b].key(), &self.order).then(a.cmp(&b))
    }

    #[inline]
    fn move_by(&mut self, step: impl FnOnce(&mut Self) -> Result<()>) -> Result<()> {
        if let Some(error) = &self.error {
            return Err(error.clone());
        }
        step(self).inspect_err(|error| self.error = Some(error.clone()))
    }
}

impl<C: Cursor> Cursor for Merging<C> {
    #[inline]
    fn is_valid(&self) -> bool {
        self.error.is_none() && self.losers.first().is_some_and(|winner| self.leaves[*winner].is_live)
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

#[cfg(test)]
mod tests;

impl<C: Segmented> Merging<C> {
    /// Lets the winner give its rows up to where the runner-up stands or `bound` ends, the nearer of the two.
    fn segment(
        &mut self,
        direction: Direction,
        bound: Bound<&[u8]>,
        is_within: impl Fn(&[u8], &KeyOrder) -> bool,
        give: impl FnOnce(&mut C, Bound<&[u8]>) -> bool,
    ) -> bool {
        let is_likely = self.streak >= STREAK || self.sources.len() == 1;
        if self.direction != direction || !is_likely {
            return false;
        }
        let winner = self.losers[0];
        let mut rival = std::mem::take(&mut self.rival);
        rival.clear();
        let nearer = self.runner_up().filter(|rival| is_within(rival, &self.order));
        rival.extend_from_slice(nearer.unwrap_or_default());
        // No key is empty.
        let bound = if rival.is_empty() { bound } else { Bound::Excluded(&*rival) };
        let is_given = give(&mut self.sources[winner], bound);
        if is_given {
            self.refresh(winner);
        } else {
            self.streak = 0;
        }
        self.rival = rival;
        is_given
    }
}

impl<C: Segmented> Segmented for Merging<C> {
    fn segment_after(&mut self, upper: Bound<&[u8]>, segment: &mut Segment) -> bool {
        let is_within = |key: &[u8], order: &KeyOrder| is_within_upper(key, upper, order);
        self.segment(Direction::Forward, upper, is_within, |source, upper| source.segment_after(upper, segment))
    }

    fn segment_before(&mut self, lower: Bound<&[u8]>, segment: &mut Segment) -> bool {
        let is_within = |key: &[u8], order: &KeyOrder| is_within_lower(key, lower, order);
        self.segment(Direction::Backward, lower, is_within, |source, lower| source.segment_before(lower, segment))
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
