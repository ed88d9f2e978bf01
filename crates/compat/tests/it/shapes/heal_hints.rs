//! Every name of `lsm_tree::heal_hints` in the shape that the interface gives it.
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
use lsm_tree::heal_hints::*;
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

fn heal_hints_keeps_its_shape() {
    let _: fn(bool) -> Arc<HealHints> = HealHints::new_shared;
    let _: fn(&HealHints) -> bool = HealHints::is_enabled;
    let _: fn(&HealHints, bool) -> () = HealHints::set_enabled;
    let _: fn(&HealHints, GlobalTableId) -> bool = HealHints::record;
    let _: fn(&HealHints) -> Option<GlobalTableId> = HealHints::pop;
    let _: fn(&HealHints) -> bool = HealHints::is_empty;
    has!(HealHints: Default);
}
