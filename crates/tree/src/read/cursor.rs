//! A walk over the visible rows that may turn round and be sent elsewhere at any time.
//!
//! Each direction has its own stack of cursors over the same pinned super-version, made when it is first gone. Turning round and
//! seeking send the stack of the direction to come to a new bound; what it has open stays open.

use super::reader::Reader;
use crate::{
    cursor::{Backward, Bounds, Forward, Merging, Source},
    super_version::SuperVersion,
};
use sediment_base::{Error, Result, Slice};
use std::{fmt, ops::Bound, sync::Arc};

/// Cursors go anywhere.
const EVERYTHING: Bounds = (Bound::Unbounded, Bound::Unbounded);

/// A place among the visible rows of one moment: on a row, before the first or after the last. It keeps what it reads alive, the
/// tree itself need not live. After an error it is on no row, and every later move returns that error again.
pub struct Cursor {
    reader: Reader,
    forward: Option<Box<Forward<Merging<Source>>>>,
    backward: Option<Box<Backward<Merging<Source>>>>,
    place: Place,
    failed: Option<Error>,
    /// Taken by drop alone: the stacks above go before it, and only then may files be swept.
    pinned: Option<Arc<SuperVersion>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    BeforeFirst,
    /// On the row that this stack gave last.
    Forward,
    Backward,
    AfterLast,
}

impl Cursor {
    /// Before the first row of what `pinned` holds.
    pub(crate) fn new(pinned: Arc<SuperVersion>, reader: Reader) -> Self {
        let failed = pinned.check_history(reader.read_seqno).err();
        let (forward, backward, place) = (None, None, Place::BeforeFirst);
        Self { reader, forward, backward, place, failed, pinned: Some(pinned) }
    }

    /// Moves to the first row; false, and before the first, if there is none.
    pub fn seek_to_first(&mut self) -> Result<bool> {
        self.go_forward(Some(Bound::Unbounded))
    }

    /// Moves to the last row; false, and after the last, if there is none.
    pub fn seek_to_last(&mut self) -> Result<bool> {
        self.go_backward(Some(Bound::Unbounded))
    }

    /// Moves to the first row at or after `key`; false, and after the last row, if there is none.
    pub fn seek(&mut self, key: &[u8]) -> Result<bool> {
        self.go_forward(Some(Bound::Included(key.into())))
    }

    /// Moves to the last row at or before `key`; false, and before the first row, if there is none.
    pub fn seek_back(&mut self, key: &[u8]) -> Result<bool> {
        self.go_backward(Some(Bound::Included(key.into())))
    }

    /// Moves to the row after; false, and after the last row, if there is none.
    #[inline]
    #[expect(clippy::should_implement_trait, reason = "a cursor moves and lends, an iterator gives")]
    pub fn next(&mut self) -> Result<bool> {
        match self.place {
            Place::BeforeFirst => self.go_forward(Some(Bound::Unbounded)),
            Place::Forward => self.go_forward(None),
            Place::Backward => {
                let here = self.key().map(Slice::new).unwrap_or_default();
                self.go_forward(Some(Bound::Excluded(here)))
            }
            Place::AfterLast => self.check().map(|()| false),
        }
    }

    /// Moves to the row before; false, and before the first row, if there is none.
    #[inline]
    pub fn prev(&mut self) -> Result<bool> {
        match self.place {
            Place::AfterLast => self.go_backward(Some(Bound::Unbounded)),
            Place::Backward => self.go_backward(None),
            Place::Forward => {
                let here = self.key().map(Slice::new).unwrap_or_default();
                self.go_backward(Some(Bound::Excluded(here)))
            }
            Place::BeforeFirst => self.check().map(|()| false),
        }
    }

    /// The key of the row that it stands on, if it stands on one.
    #[inline]
    pub fn key(&self) -> Option<&[u8]> {
        match self.place {
            Place::Forward => self.forward.as_ref().map(|forward| forward.key()),
            Place::Backward => self.backward.as_ref().map(|backward| backward.key()),
            Place::BeforeFirst | Place::AfterLast => None,
        }
    }

    /// The value of that row.
    #[inline]
    pub fn value(&self) -> Option<&[u8]> {
        match self.place {
            Place::Forward => self.forward.as_ref().map(|forward| forward.value()),
            Place::Backward => self.backward.as_ref().map(|backward| backward.value()),
            Place::BeforeFirst | Place::AfterLast => None,
        }
    }

    /// One row on, from a new bound if there is one.
    #[inline]
    fn go_forward(&mut self, lower: Option<Bound<Slice>>) -> Result<bool> {
        self.check()?;
        let gone = self.step_forward(lower);
        self.arrive(gone, Place::Forward, Place::AfterLast)
    }

    #[inline]
    fn step_forward(&mut self, lower: Option<Bound<Slice>>) -> Result<bool> {
        let pinned = self.pinned.as_ref().expect("taken by drop alone");
        let forward = match &mut self.forward {
            Some(forward) => forward,
            None => self.forward.insert(self.reader.forward(pinned, &EVERYTHING)?),
        };
        if let Some(lower) = lower {
            pinned.note_seek();
            forward.restart(lower);
        }
        forward.next()
    }

    /// One row back, from a new bound if there is one.
    #[inline]
    fn go_backward(&mut self, upper: Option<Bound<Slice>>) -> Result<bool> {
        self.check()?;
        let gone = self.step_backward(upper);
        self.arrive(gone, Place::Backward, Place::BeforeFirst)
    }

    #[inline]
    fn step_backward(&mut self, upper: Option<Bound<Slice>>) -> Result<bool> {
        let pinned = self.pinned.as_ref().expect("taken by drop alone");
        let backward = match &mut self.backward {
            Some(backward) => backward,
            None => self.backward.insert(self.reader.backward(pinned, &EVERYTHING)?),
        };
        if let Some(upper) = upper {
            pinned.note_seek();
            backward.restart(upper);
        }
        backward.next()
    }

    #[inline]
    fn arrive(&mut self, gone: Result<bool>, on_row: Place, on_none: Place) -> Result<bool> {
        self.place = if matches!(gone, Ok(true)) { on_row } else { on_none };
        gone.inspect_err(|error| self.failed = Some(error.clone()))
    }

    #[inline]
    fn check(&self) -> Result<()> {
        self.failed.as_ref().map_or(Ok(()), |error| Err(error.clone()))
    }
}

impl fmt::Debug for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cursor")
            .field("read_seqno", &self.reader.read_seqno)
            .field("place", &self.place)
            .finish_non_exhaustive()
    }
}

impl Drop for Cursor {
    /// Lets go of everything, and has files removed that only this cursor still held.
    fn drop(&mut self) {
        (self.forward, self.backward) = (None, None);
        if let Some(pinned) = self.pinned.take() {
            pinned.let_go();
        }
    }
}
