//! How far a file of the log counts: where damage is a torn tail, and where it is corruption.

use crate::wal::{
    files::FoundFile,
    format::{BODY_START, CREATION_BYTES, RecordKind},
};
use sediment_base::{
    Error, Result, SeqNo,
    planted::{Bug, planted},
};
use sediment_codec::frame::{RecordReader, Step, torn_tail};

/// How far one file counts.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bound {
    /// Damage before this place is corruption.
    pub(super) durable: u64,
    pub(super) end: End,
    /// Records at or above this seqno were given up by a later file.
    pub(super) limit: SeqNo,
}

/// What ends a file.
#[derive(Clone, Copy, Debug)]
pub(super) enum End {
    /// The last one of all: the place where it validly ends, decided beforehand.
    At(u64),
    /// Others follow, with the records from this seqno on.
    Next(SeqNo),
}

/// Looks over the last file: where it validly ends and how far it is known to be durable.
pub(super) fn survey(file: &FoundFile, bytes: &[u8]) -> Result<Bound> {
    let mut reader = RecordReader::new(file.uuid, file.epoch, bytes, BODY_START);
    let mut durable = CREATION_BYTES;
    loop {
        match reader.next() {
            Step::Record { record, end, .. } => {
                durable = durable.max(record.synced_upto);
                if record.kind == RecordKind::End as u8 {
                    // It was written when everything before it was durable; that it can be read does not make it so itself.
                    expect_nothing_behind(&mut reader)?;
                    return Ok(Bound { durable, end: End::At(end), limit: SeqNo::MAX });
                }
            }
            Step::End { offset } => {
                return Ok(Bound { durable: durable.min(offset), end: End::At(offset), limit: SeqNo::MAX });
            }
            Step::Damage { offset, error } => {
                let valid_end = valid_end(&reader, offset, error)?;
                return Ok(Bound { durable: durable.min(valid_end), end: End::At(valid_end), limit: SeqNo::MAX });
            }
        }
    }
}

/// Where the records before some damage validly end, by the rule of [`torn_tail`].
pub(super) fn valid_end(reader: &RecordReader<'_>, damage: u64, error: Error) -> Result<u64> {
    if planted(Bug::TruncateAtFirstDamage) { Ok(damage) } else { torn_tail(reader, damage, error) }
}

fn expect_nothing_behind(reader: &mut RecordReader<'_>) -> Result<()> {
    match reader.next() {
        Step::End { .. } => Ok(()),
        Step::Record { start, .. } => Err(Error::corruption("a log record behind the end mark").at(start)),
        Step::Damage { error, .. } => Err(error.context("behind the end mark of the log")),
    }
}
