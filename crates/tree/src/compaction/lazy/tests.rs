//! Scripts, and names.

use super::Lazy;
use crate::compaction::scripts;

#[test]
fn what_has_settled_is_merged_with_its_partition() {
    scripts::check(&Lazy::default(), "lazy", &["young", "settled", "due", "sinking", "between", "scores"]);
}

#[test]
fn its_name_says_how_much_it_collects() {
    assert_eq!(Lazy::by_name("lazy").map(|lazy| lazy.percent), Some(20));
    assert_eq!(Lazy::by_name("lazy-40").map(|lazy| lazy.percent), Some(40));
    for name in ["lazy-20", "lazy-", "lazy-0", "lazy-041", "lazy-+4", "lazy-256", "eager"] {
        assert!(Lazy::by_name(name).is_none(), "{name}");
    }
}
