//! Ranges of user keys.

use crate::{
    comparator::{KeyOrder, shared_prefix},
    slice::Slice,
};
use std::{
    cmp::Ordering,
    ops::{Bound, RangeBounds},
};

/// The keys from `min` to `max`: the bounds of a table, a run or a plan. No key is empty, so that an empty bound is none: every
/// key is above an empty `min` and below an empty `max`. Such bounds come from range tombstones alone, as do open ones.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyRange {
    /// Smallest key.
    pub min: Slice,
    /// Largest key.
    pub max: Slice,
    /// Whether `max` itself lies outside.
    pub is_open: bool,
}

impl KeyRange {
    /// From `min` to `max`, both included.
    pub fn closed(min: Slice, max: Slice) -> Self {
        Self { min, max, is_open: false }
    }

    /// Whether no key can lie inside.
    pub fn is_empty(&self, order: &KeyOrder) -> bool {
        !self.min.is_empty() && self.is_below(&self.min, order)
    }

    /// Whether `key` lies inside.
    #[inline]
    pub fn contains(&self, key: &[u8], order: &KeyOrder) -> bool {
        !self.is_above(key, order) && !self.is_below(key, order)
    }

    /// Whether all of it comes before `key`.
    #[inline]
    pub fn is_below(&self, key: &[u8], order: &KeyOrder) -> bool {
        match compare_end(&self.max, key, order) {
            Ordering::Less => true,
            Ordering::Equal => self.is_open,
            Ordering::Greater => false,
        }
    }

    /// Whether all of it comes after `key`.
    #[inline]
    pub fn is_above(&self, key: &[u8], order: &KeyOrder) -> bool {
        !self.min.is_empty() && order.compare(&self.min, key).is_gt()
    }

    /// Whether all of it comes before all of `other`.
    #[inline]
    pub fn is_before(&self, other: &Self, order: &KeyOrder) -> bool {
        !other.min.is_empty() && self.is_below(&other.min, order)
    }

    /// Whether a key could lie in both.
    #[inline]
    pub fn overlaps(&self, other: &Self, order: &KeyOrder) -> bool {
        !self.is_before(other, order) && !other.is_before(self, order)
    }

    /// Whether it holds all of `other`.
    pub fn holds(&self, other: &Self, order: &KeyOrder) -> bool {
        compare_starts(&self.min, &other.min, order).is_le() && self.compare_ends(other, order).is_ge()
    }

    /// Whether a key of it could be within the lower bound.
    pub fn reaches_lower(&self, lower: Bound<&[u8]>, order: &KeyOrder) -> bool {
        match lower {
            Bound::Unbounded => true,
            Bound::Included(key) => !self.is_below(key, order),
            Bound::Excluded(key) => compare_end(&self.max, key, order).is_gt(),
        }
    }

    /// Whether a key of it could be within the upper bound.
    pub fn reaches_upper(&self, upper: Bound<&[u8]>, order: &KeyOrder) -> bool {
        self.min.is_empty() || is_within_upper(&self.min, upper, order)
    }

    /// Whether a key of this range could lie within the bounds.
    pub fn overlaps_bounds(&self, lower: Bound<&[u8]>, upper: Bound<&[u8]>, order: &KeyOrder) -> bool {
        self.reaches_lower(lower, order) && self.reaches_upper(upper, order)
    }

    /// The smallest range that holds both.
    #[must_use]
    pub fn union(self, other: Self, order: &KeyOrder) -> Self {
        let (max, is_open) = match self.compare_ends(&other, order) {
            Ordering::Less => (other.max, other.is_open),
            _ => (self.max, self.is_open),
        };
        let min = if compare_starts(&self.min, &other.min, order).is_le() { self.min } else { other.min };
        Self { min, max, is_open }
    }

    /// A summary of its end that is at least the head of every key inside.
    pub fn max_head(&self, order: &KeyOrder) -> u64 {
        if self.max.is_empty() { u64::MAX } else { order.head(&self.max) }
    }

    fn compare_ends(&self, other: &Self, order: &KeyOrder) -> Ordering {
        let ends = match (self.max.is_empty(), other.max.is_empty()) {
            (false, false) => order.compare(&self.max, &other.max),
            (is_endless, other_is_endless) => is_endless.cmp(&other_is_endless),
        };
        ends.then(other.is_open.cmp(&self.is_open))
    }
}

/// The order of two starts, an empty one before all others.
pub fn compare_starts(a: &[u8], b: &[u8], order: &KeyOrder) -> Ordering {
    match (a.is_empty(), b.is_empty()) {
        (false, false) => order.compare(a, b),
        (is_first, other_is_first) => other_is_first.cmp(&is_first),
    }
}

/// The order of an end, an empty one behind every key, and a key.
#[inline]
pub fn compare_end(end: &[u8], key: &[u8], order: &KeyOrder) -> Ordering {
    if end.is_empty() { Ordering::Greater } else { order.compare(end, key) }
}

/// The ends of a range, owned.
pub fn owned_bounds<K: AsRef<[u8]>>(range: &impl RangeBounds<K>) -> (Bound<Slice>, Bound<Slice>) {
    let own = |key: &K| Slice::new(key.as_ref());
    (range.start_bound().map(own), range.end_bound().map(own))
}

