use super::format::PAYLOAD_BYTES_MAX;
use super::*;
use sediment_base::ErrorKind;

fn row<'a>(key: &'a [u8], seqno: SeqNo, value: &'a [u8]) -> RowParts<'a> {
    let key = InternalKey::new(key, seqno, Kind::Value);
    let (is_new_key, flags, tag) = (true, RowFlags::NONE, key.user_key.last().copied().unwrap_or(0));
    RowParts { key, is_new_key, flags, tag, expiry_us: 77, digest: 5, value }
}

fn build(rows: &[RowParts<'_>]) -> Vec<u8> {
    let mut builder = BlockBuilder::new(&KeyOrder::bytewise());
    let (mut size, mut last) = (0, None);
    for row in rows {
        let row = RowParts { is_new_key: last != Some(row.key.user_key), ..*row };
        let fit = builder.fit(&row);
        builder.add(&row, fit);
        (size, last) = (fit.size, Some(row.key.user_key));
    }
    let mut out = Vec::new();
    builder.finish(&mut out);
    assert!(out.len() <= size && size <= out.len() + 2 * rows.len(), "{} is not {size}", out.len());
    assert!(builder.is_empty());
    out
}

fn full_key(block: SlottedBlock<'_>, row: usize) -> Vec<u8> {
    [block.prefix(), block.suffix(row)].concat()
}

#[test]
fn rows_come_back_whatever_their_shape() {
    let long = vec![b'k'; 400];
    let mut longer = long.clone();
    longer.push(b'x');
    let mut rows =
        vec![row(b"a", 9, b"1"), row(b"a", 7, b""), row(b"a", 3, b"333"), row(b"b", 8, b"4"), row(&long, 1 << 40, b"5")];
    rows.extend([row(&long, 2, b"6"), row(&longer, 6, b"7")]);
    let payload = build(&rows);
    let head = SlottedHead::decode(&payload).unwrap();
    let block = SlottedBlock { head: &head, payload: &payload };
    assert_eq!((block.rows(), head.keys), (7, 4));
    for (i, row) in rows.iter().enumerate() {
        assert_eq!((full_key(block, i), block.value(i)), (row.key.user_key.to_vec(), row.value));
        assert_eq!((block.head(i).seqno, block.head(i).kind), (row.key.seqno, row.key.kind));
        assert_eq!(block.lower_bound(row.key, &KeyOrder::bytewise()), i);
        let Lookup::Row(found) = block.lookup(row.key.user_key, row.tag, row.key.seqno + 1) else { panic!("row {i}") };
        assert_eq!((found.row, found.head, &block.bytes()[found.value.0..found.value.1]), (i, block.head(i), block.value(i)));
    }
    assert_eq!(block.lookup(b"a", b'a', 3), Lookup::Later);
    assert_eq!(block.lookup(b"c", b'c', 30), Lookup::Absent);
    assert_eq!(block.lower_bound(InternalKey::before(b"aa"), &KeyOrder::bytewise()), 3);
    assert_eq!(block.lower_bound(InternalKey::before(b"z"), &KeyOrder::bytewise()), 7);
}

#[test]
fn spare_fields_of_a_record_are_skipped() {
    let mut rows = [row(b"a", 1, b"one"), row(b"b", 1, b"two"), row(b"c", 1, b"")];
    rows[0].flags = RowFlags::EXPIRY.with(RowFlags::DIGEST);
    rows[1].flags = RowFlags::DIGEST;
    rows[2].flags = RowFlags::EXPIRY;
    let payload = build(&rows);
    let head = SlottedHead::decode(&payload).unwrap();
    let block = SlottedBlock { head: &head, payload: &payload };
    let values: Vec<&[u8]> = (0..3).map(|i| block.value(i)).collect();
    assert_eq!(values, [b"one".as_slice(), b"two", b""]);
    let mut payload = Vec::new();
    assert!(JumboBlock::encode(&rows[0], &mut payload).is_empty());
    let head = JumboHead::decode(&payload).unwrap();
    assert_eq!((head.beginning, head.extents), (b"one".as_slice(), 0));
}

#[test]
fn heads_that_tie_are_told_apart_by_the_whole_key() {
    let keys: Vec<String> = (0..900).map(|i| format!("same head {i:04}")).chain(["t".into()]).collect();
    let rows: Vec<_> = keys.iter().map(|key| row(key.as_bytes(), 4, b"")).collect();
    let payload = build(&rows);
    let head = SlottedHead::decode(&payload).unwrap();
    let block = SlottedBlock { head: &head, payload: &payload };
    let order = KeyOrder::bytewise();
    for (i, key) in keys.iter().enumerate() {
        assert_eq!(block.lower_bound(InternalKey::before(key.as_bytes()), &order), i);
        let behind = format!("{key}\0");
        assert_eq!(block.lower_bound(InternalKey::before(behind.as_bytes()), &order), i + 1);
    }
    assert_eq!(block.lower_bound(InternalKey::before(b"sam"), &order), 0);
}

#[test]
fn what_a_newer_version_may_have_written_is_refused_and_not_guessed() {
    let sound = build(&[row(b"a", 1, b"v")]);
    for (at, kind) in
        [(6, ErrorKind::Unsupported), (7, ErrorKind::Corruption), (0, ErrorKind::Corruption), (2, ErrorKind::Corruption)]
    {
        let mut changed = sound.clone();
        changed[at] ^= 0x88;
        assert_eq!(SlottedHead::decode(&changed).unwrap_err().kind(), kind, "byte {at}");
    }
    let mut changed = sound;
    changed[79] |= 4;
    assert_eq!(SlottedHead::decode(&changed).unwrap_err().kind(), ErrorKind::Unsupported);
}

#[test]
fn any_bytes_decode_or_fail() {
    let rows = [row(b"abc", 9, b"1"), row(b"abc", 7, b""), row(b"abd", 300, b"value"), row(b"abd", 1, b"4")];
    let sound = build(&rows);
    let mut random = 0x9E37_79B9_7F4A_7C15_u64;
    for _ in 0..200_000 {
        let mut bytes = sound.clone();
        for _ in 0..1 + random % 4 {
            random ^= random << 13;
            random ^= random >> 7;
            random ^= random << 17;
            let at = random as usize % bytes.len();
            bytes[at] = (random >> 40) as u8;
        }
        if random & 0xF00 == 0 {
            bytes.truncate(random as usize % bytes.len());
        }
        let Ok(head) = SlottedHead::decode(&bytes) else { continue };
        let block = SlottedBlock { head: &head, payload: &bytes };
        for i in 0..block.rows() {
            let _ = (full_key(block, i), block.value(i), block.head(i));
        }
        let _ = block.lookup(b"abc", b'c', 8);
        for key in [b"abc".as_slice(), b"ab", b"abd", b"zzzzzz", b""] {
            assert!(block.lower_bound(InternalKey::seek_to(key, 5), &KeyOrder::bytewise()) <= block.rows());
        }
    }
    assert!(SlottedHead::decode(&[0; PAYLOAD_BYTES_MAX + 1]).is_err());
}
