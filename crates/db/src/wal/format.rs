//! What the records of the log say.
//!
//! ```text
//! file:   FileHeader (kind Wal, file id, generation = epoch), then records of codec::frame
//! start   the file's first record: previous file (id, uuid, valid end), first and resume seqno, oldest file that is needed
//! batch   writes, each: kind u8, keyspace varint, key, and for a value or operand its bytes, for a range its end; the header
//!         counts them
//! create  keyspace u32, tree u64, name, catalog::settings      drop    keyspace u32      clear   keyspace u32, new tree u64
//! configure  keyspace u32, catalog::settings
//! ingest  tree u64: tables of this tree have the record's seqno, if its manifest names them, or a compaction took it as its stamp
//! anchor  tree u64, manifest generation u64, manifest length u64: written after each install
//! trim    oldest file that is needed: synced before older ones are removed
//! end     empty: nothing follows, and everything before it is durable
//! ```
//!
//! Batches, keyspace changes and ingestions take seqnos, one for each write, change or ingestion; the others carry the next seqno and count 0. A batch
//! too large for one record is cut into fragments, each of which carries the seqno and count of the whole.

#![deny(clippy::indexing_slicing, clippy::unwrap_used, clippy::arithmetic_side_effects)]

use crate::catalog::KeyspaceChange;
use sediment_base::{Error, ErrorKind, FileUuid, Generation, KeyspaceId, Kind, Result, SeqNo, TreeId, WalId, limits};
use sediment_codec::{
    coding::{Reader, Writer},
    frame::{RECORD_HEADER_BYTES, Record},
    header::HEADER_BYTES,
};

/// Where the first record of a file begins.
pub(crate) const BODY_START: u64 = HEADER_BYTES as u64;

/// Longest payload of one record; a longer batch is cut into fragments.
pub(crate) const FRAGMENT_BYTES: usize = 1 << 20;

const START_PAYLOAD_BYTES: u64 = 56;

/// Where the first record after a file's [`FileStart`] begins: all that is written before the file's creation is synced.
pub(crate) const CREATION_BYTES: u64 = BODY_START + RECORD_HEADER_BYTES as u64 + START_PAYLOAD_BYTES;

/// What a record is. The numbers are on disk; 6 to 9 are kept for blob, prepare, commit and clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum RecordKind {
    Batch = 1,
    Create = 2,
    Drop = 3,
    Clear = 4,
    Ingest = 5,
    Anchor = 10,
    End = 11,
    Start = 12,
    Trim = 13,
    Configure = 14,
}

impl RecordKind {
    pub(crate) fn of_change(change: &KeyspaceChange) -> Self {
        match change {
            KeyspaceChange::Create { .. } => Self::Create,
            KeyspaceChange::Drop { .. } => Self::Drop,
            KeyspaceChange::Clear { .. } => Self::Clear,
            KeyspaceChange::Configure { .. } => Self::Configure,
        }
    }

    pub(crate) fn from_tag(tag: u8) -> Result<Self> {
        Ok(match tag {
            1 => Self::Batch,
            2 => Self::Create,
            3 => Self::Drop,
            4 => Self::Clear,
            5 => Self::Ingest,
            10 => Self::Anchor,
            11 => Self::End,
            12 => Self::Start,
            13 => Self::Trim,
            14 => Self::Configure,
            _ => return Err(Error::unsupported(format!("log record kind {tag} is not known to this version"))),
        })
    }
}

/// What a write of a batch does. The tags are on disk: those of [`Kind`], and one more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum OpKind {
    /// It writes a row.
    Row(Kind),
    /// It removes the keys from `key` up to, and without, `value`; an empty bound is none.
    RemoveRange,
}

const REMOVE_RANGE: u8 = 4;

impl OpKind {
    fn tag(self) -> u8 {
        match self {
            Self::Row(kind) => kind.tag(),
            Self::RemoveRange => REMOVE_RANGE,
        }
    }

