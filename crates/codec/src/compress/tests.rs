use super::*;
use proptest::prelude::*;
use sediment_base::{BlockCodec, ErrorKind};
use std::sync::Arc;

/// Says how often each byte follows in a row; anything else is damage.
#[derive(Debug)]
struct RunLengths;

impl BlockCodec for RunLengths {
    fn id(&self) -> u8 {
        200
    }

    fn name(&self) -> &str {
        "run lengths"
    }

    fn compress(&self, plain: &[u8], out: &mut Vec<u8>) -> Result<()> {
        plain.chunk_by(|a, b| a == b).flat_map(|run| run.chunks(255)).for_each(|run| out.extend([run.len() as u8, run[0]]));
        Ok(())
    }

    fn decompress(&self, stored: &[u8], plain: &mut [u8]) -> Result<()> {
        let runs = stored.chunks_exact(2).flat_map(|run| std::iter::repeat_n(run[1], usize::from(run[0])));
        let bytes: Vec<u8> = runs.take(plain.len() + 1).collect();
        if bytes.len() != plain.len() {
            return Err(Error::corruption("run lengths"));
        }
        plain.copy_from_slice(&bytes);
        Ok(())
    }
}

fn methods() -> Vec<Method> {
    let zstd = [1, 3, 7, 12, 19].map(|level| Method::Zstd(ZstdLevel::new(level).unwrap()));
    [Method::None, Method::Lz4, Method::Other(Arc::new(RunLengths))].into_iter().chain(zstd).collect()
}

/// Text that a dictionary of [`dictionary`] helps with.
fn row(number: usize) -> Vec<u8> {
    format!("{{\"id\":{number},\"name\":\"row {}\",\"state\":\"pending\"}}\n", number * 7919 % 1000).into_bytes()
}

pub(super) fn block(number: usize) -> Vec<u8> {
    (number * 6..number * 6 + 6).flat_map(row).collect()
}

pub(super) fn dictionary() -> Arc<Dictionary> {
    let blocks: Vec<_> = (0..64).map(block).collect();
    let lens: Vec<_> = blocks.iter().map(Vec::len).collect();
    Arc::new(Dictionary::train(&blocks.concat(), &lens, 4096, ZstdLevel::FASTEST).unwrap())
}

fn stored(packer: &mut Packer, plain: &[u8]) -> (Packed, Vec<u8>) {
    let mut out = [b"before ".as_slice(), plain].concat();
    let used = packer.pack_from(7, &mut out).unwrap();
    (used, out.strip_prefix(b"before ").unwrap().to_vec())
}

fn unpacker(dictionary: Option<Arc<Dictionary>>) -> Unpacker {
    Unpacker::new(Arc::default(), dictionary, Some(Arc::new(RunLengths)))
}

#[test]
fn unknown_tags_ask_for_an_upgrade() {
    for codec in [Codec::None, Codec::Lz4, Codec::Zstd, Codec::Other(128), Codec::Other(255)] {
        assert_eq!(Codec::from_tag(codec.tag()).unwrap(), codec);
    }
    for tag in 3..128 {
        assert_eq!(Codec::from_tag(tag).unwrap_err().kind(), ErrorKind::Unsupported);
    }
}

#[test]
fn an_uncompressed_block_has_its_own_length() {
    let (used, stored) = stored(&mut Packer::default(), b"plain");
    assert_eq!((used, &*Unpacker::default().unpack(used, &stored, 5).unwrap()), (Packed::default(), b"plain".as_slice()));
    assert_eq!(Unpacker::default().unpack(used, &stored, 6).unwrap_err().kind(), ErrorKind::Corruption);
}

#[test]
fn what_does_not_shrink_is_stored_as_it_is() {
    for method in methods() {
        let mut packer = Packer::new(method, Some(dictionary()));
        for plain in [b"no byte twice".as_slice(), b"", b"a"] {
            assert_eq!(stored(&mut packer, plain), (Packed::default(), plain.to_vec()), "{packer:?}");
        }
    }
}

