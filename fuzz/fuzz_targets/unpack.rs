//! One compressed block: which codec, how long it was, and its stored bytes.

#![no_main]

use libfuzzer_sys::fuzz_target;
use sediment_codec::compress::{Codec, Dictionary, Method, Packed, Packer, Unpacker, ZstdLevel};
use sediment_fuzz::tables;
use std::sync::{Arc, LazyLock};

static DICTIONARY: LazyLock<Arc<Dictionary>> = LazyLock::new(|| Arc::new(tables::dictionary()));
static UNPACKER: LazyLock<Unpacker> = LazyLock::new(|| Unpacker::new(Arc::default(), Some(Arc::clone(&DICTIONARY)), None));

fuzz_target!(|input: &[u8]| {
    // The switch of the other targets: there is no checksum here.
    let Some((_, input)) = input.split_first() else { return };
    let Some(([choice, low, high], stored)) = input.split_first_chunk() else { return };
    let has_dictionary = choice & 2 != 0;
    let (codec, method) =
        if choice & 1 == 0 { (Codec::Lz4, Method::Lz4) } else { (Codec::Zstd, Method::Zstd(ZstdLevel::FASTEST)) };
    let dictionary = if has_dictionary { DICTIONARY.id() } else { 0 };
    let plain_len = usize::from(u16::from_le_bytes([*low, *high]));
    let Ok(plain) = UNPACKER.unpack(Packed { codec, dictionary }, stored, plain_len) else { return };
    assert_eq!(plain.len(), plain_len);
    let mut again = plain.to_vec();
    let mut packer = Packer::new(method, has_dictionary.then(|| Arc::clone(&DICTIONARY)));
    let packed = packer.pack_from(0, &mut again).expect("any bytes can be packed");
    assert_eq!(UNPACKER.unpack(packed, &again, plain_len).expect("it was just packed"), plain);
});
