use super::*;
use proptest::prelude::*;

const UUID: FileUuid = FileUuid([9; 16]);
const EPOCH: u32 = 77;
const START: u64 = 128;

/// A log file: a header of zeros, then the given payloads, each record with its `synced_upto`.
fn log(records: &[(&[u8], u64)]) -> (Vec<u8>, Vec<u64>) {
    let mut writer = RecordWriter::new(UUID, EPOCH, START);
    let mut bytes = vec![0; START as usize];
    let mut starts = Vec::new();
    for (i, (payload, synced_upto)) in records.iter().enumerate() {
        starts.push(writer.offset());
        writer.append(&record(i, *synced_upto), payload, payload_crc(payload), &mut bytes).unwrap();
        assert_eq!(writer.offset(), bytes.len() as u64);
    }
    (bytes, starts)
}

fn record(i: usize, synced_upto: u64) -> Record {
    Record { kind: 1, fragment: Fragment::Whole, keyspace: 2, count: 3, seqno: i as u64, synced_upto }
}

fn reader(bytes: &[u8]) -> RecordReader<'_> {
    RecordReader::new(UUID, EPOCH, bytes, START)
}

/// Reads to the end: the payloads, and how the log ended by the rule of torn tails.
fn replay(bytes: &[u8]) -> (Vec<Vec<u8>>, Result<u64>) {
    let mut reader = reader(bytes);
    let mut payloads = Vec::new();
    loop {
        match reader.next() {
            Step::Record { payload, .. } => payloads.push(payload.to_vec()),
            Step::End { offset } => return (payloads, Ok(offset)),
            Step::Damage { offset, error } => return (payloads, torn_tail(&reader, offset, error)),
        }
    }
}

/// Files hold these bytes: if this fails, old files are no longer read.
#[test]
fn every_field_has_its_place() {
    let (bytes, _) = log(&[(b"a", 0)]);
    let mut writer = RecordWriter::new(UUID, EPOCH, START);
    let mut first = Vec::new();
    writer.append(&record(0, 0), b"a", payload_crc(b"a"), &mut first).unwrap();
    assert_eq!(bytes[START as usize..], first);
    let second_at = writer.offset();
    let second = Record { fragment: Fragment::Last, ..record(0x0102, 0x0304) };
    let mut out = Vec::new();
    writer.append(&second, b"bc", payload_crc(b"bc"), &mut out).unwrap();
    let mut expected = vec![2, 0, 0, 0];
    expected.extend(payload_crc(b"bc").to_le_bytes());
    expected.extend(&first[..4]);
    expected.extend([1, 3, 0, 0, 2, 0, 0, 0, 3, 0, 0, 0, 77, 0, 0, 0]);
    expected.extend([2, 1, 0, 0, 0, 0, 0, 0, 4, 3, 0, 0, 0, 0, 0, 0]);
    let mut covered = UUID.0.to_vec();
    covered.extend(second_at.to_le_bytes());
    covered.extend(&expected);
    let mut whole = checksum::crc32c(0, &covered).to_le_bytes().to_vec();
    whole.extend(expected);
    whole.extend(b"bc\0\0\0\0\0\0");
    assert_eq!(out, whole);
}

#[test]
fn a_cut_log_ends_at_its_last_whole_record() {
    let payloads: [&[u8]; 4] = [b"first", b"", b"the third is longer", b"last"];
    let (bytes, starts) = log(&payloads.map(|payload| (payload, 0)));
    for len in START as usize..=bytes.len() {
        let whole = starts.iter().skip(1).chain([&(bytes.len() as u64)]).take_while(|end| **end <= len as u64).count();
        let (found, end) = replay(&bytes[..len]);
        assert_eq!(found, &payloads[..whole], "length {len}");
        assert_eq!(end.unwrap(), starts.get(whole).copied().unwrap_or(bytes.len() as u64), "length {len}");
        let mut preallocated = bytes[..len].to_vec();
        preallocated.resize(bytes.len() + 4096, 0);
        assert!(replay(&preallocated).0.len() >= whole, "length {len}, then zeros");
    }
}

#[test]
fn every_flipped_bit_is_noticed() {
    let (bytes, starts) = log(&[(b"first", 0), (b"second!", 0), (b"third", 0)]);
    for bit in START as usize * 8..bytes.len() * 8 {
        let mut damaged = bytes.clone();
        damaged[bit / 8] ^= 1 << (bit % 8);
        let hit = starts.iter().rposition(|start| *start <= bit as u64 / 8).unwrap();
        let (found, end) = replay(&damaged);
        assert_eq!((found.len(), end.unwrap()), (hit, starts[hit]), "bit {bit}");
    }
}

#[test]
fn a_record_in_another_place_file_or_epoch_does_not_verify() {
    let (bytes, _) = log(&[(b"payload", 0)]);
    let verifies = |uuid, epoch, shift: usize| {
        let mut moved = vec![0; shift];
        moved.extend(&bytes[START as usize..]);
        matches!(RecordReader::new(uuid, epoch, &moved, shift as u64).next(), Step::Record { .. })
    };
    for shift in (0..8192).step_by(8) {
        assert_eq!(verifies(UUID, EPOCH, shift), shift as u64 == START, "moved to {shift}");
    }
    assert!(!verifies(FileUuid([8; 16]), EPOCH, START as usize));
    assert!(!verifies(UUID, EPOCH + 1, START as usize));
}

#[test]
fn a_log_continues_where_its_reader_ended() {
    let (whole, _) = log(&[(b"one", 0), (b"two", 0)]);
    let (mut bytes, _) = log(&[(b"one", 0)]);
    let mut reader = reader(&bytes);
    while let Step::Record { .. } = reader.next() {}
    let mut writer = reader.writer();
    writer.append(&record(1, 0), b"two", payload_crc(b"two"), &mut bytes).unwrap();
    assert_eq!(bytes, whole);
}

