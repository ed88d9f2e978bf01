//! A scan that stops when it has done enough, and knows where to go on.
//!
//! What it may do is counted in rows that it gives, in bytes of these, and in steps: rows looked at, those among them that no reader
//! sees. The last bounds its time where a million keys were removed. What is left of its range is a range again, so that it
//! is gone on with by another scan, in another process if need be.

use super::{
    reader::Reader,
    scan::{is_empty, owned},
};
use crate::{
    cursor::{Backward, Bounds, Forward, Merging, Metered, Source},
    super_version::SuperVersion,
};
use sediment_base::{Error, Result, Slice};
use std::{fmt, ops::Bound, sync::Arc};

/// What one part of a scan may do. Whatever the limits, a part gets on by a key at least.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ScanLimits {
    /// Rows that it gives, at most.
    pub rows: u64,
    /// Bytes of keys and values that it gives: the row that reaches them is the last.
    pub bytes: u64,
    /// Rows that it looks at, those among them that are old, removed or too new: it ends within a block after so many.
    pub steps: u64,
}

impl Default for ScanLimits {
    /// None.
    fn default() -> Self {
        Self { rows: u64::MAX, bytes: u64::MAX, steps: u64::MAX }
    }
}

/// Which way a scan goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// From the smallest key to the largest.
    Forward,
    /// From the largest key to the smallest.
    Backward,
}

/// A part of a scan. It keeps what it reads alive, the tree itself need not live. After an error it is at its end.
pub struct ScanPart {
    reader: Reader,
    direction: Direction,
    /// What is left of the range.
    rest: Bounds,
    /// Whether there is nothing left.
    has_ended: bool,
    left: ScanLimits,
    walk: Option<Walk>,
    failed: Option<Error>,
    /// Taken at the end: the walk goes before it, and only then may files be swept.
    pinned: Option<Arc<SuperVersion>>,
}

enum Walk {
    Forward(Box<Forward<Metered<Merging<Source>>>>),
    Backward(Box<Backward<Metered<Merging<Source>>>>),
}

impl ScanPart {
    /// A part of the range in what `pinned` holds.
    pub(crate) fn new(
        pinned: Arc<SuperVersion>,
        reader: Reader,
        bounds: Bounds,
        (direction, limits): (Direction, ScanLimits),
    ) -> Self {
        let failed = pinned.check_history(reader.read_seqno).err();
        let left = ScanLimits { rows: limits.rows.max(1), bytes: limits.bytes.max(1), ..limits };
        let has_ended = failed.is_none() && is_empty(&bounds, &reader.order);
        Self { reader, direction, rest: bounds, has_ended, left, walk: None, failed, pinned: Some(pinned) }
    }

    /// The next row of the part, lent until it is asked again.
    pub fn next_ref(&mut self) -> Result<Option<(&[u8], &[u8])>> {
        match self.step() {
            Ok(true) => Ok(self.walk.as_ref().map(Walk::row)),
            Ok(false) => {
                self.end();
                Ok(None)
            }
            Err(error) => {
                self.end();
                Err(error)
            }
        }
    }

    /// What is left of the range behind the rows that were given; nothing, if all of it was walked over.
    pub fn rest(&self) -> Option<&(Bound<Slice>, Bound<Slice>)> {
        (!self.has_ended).then_some(&self.rest)
    }

    /// Which way it goes.
    pub fn direction(&self) -> Direction {
        self.direction
    }

    /// How many steps it may still go.
    pub(crate) fn steps_left(&self) -> u64 {
        self.walk.as_ref().map_or(self.left.steps, Walk::steps_left)
    }

    fn step(&mut self) -> Result<bool> {
        if let Some(error) = self.failed.take() {
            return Err(error);
        }
        let Some(pinned) = self.pinned.as_ref().filter(|_| !self.has_ended && self.left.rows > 0 && self.left.bytes > 0) else {
            return Ok(false);
        };
        let walk = match &mut self.walk {
            Some(walk) => walk,
            None => {
                let (merging, view) = self.reader.begin(pinned, &self.rest)?;
                let (metered, bounds) = (Metered::new(merging, self.left.steps), self.rest.clone());
                self.walk.insert(match self.direction {
                    Direction::Forward => Walk::Forward(Box::new(Forward::new(metered, view, bounds))),
                    Direction::Backward => Walk::Backward(Box::new(Backward::new(metered, view, bounds))),
                })
            }
        };
        if walk.next()? {
            let (key, value) = walk.row();
            self.left.rows -= 1;
            self.left.bytes = self.left.bytes.saturating_sub((key.len() + value.len()) as u64);
            let near = Bound::Excluded(Slice::new(key));
            self.go_on_from(near);
            return Ok(true);
        }
        match walk.stopped_at().map(Slice::new) {
            Some(key) => self.go_on_from(Bound::Included(key)),
            None => self.has_ended = true,
        }
        Ok(false)
    }

    fn go_on_from(&mut self, near: Bound<Slice>) {
        match self.direction {
            Direction::Forward => self.rest.0 = near,
            Direction::Backward => self.rest.1 = near,
        }
    }

    /// Lets go of everything, and has files removed that only this scan still held.
    fn end(&mut self) {
        self.left.steps = self.steps_left();
        self.walk = None;
        if let Some(pinned) = self.pinned.take() {
            pinned.let_go();
        }
    }
}

impl Walk {
    fn next(&mut self) -> Result<bool> {
        match self {
            Self::Forward(forward) => forward.next(),
            Self::Backward(backward) => backward.next(),
        }
    }

    fn row(&self) -> (&[u8], &[u8]) {
        match self {
            Self::Forward(forward) => (forward.key(), forward.value()),
            Self::Backward(backward) => (backward.key(), backward.value()),
        }
    }

    fn steps_left(&self) -> u64 {
        match self {
            Self::Forward(forward) => forward.cursor().steps_left(),
            Self::Backward(backward) => backward.cursor().steps_left(),
        }
    }

    fn stopped_at(&self) -> Option<&[u8]> {
        match self {
            Self::Forward(forward) => forward.cursor().stopped_at(),
            Self::Backward(backward) => backward.cursor().stopped_at(),
        }
    }
}

impl Iterator for ScanPart {
    type Item = Result<(Slice, Slice)>;

    fn next(&mut self) -> Option<Self::Item> {
        self.next_ref().map(|row| row.map(owned)).transpose()
    }
}

impl std::iter::FusedIterator for ScanPart {}

impl fmt::Debug for ScanPart {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ScanPart").field("rest", &self.rest).field("left", &self.left).finish_non_exhaustive()
    }
}

impl Drop for ScanPart {
    fn drop(&mut self) {
        self.end();
    }
}
