//! The frame of a block.

#![no_main]

use libfuzzer_sys::fuzz_target;
use sediment_codec::{
    compress::{Codec, Unpacker},
    seal::{FrameId, Seal},
};
use sediment_fuzz::{FRAME_OFFSET, UUID};

fuzz_target!(|input: &[u8]| {
    sediment_fuzz::switched(input, |bytes, checked| {
        let peeked = Seal::peek(bytes);
        let seal = Seal { uuid: UUID };
        let Ok((header, plain)) = seal.open(&Unpacker::default(), FRAME_OFFSET, bytes) else { return };
        assert_eq!(peeked.as_ref().ok(), Some(&header));
        assert_eq!(plain.len(), header.plain_len as usize);
        if checked && header.codec == Codec::None {
            let id = FrameId { region: header.region, kind: header.kind, ordinal: header.ordinal };
            let mut again = Vec::new();
            assert_eq!(seal.seal(id, FRAME_OFFSET, &plain, &mut again).expect("it was sealed before"), header);
            assert_eq!(again, bytes[..again.len()]);
        }
    });
});
