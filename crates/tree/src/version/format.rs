//! An edit as bytes: the payload of a manifest's record.
//!
//! ```text
//! payload = field* CRC-64        field as in codec::fields
//!
//!  1 order name      bytes                   9 mark            u64
//!  3 key hash        version u8, seed u64   11 history         oldest u64, floor u64
//!  5 table added     see below              13 next table id   u64
//!  7 table removed   id varint              15 highest seqno   u64
//!  8 removed runs of a table hold no more   17 merge operator  its name
//!      id varint                            19 covered         u64
//!
//! table added = level u8, run varint, id varint, uuid 16, file bytes varint, root u64, min key, max key (each with length
//!               varint), min seqno varint, max seqno varint, rows varint, tombstones varint, oldest write varint, field*
//!   1 range tombstones  whether max key lies outside u8, count varint, min seqno varint, max seqno varint
//!   2 bytes that these hid, varint
//!   4 runs of removed keys  count varint, seqno varint
//! ```
//!
//! The CRC-64 covers the file's uuid, the record's kind and offset, and the fields: an edit put elsewhere does not verify.

#![deny(clippy::indexing_slicing, clippy::unwrap_used, clippy::arithmetic_side_effects)]

use super::{AddedTable, Edit, History, Identity};
use sediment_base::{Error, FileUuid, KeyRange, Result, TableId};
use sediment_codec::{
    checksum::{crc64, matches},
    coding::{Reader, Writer},
    fields::{put_field, read_fields},
};
use sediment_table::{RangeCounts, RemovedCounts, TableMeta};

/// Kind of the first record of a manifest.
pub(crate) const SNAPSHOT_RECORD: u8 = 1;
/// Kind of all others.
pub(crate) const EDIT_RECORD: u8 = 2;

const ORDER: u64 = 1;
const KEY_HASH: u64 = 3;
const ADDED: u64 = 5;
const REMOVED: u64 = 7;
const OUTDATED_RUNS: u64 = 8;
const MARK: u64 = 9;
const HISTORY: u64 = 11;
const NEXT_TABLE: u64 = 13;
const HIGHEST_SEQNO: u64 = 15;
const OPERATOR: u64 = 17;
const COVERED: u64 = 19;

/// In the description of a table.
const RANGES: u64 = 1;
const HIDES_BYTES: u64 = 2;
const REMOVED_RUNS: u64 = 4;

const CRC_BYTES: usize = 8;
/// What an edit is called in errors.
const EDIT: &str = "a manifest edit";

/// Where a record stands: what its checksum is bound to.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RecordPlace {
    pub(crate) uuid: FileUuid,
    pub(crate) kind: u8,
    pub(crate) offset: u64,
}

/// Closes a payload with its checksum, and returns it.
pub(super) fn seal_payload(place: RecordPlace, fields: &mut Vec<u8>) -> u64 {
    let sum = payload_sum(place, fields);
    fields.put_u64(sum);
    sum
}

/// The fields of a payload, and its checksum, which was right.
pub(crate) fn open_payload(place: RecordPlace, payload: &[u8]) -> Result<(&[u8], u64)> {
    let Some((fields, sum)) = payload.split_last_chunk::<CRC_BYTES>() else {
        return Err(Error::corruption("a manifest record is shorter than its checksum"));
    };
    let (found, expected) = (u64::from_le_bytes(*sum), payload_sum(place, fields));
    if !matches(found, expected) {
        let error = Error::corruption("checksum of a manifest record");
        return Err(error.expected_found(format!("{expected:016x}"), format!("{found:016x}")));
    }
    Ok((fields, found))
}

fn payload_sum(place: RecordPlace, fields: &[u8]) -> u64 {
    let bound = crc64(crc64(crc64(0, &place.uuid.0), &[place.kind]), &place.offset.to_le_bytes());
    crc64(bound, fields)
}

/// Appends the fields of an edit.
pub(super) fn encode_edit(edit: &Edit, out: &mut Vec<u8>) {
    if let Some(identity) = &edit.identity {
        put_field(out, ORDER, identity.order.as_bytes());
        let mut field = vec![identity.hash_version];
        field.put_u64(identity.hash_seed);
        put_field(out, KEY_HASH, &field);
    }
    for (tag, ids) in [(REMOVED, &edit.removed), (OUTDATED_RUNS, &edit.outdated_runs)] {
        for id in ids {
            let mut field = Vec::new();
            field.put_varint(id.0);
            put_field(out, tag, &field);
        }
    }
    for added in &edit.added {
        put_field(out, ADDED, &encode_added(added));
    }
    put_u64_field(out, MARK, edit.mark);
    if let Some(history) = edit.history {
        let mut field = Vec::new();
        field.put_u64(history.oldest);
        field.put_u64(history.floor);
        put_field(out, HISTORY, &field);
    }
    put_u64_field(out, NEXT_TABLE, edit.next_table.map(|id| id.0));
    put_u64_field(out, HIGHEST_SEQNO, edit.highest_seqno);
    if let Some(operator) = &edit.operator {
        put_field(out, OPERATOR, operator.as_bytes());
    }
    put_u64_field(out, COVERED, edit.covered);
}

