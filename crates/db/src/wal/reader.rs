//! Replay: the log's files as one sequence of records.
//!
//! Every file of the chain (`chain.rs`) but the last must be readable up to the place that its successor calls durable; what lies behind
//! counts as far as it goes, because the successor repeats it, or power was lost. The last file may end in a torn tail (`survey.rs`).
//!
//! Records seen already are skipped by their seqno; the next one must continue without a gap. Records may be missing at the end of a
//! file where power was lost before it was synced. Then a later file repeats them, or they are in tables (*covered*), or else the log
//! ends there; but if a later file was synced, which no file is before those in front of it, it is corruption.

use crate::wal::{
    chain::Chain,
    files::{FoundFile, LiveFile, WalDir},
    format::{BODY_START, Entry, RecordKind},
    prepared::Prepared,
    survey::{Bound, End, valid_end},
};
use sediment_base::{
    Error, Result, SeqNo, WalId, limits,
    planted::{Bug, planted},
};
use sediment_codec::frame::{Fragment, Record, RecordReader, Step};

/// What a record takes in a file beside its payload, at most.
const RECORD_BYTES: u64 = 64;

/// What replay learned beside the records.
#[derive(Debug)]
pub(crate) struct Recovered {
    /// The seqno of the next record.
    pub(crate) next_seqno: SeqNo,
    /// Records at the end that are not known to be durable: the next file repeats them.
    pub(crate) tail: Option<Tail>,
    /// The last file and the place up to which it is durable.
    pub(crate) last: Option<(FoundFile, u64)>,
    /// Files of the chain, oldest first.
    pub(crate) files: Vec<LiveFile>,
    /// The id of the next file.
    pub(crate) next_id: WalId,
    /// Files outside the chain: never begun, or removed but for their names.
    pub(crate) orphans: Vec<WalId>,
    /// Whether the log ends with an end mark.
    pub(crate) is_clean: bool,
}

/// Reads the log and calls `visit` with each entry, in order: batches and changes once, anchors as they come. Nothing is needed of it
/// up to the seqno `covered`; no file below `next_id` will be made.
pub(crate) fn replay(
    dir: &WalDir,
    covered: SeqNo,
    next_id: WalId,
    visit: &mut dyn FnMut(Logged<'_>) -> Result<()>,
) -> Result<Recovered> {
    let chain = Chain::find(dir, covered)?;
    let files = chain.files();
    let mut replay = Replay::new(files.first().map_or(1, |file| file.start.first_seqno), covered);
    let mut last = None;
    let mut ends = Vec::with_capacity(files.len());
    let mut bytes = Vec::new();
    for (i, file) in files.iter().enumerate() {
        if file.start.first_seqno > replay.next && chain.resumed_at(i) <= replay.next {
            ends.push(replay.next);
            continue;
        }
        let in_file = |error: Error| error.in_file(&dir.path(file.id));
        if !replay.reaches(file.start.first_seqno) {
            if chain.is_synced_from(dir, i)? && !planted(Bug::TruncateAtFirstDamage) {
                return Err(in_file(gap(replay.next, file.start.first_seqno)));
            }
            break;
        }
        dir.read_into(file.id, &mut bytes)?;
        let bound = chain.bound(i, &bytes).map_err(in_file)?;
        replay.file(file, &bytes, &bound, visit).map_err(in_file)?;
        last = Some((file.clone(), bound.durable));
        ends.push(replay.next);
    }
    replay.reaches(covered.saturating_add(1));
    chain.check_oldest(dir, replay.oldest, covered)?;
    Ok(Recovered {
        next_seqno: replay.next,
        tail: replay.tail().filter(|_| !planted(Bug::TrustReplayedTail)),
        last,
        files: chain.live(&ends),
        next_id: chain.next_id().max(next_id),
        orphans: chain.orphans(ends.len()),
        is_clean: replay.is_clean,
    })
}

/// The end of the log, from the first record on that is not known to be durable. It may be as long as all of the log, so it stays in the
/// files until it is wanted.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Tail {
    /// Seqno of that record.
    pub(crate) first_seqno: SeqNo,
    /// The seqno after the last.
    pub(crate) end_seqno: SeqNo,
    /// What it takes in a file, rounded up.
    pub(crate) bytes: u64,
    covered: SeqNo,
}

impl Tail {
    /// Calls `visit` with its records, and their seqnos, in order.
    pub(super) fn read(&self, dir: &WalDir, visit: &mut dyn FnMut(SeqNo, Prepared<'static>) -> Result<()>) -> Result<()> {
        let found = replay(dir, self.covered, WalId::default(), &mut |logged| {
            if logged.count == 0 || logged.seqno < self.first_seqno {
                return Ok(());
            }
            let kind = RecordKind::from_tag(logged.kind)?;
            visit(logged.seqno, Prepared::new(kind, logged.keyspace, logged.count, logged.payload.to_vec()))
        })?;
        if found.next_seqno != self.end_seqno {
            let error = Error::corruption("the log is not the one that was read when the database was opened: its last seqno");
            return Err(error.expected_found(self.end_seqno, found.next_seqno));
        }
        Ok(())
    }
}

/// One entry of the log.
#[derive(Debug)]
pub(crate) struct Logged<'a> {
    pub(crate) seqno: SeqNo,
    pub(crate) count: u32,
    kind: u8,
    keyspace: u32,
    pub(crate) entry: Entry,
    pub(crate) payload: &'a [u8],
}

struct Replay {
    /// The seqno of the next record that is new.
    next: SeqNo,
    /// Records up to this seqno are in tables.
    covered: SeqNo,
    /// Every record below this seqno is durable, or missing and covered.
    durable: SeqNo,
    /// What the others take in a file.
    tail_bytes: u64,
    oldest: WalId,
    is_clean: bool,
}

