//! Ranges of user keys.

use crate::{comparator::KeyOrder, slice::Slice};
use std::ops::Bound;

/// The keys from `min` to `max`, both included: the bounds of a table, a run or a plan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyRange {
    /// Smallest key.
    pub min: Slice,
    /// Largest key, included.
    pub max: Slice,
}

impl KeyRange {
    /// Whether `key` lies inside.
    #[inline]
    pub fn contains(&self, key: &[u8], order: &KeyOrder) -> bool {
        order.compare(&self.min, key).is_le() && order.compare(key, &self.max).is_le()
    }

    /// Whether a key could lie in both.
    #[inline]
    pub fn overlaps(&self, other: &Self, order: &KeyOrder) -> bool {
        order.compare(&self.min, &other.max).is_le() && order.compare(&other.min, &self.max).is_le()
    }

    /// Whether a key of this range could lie within the bounds.
    pub fn overlaps_bounds(&self, lower: Bound<&[u8]>, upper: Bound<&[u8]>, order: &KeyOrder) -> bool {
        is_within_lower(&self.max, lower, order) && is_within_upper(&self.min, upper, order)
    }

    /// The smallest range that holds both.
    #[must_use]
    pub fn union(self, other: Self, order: &KeyOrder) -> Self {
        Self {
            min: if order.compare(&self.min, &other.min).is_le() { self.min } else { other.min },
            max: if order.compare(&self.max, &other.max).is_ge() { self.max } else { other.max },
        }
    }
}

/// Whether `key` is not below the lower bound.
#[inline]
pub fn is_within_lower(key: &[u8], lower: Bound<&[u8]>, order: &KeyOrder) -> bool {
    match lower {
        Bound::Unbounded => true,
        Bound::Included(bound) => order.compare(key, bound).is_ge(),
        Bound::Excluded(bound) => order.compare(key, bound).is_gt(),
    }
}

/// Whether `key` is not above the upper bound.
#[inline]
pub fn is_within_upper(key: &[u8], upper: Bound<&[u8]>, order: &KeyOrder) -> bool {
    match upper {
        Bound::Unbounded => true,
        Bound::Included(bound) => order.compare(key, bound).is_le(),
        Bound::Excluded(bound) => order.compare(key, bound).is_lt(),
    }
}

/// The bounds of all keys that begin with `prefix` in the order of `memcmp`. An empty prefix means every key.
pub fn prefix_bounds(prefix: &[u8]) -> (Bound<Slice>, Bound<Slice>) {
    if prefix.is_empty() {
        return (Bound::Unbounded, Bound::Unbounded);
    }
    let upper = prefix_end(prefix).map_or(Bound::Unbounded, |end| Bound::Excluded(end.into()));
    (Bound::Included(prefix.into()), upper)
}

/// The first key after all that begin with `prefix`; `None` where every later key does.
fn prefix_end(prefix: &[u8]) -> Option<Vec<u8>> {
    let last = prefix.iter().rposition(|byte| *byte != u8::MAX)?;
    let mut end = prefix[..=last].to_vec();
    end[last] += 1;
    Some(end)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_prefix_ends_before_its_successor() {
        assert_eq!(prefix_end(b"ab"), Some(b"ac".to_vec()));
        assert_eq!(prefix_end(b"a\xff\xff"), Some(b"b".to_vec()));
        assert_eq!(prefix_end(b"\xff"), None);
        assert_eq!(prefix_bounds(b""), (Bound::Unbounded, Bound::Unbounded));
    }

    #[test]
    fn ranges_meet_at_shared_ends_only_when_included() {
        let order = KeyOrder::bytewise();
        let range = |min: &str, max: &str| KeyRange { min: min.into(), max: max.into() };
        assert!(range("a", "c").overlaps(&range("c", "d"), &order));
        assert!(!range("a", "c").overlaps(&range("d", "e"), &order));
        assert!(!range("a", "c").overlaps_bounds(Bound::Excluded(b"c"), Bound::Unbounded, &order));
        assert!(range("a", "c").overlaps_bounds(Bound::Included(b"c"), Bound::Included(b"c"), &order));
        assert_eq!(range("b", "c").union(range("a", "b"), &order), range("a", "c"));
    }
}
