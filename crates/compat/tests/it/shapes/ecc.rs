//! Every name of `lsm_tree::ecc` in the shape that the interface gives it.
#![allow(
    dead_code,
    unused_imports,
    clippy::wildcard_imports,
    clippy::type_complexity,
    clippy::too_many_lines,
    clippy::too_many_arguments,
    reason = "shapes of the interface, one use each"
)]

use super::{field, has};
use lsm_tree::ecc::*;
use lsm_tree::*;
use lsm_tree::{
    compaction::filter::Context,
    compaction::*,
    config::*,
    encryption::{aad::*, *},
    fs::*,
    heal_hints::*,
    runtime_config::*,
    verify::*,
};
use rustc_hash::FxBuildHasher;
use std::{
    collections::HashSet,
    ops::{Bound, Range, RangeBounds},
    path::{Path, PathBuf},
    sync::{Arc, MutexGuard},
    time::Duration,
};

fn r_s_d_a_t_a_s_h_a_r_d_s_keeps_its_shape() {
    let _: usize = RS_DATA_SHARDS;
}

fn r_s_p_a_r_i_t_y_s_h_a_r_d_s_keeps_its_shape() {
    let _: usize = RS_PARITY_SHARDS;
}

fn shard_bytes_keeps_its_shape() {
    let _: fn(usize, usize) -> usize = shard_bytes;
}

fn parity_len_keeps_its_shape() {
    let _: fn(usize, usize, usize) -> usize = parity_len;
}

fn encode_parity_keeps_its_shape() {
    let _: fn(&[u8], usize, usize) -> Result<Vec<u8>> = encode_parity;
}

fn try_recover_keeps_its_shape() {
    let _: fn(&[u8], &[u8], usize, usize, usize, fn(&[u8]) -> bool) -> Result<Option<Vec<u8>>> = try_recover;
}