/// What a crash or a disk may do to three records of 56 bytes at 128, 184 and 240, and what it means.
#[test]
fn torn_tails_are_told_from_lost_data() {
    type Damage = fn(&mut Vec<u8>);
    type Case = (&'static str, u64, Damage, usize, Result<u64, &'static str>);
    let cut = |third_synced_upto| log(&[(b"aaaa", 0), (b"bbbb", 128), (b"cccc", third_synced_upto)]).0;
    // What, synced_upto of the third record, the damage; records read, then the valid end or a word of the error.
    let cases: [Case; 14] = [
        ("untouched", 184, |_| (), 3, Ok(296)),
        ("clean zeros behind", 184, |bytes| bytes.resize(4096, 0), 3, Ok(296)),
        ("nothing but the header", 184, |bytes| bytes.truncate(128), 0, Ok(128)),
        ("shorter than the header", 184, |bytes| bytes.truncate(5), 0, Ok(128)),
        ("garbage behind", 184, |bytes| bytes.extend([0xEE; 300]), 3, Ok(296)),
        ("the last record torn", 184, |bytes| bytes.truncate(290), 2, Ok(240)),
        ("the last record's header torn", 184, |bytes| bytes.truncate(250), 2, Ok(240)),
        ("a hole never durable", 184, |bytes| bytes[184..240].fill(0), 1, Ok(184)),
        ("a hole once durable", 240, |bytes| bytes[184..240].fill(0), 1, Err("mid-log")),
        ("a hole durable by one byte", 185, |bytes| bytes[184..240].fill(0), 1, Err("mid-log")),
        ("rot in a durable payload", 240, |bytes| bytes[184 + 48] ^= 1, 1, Err("mid-log")),
        (
            "proof with a torn payload",
            240,
            |bytes| {
                bytes[184] ^= 1;
                bytes.truncate(290)
            },
            1,
            Err("mid-log"),
        ),
        ("the first record lost", 184, |bytes| bytes[128..184].fill(0), 0, Err("mid-log")),
        ("rot in the last record", 240, |bytes| bytes[240 + 50] ^= 1, 2, Ok(240)),
    ];
    for (what, synced_upto, damage, records, end) in cases {
        let mut bytes = cut(synced_upto);
        damage(&mut bytes);
        let (found, found_end) = replay(&bytes);
        assert_eq!(found.len(), records, "{what}");
        match (found_end, end) {
            (Ok(found), Ok(end)) => assert_eq!(found, end, "{what}"),
            (Err(error), Err(word)) => {
                assert_eq!(error.kind(), ErrorKind::Corruption, "{what}");
                assert!(error.message().contains(word), "{what}: {error}");
            }
            (found, _) => panic!("{what}: {found:?}"),
        }
    }
}

#[test]
fn a_record_taken_out_of_the_middle_is_missed() {
    let mut writer = RecordWriter::new(UUID, EPOCH, START);
    let mut bytes = vec![0; START as usize];
    writer.append(&record(0, 0), b"kept", payload_crc(b"kept"), &mut bytes).unwrap();
    let mut other = RecordReader::new(UUID, EPOCH, &[], writer.offset()).writer();
    other.append(&record(2, 0), b"spliced", payload_crc(b"spliced"), &mut bytes).unwrap();
    let (found, end) = replay(&bytes);
    assert_eq!(found.len(), 1);
    assert!(end.unwrap_err().message().contains("does not follow"));
}

#[test]
fn records_of_a_later_version_are_never_cut_off() {
    for place in [17, 18] {
        let (mut bytes, _) = log(&[(b"later", 0)]);
        let at = START as usize;
        bytes[at + place] = 9;
        let sum = header_crc(identity(UUID), START, bytes[at + 4..at + 48].try_into().unwrap());
        bytes[at..at + 4].copy_from_slice(&sum.to_le_bytes());
        let (_, end) = replay(&bytes);
        assert_eq!(end.unwrap_err().kind(), ErrorKind::Unsupported);
    }
}

proptest! {
    #[test]
    fn what_was_appended_is_read(
        payloads in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..300), 0..20),
        seqno in any::<u64>(), kind in any::<u8>(), keyspace in any::<u32>(), count in any::<u32>(), fragment in 0_u8..4,
    ) {
        let fragment = Fragment::from_tag(fragment).unwrap();
        let mut writer = RecordWriter::new(UUID, EPOCH, START);
        let mut bytes = vec![0; START as usize];
        let header = |start| Record { kind, fragment, keyspace, count, seqno, synced_upto: start };
        for payload in &payloads {
            let record = header(writer.offset());
            writer.append(&record, payload, payload_crc(payload), &mut bytes).unwrap();
        }
        let mut reader = reader(&bytes);
        for expected in &payloads {
            match reader.next() {
                Step::Record { record, payload, start, end } => {
                    prop_assert_eq!((record, payload), (header(start), &expected[..]));
                    prop_assert_eq!(end, reader.offset());
                }
                step => panic!("{step:?}"),
            }
        }
        let ended = matches!(reader.next(), Step::End { offset } if offset == bytes.len() as u64);
        prop_assert!(ended);
    }

    #[test]
    fn any_bytes_end_or_are_damage(bytes in prop::collection::vec(any::<u8>(), 0..600), start in 0_u64..700) {
        let mut reader = RecordReader::new(UUID, EPOCH, &bytes, start);
        match reader.next() {
            Step::Record { .. } => panic!("random bytes verified"),
            Step::End { offset } => prop_assert_eq!(offset, start),
            Step::Damage { offset, error } => prop_assert_eq!(torn_tail(&reader, offset, error).unwrap(), start),
        }
    }
}
