//! A table of dense blocks whose first one holds anything, checksums and footer made to fit.

#![no_main]

use libfuzzer_sys::fuzz_target;
use sediment_codec::seal::Region;
use sediment_fuzz::tables;
use std::sync::LazyLock;

static SAMPLE: LazyLock<Vec<u8>> = LazyLock::new(tables::dense);

fuzz_target!(|input: &[u8]| {
    sediment_fuzz::switched(input, |bytes, _| tables::exercise(&tables::with_part(&SAMPLE, Region::Data, bytes)));
});
