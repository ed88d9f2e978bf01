//! Every name of `lsm_tree::encryption::aead` in the shape that the interface gives it.
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
use lsm_tree::encryption::aead::*;
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

fn t_a_g_l_e_n_keeps_its_shape() {
    let _: usize = TAG_LEN;
}

fn encrypt_in_place_keeps_its_shape() {
    let _: fn(SuiteId, &[u8; 32], &[u8], &[u8; 23], &mut [u8]) -> Result<[u8; 16]> = encrypt_in_place;
}

fn decrypt_in_place_keeps_its_shape() {
    let _: fn(SuiteId, &[u8; 32], &[u8], &[u8; 23], &[u8; 16], &mut [u8]) -> std::result::Result<(), DecryptError> =
        decrypt_in_place;
}
