//! Cursors over everything that a read or a rewrite walks.
//!
//! A [`Source`] is one memtable or one run. [`Merging`] walks several as one, all versions of a key included; [`Forward`] and
//! [`Backward`] show of that what a reader at one seqno sees.

mod merging;
mod run;
mod visible;

pub(crate) use merging::Merging;
pub(crate) use run::RunCursor;
pub(crate) use visible::{Backward, Bounds, Forward, found_value};

use crate::memtable::MemtableCursor;
use sediment_base::{Cursor, InternalKey, Result, RowFlags};

/// One sorted sequence among those that are merged. An enum, so that no row costs a dynamic call.
pub(crate) enum Source {
    Memtable(MemtableCursor),
    Run(RunCursor),
}

macro_rules! each {
    ($self:expr, $cursor:ident => $call:expr) => {
        match $self {
            Source::Memtable($cursor) => $call,
            Source::Run($cursor) => $call,
        }
    };
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
