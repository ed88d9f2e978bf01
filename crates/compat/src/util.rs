//! Prefixes as ranges.

use crate::slice::{Slice, UserKey};
use sediment_base::range::{prefix_bounds, prefix_end};
use std::ops::{Bound, RangeBounds};

/// The bounds of all keys that begin with `prefix` in the order of bytes; all keys for an empty one.
pub fn prefix_to_range(prefix: &[u8]) -> (Bound<Slice>, Bound<Slice>) {
    let (lower, upper) = prefix_bounds(prefix);
    (lower.map(Slice::wrap), upper.map(Slice::wrap))
}

/// A range with `prefix` in front of both its ends; where an end is open, it is that of the prefix.
pub fn prefixed_range<P: AsRef<[u8]>, K: AsRef<[u8]>, R: RangeBounds<K>>(prefix: P, range: R) -> impl RangeBounds<UserKey> {
    let prefix = prefix.as_ref();
    let joined = |key: &K| Slice::fused(prefix, key.as_ref());
    let lower = match range.start_bound() {
        Bound::Unbounded => Bound::Included(Slice::new(prefix)),
        bound => bound.map(joined),
    };
    let upper = match range.end_bound() {
        Bound::Unbounded => prefix_end(prefix).map_or(Bound::Unbounded, |end| Bound::Excluded(end.into())),
        bound => bound.map(joined),
    };
    (lower, upper)
}
