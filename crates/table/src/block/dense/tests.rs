use super::*;
use crate::block::{BlockBuilder, RowParts, SlottedHead, tag_of};
use sediment_base::{Comparator, ErrorKind, InternalKey, KeyOrder, Kind, SeqNo};
use sediment_codec::hash::key_hash;
use sediment_env::random::SeededRandom;
use std::{cmp::Ordering, sync::Arc};

const SEED: u64 = 0xC0FFEE;

/// Keys from the last to the first.
#[derive(Debug)]
struct Backwards;

impl Comparator for Backwards {
    fn name(&self) -> &str {
        "backwards"
    }

    fn compare(&self, a: &[u8], b: &[u8]) -> Ordering {
        b.cmp(a)
    }
}

/// A row that owns what it consists of.
#[derive(Clone, Debug)]
struct OwnedRow {
    key: Vec<u8>,
    seqno: SeqNo,
    kind: Kind,
    flags: RowFlags,
    value: Vec<u8>,
}

fn row(key: impl AsRef<[u8]>, seqno: SeqNo, flags: u8, value: impl AsRef<[u8]>) -> OwnedRow {
    let (key, value) = (key.as_ref().to_vec(), value.as_ref().to_vec());
    OwnedRow { key, seqno, kind: Kind::Value, flags: RowFlags(flags), value }
}

fn fill(builder: &mut BlockBuilder, rows: &[OwnedRow]) -> usize {
    let mut taken = 0;
    for (number, row) in rows.iter().enumerate() {
        let is_new_key = number == 0 || rows[number - 1].key != row.key;
        let key = InternalKey::new(&row.key, row.seqno, row.kind);
        let tag = tag_of(key_hash(SEED, &row.key));
        let (expiry_us, digest) = (row.seqno ^ 77, row.seqno as u32 ^ 0xABCD_EF01);
        let parts = RowParts { key, is_new_key, flags: row.flags, tag, expiry_us, digest, value: &row.value };
        let fit = builder.fit(&parts);
        if fit.size > PAYLOAD_BYTES_MAX {
            break;
        }
        builder.add(&parts, fit);
        taken += 1;
    }
    taken
}

/// Both forms of a block of these rows, or of as many as it has room for.
fn forms(rows: &[OwnedRow], order: &KeyOrder) -> (Vec<u8>, Vec<u8>) {
    let mut builder = BlockBuilder::new(order);
    let (mut slotted, mut dense) = (vec![1; 3], vec![2; 5]);
    let taken = fill(&mut builder, rows);
    let summary = builder.finish(&mut slotted);
    assert_eq!(fill(&mut builder, &rows[..taken]), taken);
    assert_eq!(builder.finish_dense(&mut dense), summary);
    assert!(builder.is_empty());
    (slotted.split_off(3), dense.split_off(5))
}

fn expand(dense: &[u8], is_lexicographic: bool) -> Result<Vec<u8>> {
    let block = DenseBlock::parse(dense)?;
    // Whatever was in the memory before.
    let (mut key, mut slotted) = (vec![0xEE; 40], vec![0xDD; block.slotted_len()]);
    block.expand(Marks { hash_seed: SEED, is_lexicographic }, &mut key, &mut slotted)?;
    Ok(slotted)
}

fn assert_comes_back(rows: &[OwnedRow], order: &KeyOrder) -> usize {
    let (slotted, dense) = forms(rows, order);
    let expanded = expand(&dense, order.is_lexicographic()).unwrap();
    assert!(expanded == slotted, "{rows:?}");
    assert!(dense.len() < slotted.len());
    SlottedHead::decode(&expanded).unwrap();
    slotted.len() - dense.len()
}

