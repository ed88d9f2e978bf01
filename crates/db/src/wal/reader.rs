//! Replay: the log's files as one sequence of records.
//!
//! The newest file that has begun is the end of the chain; its first record names the file before it, and so on back to the
//! first file that is still needed. Every file but the last must be readable up to the place that its successor calls durable;
//! what lies behind counts as far as it goes, because the successor repeats it, or power was lost. The last file may end in a torn
//! tail, by the rule of [`torn_tail`] and no other.
//!
//! Records seen already are skipped by their seqno; the next one must continue without a gap. Records may be missing at the end of a
//! file where power was lost before it was synced. Then a later file repeats them, or they are in tables (*covered*), or else the log
//! ends there; but if a later file was synced, which no file is before those in front of it, it is corruption.

use crate::wal::{
    files::{FoundFile, LiveFile, WalDir},
    format::{BODY_START, CREATION_BYTES, Entry, RecordKind},
    prepared::Prepared,
};
use sediment_base::{
    Error, Result, SeqNo, WalId, filename, limits,
    planted::{Bug, planted},
};
use sediment_codec::frame::{Fragment, Record, RecordReader, Step, torn_tail};
use sediment_env::fs::missing_is_damage;
use std::collections::BTreeMap;

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
    let listing = dir.env.fs.read_dir(&dir.dir.join(filename::WAL_DIR));
    let listing = listing.map_err(|error| missing_is_damage(error, "the folder of the log"))?;
    let lengths: BTreeMap<WalId, u64> =
        listing.iter().filter_map(|entry| Some((WalId(filename::parse_number(&entry.name)?), entry.len))).collect();
    let mut chain = find_chain(dir, &lengths, false)?;
    if chain.is_empty() && covered > 0 {
        // What was written to the newest file went with the power.
        chain = find_chain(dir, &lengths, true)?;
        if chain.is_empty() {
            let folder = dir.dir.join(filename::WAL_DIR);
            return Err(Error::corruption("every file of the log is missing").in_file(&folder));
        }
    }
    let mut replay = Replay::new(chain.first().map_or(1, |file| file.start.first_seqno), covered);
    // What files behind each say: where they give up what is before them, and from where on they can stand in for it.
    let (mut limits, mut resumed) = (vec![SeqNo::MAX; chain.len()], vec![SeqNo::MAX; chain.len()]);
    for i in (1..chain.len()).rev() {
        limits[i - 1] = limits[i].min(chain[i].start.resume_seqno);
        resumed[i - 1] = resumed[i].min(chain[i].start.first_seqno);
    }
    let mut last = None;
    let mut ends = Vec::with_capacity(chain.len());
    let mut bytes = Vec::new();
    for (i, file) in chain.iter().enumerate() {
        let in_file = |error: Error| error.in_file(&dir.path(file.id));
        if file.start.first_seqno > replay.next && resumed[i] <= replay.next {
            ends.push(replay.next);
            continue;
        }
        if !replay.reaches(file.start.first_seqno) {
            let missing = || in_file(gap(replay.next, file.start.first_seqno));
            if is_any_synced(dir, &chain[i..])? && !planted(Bug::TruncateAtFirstDamage) {
                return Err(missing());
            }
            break;
        }
        dir.read_into(file.id, &mut bytes)?;
        let bound = match chain.get(i + 1) {
            Some(next) => Bound { durable: next.start.previous_end, end: End::Next(resumed[i]), limit: limits[i] },
            None => survey(file, &bytes).map_err(in_file)?,
        };
        replay.file(file, &bytes, &bound, visit).map_err(in_file)?;
        last = Some((file.clone(), bound.durable));
        ends.push(replay.next);
    }
    replay.reaches(covered.saturating_add(1));
    check_oldest(dir, &chain, &replay)?;
    chain.truncate(ends.len());
    let files = live_files(&chain, &ends, &lengths);
    let orphans = lengths.keys().filter(|id| chain.iter().all(|file| file.id != **id)).copied().collect();
    Ok(Recovered {
        next_seqno: replay.next,
        tail: replay.tail().filter(|_| !planted(Bug::TrustReplayedTail)),
        last,
        files,
        next_id: lengths.keys().max().map_or(next_id, |id| id.next().max(next_id)),
        orphans,
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
    pub(super) fn read(&self, dir: &WalDir, visit: &mut dyn FnMut(SeqNo, Prepared) -> Result<()>) -> Result<()> {
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

/// How far one file counts.
#[derive(Clone, Copy, Debug)]
struct Bound {
    /// Damage before this place is corruption.
    durable: u64,
    end: End,
    /// Records at or above this seqno were given up by a later file.
    limit: SeqNo,
}

/// What ends a file.
#[derive(Clone, Copy, Debug)]
enum End {
    /// The last one of all: the place where it validly ends, decided beforehand.
    At(u64),
    /// Others follow, with the records from this seqno on.
    Next(SeqNo),
}

/// The files that continue each other, oldest first. The last one has begun, unless `may_be_empty`.
fn find_chain(dir: &WalDir, lengths: &BTreeMap<WalId, u64>, may_be_empty: bool) -> Result<Vec<FoundFile>> {
    let mut chain: Vec<FoundFile> = Vec::new();
    for id in lengths.keys().rev() {
        let wanted = chain.last().map(|file| &file.start);
        match wanted {
            Some(start) if start.previous > *id => break,
            Some(start) if start.previous < *id => continue,
            _ => {}
        }
        let bytes = if wanted.is_some() { dir.read_birth(*id)? } else { dir.read(*id)? };
        let Some(found) = dir.inspect(*id, &bytes)? else {
            if wanted.is_some() {
                return Err(Error::corruption("the birth of a log file that a later one continues").in_file(&dir.path(*id)));
            }
            continue;
        };
        if wanted.is_some_and(|start| start.previous_uuid != found.uuid) {
            return Err(Error::corruption("a log file is not the one that its successor continues").in_file(&dir.path(*id)));
        }
        if !chain.is_empty() || found.has_begun || may_be_empty {
            chain.push(found);
        }
    }
    chain.reverse();
    Ok(chain)
}

/// Whether any file of the rest of a chain is known to have been synced since its birth.
fn is_any_synced(dir: &WalDir, rest: &[FoundFile]) -> Result<bool> {
    if rest.iter().any(|file| file.start.previous_end > CREATION_BYTES && file.id != rest[0].id) {
        return Ok(true);
    }
    for file in rest {
        let in_file = |error: Error| error.in_file(&dir.path(file.id));
        if survey(file, &dir.read(file.id)?).map_err(in_file)?.durable > CREATION_BYTES {
            return Ok(true);
        }
    }
    Ok(false)
}

/// The first file of the chain must be no newer than the oldest that was needed, unless what was before it is covered.
fn check_oldest(dir: &WalDir, chain: &[FoundFile], replay: &Replay) -> Result<()> {
    let Some(first) = chain.first() else { return Ok(()) };
    let needed = chain.iter().map(|file| file.start.oldest).max().unwrap_or_default().max(replay.oldest);
    if first.id <= needed || first.start.previous == first.id || first.start.first_seqno <= replay.covered + 1 {
        return Ok(());
    }
    Err(Error::corruption("a log file that is still needed is missing").in_file(&dir.path(first.start.previous)))
}

/// What each file holds: the records up to where its replay ended. The last one may still get more.
fn live_files(chain: &[FoundFile], ends: &[SeqNo], lengths: &BTreeMap<WalId, u64>) -> Vec<LiveFile> {
    let ends = ends.iter().copied().take(chain.len().saturating_sub(1)).chain([SeqNo::MAX]);
    chain.iter().zip(ends).map(|(file, end_seqno)| LiveFile { id: file.id, end_seqno, bytes: lengths[&file.id] }).collect()
}

/// Looks over the last file: where it validly ends and how far it is known to be durable.
fn survey(file: &FoundFile, bytes: &[u8]) -> Result<Bound> {
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

fn valid_end(reader: &RecordReader<'_>, damage: u64, error: Error) -> Result<u64> {
    if planted(Bug::TruncateAtFirstDamage) { Ok(damage) } else { torn_tail(reader, damage, error) }
}

fn expect_nothing_behind(reader: &mut RecordReader<'_>) -> Result<()> {
    match reader.next() {
        Step::End { .. } => Ok(()),
        Step::Record { start, .. } => Err(Error::corruption("a log record behind the end mark").at(start)),
        Step::Damage { error, .. } => Err(error.context("behind the end mark of the log")),
    }
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
