//! How often which values came, read from what a database tells about itself.

use sedimentdb::stats::Distribution;
use serde_json::Value;

/// Reads a histogram; what makes no sense counts as nothing.
pub(super) fn parse(value: &Value) -> Distribution {
    let pair = |bucket: &Value| Some((bucket[0].as_u64()?, bucket[1].as_u64()?));
    let buckets = value["buckets"].as_array().map_or(&[][..], |buckets| buckets);
    let number = |name: &str| value[name].as_u64().unwrap_or(0);
    Distribution::from_buckets(buckets.iter().filter_map(pair), number("sum"), number("max"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn quantiles_are_those_of_what_came_between() {
        let before = parse(&json!({ "max": 9, "buckets": [[3, 90], [9, 10]] }));
        assert_eq!((before.count(), before.quantile(0.5), before.quantile(0.99)), (100, 3, 9));
        let after = parse(&json!({ "max": 1000, "buckets": [[3, 90], [9, 20], [1023, 1]] }));
        let between = after.since(&before);
        assert_eq!((between.count(), between.quantile(0.5), between.quantile(1.0)), (11, 9, 1000));
        assert_eq!((after.since(&after).count(), after.since(&after).quantile(0.5)), (0, 0));
    }

    #[test]
    fn what_makes_no_sense_is_nothing() {
        for value in [json!(null), json!([1]), json!({ "buckets": 3 }), json!({ "buckets": [[1], ["a", 2], [3, -1]] })] {
            assert_eq!(parse(&value), Distribution::default(), "{value}");
        }
    }
}