#[test]
fn it_becomes_what_the_builder_makes_whatever_the_rows() {
    let order = KeyOrder::bytewise();
    let long = [b'k'; 400];
    let longer = [&long[..], b"x"].concat();
    let all = RowFlags::EXPIRY.0 | RowFlags::DIGEST.0;
    let rows = [
        row(b"a", 9, 0, b"1"),
        row(b"a", 7, RowFlags::OBSOLETE.0 | all, b""),
        row(b"a", 3, RowFlags::DIGEST.0, b"333"),
        row(b"b", 8, RowFlags::BLOB.0, [4; 32]),
        row(long, 1 << 40, RowFlags::EXPIRY.0, b"5"),
        row(long, 2, all, [6; 300]),
        row(longer, 6, 0, b"7"),
    ];
    assert_comes_back(&rows, &order);
    for row in &rows {
        assert_comes_back(std::slice::from_ref(row), &order);
    }
    for len in [253, 254, 255, 256, 257, 600] {
        let keys = [vec![b'a'; len], vec![b'b'; len], [vec![b'b'; len], vec![b'c'; len]].concat()];
        assert_comes_back(&keys.map(|key| row(key, 1, 0, b"value")), &order);
    }
    assert_comes_back(&[row([7; 60_000], 1, 0, [8; 5_000])], &order);
    assert_comes_back(&[row(b"a", 1, 0, [8; 65_000])], &order);
    let many: Vec<_> = (0..5_000_u32).map(|i| row(format!("{i:04}"), 4, 0, b"")).collect();
    assert!(assert_comes_back(&many, &order) > 5_000 * 5);
}

#[test]
fn it_becomes_what_the_builder_makes_of_any_rows() {
    let random = SeededRandom::new(33);
    let below = |count: u64| random.below(count);
    for round in 0..3_000 {
        let order = if round % 4 == 3 { KeyOrder::custom(Arc::new(Backwards)) } else { KeyOrder::bytewise() };
        let (alphabet, longest) = ([2, 4, 256][below(3) as usize], [3, 12, 40, 600][below(4) as usize]);
        let seqnos = [1, 200, 60_000, 1 << 20, 1 << 30, 1 << 40, 1 << 60][below(7) as usize];
        let flags = [0, RowFlags::DIGEST.0, RowFlags::DIGEST.0 | RowFlags::EXPIRY.0, 0xFF][below(4) as usize];
        let flags = flags & !(Kind::TAG_BITS | RowFlags::SAME_KEY.0);
        let base = below(1 << 62);
        let prefix = vec![b'p'; below(20) as usize];
        let mut rows = Vec::new();
        for _ in 0..below(90) + 1 {
            let key: Vec<u8> = (0..below(longest) + 1).map(|_| below(alphabet) as u8).collect();
            let value: Vec<u8> = (0..below(1 + below(300))).map(|_| below(256) as u8).collect();
            let kind = [Kind::Value, Kind::Tombstone, Kind::WeakTombstone, Kind::Operand][below(4) as usize];
            let mut made = row([&prefix[..], &key].concat(), base + below(seqnos), below(256) as u8 & flags, value);
            made.kind = kind;
            rows.push(made);
        }
        rows.sort_by(|a, b| order.compare(&a.key, &b.key).then(b.seqno.cmp(&a.seqno)).then(b.kind.cmp(&a.kind)));
        rows.dedup_by(|a, b| (&a.key, a.seqno, a.kind) == (&b.key, b.seqno, b.kind));
        assert_comes_back(&rows, &order);
    }
}

