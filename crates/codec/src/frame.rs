//! Records of a log: write-ahead log, manifest, catalog.
//!
//! ```text
//!   0 header CRC u32        16 kind u8        24 count u32      40 synced_upto u64
//!   4 payload length u32    17 fragment u8    28 epoch u32      48 payload
//!   8 payload CRC u32       18 flags u16      32 seqno u64         zeros up to a multiple of 8
//!  12 previous check u32    20 keyspace u32
//! ```
//!
//! The header's CRC-32C covers the file's uuid and the record's own offset (which are not stored for it), then bytes 4..48, and
//! with them the payload's CRC: that one is computed before the record has a place, outside the lock that gives places. Each
//! record names the header CRC of the one before, so none can be taken out of the middle.
//!
//! **Torn tail.** A crash may lose any part of what was not synced, also a record in front of one that survived. So the first
//! damage ends the log, unless a later record proves that the damaged place was durable when that record was written: then
//! something was lost that had been promised, and [`torn_tail`] says so.

use crate::{
    checksum,
    coding::{ArrayWriter, Reader, Writer},
};
use sediment_base::{Error, ErrorKind, FileUuid, Result};

/// Length of a record's header.
pub const RECORD_HEADER_BYTES: usize = 48;

/// Every record begins, and its padding ends, at a multiple of this.
pub const RECORD_ALIGN: usize = 8;

const CHECKED_BYTES: usize = 44;
const EPOCH_AT: usize = 28;

/// Which part of a larger whole a record is. The numbers are on disk.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Fragment {
    /// The whole.
    #[default]
    Whole = 0,
    /// The beginning of more.
    First = 1,
    /// Neither beginning nor end.
    Middle = 2,
    /// The end.
    Last = 3,
}

impl Fragment {
    fn from_tag(tag: u8) -> Option<Self> {
        Some(match tag {
            0 => Self::Whole,
            1 => Self::First,
            2 => Self::Middle,
            3 => Self::Last,
            _ => return None,
        })
    }
}

/// What a record's header says of its payload.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Record {
    /// What the payload is; numbered by the owner of the log.
    pub kind: u8,
    /// Which part of it.
    pub fragment: Fragment,
    /// The keyspace it is about, or 0.
    pub keyspace: u32,
    /// How many entries it holds.
    pub count: u32,
    /// Sequence number of its first entry.
    pub seqno: u64,
    /// Offset in this file before which everything was known to be durable when the record was written.
    pub synced_upto: u64,
}

/// The checksum of a payload, to be computed before the record takes its place.
#[inline]
pub fn payload_crc(payload: &[u8]) -> u32 {
    checksum::crc32c(0, payload)
}

/// The place at the end of a log file, and what a record put there must refer to. One caller at a time.
#[derive(Clone, Debug)]
pub struct RecordWriter {
    identity: u32,
    epoch: u32,
    offset: u64,
    previous: u32,
}

impl RecordWriter {
    /// The place of the first record of a file, `start_offset` bytes from its beginning (a multiple of 8).
    pub fn new(uuid: FileUuid, epoch: u32, start_offset: u64) -> Self {
        Self { identity: identity(uuid), epoch, offset: start_offset, previous: 0 }
    }

    /// Where the next record begins.
    #[inline]
    pub fn offset(&self) -> u64 {
        self.offset
    }

    /// Appends one record with its padding to `out`, whose end is this writer's place in the file.
    pub fn append(&mut self, record: &Record, payload: &[u8], payload_crc: u32, out: &mut Vec<u8>) -> Result<()> {
        let header = self.place(record, payload.len(), payload_crc)?;
        let length = RECORD_HEADER_BYTES.saturating_add(payload.len());
        out.reserve(length.saturating_add(padding_bytes(length)));
        out.put_bytes(&header);
        out.put_bytes(payload);
        out.resize(out.len().saturating_add(padding_bytes(length)), 0);
        Ok(())
    }

