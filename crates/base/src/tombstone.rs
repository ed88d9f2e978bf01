//! Range tombstones: which rows they hide, and the form in which that is asked.
//!
//! A range tombstone hides, from every reader that sees it, the rows of its keys with a lower seqno. One of the same seqno stays:
//! they were written together. For one key it is a tombstone that lies right below its seqno, which is how readers treat it.
//!
//! [`RangeTombstones`] answers *which is the newest that covers this key, below a seqno?* It is a segment tree (Bentley 1977): the
//! ends of all ranges cut the keys into stretches, and each range is noted at the few nodes that make it up, so that neither
//! memory nor questions suffer where thousands of ranges lie over each other, as those do that a queue leaves behind.

use crate::{
    comparator::KeyOrder,
    range::{KeyRange, compare_end, compare_starts},
    seqno::SeqNo,
    slice::Slice,
};

/// Removes the keys from `start` up to, and without, `end`. No key is empty: an empty start is before the first key, an empty
/// end behind the last.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RangeTombstone {
    /// The first key.
    pub start: Slice,
    /// The first key behind.
    pub end: Slice,
    /// The version.
    pub seqno: SeqNo,
}

impl RangeTombstone {
    /// The keys that it covers.
    pub fn range(&self) -> KeyRange {
        KeyRange { min: self.start.clone(), max: self.end.clone(), is_open: true }
    }

    /// Whether no key can lie inside.
    pub fn is_empty(&self, order: &KeyOrder) -> bool {
        !self.start.is_empty() && compare_end(&self.end, &self.start, order).is_le()
    }

    /// Whether `key` lies inside.
    pub fn contains(&self, key: &[u8], order: &KeyOrder) -> bool {
        (self.start.is_empty() || order.compare(&self.start, key).is_le()) && compare_end(&self.end, key, order).is_gt()
    }

    /// The part of it from `lower` up to, and without, `upper`, as far as there are such; `None` if that is empty.
    pub fn clipped(&self, lower: Option<&[u8]>, upper: Option<&[u8]>, order: &KeyOrder) -> Option<Self> {
        let mut clipped = self.clone();
        if let Some(lower) = lower.filter(|lower| compare_starts(&self.start, lower, order).is_lt()) {
            clipped.start = lower.into();
        }
        if let Some(upper) = upper.filter(|upper| compare_end(&self.end, upper, order).is_gt()) {
            clipped.end = upper.into();
        }
        (!clipped.is_empty(order)).then_some(clipped)
    }
}

/// The keys around one that all have the same cover.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stretch<'a> {
    /// The newest covering seqno below the one that was asked for; rows with a lower one are hidden. 0 hides none.
    pub cover: SeqNo,
    /// The first key of the stretch; `None` where it has no beginning.
    pub from: Option<&'a [u8]>,
    /// The first key behind it; `None` where it has no end.
    pub to: Option<&'a [u8]>,
}

/// A set of range tombstones, ready to be asked. Immutable.
#[derive(Clone, Debug, Default)]
pub struct RangeTombstones {
    /// In the order of their starts, then newest first.
    tombstones: Vec<RangeTombstone>,
    /// Ends of ranges, ascending: stretch `i` lies between `points[i - 1]` and `points[i]`.
    points: Vec<Slice>,
    heads: Vec<u64>,
    /// Where in `seqnos` the notes of each node end. Node 1 is the root, node `n` has the children `2n` and `2n + 1`, and stretch `i`
    /// is the leaf `points.len() + 1 + i`.
    note_ends: Vec<u32>,
    /// Notes of all nodes, ascending in each.
    seqnos: Vec<SeqNo>,
}

impl RangeTombstones {
    /// A set of these, those left out that are empty or there already. O(n log n).
    pub fn new(mut tombstones: Vec<RangeTombstone>, order: &KeyOrder) -> Self {
        tombstones.retain(|tombstone| !tombstone.is_empty(order));
        let ends = |a: &Slice, b: &Slice| a.is_empty().cmp(&b.is_empty()).then_with(|| a.cmp(b));
        tombstones.sort_by(|a, b| {
            compare_starts(&a.start, &b.start, order).then(b.seqno.cmp(&a.seqno)).then_with(|| ends(&a.end, &b.end))
        });
        tombstones.dedup();
        let mut points: Vec<Slice> = tombstones.iter().flat_map(|t| [&t.start, &t.end]).cloned().collect();
        points.retain(|point| !point.is_empty());
        points.sort_unstable_by(|a, b| order.compare(a, b));
        points.dedup();
        let heads = points.iter().map(|point| order.head(point)).collect();
        let mut set = Self { tombstones: Vec::new(), points, heads, note_ends: Vec::new(), seqnos: Vec::new() };
        let mut by_seqno: Vec<&RangeTombstone> = tombstones.iter().collect();
        by_seqno.sort_unstable_by_key(|tombstone| tombstone.seqno);
        set.note(&by_seqno, order);
        set.tombstones = tombstones;
        set
    }

