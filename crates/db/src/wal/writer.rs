//! Writing to the log's files: what whoever leads does, one at a time, outside the lock that gives seqnos.
//!
//! A file that is full is followed by another in one of two ways. *In line*: the new one is made, and its birth synced, and then it
//! is written; whoever leads waits for that. *Handed over*: somebody else makes it, to continue from a place, and meanwhile the old one
//! is written on; what goes there after the place is kept, and repeated at the beginning of the new file. Either way the new file's
//! first record tells how far the old one was known to be durable, and the old one is not synced for that: it may be removed before
//! anybody needs it to be.
//!
//! After a failed write the file is never written again, and the next one begins in line.

use crate::wal::{
    fatal::Fatal,
    file_list::FileList,
    files::{OpenFile, WalDir},
    format::{CREATION_BYTES, FileStart},
    prepared::Prepared,
    reader::Tail,
    submitted::Submitted,
    sync::{Position, Syncer},
};
use sediment_base::{
    Account, Error, ErrorKind, FileUuid, Result, SeqNo, WalId,
    budget::Charge,
    event::WalFileBegun,
    planted::{Bug, planted},
    stats::{Counter, Histogram},
};
use sediment_env::LogFile;
use std::{cell::Cell, sync::Arc};

/// How much of a long record is gathered for one call of the system.
const WRITE_BYTES: usize = 4 << 20;
/// How much may be kept for a file that is being made, before whoever leads makes one itself.
const REPEATED_BYTES_MAX: u64 = 16 << 20;

/// How much of what was found is gathered for one call of the system.
const REPEATED_AT_ONCE_BYTES: u64 = 1 << 20;

/// A record up to this long is copied under the lock that gives seqnos, where that is all there is to do.
const AT_ONCE_BYTES_MAX: u64 = 4 << 10;

thread_local! {
    /// What a record is put together in that is written at once: memory that no other processor has to fetch under the lock.
    static AT_ONCE: Cell<Vec<u8>> = const { Cell::new(Vec::new()) };
}

/// What the one who leads writes with. What every commit changes comes first, as in [`Order`](super::order::Order).
#[derive(Debug)]
#[repr(C)]
pub(super) struct Writer {
    /// Records with smaller seqnos are in files, durable or not.
    in_files: SeqNo,
    file: Option<OpenFile>,
    pub(super) dir: WalDir,
    pub(super) fatal: Arc<Fatal>,
    pub(super) syncer: Arc<Syncer>,
    pub(super) files: Arc<FileList>,
    /// The file had a failed write: the next one begins another.
    is_broken: bool,
    /// What the first file of this process continues.
    link: Option<Link>,
    /// What it repeats.
    tail: Option<Tail>,
    hand_over: Option<HandOver>,
    /// Whether somebody prepares files, and lets go of those that are full: that takes the system some milliseconds.
    is_helped: bool,
    /// Full files to let go of.
    full: Vec<Arc<dyn LogFile>>,
    scratch: Vec<u8>,
    /// An empty group, for its memory.
    group: Vec<Arc<Submitted>>,
    /// Holds what is kept for the next file, and the scratch.
    charge: Charge,
}

/// Most records that an empty group keeps memory for.
const GROUP_RECORDS_KEPT: usize = 1 << 14;

/// The end of a file.
#[derive(Clone, Copy, Debug)]
pub(super) struct Link {
    pub(super) id: WalId,
    pub(super) uuid: FileUuid,
    pub(super) end: u64,
}

/// What there was before this process.
#[derive(Clone, Copy, Debug)]
pub(super) struct Before {
    pub(super) link: Option<Link>,
    pub(super) tail: Option<Tail>,
    /// The seqno after the last record.
    pub(super) next: SeqNo,
}

/// What follows a place in the file that is written, and the file that will repeat it.
#[derive(Debug)]
struct HandOver {
    from: Link,
    repeated: Vec<Arc<Submitted>>,
    repeated_bytes: u64,
    file: Option<OpenFile>,
}

/// What a prepared file continues.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place {
    pub(super) link: Link,
    /// How far that file is known to be durable.
    pub(super) durable: u64,
    pub(super) seqno: SeqNo,
}

impl Writer {
    pub(super) fn new(dir: WalDir, fatal: Arc<Fatal>, syncer: Arc<Syncer>, files: Arc<FileList>, before: Before) -> Self {
        let charge = Charge::new(&dir.instruments.budget, Account::Log, 0);
        let Before { link, tail, next: in_files } = before;
        Self {
            dir,
            fatal,
            syncer,
            files,
            file: None,
            is_broken: false,
            in_files,
            link,
            tail,
            hand_over: None,
            is_helped: false,
            full: Vec::new(),
            scratch: Vec::new(),
            group: Vec::new(),
            charge,
        }
    }

