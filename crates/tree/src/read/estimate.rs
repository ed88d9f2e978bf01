//! How much there is, told by what is in memory anyway: counts of rows, and fences. No data block is read.

use crate::{
    cursor::Bounds,
    super_version::SuperVersion,
    version::{Run, TableFile},
};
use sediment_base::{
    KeyOrder, Result,
    range::{self, lent_bounds},
};
use std::ops::Bound;

/// Rows of all kinds and versions: never fewer than the keys that are there.
pub(crate) fn approximate_len(pinned: &SuperVersion) -> u64 {
    let in_memory: u64 = pinned.memtables().map(|memtable| memtable.rows() as u64).sum();
    in_memory + pinned.version.tables().map(|file| file.meta.rows).sum::<u64>()
}

/// Bytes on disk of the rows of a range, to within two blocks a run. Opens the tables at the ends of the range where nobody has.
pub(crate) fn approximate_bytes(pinned: &SuperVersion, bounds: &Bounds, order: &KeyOrder) -> Result<u64> {
    let (lower, upper) = lent_bounds(bounds);
    pinned.version.runs.iter().try_fold(0, |bytes, run| Ok(bytes + of_run(run, lower, upper, order)?))
}

fn of_run(run: &Run, lower: Bound<&[u8]>, upper: Bound<&[u8]>, order: &KeyOrder) -> Result<u64> {
    let files = &run.tables()[run.overlapping_bounds(lower, upper, order)];
    files.iter().try_fold(0, |bytes, file| Ok(bytes + of_table(file, lower, upper, order)?))
}

fn of_table(file: &TableFile, lower: Bound<&[u8]>, upper: Bound<&[u8]>, order: &KeyOrder) -> Result<u64> {
    let keys = &file.meta.range;
    let is_whole = (lower, upper) == (Bound::Unbounded, Bound::Unbounded)
        || !keys.min.is_empty()
            && !keys.max.is_empty()
            && range::is_within_lower(&keys.min, lower, order)
            && range::is_within_upper(&keys.max, upper, order);
    if is_whole { Ok(file.meta.file_bytes) } else { Ok(file.open()?.approximate_bytes(lower, upper)) }
}
