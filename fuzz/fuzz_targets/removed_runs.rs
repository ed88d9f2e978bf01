//! A table whose runs of removed keys are anything, checksums and footer made to fit.

#![no_main]

use libfuzzer_sys::fuzz_target;
use sediment_codec::seal::Region;
use sediment_fuzz::tables;
use std::sync::LazyLock;

static SAMPLE: LazyLock<Vec<u8>> = LazyLock::new(tables::with_removed_runs);

fuzz_target!(|input: &[u8]| {
    sediment_fuzz::switched(input, |bytes, _| tables::exercise(&tables::with_part(&SAMPLE, Region::RemovedRuns, bytes)));
});
