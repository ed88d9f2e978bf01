//! Where a rewrite is split into portions, which can be done side by side.
//!
//! A *border* is a user key: every version of it belongs to the portion that begins there, so that no key is in two portions. What the portions
//! make is one run. Portions are about equal in bytes, as far as can be told from tables and their fences.

use sediment_base::{KeyOrder, Slice, range::compare_starts};

/// A portion has at least so many tables' worth of input: fewer would be split for little, and leave small tables.
const TABLES_MIN: u64 = 2;

/// The keys of a portion.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Portion {
    /// The first key; `None` from the beginning.
    pub(crate) from: Option<Slice>,
    /// The first key behind it; `None` to the end.
    pub(crate) until: Option<Slice>,
}

impl Portion {
    /// All keys.
    pub(crate) fn whole() -> Self {
        Self::default()
    }

    /// From border to border, which ascend.
    pub(crate) fn between(borders: Vec<Slice>) -> Vec<Self> {
        let starts = [None].into_iter().chain(borders.iter().cloned().map(Some));
        let ends = borders.iter().cloned().map(Some).chain([None]);
        starts.zip(ends).map(|(from, until)| Self { from, until }).collect()
    }

    /// Whether a key lies in front of its end.
    #[inline]
    pub(crate) fn ends_behind(&self, user_key: &[u8], order: &KeyOrder) -> bool {
        self.until.as_ref().is_none_or(|until| order.compare(user_key, until).is_lt())
    }
}

/// Into how many portions so much input can be split for tables of such a size; 1 where that is not worth it.
pub(crate) fn portions_max(bytes: u64, table_bytes: u64) -> usize {
    usize::try_from(bytes / table_bytes.saturating_mul(TABLES_MIN).max(1)).unwrap_or(usize::MAX).max(1)
}

/// Bytes of an input, and the keys between which they lie.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Stretch {
    /// The first key; empty where there is none.
    pub(crate) from: Slice,
    /// The last key, or the first behind it; empty where there is none.
    pub(crate) until: Slice,
    pub(crate) bytes: u64,
}

/// The borders between so many portions, or fewer where that has to be: keys at which stretches begin, which come in any order. Where
/// others are in the middle, half of them lies in front. Each portion has at least half of an equal share.
pub(crate) fn borders(stretches: &[Stretch], portions: usize, order: &KeyOrder) -> Vec<Slice> {
    let total: u64 = stretches.iter().map(|stretch| stretch.bytes).sum();
    let share = total / portions.max(1) as u64;
    let starts = starts(stretches, order);
    let (mut borders, mut border_at) = (Vec::new(), 0);
    for wanted in (1..portions as u64).map(|number| share.saturating_mul(number)) {
        let behind = starts.partition_point(|(_, before)| *before < wanted);
        let mut near: Vec<_> = starts[behind.saturating_sub(1)..].iter().take(2).collect();
        near.sort_by_key(|(_, before)| before.abs_diff(wanted));
        let is_apart = |before: u64| before >= border_at + share / 2 && total - before >= share / 2;
        if let Some((key, before)) = near.into_iter().find(|(_, before)| is_apart(*before)) {
            borders.push((*key).clone());
            border_at = *before;
        }
    }
    borders
}

/// The keys at which a portion can begin, each with how many bytes lie in front of it.
fn starts<'a>(stretches: &'a [Stretch], order: &KeyOrder) -> Vec<(&'a Slice, u64)> {
    let (mut starts, mut before) = (Vec::<(&Slice, u64)>::new(), 0);
    for (key, is_start, bytes) in ends(stretches, order) {
        let is_new = starts.last().is_none_or(|(last, _)| order.compare(last, key).is_ne());
        if is_start && is_new && !key.is_empty() {
            starts.push((key, before));
        }
        before += bytes;
    }
    starts.retain(|(_, before)| *before > 0);
    starts
}

