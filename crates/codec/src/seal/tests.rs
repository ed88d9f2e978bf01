use super::*;
use crate::compress::Method;
use proptest::prelude::*;
use sediment_base::ErrorKind;

const UUID: FileUuid = FileUuid([7; 16]);
const ID: FrameId = FrameId { region: Region::Data as u8, kind: 3, ordinal: 5 };

fn seal() -> Seal {
    Seal { uuid: UUID }
}

fn sealed(offset: u64, plain: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    seal().seal(ID, offset, plain, &mut out).unwrap();
    out
}

/// The frame with a checksum that fits it, as a later version would have written.
fn resealed(offset: u64, mut frame: Vec<u8>) -> Vec<u8> {
    let stored_len = u32::from_le_bytes(frame[16..20].try_into().unwrap()) as usize;
    let sum = seal().checksum(offset, frame[..CHECKED_BYTES].try_into().unwrap(), &frame[32..32 + stored_len]);
    frame[24..32].copy_from_slice(&sum.to_le_bytes());
    frame
}

/// Files hold these bytes: if this fails, old files are no longer read.
#[test]
fn every_field_has_its_place() {
    let frame = sealed(128, b"rows");
    let mut expected = Vec::new();
    expected.extend(b"SDMF\x01\x03\0\0\x05\0\0\0\0\0\0\0\x04\0\0\0\x04\0\0\0");
    let mut covered = UUID.0.to_vec();
    covered.extend(b"\x03\0\0\0\0\0\0\0\x80\0\0\0\0\0\0\0");
    covered.extend(&expected);
    covered.extend(b"rows");
    expected.extend(checksum::crc64(0, &covered).to_le_bytes());
    expected.extend(b"rows");
    expected.resize(64, 0);
    assert_eq!(frame, expected);
}

#[test]
fn frames_fill_multiples_of_64() {
    for (plain, bytes) in [(0, 64), (1, 64), (32, 64), (33, 128), (4096, 4160), (4097, 4160)] {
        let frame = sealed(64, &vec![1; plain]);
        let header = Seal::peek(&frame).unwrap();
        assert_eq!((frame.len(), header.frame_bytes()), (bytes, bytes as u64), "{plain}");
        assert_eq!(header, seal().open(&Unpacker::default(), 64, &frame).unwrap().0);
    }
}

#[test]
fn every_flipped_bit_is_noticed_also_in_the_padding() {
    let frame = sealed(4096, b"forty-two bytes of a block that is not long");
    for bit in 0..frame.len() * 8 {
        let mut damaged = frame.clone();
        damaged[bit / 8] ^= 1 << (bit % 8);
        assert_eq!(seal().open(&Unpacker::default(), 4096, &damaged).unwrap_err().kind(), ErrorKind::Corruption, "bit {bit}");
    }
    for len in 0..frame.len() {
        assert_eq!(
            seal().open(&Unpacker::default(), 4096, &frame[..len]).unwrap_err().kind(),
            ErrorKind::Corruption,
            "length {len}"
        );
    }
}

#[test]
fn a_frame_in_another_place_or_file_does_not_verify() {
    let frame = sealed(4096, b"block");
    for offset in (0..1 << 16).step_by(64).chain([1 << 32 | 4096, !63]) {
        assert_eq!(seal().open(&Unpacker::default(), offset, &frame).is_ok(), offset == 4096, "{offset}");
    }
    let other = Seal { uuid: FileUuid([8; 16]) };
    let error = other.open(&Unpacker::default(), 4096, &frame).unwrap_err().in_file("f".as_ref());
    assert_eq!(error.message(), "block checksum");
    assert_eq!(error.location().unwrap().offset, Some(4096));
}