    /// Takes the next place for a payload that somebody else copies there: the record's first 48 bytes. Payload and zeros up to
    /// [`RecordWriter::offset`] must follow them in the file.
    pub fn place(&mut self, record: &Record, payload_len: usize, payload_crc: u32) -> Result<[u8; RECORD_HEADER_BYTES]> {
        let Ok(stored_len) = u32::try_from(payload_len) else {
            return Err(Error::invalid_input("a log record is too long").expected_found("less than 4 GiB", payload_len));
        };
        let mut checked = [0; CHECKED_BYTES];
        let mut out = ArrayWriter::new(&mut checked);
        out.put(stored_len.to_le_bytes());
        out.put(payload_crc.to_le_bytes());
        out.put(self.previous.to_le_bytes());
        out.put([record.kind, record.fragment as u8, 0, 0]);
        out.put(record.keyspace.to_le_bytes());
        out.put(record.count.to_le_bytes());
        out.put(self.epoch.to_le_bytes());
        out.put(record.seqno.to_le_bytes());
        out.put(record.synced_upto.to_le_bytes());
        let check = header_crc(self.identity, self.offset, &checked);
        let mut bytes = [0; RECORD_HEADER_BYTES];
        let mut out = ArrayWriter::new(&mut bytes);
        out.put(check.to_le_bytes());
        out.put(checked);
        self.offset = self.offset.saturating_add(record_bytes(stored_len));
        self.previous = check;
        Ok(bytes)
    }
}

/// What stands at the reader's place.
#[derive(Clone, Debug)]
pub enum Step<'a> {
    /// A record that verifies and follows the one before.
    Record {
        /// Its header.
        record: Record,
        /// Its payload.
        payload: &'a [u8],
        /// Where it begins.
        start: u64,
        /// Where the next one begins.
        end: u64,
    },
    /// Nothing but zeros, or nothing at all, from here on.
    End {
        /// Where the next record would begin.
        offset: u64,
    },
    /// Something that is no record. The reader stays here; [`torn_tail`] tells whether a crash explains it.
    Damage {
        /// Where it begins.
        offset: u64,
        /// What is wrong with it.
        error: Error,
    },
}

/// Reads the records of a log file whose bytes may be anything. One caller at a time.
#[derive(Clone, Debug)]
pub struct RecordReader<'a> {
    identity: u32,
    epoch: u32,
    bytes: &'a [u8],
    offset: u64,
    previous: u32,
}

impl<'a> RecordReader<'a> {
    /// Reads `bytes`, the whole file, from `start_offset` on.
    pub fn new(uuid: FileUuid, epoch: u32, bytes: &'a [u8], start_offset: u64) -> Self {
        Self { identity: identity(uuid), epoch, bytes, offset: start_offset, previous: 0 }
    }

    /// Where the next record would begin.
    pub fn offset(&self) -> u64 {
        self.offset
    }

    /// A writer for the place at which this reader stands.
    pub fn writer(&self) -> RecordWriter {
        RecordWriter { identity: self.identity, epoch: self.epoch, offset: self.offset, previous: self.previous }
    }

    /// Reads the record at the reader's place and moves behind it. After `End` and `Damage` the reader stays.
    #[expect(clippy::should_implement_trait, reason = "a log ends in more than one way")]
    pub fn next(&mut self) -> Step<'a> {
        let start = self.offset;
        let rest = self.bytes_from(start);
        if is_zero(rest) {
            return Step::End { offset: start };
        }
        match self.read(start, rest) {
            Ok((found, payload)) => {
                self.offset = found.end;
                self.previous = found.check;
                Step::Record { record: found.record, payload, start, end: found.end }
            }
            Err(error) => Step::Damage { offset: start, error: error.at(start) },
        }
    }

    /// The first record at or after `from` whose header verifies by itself, whatever stands before it. Its payload may be
    /// damaged: what the header says was true when it was written all the same.
    pub fn later_record(&self, from: u64) -> Option<(u64, Record)> {
        let mut offset = from.checked_next_multiple_of(RECORD_ALIGN as u64)?;
        loop {
            let rest = self.bytes_from(offset);
            if rest.len() < RECORD_HEADER_BYTES {
                return None;
            }
            let could_be = rest.get(EPOCH_AT..).and_then(<[u8]>::first_chunk) == Some(&self.epoch.to_le_bytes());
            if could_be && let Ok(found) = self.read_header(offset, rest) {
                return Some((offset, found.record));
            }
            offset = offset.checked_add(RECORD_ALIGN as u64)?;
        }
    }

    fn bytes_from(&self, offset: u64) -> &'a [u8] {
        usize::try_from(offset).ok().and_then(|offset| self.bytes.get(offset..)).unwrap_or_default()
    }

    fn read(&self, offset: u64, rest: &'a [u8]) -> Result<(Found, &'a [u8])> {
        let found = self.read_header(offset, rest)?;
        if found.previous != self.previous {
            return Err(not_chained(self.previous, found.previous));
        }
        let mut reader = Reader::new(rest);
        reader.bytes(RECORD_HEADER_BYTES)?;
        let payload = reader.bytes(found.payload_len as usize)?;
        let expected = payload_crc(payload);
        if !checksum::matches(found.payload_crc, expected) {
            return Err(Error::corruption("checksum of a log record's payload")
                .expected_found(format!("{expected:08x}"), format!("{:08x}", found.payload_crc)));
        }
        let padding = reader.bytes(padding_bytes(reader.position()))?;
        if !is_zero(padding) {
            return Err(Error::corruption("padding behind a log record is not zero"));
        }
        if found.flags != 0 {
            return Err(Error::unsupported(format!("log record flags {:#06x} are not known to this version", found.flags)));
        }
        Ok((found, payload))
    }

    fn read_header(&self, offset: u64, rest: &[u8]) -> Result<Found> {
        let mut reader = Reader::new(rest);
        let check = reader.u32()?;
        let checked = reader.array::<CHECKED_BYTES>()?;
        let mut fields = Reader::new(&checked);
        let (payload_len, payload_crc, previous) = (fields.u32()?, fields.u32()?, fields.u32()?);
        let (kind, fragment, flags) = (fields.u8()?, fields.u8()?, fields.u16()?);
        let (keyspace, count, epoch) = (fields.u32()?, fields.u32()?, fields.u32()?);
        let (seqno, synced_upto) = (fields.u64()?, fields.u64()?);
        if epoch != self.epoch {
            return Err(Error::corruption("epoch of a log record").expected_found(self.epoch, epoch));
        }
        let expected = header_crc(self.identity, offset, &checked);
        if !checksum::matches(check, expected) {
            return Err(
                Error::corruption("checksum of a log record").expected_found(format!("{expected:08x}"), format!("{check:08x}"))
            );
        }
        let Some(fragment) = Fragment::from_tag(fragment) else {
            return Err(Error::unsupported(format!("log record fragment {fragment} is not known to this version")));
        };
        let record = Record { kind, fragment, keyspace, count, seqno, synced_upto };
        let end = offset.saturating_add(record_bytes(payload_len));
        Ok(Found { record, check, previous, flags, payload_len, payload_crc, end })
    }
}

