//! Every name of `lsm_tree::compaction::filter` in the shape that the interface gives it.

use super::names::*;
use lsm_tree::compaction::filter::*;

fn context_keeps_its_shape() {
    field!(Context::is_last_level: bool);
    has!(Context: std::fmt::Debug);
}