    /// A group with nothing in it.
    pub(super) fn take_group(&mut self) -> Vec<Arc<Submitted>> {
        std::mem::take(&mut self.group)
    }

    /// Keeps the memory of a group that was emptied.
    pub(super) fn keep_group(&mut self, mut group: Vec<Arc<Submitted>>) {
        group.shrink_to(GROUP_RECORDS_KEPT);
        self.group = group;
    }

    /// Where the file that is written ends; none before the first write of this process.
    pub(super) fn position(&self) -> Option<Position> {
        self.file.as_ref().map(|file| Position { file: file.id, offset: file.writer.offset() })
    }

    /// Whether the first file is still to repeat what was found.
    pub(super) fn has_tail(&self) -> bool {
        self.tail.is_some()
    }

    /// The same once nothing is needed up to `covered`: then it need not.
    pub(super) fn must_repeat_beyond(&mut self, covered: SeqNo) -> bool {
        self.tail = self.tail.filter(|tail| tail.end_seqno > covered.saturating_add(1));
        self.has_tail()
    }

    /// From now on somebody prepares files, or nobody does.
    pub(super) fn set_helped(&mut self, is_helped: bool) {
        self.is_helped = is_helped;
    }

    /// Whether writing a record that takes so many bytes is a short copy in memory and nothing else.
    pub(super) fn can_write_at_once(&self, bytes: u64) -> bool {
        let has_room = |file: &OpenFile| file.log.is_mapped() && file.writer.offset() + bytes <= file.capacity;
        let is_plain = !self.is_broken && self.hand_over.is_none();
        bytes <= AT_ONCE_BYTES_MAX && is_plain && self.file.as_ref().is_some_and(has_room)
    }

    /// Writes one record where [`Self::can_write_at_once`] says so. Nothing has happened on an error.
    pub(super) fn write_at_once(&mut self, seqno: SeqNo, record: &Prepared<'_>) -> Result<Position> {
        let file = self.file.as_mut().expect("it has room");
        let mut scratch = AT_ONCE.take();
        let written = put(file, self.syncer.synced_upto(), std::iter::once((seqno, record)), &mut scratch);
        AT_ONCE.set(scratch);
        match written {
            Ok(bytes) => self.count_group(1, bytes),
            Err(error) => return Err(self.broken(error)),
        }
        Ok(self.wrote(seqno + SeqNo::from(record.count())))
    }

    /// Writes records whose seqnos follow each other, with one call where they are not long. Nothing has happened on an error.
    pub(super) fn write(&mut self, batch: &[Arc<Submitted>]) -> Result<Position> {
        self.fatal.check()?;
        let bytes = batch.iter().map(|submitted| submitted.record().stored_bytes()).sum();
        let first_seqno = batch.first().map_or(self.in_files, |submitted| submitted.seqno());
        let written = match self.make_room(bytes, first_seqno)? {
            Some((file, repeated)) => self.write_to_prepared(file, &repeated, batch),
            None => self.write_on(batch),
        };
        if let Err(error) = written {
            return Err(self.broken(error));
        }
        if let Some(hand_over) = &mut self.hand_over {
            hand_over.repeated.extend(batch.iter().cloned());
            hand_over.repeated_bytes += bytes;
        }
        Ok(self.wrote(batch.last().map_or(self.in_files, |last| last.end_seqno())))
    }

    /// Whether the file is full and somebody should prepare the next one.
    pub(super) fn wants_successor(&self) -> bool {
        let is_prepared = self.hand_over.as_ref().is_some_and(|hand_over| hand_over.file.is_some());
        self.is_helped && !is_prepared && self.file.as_ref().is_some_and(|file| file.writer.offset() >= file.capacity)
    }

    /// Whether a helper has something to do: the next file is wanted, or much is written and not synced.
    pub(super) fn wants_help(&self) -> bool {
        let is_due = self.wants_successor() || !self.full.is_empty() || self.syncer.has_backlog();
        self.is_helped && is_due
    }

    /// Hands out the files that are full.
    pub(super) fn take_full(&mut self) -> Vec<Arc<dyn LogFile>> {
        std::mem::take(&mut self.full)
    }