    /// All of them, in the order of their starts, of equal ones the newest first.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &RangeTombstone> {
        self.tombstones.iter()
    }

    /// How many.
    pub fn len(&self) -> usize {
        self.tombstones.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.tombstones.is_empty()
    }

    /// The newest that covers `key` and is visible at `read_seqno`, 0 if none is: rows with a lower seqno are hidden. O(log² n).
    pub fn cover(&self, key: &[u8], read_seqno: SeqNo, order: &KeyOrder) -> SeqNo {
        if self.is_empty() { 0 } else { self.cover_of(self.locate(key, order), read_seqno) }
    }

    /// The oldest that covers `key`. O(log n).
    pub fn oldest(&self, key: &[u8], order: &KeyOrder) -> Option<SeqNo> {
        if self.is_empty() {
            return None;
        }
        self.notes_of(self.locate(key, order)).filter_map(|notes| notes.first().copied()).min()
    }

    /// The keys around `key` with the same cover at `read_seqno`.
    pub fn stretch(&self, key: &[u8], read_seqno: SeqNo, order: &KeyOrder) -> Stretch<'_> {
        self.stretch_at(self.locate(key, order), read_seqno)
    }

    /// How many stretches there are.
    pub fn stretch_count(&self) -> usize {
        self.points.len() + 1
    }

    /// The stretch at this place of the order. Panics where there is none.
    pub fn stretch_at(&self, index: usize, read_seqno: SeqNo) -> Stretch<'_> {
        Stretch {
            cover: self.cover_of(index, read_seqno),
            from: index.checked_sub(1).map(|before| self.points[before].as_bytes()),
            to: self.points.get(index).map(Slice::as_bytes),
        }
    }

    /// Memory that it takes, about.
    pub fn memory_bytes(&self) -> usize {
        let keys: usize = self.tombstones.iter().map(|tombstone| tombstone.start.len() + tombstone.end.len()).sum();
        let each = self.tombstones.capacity() * size_of::<RangeTombstone>() + self.points.capacity() * size_of::<Slice>();
        keys + each + 8 * (self.heads.capacity() + self.seqnos.capacity()) + 4 * self.note_ends.capacity()
    }

    fn cover_of(&self, stretch: usize, read_seqno: SeqNo) -> SeqNo {
        let newest = |notes: &[SeqNo]| notes[..notes.partition_point(|seqno| *seqno < read_seqno)].last().copied();
        self.notes_of(stretch).filter_map(newest).max().unwrap_or(0)
    }

    /// Which stretch a key lies in.
    fn locate(&self, key: &[u8], order: &KeyOrder) -> usize {
        let head = order.head(key);
        let first = self.heads.partition_point(|point| *point < head);
        let ties = self.heads[first..].partition_point(|point| *point == head);
        first + self.points[first..first + ties].partition_point(|point| order.compare(point, key).is_le())
    }

    /// The notes of all nodes above a stretch.
    fn notes_of(&self, stretch: usize) -> impl Iterator<Item = &[SeqNo]> {
        let leaf = self.points.len() + 1 + stretch;
        let nodes = std::iter::successors(Some(leaf), |node| (*node > 1).then_some(node / 2));
        nodes.filter_map(|node| {
            let end = *self.note_ends.get(node)? as usize;
            Some(&self.seqnos[self.note_ends[node - 1] as usize..end])
        })
    }

    /// Notes each tombstone at the nodes that make it up; they come by ascending seqno.
    fn note(&mut self, tombstones: &[&RangeTombstone], order: &KeyOrder) {
        if tombstones.is_empty() {
            return;
        }
        let leaves = self.points.len() + 1;
        let spans: Vec<(usize, usize)> = tombstones
            .iter()
            .map(|tombstone| {
                let first = if tombstone.start.is_empty() { 0 } else { self.locate(&tombstone.start, order) };
                let last = if tombstone.end.is_empty() { leaves } else { self.locate(&tombstone.end, order) };
                (first, last)
            })
            .collect();
        let mut ends = vec![0; 2 * leaves];
        spans.iter().for_each(|span| for_each_node(leaves, *span, |node| ends[node] += 1));
        let mut total = 0;
        for end in &mut ends {
            total += std::mem::replace(end, total);
        }
        self.seqnos = vec![0; total as usize];
        for (span, tombstone) in spans.iter().zip(tombstones) {
            for_each_node(leaves, *span, |node| {
                self.seqnos[ends[node] as usize] = tombstone.seqno;
                ends[node] += 1;
            });
        }
        self.note_ends = ends;
    }
}

