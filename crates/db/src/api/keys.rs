//! `Keys`: the keys of a scan, without their values.

use super::Iter;
use sediment_base::{Result, Slice};

/// The keys of an [`Iter`], from both ends, made by [`Iter::keys`].
#[derive(Debug)]
pub struct Keys {
    rows: Iter,
}

impl Keys {
    pub(super) fn of(rows: Iter) -> Self {
        Self { rows }
    }
}

impl Iterator for Keys {
    type Item = Result<Slice>;

    fn next(&mut self) -> Option<Self::Item> {
        self.rows.next_key().map(|key| key.map(Slice::new)).transpose()
    }
}

impl DoubleEndedIterator for Keys {
    fn next_back(&mut self) -> Option<Self::Item> {
        self.rows.next_back_key().map(|key| key.map(Slice::new)).transpose()
    }
}