    /// Begins to keep what is written from here on; the place. `None` where there is nothing to continue.
    pub(super) fn begin_hand_over(&mut self) -> Option<Place> {
        if self.is_broken || !self.wants_successor() {
            return None;
        }
        let file = self.file.as_ref()?;
        let link = Link { id: file.id, uuid: file.uuid, end: file.writer.offset() };
        self.hand_over = Some(HandOver { from: link, repeated: Vec::new(), repeated_bytes: 0, file: None });
        Some(Place { link, durable: self.syncer.synced_upto(), seqno: self.in_files })
    }

    /// Takes the file that was made for a place, to write it next; gives it back if the log has gone another way.
    pub(super) fn end_hand_over(&mut self, place: &Place, made: OpenFile) -> Option<OpenFile> {
        match &mut self.hand_over {
            Some(hand_over) if (hand_over.from.id, hand_over.from.end) == (place.link.id, place.link.end) => {
                hand_over.file.replace(made)
            }
            _ => Some(made),
        }
    }

    /// Everything below `end` is in files.
    fn wrote(&mut self, end: SeqNo) -> Position {
        self.in_files = self.in_files.max(end);
        self.count_memory();
        let position = self.position().expect("a file is open");
        self.syncer.written(position.offset, self.in_files);
        position
    }

    /// A write to the file has failed.
    fn broken(&mut self, error: Error) -> Error {
        if !planted(Bug::AppendAfterFailedAppend) {
            self.is_broken = true;
            self.abandon_hand_over();
        }
        self.failed(error)
    }

    /// Goes over to another file, if there is one to leave; in line.
    pub(super) fn begin_anew(&mut self) -> Result<bool> {
        self.fatal.check()?;
        if self.file.is_none() || self.is_broken {
            return Ok(false);
        }
        self.begin_in_line(0, self.in_files).map(|()| true)
    }

    /// Forgets a file that was prepared. It holds nothing.
    pub(super) fn abandon_hand_over(&mut self) {
        if let Some(file) = self.hand_over.take().and_then(|hand_over| hand_over.file) {
            self.dir.discard(file.id);
        }
    }

    /// Sees to it that a file is open that has room and no failed write. Or it is time to go over to a prepared one: that, and what
    /// has to be written to it first.
    fn make_room(&mut self, bytes: u64, first_seqno: SeqNo) -> Result<Option<(OpenFile, Vec<Arc<Submitted>>)>> {
        if let Some(file) = self.file.as_ref().filter(|_| !self.is_broken) {
            let is_full = file.writer.offset().saturating_add(bytes) > file.capacity;
            if !is_full || file.writer.offset() <= CREATION_BYTES {
                return Ok(None);
            }
            if let Some(HandOver { repeated, file: Some(file), .. }) = self.hand_over.take_if(|it| it.file.is_some()) {
                let repeated = if planted(Bug::ForgetRepeatedRecords) { Vec::new() } else { repeated };
                return Ok(Some((file, repeated)));
            }
            let kept = self.hand_over.as_ref().map_or(0, |hand_over| hand_over.repeated_bytes);
            if self.is_helped && kept + bytes <= REPEATED_BYTES_MAX {
                return Ok(None);
            }
        }
        self.begin_in_line(bytes, first_seqno)?;
        Ok(None)
    }

    fn write_on(&mut self, batch: &[Arc<Submitted>]) -> Result<()> {
        let file = self.file.as_mut().expect("made room in it");
        let bytes = put(file, self.syncer.synced_upto(), records(batch), &mut self.scratch)?;
        self.count_group(batch.len(), bytes);
        Ok(())
    }

    /// The old file stays the one that would be continued until everything after the place is in the new one.
    fn write_to_prepared(&mut self, mut file: OpenFile, repeated: &[Arc<Submitted>], batch: &[Arc<Submitted>]) -> Result<()> {
        match put(&mut file, CREATION_BYTES, records(repeated).chain(records(batch)), &mut self.scratch) {
            Ok(bytes) => self.count_group(repeated.len() + batch.len(), bytes),
            Err(error) => {
                self.dir.discard(file.id);
                return Err(error);
            }
        }
        self.enter(file);
        Ok(())
    }

