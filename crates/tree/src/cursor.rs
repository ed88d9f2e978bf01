//! Cursors over everything that a read or a rewrite walks.
//!
//! A [`Source`] is one memtable or one run. [`Merging`] walks several as one, all versions of a key included; [`Forward`] and
//! [`Backward`] show of that what a reader at one seqno sees.

mod below;
mod cover;
mod fold;
mod merging;
mod metered;
mod run;
mod visible;

pub(crate) use below::Below;
pub(crate) use cover::Cover;
pub(crate) use fold::Fold;
pub(crate) use merging::Merging;
pub(crate) use metered::Metered;
pub(crate) use run::{Leaves, RunCursor};
pub(crate) use visible::{Backward, Bounds, Forward, Seen, View, seen, take_in};

use crate::memtable::MemtableCursor;
use sediment_base::{Cursor, InternalKey, Result, RowFlags, SeqNo};
use sediment_table::{Segment, TableCursor, WholeBlock};
use std::ops::Bound;

/// Rows of one key that are stepped over before a seek jumps the rest.
const STEPS_MAX: usize = 8;

/// A cursor that can give many rows at once.
pub(crate) trait Segmented: Cursor {
    /// Fills `segment` with rows of keys behind the current one, with nothing between them and none above `upper`, and moves onto
    /// the last of them. Every key is whole. False, and nothing done, where it would not pay. Panics on no row.
    fn segment_after(&mut self, upper: Bound<&[u8]>, segment: &mut Segment) -> bool;

    /// Whether a walk may begin with the key that it stands on; where not, it ends in front of it.
    #[inline]
    fn may_begin_key(&mut self) -> bool {
        true
    }

    /// Moves to the first row from `to` on, or to none without one, where no row before that has a seqno from `cover` on; false, and
    /// nothing done, where one might. It may stop earlier. Panics on no row.
    fn skip_below(&mut self, cover: SeqNo, to: Option<&[u8]>) -> Result<bool>;

    /// Moves to the last row before `from`, or to none without one, where no row behind that has a seqno from `cover` on; false, and
    /// nothing done, where one might. It may stop earlier. Panics on no row.
    fn skip_back_below(&mut self, cover: SeqNo, from: Option<&[u8]>) -> Result<bool>;

    /// Fills `segment` with the rows of the current key, of which it must stand on the oldest, and of keys before it, with nothing
    /// between them and none below `lower`, and moves onto the first of them. Every key is whole. False, and nothing done,
    /// where it would not pay. Panics on no row.
    fn segment_before(&mut self, lower: Bound<&[u8]>, segment: &mut Segment) -> bool;

    /// Whether surely no row behind this one has its user key; false where that would take long to find out. Asked of a cursor that came
    /// here forwards. Panics on no row.
    fn is_last_of_key(&self) -> bool;

    /// Whether surely no row before this one has its user key; false where that would take long to find out. Asked of a cursor that
    /// came here backwards. Panics on no row.
    fn is_first_of_key(&self) -> bool;
}

/// One sorted sequence among those that are merged. An enum, so that no row costs a dynamic call.
pub(crate) enum Source {
    Memtable(MemtableCursor),
    Run(RunCursor),
    /// One of the others, with rows hidden.
    Below(Box<Below>),
}

macro_rules! each {
    ($self:expr, $cursor:ident => $call:expr) => {
        match $self {
            Source::Memtable($cursor) => $call,
            Source::Run($cursor) => $call,
            Source::Below($cursor) => $call,
        }
    };
}

/// For rewrites, which may take a block over as a whole. Only tables have blocks.
impl Source {
    #[inline]
    fn whole_block(&self) -> Option<WholeBlock<'_>> {
        match self {
            Self::Run(cursor) => cursor.whole_block(),
            Self::Memtable(_) | Self::Below(_) => None,
        }
    }

    fn pass_block(&mut self) -> Result<()> {
        match self {
            Self::Run(cursor) => cursor.pass_block(),
            Self::Memtable(_) | Self::Below(_) => self.next(),
        }
    }

    fn table_cursor(&mut self) -> Option<&mut TableCursor> {
        match self {
            Self::Run(cursor) => cursor.table_cursor(),
            Self::Memtable(_) | Self::Below(_) => None,
        }
    }
}

impl Cursor for Source {
    #[inline]
    fn is_valid(&self) -> bool {
        each!(self, cursor => cursor.is_valid())
    }

    #[inline]
    fn key(&self) -> InternalKey<'_> {
        each!(self, cursor => cursor.key())
    }

    #[inline]
    fn value(&self) -> &[u8] {
        each!(self, cursor => cursor.value())
    }

    #[inline]
    fn flags(&self) -> RowFlags {
        each!(self, cursor => cursor.flags())
    }

    #[inline]
    fn digest(&self, hash_seed: u64) -> Option<u32> {
        each!(self, cursor => cursor.digest(hash_seed))
    }

    fn seek_to_first(&mut self) -> Result<()> {
        each!(self, cursor => cursor.seek_to_first())
    }

    fn seek_to_last(&mut self) -> Result<()> {
        each!(self, cursor => cursor.seek_to_last())
    }

    fn seek(&mut self, target: InternalKey<'_>) -> Result<()> {
        each!(self, cursor => cursor.seek(target))
    }

    fn seek_before(&mut self, target: InternalKey<'_>) -> Result<()> {
        each!(self, cursor => cursor.seek_before(target))
    }

    #[inline]
    fn next(&mut self) -> Result<()> {
        each!(self, cursor => cursor.next())
    }

    #[inline]
    fn prev(&mut self) -> Result<()> {
        each!(self, cursor => cursor.prev())
    }
}

impl Segmented for Source {
    fn segment_after(&mut self, upper: Bound<&[u8]>, segment: &mut Segment) -> bool {
        match self {
            Self::Memtable(_) => false,
            Self::Run(cursor) => cursor.segment_after(upper, segment),
            Self::Below(cursor) => cursor.segment_after(upper, segment),
        }
    }

    fn segment_before(&mut self, lower: Bound<&[u8]>, segment: &mut Segment) -> bool {
        match self {
            Self::Memtable(_) => false,
            Self::Run(cursor) => cursor.segment_before(lower, segment),
            Self::Below(cursor) => cursor.segment_before(lower, segment),
        }
    }

    fn skip_below(&mut self, cover: SeqNo, to: Option<&[u8]>) -> Result<bool> {
        each!(self, cursor => cursor.skip_below(cover, to))
    }

    fn skip_back_below(&mut self, cover: SeqNo, from: Option<&[u8]>) -> Result<bool> {
        each!(self, cursor => cursor.skip_back_below(cover, from))
    }

    #[inline]
    fn is_last_of_key(&self) -> bool {
        each!(self, cursor => cursor.is_last_of_key())
    }

    #[inline]
    fn is_first_of_key(&self) -> bool {
        each!(self, cursor => cursor.is_first_of_key())
    }
}
