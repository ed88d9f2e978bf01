//! Lives: what a store did between two crashes, as a history of its disk with a note of every acknowledgement.

use crate::model::{Model, Moment};
use sediment_env::fs::History;

/// What the store has acknowledged so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Promised {
    /// The death of the process may not take this moment back.
    pub os: Moment,
    /// Power loss may not take this moment back.
    pub sync: Moment,
}

/// How things stood when the disk had seen so many calls.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Mark {
    /// Calls before.
    pub at: usize,
    /// The newest moment that the store had been asked for.
    pub issued: Moment,
    /// What it had promised by then.
    pub promised: Promised,
}

/// One life.
#[derive(Debug)]
pub struct Life {
    /// Everything that happened to the disk.
    pub history: History,
    /// Every commit, and those of earlier lives that this one found.
    pub model: Model,
    /// Ascending by place.
    pub marks: Vec<Mark>,
}

impl Life {
    /// How things stood at a point of the history: after so many calls.
    pub fn mark(&self, point: usize) -> Mark {
        let after = self.marks.partition_point(|mark| mark.at <= point);
        self.marks[after.saturating_sub(1)]
    }
}
