//! `CURRENT` of a tree or a database.

#![no_main]

use libfuzzer_sys::fuzz_target;
use sediment_codec::current::Current;

fuzz_target!(|input: &[u8]| {
    sediment_fuzz::switched(input, |bytes, checked| {
        let Ok((header, current)) = Current::decode_any(bytes) else { return };
        assert_eq!(Current::decode(bytes, current.kind).expect("of its kind").1, current);
        if checked && header.generation == current.generation {
            assert_eq!(current.encode(header.db_uuid, header.uuid)[128..168], bytes[128..168]);
        }
    });
});
