//! Rows to build tables of, and the surroundings in which they are built.

use sediment_base::{FileUuid, InternalKey, KeyOrder, Kind, RowFlags, SeqNo, TableId};
use sediment_env::{fs::MemFs, random::SeededRandom};
use sediment_table::{BlockCache, TableContext, TableMeta, TableOptions, TableWriter};
use std::{path::PathBuf, sync::Arc};

/// One row, owned.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Row {
    pub(crate) key: Vec<u8>,
    pub(crate) seqno: SeqNo,
    pub(crate) kind: Kind,
    pub(crate) value: Vec<u8>,
}

impl Row {
    pub(crate) fn new(key: impl AsRef<[u8]>, seqno: SeqNo, value: impl AsRef<[u8]>) -> Self {
        Self { key: key.as_ref().to_vec(), seqno, kind: Kind::Value, value: value.as_ref().to_vec() }
    }

    pub(crate) fn internal(&self) -> InternalKey<'_> {
        InternalKey::new(&self.key, self.seqno, self.kind)
    }
}

/// A context over an empty disk.
pub(crate) fn context(order: &KeyOrder, cache_bytes: u64) -> TableContext {
    let (fs, random) = (Arc::new(MemFs::new()), Arc::new(SeededRandom::new(11)));
    TableContext::new(fs, random, FileUuid([3; 16]), order.clone(), Arc::new(BlockCache::new(cache_bytes)))
}

pub(crate) fn path() -> PathBuf {
    PathBuf::from("7")
}

/// Writes the rows, which ascend, as table 7.
pub(crate) fn write(context: &TableContext, options: &TableOptions, rows: &[Row]) -> TableMeta {
    let mut writer = TableWriter::create(context, options, path(), TableId(7)).unwrap();
    for row in rows {
        writer.add(row.internal(), RowFlags::NONE, &row.value).unwrap();
    }
    assert_eq!(writer.rows(), rows.len() as u64);
    writer.finish().unwrap()
}

/// Random rows in order, each version once.
pub(crate) fn random_rows(random: &SeededRandom, order: &KeyOrder) -> Vec<Row> {
    let shape = Shape::random(random);
    let mut rows: Vec<Row> = (0..shape.rows).map(|_| shape.row(random)).collect();
    rows.sort_by(|a, b| a.internal().compare(b.internal(), order));
    rows.dedup_by(|a, b| a.internal() == b.internal());
    rows
}

/// What the rows of one table have in common.
#[derive(Debug)]
struct Shape {
    rows: u64,
    keys: u64,
    seqnos: u64,
    prefix: Vec<u8>,
    key_bytes: u64,
    value_bytes: u64,
}

impl Shape {
    fn random(random: &SeededRandom) -> Self {
        let pick = |choices: &[u64]| choices[random.below(choices.len() as u64) as usize];
        let prefix = pick(&[0, 0, 0, 1, 9, 40, 300, 3000]) as usize;
        let (rows, value_bytes) = match random.below(8) {
            0 => (40, 200 << 10),
            1 => (200, 5000),
            _ => (pick(&[1, 2, 30, 400, 3000]), pick(&[0, 1, 20, 300])),
        };
        Self {
            rows: if prefix > 1000 { rows.min(400) } else { rows },
            keys: pick(&[1, 3, 50, 1000, 1 << 40]),
            seqnos: pick(&[1, 2, 200, 60_000, 1 << 30, 1 << 60]),
            prefix: vec![b'p'; prefix],
            key_bytes: pick(&[1, 8, 8, 30, 600, if rows <= 40 { 62_000 } else { 10 }]),
            value_bytes,
        }
    }

    fn row(&self, random: &SeededRandom) -> Row {
        let number = random.below(self.keys);
        let mut key = self.prefix.clone();
        let shape = number.wrapping_mul(0x9E37_79B9_7F4A_7C15);
        key.resize(key.len() + (shape >> 20) as usize % self.key_bytes as usize, b'a' + (shape >> 60) as u8 % 3);
        key.extend_from_slice(&number.to_le_bytes()[..1 + (number > 255) as usize * 7]);
        let kinds = [Kind::Value, Kind::Value, Kind::Value, Kind::Tombstone, Kind::WeakTombstone, Kind::Operand];
        let kind = kinds[random.below(6) as usize];
        let mut value = Vec::new();
        if !kind.is_tombstone() && self.value_bytes > 0 {
            let len = match random.below(10) {
                0 => 0,
                1 => self.value_bytes,
                _ => random.below(self.value_bytes.min(400)),
            };
            value.resize(len as usize, random.next() as u8);
        }
        Row { key, seqno: random.below(self.seqnos), kind, value }
    }
}
