//! Every name of `lsm_tree::hash` in the shape that the interface gives it.
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
use lsm_tree::hash::*;
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

fn hash64_keeps_its_shape() {
    let _: fn(&[u8]) -> u64 = hash64;
}

fn hash128_keeps_its_shape() {
    let _: fn(&[u8]) -> u128 = hash128;
}