    fn from_tag(tag: u8) -> Result<Self> {
        if tag == REMOVE_RANGE { Ok(Self::RemoveRange) } else { Kind::from_tag(tag).map(Self::Row) }
    }

    fn has_value(self) -> bool {
        matches!(self, Self::RemoveRange | Self::Row(Kind::Value | Kind::Operand))
    }
}

/// One write of a batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Op<'a> {
    pub(crate) keyspace: KeyspaceId,
    pub(crate) kind: OpKind,
    pub(crate) key: &'a [u8],
    pub(crate) value: &'a [u8],
}

/// The first record of a file: what it continues.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct FileStart {
    /// The file before this one; its own id where it is the first of all.
    pub(crate) previous: WalId,
    pub(crate) previous_uuid: FileUuid,
    /// Up to here the previous file was known to be durable; damage before it is corruption, after it a torn tail.
    pub(crate) previous_end: u64,
    /// Seqno of this file's first record.
    pub(crate) first_seqno: SeqNo,
    /// Records of earlier files count only below this; those from `first_seqno` up to here are repeated in this file.
    pub(crate) resume_seqno: SeqNo,
    /// The oldest file that was needed when this one was made.
    pub(crate) oldest: WalId,
}

/// How far a tree's manifest was durable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Anchor {
    pub(crate) tree: TreeId,
    pub(crate) generation: Generation,
    pub(crate) length: u64,
}

/// What a whole (reassembled) payload says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Entry {
    Batch,
    Change(Box<KeyspaceChange>),
    /// Tables of this tree have the record's seqno, and are in its manifest, or the ingestion never ended; or the seqno is a stamp.
    Ingest {
        tree: TreeId,
    },
    Anchor(Anchor),
    Trim {
        oldest: WalId,
    },
    Start(FileStart),
    End,
}

/// Appends one row to a batch's payload.
pub(crate) fn put_op(out: &mut Vec<u8>, op: Op<'_>) {
    out.put_u8(op.kind.tag());
    out.put_varint(op.keyspace.0.into());
    out.put_length_prefixed(op.key);
    if op.kind.has_value() {
        out.put_length_prefixed(op.value);
    }
}

