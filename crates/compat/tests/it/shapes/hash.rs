//! Every name of `lsm_tree::hash` in the shape that the interface gives it.

use super::names::*;
use lsm_tree::hash::*;

fn hash64_keeps_its_shape() {
    let _: fn(&[u8]) -> u64 = hash64;
}

fn hash128_keeps_its_shape() {
    let _: fn(&[u8]) -> u128 = hash128;
}
