//! A dictionary that a table claims to have, and blocks with it.

#![no_main]

use libfuzzer_sys::fuzz_target;
use sediment_codec::compress::{Codec, Dictionary, Method, Packed, Packer, Unpacker, ZstdLevel};
use std::sync::Arc;

fuzz_target!(|input: &[u8]| {
    // The switch of the other targets: there is no checksum here.
    let Some((_, bytes)) = input.split_first() else { return };
    let Ok(dictionary) = Dictionary::load(bytes.into()) else { return };
    let dictionary = Arc::new(dictionary);
    assert!(dictionary.id() != 0 && dictionary.bytes() == bytes);
    let unpacker = Unpacker::new(Arc::default(), Some(Arc::clone(&dictionary)), None);
    let plain = [bytes.get(..bytes.len().min(300)).unwrap_or_default(), b"key-aa and key-ab and key-ac"].concat().repeat(2);
    let mut stored = plain.clone();
    let mut packer = Packer::new(Method::Zstd(ZstdLevel::FASTEST), Some(Arc::clone(&dictionary)));
    let Ok(packed) = packer.pack_from(0, &mut stored) else { return };
    assert_eq!(*unpacker.unpack(packed, &stored, plain.len()).expect("it was just packed"), plain);
    let _ = unpacker.unpack(Packed { codec: Codec::Zstd, dictionary: dictionary.id() }, bytes, plain.len());
});