#[test]
fn what_a_newer_version_may_have_written_is_refused_and_not_guessed() {
    let rows = [row(b"abc", 1 << 20, 0, b"v"), row(b"abd", 1, 0, b"w"), row([b'a'; 300], 1, 0, b"")];
    let (_, sound) = forms(&rows[..2], &KeyOrder::bytewise());
    let refused = |at: usize, byte: u8| {
        let mut changed = sound.clone();
        changed[at] = byte;
        let error = DenseBlock::parse(&changed).unwrap_err();
        (error.kind(), error.to_string())
    };
    let says = |at, byte, kind, what: &str| {
        let (found, text) = refused(at, byte);
        assert!(found == kind && text.contains(what), "byte {at}: {text}");
    };
    says(6, 1, ErrorKind::Unsupported, "flags");
    says(7, 9, ErrorKind::Corruption, "width");
    says(0, 0, ErrorKind::Corruption, "impossible counts");
    says(2, 0, ErrorKind::Corruption, "impossible counts");
    says(2, 3, ErrorKind::Corruption, "impossible counts");
    says(16, RowFlags::SAME_KEY.0, ErrorKind::Corruption, "miscounts");
    says(17, RowFlags::SAME_KEY.0, ErrorKind::Corruption, "miscounts");
    // Suffixes of one byte, which share nothing.
    says(20, 1, ErrorKind::Corruption, "shares");
    says(21, 2, ErrorKind::Corruption, "shares");
    says(22, 2, ErrorKind::Corruption, "values");
    says(24, 1, ErrorKind::Corruption, "values");
    assert!((0..sound.len()).all(|cut| DenseBlock::parse(&sound[..cut]).is_err()));
    assert!(DenseBlock::parse(&[&sound[..], &[0]].concat()).is_err());
    let (_, mut long) = forms(&rows[2..], &KeyOrder::custom(Arc::new(Backwards)));
    assert_eq!(long.splice(21..23, [254, 0]).collect::<Vec<_>>(), [44, 1]);
    assert!(DenseBlock::parse(&long).unwrap_err().to_string().contains("255 or more"));
}

/// A few bytes may stand for many keys, each with a long suffix that it shares with the one before.
#[test]
fn nothing_grows_beyond_what_a_block_can_have() {
    let (keys, len) = (3_000_u16, 255_u16);
    let mut dense = [keys, keys, 0, 0].map(u16::to_le_bytes).concat();
    dense.extend([0; 8]);
    dense.extend(vec![0; usize::from(keys)]);
    dense.extend(vec![u8::MAX; usize::from(keys)]);
    dense.push(0);
    dense.extend(vec![u8::MAX; usize::from(keys) - 1]);
    dense.extend(vec![0; 2 * usize::from(keys)]);
    dense.extend(len.to_le_bytes().repeat(keys.into()));
    dense.extend(vec![1; len.into()]);
    let error = DenseBlock::parse(&dense).unwrap_err();
    assert!(error.kind() == ErrorKind::Corruption && error.to_string().contains("too long"), "{error}");
}

#[test]
fn any_bytes_expand_or_are_refused() {
    let rows = [
        row(b"abc", 9, RowFlags::DIGEST.0, b"1"),
        row(b"abc", 7, 0, b""),
        row(b"abcde", 300, RowFlags::EXPIRY.0, b"value"),
        row(b"abd", 1, 0, b"4"),
        row([b'b'; 300], 70_000, 0, [5; 270]),
    ];
    let (_, sound) = forms(&rows, &KeyOrder::bytewise());
    let random = SeededRandom::new(9);
    let mut whole = 0;
    for _ in 0..100_000 {
        let mut bytes = sound.clone();
        for _ in 0..=random.below(3) {
            let at = random.below(if random.below(2) == 0 { 60 } else { bytes.len() as u64 }) as usize;
            bytes[at] =
                [0, 1, 0x7F, 0x80, 0xFF, bytes[at].wrapping_add(1), bytes[at].wrapping_sub(1)][random.below(7) as usize];
        }
        if random.below(16) == 0 {
            bytes.truncate(random.below(bytes.len() as u64) as usize);
        }
        let Ok(block) = DenseBlock::parse(&bytes) else { continue };
        assert!(block.slotted_len() <= PAYLOAD_BYTES_MAX);
        // What can be taken apart can be expanded; whether its rows are any, is asked of the slotted block.
        let slotted = expand(&bytes, true).unwrap();
        whole += usize::from(SlottedHead::decode(&slotted).is_ok());
    }
    assert!(whole > 1_000, "{whole}");
}