/// Files hold these bytes: one literal, then a match of 38 bytes at distance 1, then the last five literals.
#[test]
fn lz4_blocks_are_the_published_format() {
    let bytes = [0x1F, b'a', 1, 0, 19, 0x50, b'b', b'c', b'd', b'e', b'f'];
    let packed = Packed { codec: Codec::Lz4, dictionary: 0 };
    assert_eq!(&*unpacker(None).unpack(packed, &bytes, 44).unwrap(), [&[b'a'; 39], b"bcdef".as_slice()].concat());
}

/// Files hold such bytes: what the library of C made of two blocks, at level 3, without and with a dictionary.
#[test]
fn zstd_blocks_of_others_are_read() {
    let bytes = |hex: &str| -> Vec<u8> {
        hex.as_bytes().chunks(2).map(|pair| u8::from_str_radix(str::from_utf8(pair).unwrap(), 16).unwrap()).collect()
    };
    let plain: Vec<u8> =
        (0..40_u32).flat_map(|i| format!("{{\"id\":{i},\"name\":\"row {}\"}}\n", i * 7919 % 1000).into_bytes()).collect();
    let said: Vec<u8> = (0..16).flat_map(|i| format!("{{\"id\":{},\"name\":\"row \"}}\n", i + 100).into_bytes()).collect();
    let dictionary = Arc::new(Dictionary::new(&said).unwrap());
    let frames = include_str!("../../testdata/zstd_of_c.txt");
    let mut frames = frames.lines().map(bytes);
    let packed = Packed { codec: Codec::Zstd, dictionary: 0 };
    assert_eq!(&*unpacker(None).unpack(packed, &frames.next().unwrap(), plain.len()).unwrap(), plain);
    let packed = Packed { codec: Codec::Zstd, dictionary: dictionary.id() };
    assert_eq!(&*unpacker(Some(dictionary)).unpack(packed, &frames.next().unwrap(), plain.len()).unwrap(), plain);
}

#[test]
fn a_length_that_is_not_the_blocks_is_refused_before_memory_is_taken() {
    let unpacker = unpacker(None);
    for method in methods().into_iter().skip(1) {
        let (used, bytes) = stored(&mut Packer::new(method.clone(), None), &[7; 1000]);
        assert_eq!(used.codec, method.codec());
        for len in [0, 999, 1001, 2000] {
            assert_eq!(unpacker.unpack(used, &bytes, len).unwrap_err().kind(), ErrorKind::Corruption, "{method:?} {len}");
        }
        assert_eq!(unpacker.unpack(used, &bytes, 1000).unwrap(), [7; 1000].as_slice());
        if used.codec != Codec::Other(200) {
            assert_eq!(unpacker.unpack(used, &bytes, usize::MAX).unwrap_err().kind(), ErrorKind::Corruption, "{method:?}");
        }
    }
}

#[test]
fn the_same_blocks_make_the_same_dictionary_and_it_saves_a_part() {
    let trained = dictionary();
    assert_eq!(trained, dictionary());
    assert!(trained.bytes().len() <= 4096 && trained.memory_bytes() > trained.bytes().len(), "{trained:?}");
    let method = Method::Zstd(ZstdLevel::FASTEST);
    let (mut alone, mut with) = (Packer::new(method.clone(), None), Packer::new(method, Some(Arc::clone(&trained))));
    for number in 100..110 {
        let plain = block(number);
        let (_, without) = stored(&mut alone, &plain);
        let (used, bytes) = stored(&mut with, &plain);
        assert_eq!(used, Packed { codec: Codec::Zstd, dictionary: trained.id() });
        assert!(bytes.len() * 10 < without.len() * 9, "{} of {}", bytes.len(), without.len());
        assert_eq!(&*unpacker(Some(Arc::clone(&trained))).unpack(used, &bytes, plain.len()).unwrap(), plain);
    }
}

