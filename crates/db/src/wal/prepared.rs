//! A record that waits for its place: encoded and checksummed outside the lock.

use crate::wal::format::{FRAGMENT_BYTES, RecordKind};
use sediment_base::{KeyspaceId, Result, SeqNo, TreeId};
use sediment_codec::frame::{Fragment, Record, RecordWriter, payload_crc};
use std::borrow::Cow;

/// A payload with its checksums, cut into fragments where it is long.
#[derive(Clone, Debug)]
pub(crate) struct Prepared<'a> {
    kind: RecordKind,
    keyspace: u32,
    count: u32,
    payload: Cow<'a, [u8]>,
    first_crc: u32,
    other_crcs: Vec<u32>,
}

impl<'a> Prepared<'a> {
    /// Checksums a payload that takes `count` seqnos.
    pub(crate) fn new(kind: RecordKind, keyspace: u32, count: u32, payload: impl Into<Cow<'a, [u8]>>) -> Self {
        let payload = payload.into();
        let (first, rest) = payload.split_at(payload.len().min(FRAGMENT_BYTES));
        let first_crc = payload_crc(first);
        let other_crcs = if rest.is_empty() { Vec::new() } else { rest.chunks(FRAGMENT_BYTES).map(payload_crc).collect() };
        Self { kind, keyspace, count, payload, first_crc, other_crcs }
    }

    /// The record of what is done to tables of a tree and takes one seqno: rows are ingested, or a compaction takes its stamp.
    pub(crate) fn of_tables(keyspace: KeyspaceId, tree: TreeId) -> Self {
        Self::new(RecordKind::Ingest, keyspace.0, 1, tree.0.to_le_bytes().to_vec())
    }

    /// The same with its payload, for others to write.
    pub(super) fn into_owned(self) -> Prepared<'static> {
        let Self { kind, keyspace, count, payload, first_crc, other_crcs } = self;
        Prepared { kind, keyspace, count, payload: Cow::Owned(payload.into_owned()), first_crc, other_crcs }
    }

    /// How many seqnos it takes.
    pub(crate) fn count(&self) -> u32 {
        self.count
    }

    /// What it is.
    pub(crate) fn kind(&self) -> RecordKind {
        self.kind
    }

    /// The keyspace that all of it is about; 0 if there are several.
    pub(crate) fn keyspace(&self) -> u32 {
        self.keyspace
    }

    /// The payload.
    pub(crate) fn payload(&self) -> &[u8] {
        &self.payload
    }

    /// Bytes that it may take in a file, rounded up.
    pub(crate) fn stored_bytes(&self) -> u64 {
        let fragments = 1 + self.other_crcs.len() as u64;
        self.payload.len() as u64 + fragments * 64
    }

    /// Appends the record, or its fragments, to `out`, calling `spill` after each so that a long one need not be held twice.
    pub(crate) fn write(
        &self,
        seqno: SeqNo,
        synced_upto: u64,
        writer: &mut RecordWriter,
        out: &mut Vec<u8>,
        spill: &mut dyn FnMut(&mut Vec<u8>) -> Result<()>,
    ) -> Result<()> {
        let mut record = Record {
            kind: self.kind as u8,
            fragment: Fragment::Whole,
            keyspace: self.keyspace,
            count: self.count,
            seqno,
            synced_upto,
        };
        if self.other_crcs.is_empty() {
            writer.append(&record, &self.payload, self.first_crc, out)?;
            return spill(out);
        }
        let last = self.other_crcs.len();
        let crcs = std::iter::once(&self.first_crc).chain(&self.other_crcs);
        for (i, (chunk, crc)) in self.payload.chunks(FRAGMENT_BYTES).zip(crcs).enumerate() {
            record.fragment = match i {
                0 => Fragment::First,
                i if i == last => Fragment::Last,
                _ => Fragment::Middle,
            };
            writer.append(&record, chunk, *crc, out)?;
            spill(out)?;
        }
        Ok(())
    }
}
