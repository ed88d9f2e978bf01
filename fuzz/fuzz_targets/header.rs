//! The header of a file, at its head and at its tail.

#![no_main]

use libfuzzer_sys::fuzz_target;
use sediment_codec::header::{FileHeader, HEADER_BYTES};

fuzz_target!(|input: &[u8]| {
    sediment_fuzz::switched(input, |bytes, checked| {
        let covered = if checked { HEADER_BYTES } else { HEADER_BYTES - 4 };
        if let Ok(header) = FileHeader::decode(bytes) {
            assert_eq!(header.encode()[..covered], bytes[..covered]);
            let _ = header.features.requires_read_only();
        }
        if let Ok((header, body_len)) = FileHeader::decode_tail(bytes) {
            assert_eq!(header.encode_tail(body_len)[..covered], bytes[..covered]);
        }
    });
});
