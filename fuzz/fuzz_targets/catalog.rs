//! A whole catalog file: open, read, write, open again.

#![no_main]

use libfuzzer_sys::fuzz_target;
use sediment_codec::header::FileKind;
use sediment_fuzz::stores::{self, Files};
use std::sync::LazyLock;

static SAMPLE: LazyLock<Files> = LazyLock::new(stores::sample_database);

fuzz_target!(|input: &[u8]| {
    LazyLock::force(&SAMPLE);
    sediment_fuzz::switched(input, |bytes, _| {
        stores::exercise_database(&stores::with_file(SAMPLE.clone(), FileKind::Catalog, bytes))
    });
});
