//! `Histogram`: how often which values came, as the database tells it, and the difference of two.

use serde_json::Value;
use std::collections::BTreeMap;

/// The highest value of each bucket that holds any, and how many it holds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Histogram {
    buckets: BTreeMap<u64, u64>,
    max: u64,
}

impl Histogram {
    /// Reads one; what makes no sense counts as nothing.
    pub(super) fn parse(value: &Value) -> Self {
        let pair = |bucket: &Value| Some((bucket[0].as_u64()?, bucket[1].as_u64()?));
        let buckets = value["buckets"].as_array().map_or(&[][..], |buckets| buckets);
        Self { buckets: buckets.iter().filter_map(pair).collect(), max: value["max"].as_u64().unwrap_or(0) }
    }

    /// The values that came after `earlier`.
    pub(super) fn since(&self, earlier: &Self) -> Self {
        let left = |(highest, count): (&u64, &u64)| {
            let count = count.saturating_sub(earlier.buckets.get(highest).copied().unwrap_or(0));
            (count > 0).then_some((*highest, count))
        };
        Self { buckets: self.buckets.iter().filter_map(left).collect(), max: self.max }
    }

    /// How many values.
    pub(super) fn count(&self) -> u64 {
        self.buckets.values().fold(0, |sum, count| sum.saturating_add(*count))
    }

    /// A value that at least this part of all values do not exceed, up to an eighth above the exact one; 0 without values.
    pub(super) fn quantile(&self, part: f64) -> u64 {
        let rank = ((part * self.count() as f64).ceil() as u64).max(1);
        let mut below = 0_u64;
        for (highest, count) in &self.buckets {
            below = below.saturating_add(*count);
            if below >= rank {
                return (*highest).min(self.max);
            }
        }
        0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn quantiles_are_those_of_what_came_between() {
        let before = Histogram::parse(&json!({ "max": 9, "buckets": [[3, 90], [9, 10]] }));
        assert_eq!((before.count(), before.quantile(0.5), before.quantile(0.99)), (100, 3, 9));
        let after = Histogram::parse(&json!({ "max": 1000, "buckets": [[3, 90], [9, 20], [1023, 1]] }));
        let between = after.since(&before);
        assert_eq!((between.count(), between.quantile(0.5), between.quantile(1.0)), (11, 9, 1000));
        assert_eq!((after.since(&after).count(), after.since(&after).quantile(0.5)), (0, 0));
    }

    #[test]
    fn what_makes_no_sense_is_nothing() {
        for value in [json!(null), json!([1]), json!({ "buckets": 3 }), json!({ "buckets": [[1], ["a", 2], [3, -1]] })] {
            assert_eq!(Histogram::parse(&value), Histogram::default(), "{value}");
        }
    }
}
