//! Every signature of the interface, used as it stands: it compiles, or the interface has changed.
#![allow(
    dead_code,
    unused_imports,
    clippy::wildcard_imports,
    clippy::type_complexity,
    clippy::too_many_lines,
    clippy::too_many_arguments,
    reason = "shapes of the interface, one use each"
)]

mod compaction;
mod compaction_filter;
mod config;
mod ecc;
mod encryption;
mod encryption_aad;
mod encryption_aead;
mod fs;
mod hash;
mod heal_hints;
mod inspect;
mod io;
mod root;
mod runtime_config;
mod util;
mod verify;

/// That a type has a trait.
macro_rules! has {
    ($type:ty: $($bound:tt)+) => {{
        fn has<T: $($bound)+>() {}
        has::<$type>();
    }};
}
pub(crate) use has;

/// That a type has a field of this type.
macro_rules! field {
    ($type:ident::$field:ident: $of:ty) => {{
        let _: fn(&$type) -> &$of = |of| &of.$field;
    }};
}
pub(crate) use field;

/// What most of them name.
mod names {
    pub(super) use super::{field, has};
    pub(super) use lsm_tree::{
        compaction::{filter::Context, *},
        config::*,
        encryption::{aad::*, *},
        fs::*,
        heal_hints::*,
        runtime_config::*,
        verify::*,
        *,
    };
    pub(super) use rustc_hash::FxBuildHasher;
    pub(super) use std::{
        collections::HashSet,
        ops::{Bound, Range, RangeBounds},
        path::{Path, PathBuf},
        sync::{Arc, MutexGuard},
        time::Duration,
    };
}