/// Calls `visit` with each row of a batch, in order.
pub(crate) fn for_each_op(payload: &[u8], count: u32, mut visit: impl FnMut(Op<'_>) -> Result<()>) -> Result<()> {
    let mut reader = Reader::new(payload);
    for _ in 0..count {
        let op = read_op(&mut reader)?;
        visit(op)?;
    }
    reader.expect_end()
}

/// Checks the limits of one write.
pub(crate) fn check_limits(op: &Op<'_>) -> Result<()> {
    let Op { kind, key, value, .. } = *op;
    if kind == OpKind::RemoveRange {
        let longest = key.len().max(value.len());
        let max = limits::RANGE_BOUND_BYTES_MAX;
        return if longest > max { Err(too_long("bound", max, longest)) } else { Ok(()) };
    }
    if key.is_empty() {
        return Err(Error::invalid_input("the empty key is not allowed: keys are 1 to 65535 bytes long"));
    }
    if key.len() > limits::KEY_BYTES_MAX {
        return Err(too_long("key", limits::KEY_BYTES_MAX, key.len()));
    }
    if value.len() > limits::VALUE_BYTES_MAX {
        return Err(too_long("value", limits::VALUE_BYTES_MAX, value.len()));
    }
    Ok(())
}

impl FileStart {
    pub(crate) fn encode(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(START_PAYLOAD_BYTES as usize);
        out.put_u64(self.previous.0);
        out.put_bytes(&self.previous_uuid.0);
        out.put_u64(self.previous_end);
        out.put_u64(self.first_seqno);
        out.put_u64(self.resume_seqno);
        out.put_u64(self.oldest.0);
        out
    }
}

impl Anchor {
    pub(crate) fn encode(&self) -> Vec<u8> {
        let mut out = Vec::new();
        out.put_u64(self.tree.0);
        out.put_u64(self.generation.0);
        out.put_u64(self.length);
        out
    }
}

impl Entry {
    /// Reads a payload by the kind in its record's header. A batch's rows are left to [`for_each_op`].
    pub(crate) fn decode(record: &Record, payload: &[u8]) -> Result<Self> {
        let kind = RecordKind::from_tag(record.kind)?;
        let mut reader = Reader::new(payload);
        let change = |change| Self::Change(Box::new(change));
        let entry = match kind {
            RecordKind::Batch => return Ok(Self::Batch),
            RecordKind::Create => change(KeyspaceChange::read_create(&mut reader)?),
            RecordKind::Drop => change(KeyspaceChange::read_drop(&mut reader)?),
            RecordKind::Clear => change(KeyspaceChange::read_clear(&mut reader)?),
            RecordKind::Configure => change(KeyspaceChange::read_configure(&mut reader)?),
            RecordKind::Ingest => Self::Ingest { tree: TreeId(reader.u64()?) },
            RecordKind::Anchor => Self::Anchor(Anchor {
                tree: TreeId(reader.u64()?),
                generation: Generation(reader.u64()?),
                length: reader.u64()?,
            }),
            RecordKind::Trim => Self::Trim { oldest: WalId(reader.u64()?) },
            RecordKind::Start => Self::Start(FileStart {
                previous: WalId(reader.u64()?),
                previous_uuid: FileUuid(reader.array()?),
                previous_end: reader.u64()?,
                first_seqno: reader.u64()?,
                resume_seqno: reader.u64()?,
                oldest: WalId(reader.u64()?),
            }),
            RecordKind::End => Self::End,
        };
        reader.expect_end()?;
        let takes = u32::from(matches!(entry, Self::Change(_) | Self::Ingest { .. }));
        if record.count != takes {
            return Err(Error::corruption("seqnos that a log record takes").expected_found(takes, record.count));
        }
        Ok(entry)
    }
}

fn read_op<'a>(reader: &mut Reader<'a>) -> Result<Op<'a>> {
    let start = reader.position() as u64;
    let kind = OpKind::from_tag(reader.u8()?)?;
    let keyspace = u32::try_from(reader.varint()?)
        .map_err(|_| Error::corruption("keyspace id of a logged row does not fit 32 bits").at(start))?;
    let key = reader.length_prefixed()?;
    let value = if kind.has_value() { reader.length_prefixed()? } else { &[] };
    let op = Op { keyspace: KeyspaceId(keyspace), kind, key, value };
    check_limits(&op).map_err(|error| error.with_kind(ErrorKind::Corruption).at(start))?;
    Ok(op)
}

#[cold]
fn too_long(what: &str, max: usize, found: usize) -> Error {
    Error::invalid_input(format!("a {what} is at most {max} bytes long, this one has {found}"))
}

#[cfg(test)]
#[expect(clippy::indexing_slicing, clippy::unwrap_used, reason = "tests fail by panicking")]
mod tests {
    use super::*;
    use crate::options::KeyspaceOptions;

    fn op<'a>(kind: OpKind, key: &'a [u8], value: &'a [u8]) -> Op<'a> {
        Op { keyspace: KeyspaceId(900), kind, key, value }
    }

    fn record(kind: RecordKind, count: u32) -> Record {
        Record { kind: kind as u8, count, ..Record::default() }
    }

