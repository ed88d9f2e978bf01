//! A walk over the visible rows of a range, from both ends at once.

use sediment_base::{Result, Slice};

/// The visible rows of a range, in key order, from both ends at once. It keeps what it reads alive, the tree itself need not
/// live. After an error it is at its end for ever.
#[derive(Debug)]
pub struct Scan {}

impl Iterator for Scan {
    type Item = Result<(Slice, Slice)>;

    fn next(&mut self) -> Option<Self::Item> {
        unimplemented!()
    }
}

impl DoubleEndedIterator for Scan {
    fn next_back(&mut self) -> Option<Self::Item> {
        unimplemented!()
    }
}