    fn begin_in_line(&mut self, bytes: u64, first_seqno: SeqNo) -> Result<()> {
        self.abandon_hand_over();
        let link = match &self.file {
            Some(file) => Some(Link { id: file.id, uuid: file.uuid, end: self.syncer.synced_upto() }),
            None => self.link,
        };
        let (id, oldest) = self.files.take_id();
        let start = FileStart {
            previous: link.map_or(id, |link| link.id),
            previous_uuid: link.map_or_else(FileUuid::default, |link| link.uuid),
            previous_end: link.map_or(0, |link| link.end),
            first_seqno: self.tail.map_or(first_seqno, |tail| tail.first_seqno),
            resume_seqno: self.in_files,
            oldest,
        };
        let created = self.dir.create(id, &start, bytes + self.tail.map_or(0, |tail| tail.bytes));
        let mut file = created.map_err(|error| self.failed(error))?;
        if let Some(tail) = self.tail {
            self.repeat(&tail, &mut file).map_err(|error| {
                self.dir.discard(id);
                self.failed(error)
            })?;
            self.tail = None;
        }
        self.enter(file);
        Ok(())
    }

    /// Writes what was found, and may not be durable, to the first file of this process.
    fn repeat(&mut self, tail: &Tail, file: &mut OpenFile) -> Result<()> {
        let dir = self.dir.clone();
        let (mut group, mut group_bytes) = (Vec::new(), 0);
        let mut write = |group: &mut Vec<Arc<Submitted>>| -> Result<()> {
            let bytes = put(file, CREATION_BYTES, records(group), &mut self.scratch)?;
            self.count_group(group.len(), bytes);
            group.clear();
            Ok(())
        };
        tail.read(&dir, &mut |seqno, record| {
            group_bytes += record.stored_bytes();
            group.push(Arc::new(Submitted::standing(seqno, record)));
            if group_bytes < REPEATED_AT_ONCE_BYTES {
                return Ok(());
            }
            group_bytes = 0;
            write(&mut group)
        })?;
        write(&mut group)
    }

    fn enter(&mut self, file: OpenFile) {
        self.syncer.switch(&file);
        let before = self.file.as_ref().map(|file| file.writer.offset());
        self.files.begin(file.id, self.in_files, before);
        let instruments = &self.dir.instruments;
        instruments.count(Counter::WalFilesBegun, 1);
        instruments.count(Counter::WalBytesWritten, CREATION_BYTES);
        instruments.events.post(|| WalFileBegun { wal: file.id });
        let full = self.file.replace(file);
        self.full.extend(full.filter(|_| self.is_helped).map(|full| full.log));
        self.is_broken = false;
    }

    fn count_group(&self, records: usize, bytes: u64) {
        let stats = &self.dir.instruments.stats;
        let local = stats.local();
        local.add(Counter::WalGroups, 1);
        local.add(Counter::WalRecords, records as u64);
        local.add(Counter::WalBytesWritten, bytes);
        stats.record(Histogram::WalGroupRecords, records as u64);
    }

    fn count_memory(&self) {
        let kept = self.hand_over.as_ref().map_or(0, |hand_over| hand_over.repeated_bytes);
        let bytes = kept + self.scratch.capacity() as u64;
        if bytes != self.charge.bytes() {
            self.charge.resize(bytes);
        }
    }

    /// A full disk refuses this write only; anything else ends all writing.
    fn failed(&self, error: Error) -> Error {
        if error.kind() == ErrorKind::NoSpace { error } else { self.fatal.set(error) }
    }
}

fn records<'r>(batch: &'r [Arc<Submitted>]) -> impl Iterator<Item = (SeqNo, &'r Prepared<'r>)> {
    batch.iter().map(|submitted| -> (SeqNo, &'r Prepared<'r>) { (submitted.seqno(), submitted.record()) })
}

/// Appends records to a file; how many bytes. On an error it must not be written again.
fn put<'r>(
    file: &mut OpenFile,
    synced_upto: u64,
    mut records: impl Iterator<Item = (SeqNo, &'r Prepared<'r>)>,
    scratch: &mut Vec<u8>,
) -> Result<u64> {
    let mut writer = file.writer.clone();
    let start = writer.offset();
    let mut offset = start;
    let log = &file.log;
    let mut flush = |out: &mut Vec<u8>| -> Result<()> {
        log.write_at(offset, out)?;
        offset += out.len() as u64;
        out.clear();
        Ok(())
    };
    let mut spill = |out: &mut Vec<u8>| if out.len() >= WRITE_BYTES { flush(out) } else { Ok(()) };
    scratch.clear();
    let encoded = records.try_for_each(|(seqno, record)| record.write(seqno, synced_upto, &mut writer, scratch, &mut spill));
    let written = encoded.and_then(|()| flush(scratch));
    scratch.shrink_to(WRITE_BYTES);
    let bytes = writer.offset() - start;
    if written.is_ok() || planted(Bug::AppendAfterFailedAppend) {
        file.writer = writer;
    }
    written.map(|()| bytes)
}
