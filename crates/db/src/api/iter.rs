//! `Iter`: what scans return.

use sediment_base::{Result, Slice};

/// Keys and values in order, from both ends. Lives as long as it likes, on any thread; after an error it is at its end.
pub struct Iter {}

impl Iterator for Iter {
    type Item = Result<(Slice, Slice)>;

    fn next(&mut self) -> Option<Self::Item> {
        unimplemented!()
    }
}

impl DoubleEndedIterator for Iter {
    fn next_back(&mut self) -> Option<Self::Item> {
        unimplemented!()
    }
}
