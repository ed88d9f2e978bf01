use super::*;
use proptest::prelude::*;
use sediment_base::ErrorKind;

fn stored(codec: Codec, plain: &[u8]) -> (Codec, Vec<u8>) {
    let mut out = [b"before ".as_slice(), plain].concat();
    let used = codec.compress_from(7, &mut out).unwrap();
    (used, out.strip_prefix(b"before ").unwrap().to_vec())
}

#[test]
fn unknown_tags_ask_for_an_upgrade() {
    for codec in [Codec::None, Codec::Lz4] {
        assert_eq!(Codec::from_tag(codec.tag()).unwrap(), codec);
    }
    for tag in 2..=255 {
        assert_eq!(Codec::from_tag(tag).unwrap_err().kind(), ErrorKind::Unsupported);
    }
}

#[test]
fn an_uncompressed_block_has_its_own_length() {
    let (used, stored) = stored(Codec::None, b"plain");
    assert_eq!((used, &*used.decompress(&stored, 5).unwrap()), (Codec::None, b"plain".as_slice()));
    assert_eq!(used.decompress(&stored, 6).unwrap_err().kind(), ErrorKind::Corruption);
}

#[test]
fn what_does_not_shrink_is_stored_as_it_is() {
    let (used, bytes) = stored(Codec::Lz4, b"no byte twice");
    assert_eq!((used, bytes.as_slice()), (Codec::None, b"no byte twice".as_slice()));
    let (used, bytes) = stored(Codec::Lz4, b"");
    assert_eq!((used, bytes.len()), (Codec::None, 0));
}

/// Files hold these bytes: one literal, then a match of 38 bytes at distance 1, then the last five literals.
#[test]
fn lz4_blocks_are_the_published_format() {
    let bytes = [0x1F, b'a', 1, 0, 19, 0x50, b'b', b'c', b'd', b'e', b'f'];
    assert_eq!(&*Codec::Lz4.decompress(&bytes, 44).unwrap(), [&[b'a'; 39], b"bcdef".as_slice()].concat());
}

#[test]
fn a_length_that_is_not_the_blocks_is_refused_before_memory_is_taken() {
    let (used, bytes) = stored(Codec::Lz4, &[7; 1000]);
    for len in [0, 999, 1001, 255 * bytes.len() + 254, usize::MAX] {
        assert_eq!(used.decompress(&bytes, len).unwrap_err().kind(), ErrorKind::Corruption, "{len}");
    }
    assert_eq!(used.decompress(&bytes, 1000).unwrap(), [7; 1000].as_slice());
}

proptest! {
    #[test]
    fn what_is_compressed_comes_back(words in prop::collection::vec(0_u8..9, 0..3000), repeat in 1_usize..4) {
        let plain = words.repeat(repeat);
        let (used, bytes) = stored(Codec::Lz4, &plain);
        prop_assert!(bytes.len() <= plain.len());
        prop_assert_eq!(&*used.decompress(&bytes, plain.len()).unwrap(), plain.as_slice());
    }

    #[test]
    fn bytes_that_nobody_compressed_do_no_harm(bytes: Vec<u8>, len in 0_usize..5000) {
        if let Ok(plain) = Codec::Lz4.decompress(&bytes, len) {
            prop_assert_eq!(plain.len(), len);
        }
    }
}