/// Where stretches begin and end, in the order of keys; with each, half of its bytes. At one key those that end come first.
fn ends<'a>(stretches: &'a [Stretch], order: &KeyOrder) -> Vec<(&'a Slice, bool, u64)> {
    let mut ends = Vec::new();
    for Stretch { from, until, bytes } in stretches {
        let (first, rest) = (bytes / 2, bytes - bytes / 2);
        ends.push((from, true, first));
        // What is all at one key begins with it.
        let is_apart = !until.is_empty() && order.compare(until, from).is_ne();
        ends.push(if is_apart { (until, false, rest) } else { (from, true, rest) });
    }
    ends.sort_by(|a, b| compare_starts(a.0, b.0, order).then(a.1.cmp(&b.1)));
    ends
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Stretches as `a-b 10`, in any order; and the borders.
    fn chosen(stretches: &str, portions: usize) -> String {
        let stretches = stretches.split(", ").map(|stretch| {
            let (keys, bytes) = stretch.split_once(' ').expect("keys and a number");
            let (from, until) = keys.split_once('-').expect("from one to another");
            Stretch { from: from.into(), until: until.into(), bytes: bytes.parse().expect("a number") }
        });
        let borders = borders(&stretches.collect::<Vec<_>>(), portions, &KeyOrder::bytewise());
        borders.iter().map(|border| String::from_utf8_lossy(border).into_owned()).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn portions_are_about_equal() {
        let ten = "a-b 10, b-c 10, c-d 10, d-e 10, e-f 10, f-g 10, g-h 10, h-i 10, i-j 10, j-k 10";
        assert_eq!(chosen(ten, 2), "f");
        assert_eq!(chosen(ten, 3), "d h");
        assert_eq!(chosen(ten, 5), "c e g i");
        assert_eq!(chosen(ten, 1), "");
        assert_eq!(chosen("e-f 40, a-b 10, c-d 10, a-d 10, b-c 10", 2), "e", "in any order, of several runs");
    }

    #[test]
    fn what_lies_across_a_border_is_half_in_front_of_it() {
        assert_eq!(chosen("a-z 100, b-c 10, c-d 10, d-e 20", 2), "d", "50 and 20 of 140");
        assert_eq!(chosen("a-b 20, b-c 20, c-d 20, d-e 20, a-c 40, c-e 40", 2), "c");
    }

    #[test]
    fn a_key_is_a_border_once_and_nothing_begins_before_the_first() {
        assert_eq!(chosen("a-a 10, a-a 10, a-a 10, a-b 10", 4), "", "one key");
        assert_eq!(chosen("a-b 10, b-b 30, b-b 30, b-c 30, c-d 20", 4), "c", "one key has the most");
        assert_eq!(chosen("-c 10, -c 30, c-d 40", 2), "c", "a range tombstone without a beginning");
        assert_eq!(chosen("a-b 40, b- 40", 2), "b", "or without an end");
        assert_eq!(chosen("-b 10, -c 30, -d 40", 2), "");
        assert_eq!(chosen("a-b 0, b-c 0", 2), "");
        assert_eq!(borders(&[], 3, &KeyOrder::bytewise()), [] as [Slice; 0]);
    }

    #[test]
    fn no_portion_is_tiny() {
        assert_eq!(chosen("a-b 90, b-c 10", 2), "", "the second would be");
        assert_eq!(chosen("a-b 70, b-c 30", 2), "b");
        assert_eq!(chosen("a-b 100, b-c 1, c-d 1, d-e 98", 4), "b", "c and d are due, but close to b");
        assert_eq!(chosen("a-b 100, b-c 20, c-d 20, d-e 20, e-f 20, f-g 20", 4), "b d", "one is as large as two");
    }

    #[test]
    fn short_rewrites_are_not_split() {
        assert_eq!([0, 1, 399, 400, 799, 1200].map(|bytes| portions_max(bytes, 100)), [1, 1, 1, 2, 3, 6]);
        assert_eq!(portions_max(u64::MAX, 0), usize::MAX);
        assert_eq!(portions_max(u64::MAX, u64::MAX), 1);
    }

    #[test]
    fn portions_meet_at_borders() {
        let order = KeyOrder::bytewise();
        let portions = Portion::between(vec!["d".into(), "g".into()]);
        let text = |end: &Option<Slice>| end.as_deref().map(String::from_utf8_lossy).unwrap_or_default().into_owned();
        let ends: Vec<_> = portions.iter().map(|portion| text(&portion.from) + ".." + &text(&portion.until)).collect();
        assert_eq!(ends, ["..d", "d..g", "g.."]);
        assert_eq!(["c", "d", "z"].map(|key| portions[0].ends_behind(key.as_bytes(), &order)), [true, false, false]);
        assert!(portions[2].ends_behind(b"z", &order));
        assert_eq!(Portion::between(Vec::new()), [Portion::whole()]);
    }
}