/// The ends of an owned range, lent.
pub fn lent_bounds((lower, upper): &(Bound<Slice>, Bound<Slice>)) -> (Bound<&[u8]>, Bound<&[u8]>) {
    (lower.as_ref().map(Slice::as_bytes), upper.as_ref().map(Slice::as_bytes))
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
pub fn prefix_end(prefix: &[u8]) -> Option<Vec<u8>> {
    let last = prefix.iter().rposition(|byte| *byte != u8::MAX)?;
    let mut end = prefix[..=last].to_vec();
    end[last] += 1;
    Some(end)
}

/// What all keys within the bounds begin with in the order of `memcmp`, as a part of the lower bound. Where no key can lie within, it
/// means nothing.
pub fn shared_by_range<'k>(lower: Bound<&'k [u8]>, upper: Bound<&[u8]>) -> &'k [u8] {
    let (Bound::Included(lower) | Bound::Excluded(lower)) = lower else { return &[] };
    let ones = |from: usize| lower[from..].iter().take_while(|byte| **byte == u8::MAX).count();
    let len = match upper {
        Bound::Included(upper) => shared_prefix(lower, upper),
        Bound::Excluded(upper) => match upper.split_last() {
            None => 0,
            // What comes before `x 00` is at most `x`.
            Some((0, before)) => shared_prefix(lower, before),
            // What comes before `x c` is at most `x c-1 FF FF FF ...`.
            Some((last, before)) => match (shared_prefix(lower, before), lower.get(before.len())) {
                (shared, Some(next)) if shared == before.len() && *next == last - 1 => shared + 1 + ones(shared + 1),
                (shared, _) => shared,
            },
        },
        Bound::Unbounded => ones(0),
    };
    &lower[..len]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_range_shares_what_its_ends_say_and_no_more() {
        let keys: Vec<Vec<u8>> = (0..4_usize)
            .flat_map(|len| (0..4_u32.pow(len as u32)).map(move |n| (n, len)))
            .map(|(n, len)| (0..len).map(|at| [0, 1, 0xFE, 0xFF][(n / 4_u32.pow(at as u32) % 4) as usize]).collect())
            .collect();
        let within = |key: &[u8], lower, upper| {
            let order = KeyOrder::bytewise();
            is_within_lower(key, lower, &order) && is_within_upper(key, upper, &order)
        };
        for (lower, upper) in keys.iter().flat_map(|lower| keys.iter().map(move |upper| (lower, upper))) {
            for upper in [Bound::Included(&upper[..]), Bound::Excluded(&upper[..]), Bound::Unbounded] {
                let shared = shared_by_range(Bound::Included(lower), upper);
                let mut inside = keys.iter().filter(|key| within(key, Bound::Included(lower), upper));
                assert!(lower.starts_with(shared));
                assert!(inside.all(|key| key.starts_with(shared)), "{lower:?} {upper:?}: {shared:?}");
            }
        }
        let shared = |prefix: &[u8]| {
            let bounds = prefix_bounds(prefix);
            let (lower, upper) = lent_bounds(&bounds);
            shared_by_range(lower, upper).to_vec()
        };
        assert!(keys.iter().all(|prefix| shared(prefix) == *prefix), "a prefix is found again in its bounds");
    }

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
        let range = |min: &str, max: &str| KeyRange::closed(min.into(), max.into());
        assert!(range("a", "c").overlaps(&range("c", "d"), &order));
        assert!(!range("a", "c").overlaps(&range("d", "e"), &order));
        assert!(!range("a", "c").overlaps_bounds(Bound::Excluded(b"c"), Bound::Unbounded, &order));
        assert!(range("a", "c").overlaps_bounds(Bound::Included(b"c"), Bound::Included(b"c"), &order));
        assert_eq!(range("b", "c").union(range("a", "b"), &order), range("a", "c"));
    }

    #[test]
    fn an_open_end_lies_outside_and_an_empty_bound_is_none() {
        let order = KeyOrder::bytewise();
        let range = |min: &str, max: &str, is_open| KeyRange { min: min.into(), max: max.into(), is_open };
        let (open, closed) = (range("a", "c", true), range("a", "c", false));
        assert!(!open.contains(b"c", &order) && closed.contains(b"c", &order) && open.contains(b"b", &order));
        assert!(open.is_before(&range("c", "d", false), &order) && !closed.is_before(&range("c", "d", false), &order));
        assert_eq!(open.clone().union(closed.clone(), &order), closed);
        assert!(closed.holds(&open, &order) && !open.holds(&closed, &order));
        assert!(!open.overlaps_bounds(Bound::Included(b"c"), Bound::Unbounded, &order));
        let all = range("", "", true);
        assert!(all.contains(b"\xff\xff", &order) && all.holds(&closed, &order) && all.overlaps(&open, &order));
        assert!(range("c", "c", true).is_empty(&order) && !range("c", "c", false).is_empty(&order) && !all.is_empty(&order));
        assert!(!all.is_before(&closed, &order) && !closed.is_before(&all, &order));
        assert_eq!(range("", "b", true).union(closed, &order), range("", "c", false));
        assert_eq!(range("b", "", true).union(open, &order), range("a", "", true));
    }
}