    #[test]
    fn rows_read_back_in_order() {
        let ops = [
            op(OpKind::Row(Kind::Value), b"a", b"1"),
            op(OpKind::Row(Kind::Tombstone), b"b", b""),
            op(OpKind::Row(Kind::WeakTombstone), b"c", b""),
            op(OpKind::Row(Kind::Operand), b"d", b"2"),
            op(OpKind::RemoveRange, b"", b"e"),
        ];
        let mut payload = Vec::new();
        ops.iter().for_each(|op| put_op(&mut payload, *op));
        let mut found = Vec::new();
        for_each_op(&payload, 5, |op| {
            found.push((op.keyspace, op.kind, op.key.to_vec(), op.value.to_vec()));
            Ok(())
        })
        .unwrap();
        for (op, found) in ops.iter().zip(&found) {
            assert_eq!((op.keyspace, op.kind, op.key, op.value), (found.0, found.1, &found.2[..], &found.3[..]));
        }
        assert_eq!(found.len(), 5);
        for count in [0, 1, 4, 6, u32::MAX] {
            assert!(for_each_op(&payload, count, |_| Ok(())).is_err(), "{count}");
        }
        for len in 0..payload.len() {
            assert!(for_each_op(&payload[..len], 5, |_| Ok(())).is_err(), "{len}");
        }
    }

    #[test]
    fn entries_read_back() {
        let (options, level_ratio) = (KeyspaceOptions::default(), Some(3));
        let create = KeyspaceChange::Create { keyspace: KeyspaceId(3), tree: TreeId(9), name: "ä".into(), options };
        assert_eq!(create.encode().len(), 4 + 8 + 3, "settings that are not set take no byte");
        let options = KeyspaceOptions { level_ratio, ..KeyspaceOptions::default() };
        let create_with = KeyspaceChange::Create { keyspace: KeyspaceId(4), tree: TreeId(9), name: "a".into(), options };
        let options = KeyspaceOptions { level_ratio, ..KeyspaceOptions::default() };
        let configure = KeyspaceChange::Configure { keyspace: KeyspaceId(3), options };
        let clear = KeyspaceChange::Clear { keyspace: KeyspaceId(3), tree: TreeId(10) };
        for change in [create, create_with, configure, clear, KeyspaceChange::Drop { keyspace: KeyspaceId(3) }] {
            let record = record(RecordKind::of_change(&change), 1);
            assert_eq!(Entry::decode(&record, &change.encode()).unwrap(), Entry::Change(Box::new(change)));
        }
        let start = FileStart { previous: WalId(4), previous_end: 77, first_seqno: 5, ..FileStart::default() };
        assert_eq!(start.encode().len() as u64, START_PAYLOAD_BYTES);
        assert_eq!(Entry::decode(&record(RecordKind::Start, 0), &start.encode()).unwrap(), Entry::Start(start));
        let anchor = Anchor { tree: TreeId(1), generation: Generation(2), length: 3 };
        assert_eq!(Entry::decode(&record(RecordKind::Anchor, 0), &anchor.encode()).unwrap(), Entry::Anchor(anchor));
        let ingest = Entry::Ingest { tree: TreeId(7) };
        assert_eq!(Entry::decode(&record(RecordKind::Ingest, 1), &7_u64.to_le_bytes()).unwrap(), ingest);
        assert!(Entry::decode(&record(RecordKind::Ingest, 0), &7_u64.to_le_bytes()).is_err());
        assert!(Entry::decode(&record(RecordKind::Anchor, 1), &anchor.encode()).is_err());
        assert!(Entry::decode(&record(RecordKind::End, 0), b"x").is_err());
    }

    #[test]
    fn limits_are_named() {
        let value = OpKind::Row(Kind::Value);
        let too_long = check_limits(&op(value, &vec![0; 65_536], b"")).unwrap_err();
        assert!(too_long.to_string().contains("65535"), "{too_long}");
        assert!(check_limits(&op(value, b"", b"")).unwrap_err().to_string().contains("empty"));
        assert!(check_limits(&op(OpKind::RemoveRange, &vec![0; 65_536], b"")).is_ok());
        assert!(check_limits(&op(OpKind::RemoveRange, b"", &vec![0; 65_537])).unwrap_err().to_string().contains("bound"));
    }
}
