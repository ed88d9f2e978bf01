//! A table whose fence is in leaves, with any root or any first leaf, checksums and footer made to fit. The first byte chooses which.

#![no_main]

use libfuzzer_sys::fuzz_target;
use sediment_codec::seal::Region;
use sediment_fuzz::tables;
use std::sync::LazyLock;

static SAMPLE: LazyLock<Vec<u8>> = LazyLock::new(tables::with_leaves);

fuzz_target!(|input: &[u8]| {
    sediment_fuzz::switched(input, |bytes, _| {
        let Some((choice, part)) = bytes.split_first() else { return };
        tables::exercise(&tables::with_part(&SAMPLE, [Region::Fence, Region::Leaves][usize::from(choice % 2)], part));
    });
});