/// The nodes that make up the stretches of a span, in a tree of so many leaves.
fn for_each_node(leaves: usize, (first, last): (usize, usize), mut visit: impl FnMut(usize)) {
    let (mut left, mut right) = (first + leaves, last + leaves);
    while left < right {
        if left % 2 == 1 {
            visit(left);
            left += 1;
        }
        if right % 2 == 1 {
            right -= 1;
            visit(right);
        }
        (left, right) = (left / 2, right / 2);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::comparator::Comparator;
    use proptest::{collection::vec, prop_assert_eq, proptest};
    use std::{cmp::Ordering, sync::Arc};

    #[derive(Debug)]
    struct Descending;

    impl Comparator for Descending {
        fn name(&self) -> &str {
            "descending"
        }

        fn compare(&self, a: &[u8], b: &[u8]) -> Ordering {
            assert!(!a.is_empty() && !b.is_empty(), "no key is empty");
            b.cmp(a)
        }
    }

    fn tombstone(start: &str, end: &str, seqno: SeqNo) -> RangeTombstone {
        RangeTombstone { start: start.into(), end: end.into(), seqno }
    }

    #[test]
    fn the_newest_visible_one_covers() {
        let order = KeyOrder::bytewise();
        let set = RangeTombstones::new(vec![tombstone("b", "f", 7), tombstone("d", "h", 3), tombstone("x", "x", 9)], &order);
        let cover = |key: &str, read_seqno| set.cover(key.as_bytes(), read_seqno, &order);
        assert_eq!((cover("a", 9), cover("b", 9), cover("b", 7), cover("f", 9), cover("h", 9)), (0, 7, 0, 3, 0));
        assert_eq!((cover("e", 9), cover("e", 7), cover("e", 3), cover("x", 99)), (7, 3, 0, 0));
        assert_eq!((set.oldest(b"e", &order), set.oldest(b"b", &order), set.oldest(b"a", &order)), (Some(3), Some(7), None));
        let stretch = set.stretch(b"e", 9, &order);
        assert_eq!(stretch, Stretch { cover: 7, from: Some(b"d"), to: Some(b"f") });
        assert_eq!(set.stretch(b"z", 9, &order), Stretch { cover: 0, from: Some(b"h"), to: None });
        assert_eq!(set.len(), 2, "an empty one is none");
    }

    #[test]
    fn clipping_neither_widens_nor_loses() {
        let order = KeyOrder::bytewise();
        let whole = tombstone("", "", 4);
        assert_eq!(whole.clipped(Some(b"c"), None, &order), Some(tombstone("c", "", 4)));
        assert_eq!(whole.clipped(None, Some(b"c"), &order), Some(tombstone("", "c", 4)));
        assert_eq!(tombstone("b", "d", 4).clipped(Some(b"a"), Some(b"e"), &order), Some(tombstone("b", "d", 4)));
        assert_eq!(tombstone("b", "d", 4).clipped(Some(b"d"), Some(b"e"), &order), None);
        assert_eq!(tombstone("b", "d", 4).clipped(Some(b"a"), Some(b"b"), &order), None);
    }

    #[test]
    fn thousands_over_each_other_take_little_memory() {
        let order = KeyOrder::bytewise();
        let ends = (0..5000_u64).map(|i| RangeTombstone {
            start: Slice::default(),
            end: Slice::new(format!("{i:08}").as_bytes()),
            seqno: i,
        });
        let set = RangeTombstones::new(ends.collect(), &order);
        assert!(set.seqnos.len() < 5000 * 14, "{}", set.seqnos.len());
        assert_eq!(set.cover(b"00000077", 90, &order), 89);
        assert_eq!(set.cover(b"00000077", 78, &order), 0);
    }

    proptest! {
        #[test]
        fn every_question_is_answered_as_by_looking_at_all(
            ranges in vec((0..12_u8, 0..12_u8, 1..30_u64), 0..24),
            reads in vec((1..12_u8, 0..32_u64), 1..24),
            is_descending: bool,
        ) {
            let order = if is_descending { KeyOrder::custom(Arc::new(Descending)) } else { KeyOrder::bytewise() };
            let key = |number: u8| if number == 0 { Slice::default() } else { Slice::new(&[number]) };
            let all: Vec<RangeTombstone> = ranges.iter()
                .map(|(start, end, seqno)| RangeTombstone { start: key(*start), end: key(*end), seqno: *seqno })
                .collect();
            let set = RangeTombstones::new(all.clone(), &order);
            for (number, read_seqno) in reads {
                let key = key(number);
                let covering = all.iter().filter(|range| range.contains(&key, &order)).map(|range| range.seqno);
                let expected = covering.clone().filter(|seqno| *seqno < read_seqno).max().unwrap_or(0);
                prop_assert_eq!(set.cover(&key, read_seqno, &order), expected);
                prop_assert_eq!(set.oldest(&key, &order), covering.min());
                let stretch = set.stretch(&key, read_seqno, &order);
                prop_assert_eq!(stretch.cover, expected);
                prop_assert_eq!((0..set.stretch_count()).map(|index| set.stretch_at(index, read_seqno)).find(|other| other.from == stretch.from), Some(stretch));
                prop_assert_eq!(stretch.from.is_none_or(|from| order.compare(from, &key).is_le()), true);
                prop_assert_eq!(stretch.to.is_none_or(|to| order.compare(to, &key).is_gt()), true);
            }
        }
    }
}