impl Replay {
    fn new(next: SeqNo, covered: SeqNo) -> Self {
        Self { next, covered, durable: next, tail_bytes: 0, oldest: WalId::default(), is_clean: false }
    }

    fn tail(&self) -> Option<Tail> {
        let Self { next, covered, durable, tail_bytes, .. } = *self;
        (durable < next).then_some(Tail { first_seqno: durable, end_seqno: next, bytes: tail_bytes, covered })
    }

    /// Whether no record below `seqno` is missed. Passes over those that are missing and covered: power was lost since, so that what was
    /// found is durable.
    fn reaches(&mut self, seqno: SeqNo) -> bool {
        if self.next < seqno && seqno <= self.covered.saturating_add(1) {
            self.next = seqno;
            self.durable = seqno;
            self.tail_bytes = 0;
        }
        self.next >= seqno
    }

    /// Replays one file.
    fn file(
        &mut self,
        file: &FoundFile,
        bytes: &[u8],
        bound: &Bound,
        visit: &mut dyn FnMut(Logged<'_>) -> Result<()>,
    ) -> Result<()> {
        let mut reader = RecordReader::new(file.uuid, file.epoch, bytes, BODY_START);
        let mut whole = Assembly::default();
        loop {
            if matches!(bound.end, End::At(end) if reader.offset() >= end) {
                return Ok(());
            }
            let at = reader.offset();
            let ended = match reader.next() {
                Step::Record { record, payload, start, end } => {
                    if record.seqno >= bound.limit && record.count > 0 {
                        return Ok(());
                    }
                    let Some((start, payload)) = whole.add(&record, payload, start)? else { continue };
                    let place = Place { start, is_durable: end <= bound.durable };
                    self.entry(&record, payload, place, visit).map_err(|error| error.at(start))?;
                    continue;
                }
                Step::End { offset } => Error::corruption("the log ends before a place that was durable").at(offset),
                Step::Damage { offset, error } => match bound.end {
                    End::Next(seqno) if at >= bound.durable && !self.reaches(seqno) => {
                        return valid_end(&reader, offset, error).map(drop);
                    }
                    _ => error,
                },
            };
            return if at < bound.durable { Err(ended) } else { Ok(()) };
        }
    }

    fn entry(
        &mut self,
        record: &Record,
        payload: &[u8],
        place: Place,
        visit: &mut dyn FnMut(Logged<'_>) -> Result<()>,
    ) -> Result<()> {
        let entry =
            Entry::decode(record, payload).map_err(|error| error.at(sediment_codec::frame::RECORD_HEADER_BYTES as u64))?;
        self.is_clean = false;
        match &entry {
            Entry::Start(_) if place.start != BODY_START => {
                return Err(Error::corruption("the first record of a log file in its middle"));
            }
            Entry::Trim { oldest } => self.oldest = self.oldest.max(*oldest),
            Entry::End => self.is_clean = true,
            _ => {}
        }
        let Record { seqno, count, kind, keyspace, .. } = *record;
        let logged = Logged { seqno, count, kind, keyspace, entry, payload };
        if record.count == 0 {
            return if matches!(logged.entry, Entry::Anchor(_)) { visit(logged) } else { Ok(()) };
        }
        let end = record.seqno.checked_add(record.count.into()).filter(|end| *end <= sediment_base::seqno::SEQNO_MAX);
        let end = end.ok_or_else(|| Error::corruption("the seqno of a log record is too large"))?;
        if place.is_durable {
            // So is everything before it.
            self.durable = self.durable.max(end);
            self.tail_bytes = 0;
        } else {
            self.tail_bytes += payload.len() as u64 + RECORD_BYTES;
        }
        if end <= self.next {
            return Ok(());
        }
        if record.seqno != self.next {
            return Err(gap(self.next, record.seqno));
        }
        visit(logged)?;
        self.next = end;
        Ok(())
    }
}

#[derive(Clone, Copy)]
struct Place {
    start: u64,
    is_durable: bool,
}

/// A batch in fragments that is being put together.
#[derive(Default)]
struct Assembly {
    start: u64,
    first: Option<Record>,
    payload: Vec<u8>,
}

impl Assembly {
    /// Takes one record; returns the whole, and where it begins, once it is complete.
    fn add<'a>(&'a mut self, record: &Record, payload: &'a [u8], start: u64) -> Result<Option<(u64, &'a [u8])>> {
        let follows =
            self.first.is_some_and(|first| (first.kind, first.seqno, first.count) == (record.kind, record.seqno, record.count));
        match record.fragment {
            Fragment::Whole if self.first.is_none() => return Ok(Some((start, payload))),
            Fragment::First if self.first.is_none() => {
                self.payload.clear();
                self.start = start;
                self.first = Some(*record);
            }
            Fragment::Middle | Fragment::Last if follows => {}
            _ => return Err(Error::corruption("a log record out of its place among fragments").at(start)),
        }
        if self.payload.len() + payload.len() > limits::BATCH_BYTES_MAX {
            return Err(Error::corruption("a batch in the log is larger than any that is written").at(start));
        }
        self.payload.extend_from_slice(payload);
        if record.fragment == Fragment::Last {
            self.first = None;
            return Ok(Some((self.start, &self.payload)));
        }
        Ok(None)
    }
}

#[cold]
fn gap(expected: SeqNo, found: SeqNo) -> Error {
    Error::corruption("the log has a gap or an overlap: seqno of a record").expected_found(expected, found)
}
