//! One more edit in a manifest, checksums made to fit.

#![no_main]

use libfuzzer_sys::fuzz_target;
use sediment_fuzz::stores::{self, Files};
use std::sync::LazyLock;

static SAMPLE: LazyLock<Files> = LazyLock::new(stores::sample_tree);

fuzz_target!(|input: &[u8]| {
    LazyLock::force(&SAMPLE);
    sediment_fuzz::switched(input, |bytes, _| stores::exercise_tree(&stores::with_edit(SAMPLE.clone(), bytes)));
});