/// Reads the fields of an edit.
pub(crate) fn decode_edit(fields: &[u8]) -> Result<Edit> {
    let mut edit = Edit::default();
    let (mut order, mut hash) = (None, None);
    read_fields(&mut Reader::new(fields), EDIT, |tag, field| {
        match tag {
            ORDER => order = Some(read_text(field.rest())?),
            KEY_HASH => hash = Some((field.u8()?, field.u64()?)),
            ADDED => edit.added.push(decode_added(field)?),
            REMOVED => edit.removed.push(TableId(field.varint()?)),
            OUTDATED_RUNS => edit.outdated_runs.push(TableId(field.varint()?)),
            MARK => edit.mark = Some(field.u64()?),
            HISTORY => edit.history = Some(History { oldest: field.u64()?, floor: field.u64()? }),
            NEXT_TABLE => edit.next_table = Some(TableId(field.u64()?)),
            HIGHEST_SEQNO => edit.highest_seqno = Some(field.u64()?),
            OPERATOR => edit.operator = Some(read_text(field.rest())?),
            COVERED => edit.covered = Some(field.u64()?),
            _ => return Ok(false),
        }
        Ok(true)
    })?;
    edit.identity = match (order, hash) {
        (Some(order), Some((hash_version, hash_seed))) => Some(Identity { order, hash_version, hash_seed }),
        (None, None) => None,
        _ => return Err(Error::corruption("a manifest record tells half of the tree's identity")),
    };
    Ok(edit)
}

fn encode_added(added: &AddedTable) -> Vec<u8> {
    let AddedTable { level, run, meta, hides_bytes } = added;
    let mut out = Vec::new();
    out.put_u8(u8::try_from(*level).unwrap_or(u8::MAX));
    out.put_varint(run.0);
    out.put_varint(meta.id.0);
    out.put_bytes(&meta.uuid.0);
    out.put_varint(meta.file_bytes);
    out.put_u64(meta.root);
    out.put_length_prefixed(&meta.range.min);
    out.put_length_prefixed(&meta.range.max);
    for number in [meta.min_seqno, meta.max_seqno, meta.rows, meta.tombstones, meta.oldest_write_us] {
        out.put_varint(number);
    }
    if meta.ranges.count > 0 {
        let mut field = Vec::new();
        field.put_u8(meta.range.is_open.into());
        for number in [meta.ranges.count, meta.ranges.min_seqno, meta.ranges.max_seqno] {
            field.put_varint(number);
        }
        put_field(&mut out, RANGES, &field);
    }
    if *hides_bytes > 0 {
        let mut field = Vec::new();
        field.put_varint(*hides_bytes);
        put_field(&mut out, HIDES_BYTES, &field);
    }
    if meta.removed.count > 0 {
        let mut field = Vec::new();
        field.put_varint(meta.removed.count);
        field.put_varint(meta.removed.seqno);
        put_field(&mut out, REMOVED_RUNS, &field);
    }
    out
}

fn decode_added(field: &mut Reader<'_>) -> Result<AddedTable> {
    let level = usize::from(field.u8()?);
    let run = TableId(field.varint()?);
    let mut meta = TableMeta {
        id: TableId(field.varint()?),
        uuid: FileUuid(field.array()?),
        file_bytes: field.varint()?,
        root: field.u64()?,
        range: KeyRange::closed(field.length_prefixed()?.into(), field.length_prefixed()?.into()),
        min_seqno: field.varint()?,
        max_seqno: field.varint()?,
        rows: field.varint()?,
        tombstones: field.varint()?,
        ranges: RangeCounts::default(),
        removed: RemovedCounts::default(),
        oldest_write_us: field.varint()?,
    };
    let mut hides_bytes = 0;
    read_fields(field, EDIT, |tag, field| {
        match tag {
            RANGES => {
                meta.range.is_open = field.u8()? != 0;
                let (count, min_seqno, max_seqno) = (field.varint()?, field.varint()?, field.varint()?);
                meta.ranges = RangeCounts { count, min_seqno, max_seqno };
            }
            HIDES_BYTES => hides_bytes = field.varint()?,
            REMOVED_RUNS => meta.removed = RemovedCounts { count: field.varint()?, seqno: field.varint()? },
            _ => return Ok(false),
        }
        Ok(true)
    })?;
    Ok(AddedTable { level, run, meta, hides_bytes })
}

fn read_text(bytes: &[u8]) -> Result<String> {
    String::from_utf8(bytes.to_vec()).map_err(|_| Error::corruption("a name is not UTF-8"))
}

fn put_u64_field(out: &mut Vec<u8>, tag: u64, value: Option<u64>) {
    if let Some(value) = value {
        put_field(out, tag, &value.to_le_bytes());
    }
}
