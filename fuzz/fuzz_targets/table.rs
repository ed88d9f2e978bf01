//! A whole table file: open, check, dump, walk, seek, get.

#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| sediment_fuzz::switched(input, |bytes, _| sediment_fuzz::tables::exercise(bytes)));