#[test]
fn a_block_is_not_unpacked_with_another_dictionary() {
    let trained = dictionary();
    let plain = block(7);
    let (used, bytes) = stored(&mut Packer::new(Method::Zstd(ZstdLevel::FASTEST), Some(trained)), &plain);
    let other = Arc::new(Dictionary::new(&plain).unwrap());
    for reader in [unpacker(None), unpacker(Some(other))] {
        assert_eq!(reader.unpack(used, &bytes, plain.len()).unwrap_err().kind(), ErrorKind::Corruption);
    }
}

#[test]
fn what_is_no_dictionary_is_refused() {
    for bytes in
        [b"".as_slice(), &[7; 255], &vec![7; (1 << 20) + 1], &[&[0x37, 0xA4, 0x30, 0xEC], [1; 400].as_slice()].concat()]
    {
        assert_eq!(Dictionary::new(bytes).unwrap_err().kind(), ErrorKind::InvalidInput, "{} bytes", bytes.len());
        assert_eq!(Dictionary::load(bytes.into()).unwrap_err().kind(), ErrorKind::Corruption);
    }
    assert!(Dictionary::train(b"few", &[3], 4096, ZstdLevel::FASTEST).is_none());
    assert!(Dictionary::new(&[7; 256]).is_ok(), "any bytes that blocks may repeat");
}

#[test]
fn a_codec_that_was_not_brought_is_named() {
    let (used, bytes) = stored(&mut Packer::new(Method::Other(Arc::new(RunLengths)), None), &[7; 1000]);
    let error = Unpacker::default().unpack(used, &bytes, 1000).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unsupported);
    assert!(error.to_string().contains("codec 200"), "{error}");
}

#[test]
fn levels_are_within_their_range() {
    assert!([0, 23, 255].into_iter().all(|level| ZstdLevel::new(level).is_err()));
    let level = |level| Method::Zstd(ZstdLevel::new(level).unwrap());
    assert!(level(3) == level(3) && level(3) != level(4) && level(3) != Method::Lz4 && Method::None == Method::None);
}

proptest! {
    #[test]
    fn what_is_compressed_comes_back(words in prop::collection::vec(0_u8..9, 0..3000), repeat in 1_usize..4) {
        let plain = words.repeat(repeat);
        let dictionary = Arc::new(Dictionary::new(&[1, 2, 3, 4].repeat(100)).unwrap());
        let unpacker = unpacker(Some(Arc::clone(&dictionary)));
        for method in methods() {
            for dictionary in [None, Some(&dictionary)] {
                let (used, bytes) = stored(&mut Packer::new(method.clone(), dictionary.cloned()), &plain);
                prop_assert!(bytes.len() <= plain.len());
                prop_assert_eq!(&*unpacker.unpack(used, &bytes, plain.len()).unwrap(), plain.as_slice());
            }
        }
    }

    #[test]
    fn bytes_that_nobody_compressed_do_no_harm(bytes: Vec<u8>, len in 0_usize..5000, cut in 0_usize..400, flip: u8) {
        let dictionary = Arc::new(Dictionary::new(&block(1)).unwrap());
        let unpacker = unpacker(Some(Arc::clone(&dictionary)));
        let (packed, mut sound) = stored(&mut Packer::new(Method::Zstd(ZstdLevel::FASTEST), Some(Arc::clone(&dictionary))), &block(2));
        if let Some(byte) = sound.get_mut(cut) {
            *byte ^= flip;
        }
        let _ = unpacker.unpack(packed, &sound, block(2).len());
        for codec in [Codec::Lz4, Codec::Zstd, Codec::Other(200)] {
            for dictionary in [0, dictionary.id()] {
                if let Ok(plain) = unpacker.unpack(Packed { codec, dictionary }, &bytes, len) {
                    prop_assert_eq!(plain.len(), len);
                }
            }
        }
    }
}