/// Decides about damage: where the log validly ends, or why it must not be cut there.
///
/// It is a torn tail, which a crash explains and which was never durable, unless a record behind it was written when the
/// damaged place was already known to be durable; then it is corruption in the middle of the log. A record that verifies but
/// does not follow the one before it, or is of a later version, is never cut off.
pub fn torn_tail(reader: &RecordReader<'_>, damage: u64, error: Error) -> Result<u64> {
    if error.kind() != ErrorKind::Corruption {
        return Err(error);
    }
    let at_damage = reader.read_header(damage, reader.bytes_from(damage));
    if at_damage.is_ok_and(|found| reader.offset == damage && found.previous != reader.previous) {
        return Err(error);
    }
    let mut from = damage;
    while let Some((offset, record)) = reader.later_record(from) {
        if record.synced_upto > damage {
            let message = format!("mid-log damage: the record at {offset} proves that this place was durable");
            return Err(error.context(message));
        }
        from = offset.saturating_add(RECORD_ALIGN as u64);
    }
    Ok(damage)
}

/// A record whose header verified.
struct Found {
    record: Record,
    check: u32,
    previous: u32,
    flags: u16,
    payload_len: u32,
    payload_crc: u32,
    end: u64,
}

#[cold]
fn not_chained(expected: u32, found: u32) -> Error {
    Error::corruption("a log record does not follow the one before it")
        .expected_found(format!("{expected:08x}"), format!("{found:08x}"))
}

fn identity(uuid: FileUuid) -> u32 {
    checksum::crc32c(0, &uuid.0)
}

fn header_crc(identity: u32, offset: u64, checked: &[u8; CHECKED_BYTES]) -> u32 {
    let mut bytes = [0; 8 + CHECKED_BYTES];
    let mut out = ArrayWriter::new(&mut bytes);
    out.put(offset.to_le_bytes());
    out.put(*checked);
    checksum::crc32c(identity, &bytes)
}

fn record_bytes(payload_len: u32) -> u64 {
    let unpadded = u64::from(payload_len).saturating_add(RECORD_HEADER_BYTES as u64);
    unpadded.checked_next_multiple_of(RECORD_ALIGN as u64).unwrap_or(u64::MAX)
}

fn padding_bytes(length: usize) -> usize {
    length.wrapping_neg() & const { RECORD_ALIGN - 1 }
}

fn is_zero(bytes: &[u8]) -> bool {
    let (words, rest) = bytes.as_chunks::<8>();
    words.iter().all(|word| *word == [0; 8]) && rest.iter().all(|byte| *byte == 0)
}

#[cfg(test)]
mod tests;
