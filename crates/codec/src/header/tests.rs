use super::*;
use proptest::prelude::*;
use sediment_base::ErrorKind;

fn sample() -> FileHeader {
    let mut header = FileHeader::new(FileKind::Table, FileUuid([1; 16]), 42, FileUuid([2; 16]));
    header.generation = Generation(7);
    header
}

/// The bytes with a checksum that fits them, as a later version would have written.
fn resealed(mut bytes: [u8; HEADER_BYTES], change: impl FnOnce(&mut [u8])) -> [u8; HEADER_BYTES] {
    change(&mut bytes);
    let sum = checksum::crc32c(0, &bytes[..CHECKED_BYTES]);
    bytes[CHECKED_BYTES..].copy_from_slice(&sum.to_le_bytes());
    bytes
}

/// Files hold these bytes: if this fails, old files are no longer read.
#[test]
fn every_field_has_its_place() {
    let mut header = sample();
    header.key_epoch = 0x0A;
    header.features = Features { incompat: 0, ro_compat: 0x0B, compat: 0x0C };
    header.incarnation = 0x0D;
    header.commitment = [0x0E; 32];
    let bytes = header.encode_tail(0x1000);
    let mut expected = Vec::new();
    expected.extend(b"\x89SDM\r\n\x1a\n\x01\0\x01\0");
    expected.extend([0x0A, 0, 0, 0, 0, 0, 0, 0, 0x0B, 0, 0, 0, 0x0C, 0, 0, 0]);
    expected.extend([1; 16]);
    expected.extend([42, 0, 0, 0, 0, 0, 0, 0, 7, 0, 0, 0, 0, 0, 0, 0, 0x0D, 0, 0, 0, 0, 0, 0, 0]);
    expected.extend([2; 16]);
    expected.extend([0x0E; 32]);
    expected.extend([0, 0x10, 0, 0, 0, 0, 0, 0]);
    assert_eq!(&bytes[..CHECKED_BYTES], &expected[..]);
    assert_eq!(bytes[CHECKED_BYTES..], checksum::crc32c(0, &expected).to_le_bytes());
    assert_eq!(FileHeader::decode_tail(&bytes).unwrap(), (header, 0x1000));
}

#[test]
fn every_flipped_bit_and_every_length_is_noticed() {
    for bytes in [sample().encode(), sample().encode_tail(4096)] {
        for bit in 0..HEADER_BYTES * 8 {
            let mut damaged = bytes;
            damaged[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(FileHeader::decode(&damaged).unwrap_err().kind(), ErrorKind::Corruption, "bit {bit}");
            assert_eq!(FileHeader::decode_tail(&damaged).unwrap_err().kind(), ErrorKind::Corruption, "bit {bit}");
        }
        for len in 0..HEADER_BYTES {
            assert_eq!(FileHeader::decode(&bytes[..len]).unwrap_err().kind(), ErrorKind::Corruption);
        }
    }
}

#[test]
fn head_and_tail_are_not_taken_for_each_other() {
    let header = sample();
    assert_eq!(FileHeader::decode(&header.encode()).unwrap(), header);
    assert!(FileHeader::decode(&header.encode_tail(4096)).is_err());
    assert!(FileHeader::decode_tail(&header.encode()).is_err());
    assert!(FileHeader::decode_tail(&header.encode_tail(127)).is_err());
}

#[test]
fn a_foreign_file_is_told_from_a_damaged_one() {
    let error = FileHeader::decode(&[b'#'; 500]).unwrap_err();
    assert_eq!(error.message(), "not a Sediment file");
    assert_eq!(sample().expect(FileKind::Wal).unwrap_err().expected(), Some(("Wal", "Table")));
    assert!(sample().expect(FileKind::Table).is_ok());
}

#[test]
fn what_a_later_version_wrote_asks_for_an_upgrade() {
    let bytes = sample().encode();
    let changes: [(&str, usize, u8); 4] = [("format", 8, 2), ("kind", 10, 9), ("suite", 11, 1), ("features", 17, 4)];
    for (what, place, value) in changes {
        let error = FileHeader::decode(&resealed(bytes, |bytes| bytes[place] = value)).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unsupported, "{what}");
        assert!(error.message().contains(what), "{error}");
    }
    let error = FileHeader::decode(&resealed(bytes, |bytes| bytes[8] = 2)).unwrap_err();
    assert_eq!(error.message(), "file has format 2, this version reads formats up to 1");
}

#[test]
fn ids_that_would_run_out_are_not_believed() {
    for place in [51, 59] {
        let error = FileHeader::decode(&resealed(sample().encode(), |bytes| bytes[place] = 64)).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Corruption, "{error}");
    }
}

#[test]
fn features_that_readers_may_lack_do_not_keep_them_out() {
    let bytes = sample().encode();
    let later = FileHeader::decode(&resealed(bytes, |bytes| bytes[20] = 1)).unwrap();
    assert!(later.features.requires_read_only());
    let later = FileHeader::decode(&resealed(bytes, |bytes| bytes[24] = 1)).unwrap();
    assert!(!later.features.requires_read_only());
}

proptest! {
    #[test]
    fn any_128_bytes_are_a_header_or_an_error(bytes in prop::collection::vec(any::<u8>(), HEADER_BYTES)) {
        let bytes = resealed(*bytes.first_chunk().unwrap(), |bytes| {
            bytes[..8].copy_from_slice(&MAGIC);
            bytes[8..10].copy_from_slice(&FORMAT.to_le_bytes());
            bytes[10] %= 10;
            bytes[11] = 0;
            bytes[16..20].fill(0);
            bytes[51] %= 64;
            bytes[59] %= 64;
        });
        if let Ok((header, body_len)) = FileHeader::decode_tail(&bytes) {
            prop_assert_eq!(header.encode_tail(body_len), bytes);
        } else {
            prop_assert!(FileKind::from_tag(bytes[10]).is_none());
        }
    }
}
