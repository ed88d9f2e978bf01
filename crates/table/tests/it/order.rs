//! An order of keys that is not that of `memcmp`.

use sediment_base::{Comparator, KeyOrder};
use std::{cmp::Ordering, sync::Arc};

/// By length, then backwards by bytes; the head is the length.
#[derive(Debug)]
struct ByLength;

impl Comparator for ByLength {
    fn name(&self) -> &str {
        "by length, then descending"
    }

    fn compare(&self, a: &[u8], b: &[u8]) -> Ordering {
        a.len().cmp(&b.len()).then_with(|| b.cmp(a))
    }

    fn head(&self, key: &[u8]) -> u64 {
        key.len() as u64
    }
}

/// The order of `memcmp`, and the other one.
pub(crate) fn orders() -> [KeyOrder; 2] {
    [KeyOrder::bytewise(), KeyOrder::custom(Arc::new(ByLength))]
}
