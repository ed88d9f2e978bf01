//! Names of files: what parses prints as it was.

#![no_main]

use libfuzzer_sys::fuzz_target;
use sediment_base::filename::FileName;

fuzz_target!(|input: &[u8]| {
    sediment_fuzz::switched(input, |bytes, _| {
        let Ok(name) = std::str::from_utf8(bytes) else { return };
        if let Some(parsed) = FileName::parse(name) {
            assert_eq!(parsed.to_string(), name);
        }
    });
});
