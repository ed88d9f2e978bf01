//! What of level 0 must go down together.

use crate::version::{Level, TableFile};
use sediment_base::{KeyOrder, KeyRange};
use std::{cmp::Reverse, sync::Arc};

/// The tables of level 0, the newest first.
pub(super) fn newest_first(level0: &Level) -> Vec<&Arc<TableFile>> {
    let mut files: Vec<_> = level0.tables().collect();
    files.sort_by_key(|file| Reverse(file.age()));
    files
}

/// A table of level 0, and every older one that overlaps it or one that goes for this reason, so that what lies deeper stays older: the
/// newest first, with all their keys, which are one interval without gaps.
pub(super) fn column(level0: &[&Arc<TableFile>], seed: &TableFile, order: &KeyOrder) -> (Vec<Arc<TableFile>>, KeyRange) {
    let (mut taken, mut range) = (Vec::new(), seed.meta.range.clone());
    for file in level0.iter().filter(|file| file.age() <= seed.age()) {
        // What was taken has no gaps, so what overlaps its range overlaps one of it.
        if file.meta.range.overlaps(&range, order) {
            range = range.union(file.meta.range.clone(), order);
            taken.push(Arc::clone(file));
        }
    }
    (taken, range)
}

/// Bytes of all these files.
pub(super) fn bytes(files: &[Arc<TableFile>]) -> u64 {
    files.iter().map(|file| file.meta.file_bytes).sum()
}