#[test]
fn what_a_later_version_wrote_asks_for_an_upgrade() {
    for (what, place, kind) in [
        ("codec", 6, ErrorKind::Unsupported),
        ("flags", 7, ErrorKind::Unsupported),
        ("a dictionary that the file does not have", 12, ErrorKind::Corruption),
    ] {
        let mut frame = sealed(64, b"block");
        frame[place] = 9;
        assert_eq!(seal().open(&Unpacker::default(), 64, &frame).unwrap_err().kind(), ErrorKind::Corruption, "{what}, damaged");
        let error = seal().open(&Unpacker::default(), 64, &resealed(64, frame)).unwrap_err();
        assert_eq!(error.kind(), kind, "{what}");
    }
    let mut region = sealed(64, b"block");
    region[4] = 99;
    let (header, _) = seal().open(&Unpacker::default(), 64, &resealed(64, region)).unwrap();
    assert_eq!((header.region, Region::from_tag(99)), (99, None), "the file's reader decides about unknown regions");
}

#[test]
fn lengths_beyond_the_limit_are_refused_both_ways() {
    let mut out = vec![1, 2];
    let error = seal().seal(ID, 0, &vec![0; limits::FRAME_BYTES_MAX + 1], &mut out).unwrap_err();
    assert_eq!((error.kind(), out.len()), (ErrorKind::InvalidInput, 2));
    let error = seal().seal(ID, 63, b"block", &mut out).unwrap_err();
    assert_eq!((error.kind(), out.len()), (ErrorKind::InvalidInput, 2));
    for place in [16, 20] {
        let mut frame = sealed(64, b"block");
        frame[place..place + 4].copy_from_slice(&u32::MAX.to_le_bytes());
        assert_eq!(Seal::peek(&frame).unwrap_err().kind(), ErrorKind::Corruption);
    }
}

#[test]
fn regions_keep_their_numbers() {
    let known: Vec<_> = (0..=255).filter_map(Region::from_tag).collect();
    assert_eq!(known.len(), 14);
    assert!(known.iter().all(|region| Region::from_tag(*region as u8) == Some(*region)));
}

proptest! {
    #[test]
    fn what_was_sealed_opens(
        plain in prop::collection::vec(any::<u8>(), 0..5000),
        offset in (0..1_u64 << 40).prop_map(|offset| offset & !63),
        before in 0_usize..100,
        after in prop::collection::vec(any::<u8>(), 0..100),
    ) {
        let mut out = vec![0xAA; before];
        let header = seal().seal(ID, offset, &plain, &mut out).unwrap();
        prop_assert_eq!(out.len() as u64, before as u64 + header.frame_bytes());
        out.extend(after);
        let (found, opened) = seal().open(&Unpacker::default(), offset, &out[before..]).unwrap();
        prop_assert_eq!((found, &*opened), (header, &plain[..]));
    }

    #[test]
    fn stored_bytes_go_from_file_to_file_as_they_are(plain in prop::collection::vec(0_u8..3, 0..3000), from in 0_u64..99, to in 0_u64..99) {
        let (from, to) = (from * 64, to * 64);
        let mut frame = Vec::new();
        let mut packer = Packer::new(Method::Lz4, None);
        seal().seal_with(&mut packer, ID, from, &mut frame, |out| out.extend_from_slice(&plain)).unwrap();
        let (header, stored) = seal().verify(from, &frame).unwrap();
        let other = Seal { uuid: FileUuid([8; 16]) };
        let mut out = vec![1; 7];
        let id = FrameId { ordinal: 6, ..ID };
        let packed = (header.packed(), header.plain_len);
        let resealed = other.seal_packed(packed, id, to, stored, &mut out).unwrap();
        let (found, opened) = other.open(&Unpacker::default(), to, &out[7..]).unwrap();
        prop_assert_eq!((&found, found.ordinal, &*opened), (&resealed, 6, &plain[..]));
        prop_assert_eq!((found.stored_len, found.codec), (header.stored_len, header.codec));
        prop_assert_eq!(out.len() as u64, 7 + found.frame_bytes());
        prop_assert!(other.seal_packed(packed, id, to + 1, stored, &mut out).is_err());
        prop_assert_eq!(out.len() as u64, 7 + found.frame_bytes());
    }

    #[test]
    fn any_bytes_open_or_are_refused(mut bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        let _ = (Seal::peek(&bytes), seal().open(&Unpacker::default(), 0, &bytes));
        if let Some(magic) = bytes.first_chunk_mut() {
            *magic = FRAME_MAGIC.to_le_bytes();
        }
        let _ = (Seal::peek(&bytes), seal().open(&Unpacker::default(), 0, &bytes));
    }
}
