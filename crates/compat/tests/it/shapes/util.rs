//! Every name of `lsm_tree::util` in the shape that the interface gives it.

use super::names::*;
use lsm_tree::util::*;

fn prefix_to_range_keeps_its_shape() {
    let _: fn(&[u8]) -> (Bound<Slice>, Bound<Slice>) = prefix_to_range;
}

fn prefixed_range_keeps_its_shape() {
    let _ = prefixed_range::<&'static str, &'static str, std::ops::RangeFull>;
}
