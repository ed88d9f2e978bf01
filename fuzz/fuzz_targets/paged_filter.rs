//! A table whose filter is in pages, with any head, checksums and footer made to fit. The first byte chooses the kind of filter.

#![no_main]

use libfuzzer_sys::fuzz_target;
use sediment_codec::seal::Region;
use sediment_fuzz::tables;
use sediment_table::FilterKind;
use std::sync::LazyLock;

static SAMPLES: LazyLock<[Vec<u8>; 2]> = LazyLock::new(|| [FilterKind::SplitBlock, FilterKind::Burr].map(tables::paged));

fuzz_target!(|input: &[u8]| {
    sediment_fuzz::switched(input, |bytes, _| {
        let Some((choice, head)) = bytes.split_first() else { return };
        tables::exercise(&tables::with_part(&SAMPLES[usize::from(choice % 2)], Region::Filter, head));
    });
});
