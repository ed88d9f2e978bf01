//! `Log`: appending, in one place and under one lock.
//!
//! The lock is also the order of commits: whoever holds it takes the next seqnos, appends, applies to memtables and publishes.
//! Records of [`Durability::Memory`](crate::Durability::Memory) wait in `pending`; so does, after an unclean close, the replayed
//! tail. Whatever is written next takes them along, in front of itself. Nothing is applied whose append failed.

use crate::wal::{
    fatal::Fatal,
    files::{LiveFile, OpenFile, WalDir},
    format::{Anchor, Entry, FileStart, RecordKind, for_each_op},
    prepared::Prepared,
    reader::{Logged, Recovered, replay},
    sync::{Position, Syncer},
};
use sediment_base::{
    Error, ErrorKind, FileUuid, Result, SeqNo, WalId,
    planted::{Bug, planted},
    seqno::SEQNO_MAX,
};
use std::sync::{
    Arc, Mutex, MutexGuard,
    atomic::{AtomicUsize, Ordering},
};

/// Records that may wait in the process, in bytes.
const PENDING_BYTES_MAX: u64 = 1 << 20;

/// How much of a long record is gathered for one call of the system.
const WRITE_BYTES: usize = 4 << 20;

/// The write-ahead log. Shared.
#[derive(Debug)]
pub(crate) struct Log {
    dir: WalDir,
    fatal: Arc<Fatal>,
    syncer: Syncer,
    file_count: AtomicUsize,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    next_seqno: SeqNo,
    file: Option<OpenFile>,
    /// The file had a failed append: the next write begins another.
    is_broken: bool,
    /// Oldest first; their seqnos are contiguous and end at `next_seqno`.
    pending: Vec<(SeqNo, Prepared)>,
    pending_bytes: u64,
    /// Commits with smaller seqnos are in files, durable or not.
    in_files: SeqNo,
    /// What the next file continues, as long as none is open.
    link: Option<Link>,
    next_id: WalId,
    files: Vec<LiveFile>,
    is_closed: bool,
    scratch: Vec<u8>,
}

#[derive(Clone, Copy, Debug)]
struct Link {
    id: WalId,
    uuid: FileUuid,
    end: u64,
}

/// The log, locked: nobody commits meanwhile.
#[derive(Debug)]
pub(crate) struct LogGuard<'a> {
    log: &'a Log,
    state: MutexGuard<'a, State>,
}

impl Log {
    /// Goes on where replay ended. Writes nothing yet.
    pub(crate) fn new(dir: WalDir, recovered: Recovered, fatal: Arc<Fatal>) -> Self {
        let durable = recovered.tail.first().map_or(recovered.next_seqno, |(seqno, _)| *seqno);
        let link = recovered.last.map(|(file, end)| Link { id: file.id, uuid: file.uuid, end });
        let state = State {
            next_seqno: recovered.next_seqno,
            file: None,
            is_broken: false,
            pending_bytes: recovered.tail.iter().map(|(_, record)| record.stored_bytes()).sum(),
            pending: recovered.tail,
            in_files: recovered.next_seqno,
            link,
            next_id: recovered.next_id,
            files: recovered.files,
            is_closed: false,
            scratch: Vec::new(),
        };
        let file_count = AtomicUsize::new(state.files.len());
        Self { dir, fatal, syncer: Syncer::new(durable), file_count, state: Mutex::new(state) }
    }

    /// Waits for whoever commits, then keeps others from it.
    pub(crate) fn lock(&self) -> LogGuard<'_> {
        LogGuard { log: self, state: self.state.lock().expect("no code panics under the log's lock") }
    }

    /// Returns once everything before `position` is durable.
    pub(crate) fn sync_to(&self, position: Position) -> Result<()> {
        self.syncer.sync_to(position, &self.fatal)
    }

    /// Returns once every record up to and including `seqno` is durable.
    pub(crate) fn sync_through(&self, seqno: SeqNo) -> Result<()> {
        if self.syncer.is_durable(seqno.saturating_add(1)) {
            return Ok(());
        }
        let position = self.lock().write_pending()?;
        position.map_or(Ok(()), |position| self.sync_to(position))
    }

    /// Removes the files all of whose records lie below `needed_from`, once the log says durably that it may.
    pub(crate) fn trim(&self, needed_from: SeqNo) -> Result<()> {
        let (oldest, position) = {
            let mut guard = self.lock();
            let Some(oldest) = guard.oldest_needed(needed_from) else { return Ok(()) };
            (oldest, guard.append_note(RecordKind::Trim, oldest.0.to_le_bytes().to_vec())?)
        };
        self.sync_to(position)?;
        loop {
            let mut guard = self.lock();
            let Some(first) = guard.state.files.first().copied() else { return Ok(()) };
            // No further than the record says, although the file that the record ended may be superfluous too by now.
            if first.id >= oldest {
                return Ok(());
            }
            self.dir.env.fs.remove_file(&self.dir.path(first.id))?;
            guard.state.files.remove(0);
            self.file_count.store(guard.state.files.len(), Ordering::Relaxed);
        }
    }

    /// Reads every record of every file that is needed: files, bytes, and what is wrong. Nobody commits meanwhile.
    pub(crate) fn verify(&self) -> (u64, u64, Option<Error>) {
        let _guard = self.lock();
        let mut check = |logged: Logged<'_>| match logged.entry {
            Entry::Batch => for_each_op(logged.payload, logged.count, |_| Ok(())),
            _ => Ok(()),
        };
        match replay(&self.dir, WalId::default(), &mut check) {
            Ok(found) => (found.files.len() as u64, found.files.iter().map(|file| file.bytes).sum(), None),
            Err(error) => (0, 0, Some(error)),
        }
    }

    /// Whether more than `files_max` files are needed.
    pub(crate) fn is_crowded(&self, files_max: usize) -> bool {
        self.file_count.load(Ordering::Relaxed) > files_max
    }

    /// Number and bytes of the files that are still needed.
    pub(crate) fn size(&self) -> (usize, u64) {
        let guard = self.lock();
        let open = guard.state.file.as_ref().map_or(0, |file| file.writer.offset());
        (guard.state.files.len(), guard.state.files.iter().map(|file| file.bytes).sum::<u64>() + open)
    }
}

impl LogGuard<'_> {
    /// The seqno of the next record.
    pub(crate) fn next_seqno(&self) -> SeqNo {
        self.state.next_seqno
    }

    /// Refuses when the log was closed or has failed.
    pub(crate) fn check(&self) -> Result<()> {
        if self.state.is_closed {
            return Err(Error::new(ErrorKind::Closed, "the database was closed"));
        }
        self.log.fatal.check()
    }

    /// The seqno after the oldest file's records, if more than `files_max` files are needed.
    pub(crate) fn crowded(&self, files_max: usize) -> Option<SeqNo> {
        (self.state.files.len() > files_max).then(|| self.state.files[0].end_seqno)
    }

    /// Gives the record the next seqnos and hands it to the operating system, behind all that is pending. On an error nothing
    /// has happened.
    pub(crate) fn append(&mut self, record: &Prepared) -> Result<Position> {
        let end = self.end_seqno(record)?;
        let seqno = self.state.next_seqno;
        let position = self.write(Some((seqno, record)))?;
        self.state.next_seqno = end;
        self.state.in_files = end;
        self.log.syncer.written(position.offset, end);
        Ok(position)
    }

    /// Gives the record the next seqnos and lets it wait in the process, if there is room.
    pub(crate) fn buffer(&mut self, record: Prepared) -> Result<()> {
        let end = self.end_seqno(&record)?;
        self.state.pending_bytes += record.stored_bytes();
        let seqno = self.state.next_seqno;
        self.state.pending.push((seqno, record));
        self.state.next_seqno = end;
        Ok(())
    }

    /// Whether another record may wait in the process.
    pub(crate) fn has_room(&self, record: &Prepared) -> bool {
        self.state.pending_bytes + record.stored_bytes() <= PENDING_BYTES_MAX
    }

    /// Hands what is pending to the operating system. Where that ends; `None` if this handle has never written.
    pub(crate) fn write_pending(&mut self) -> Result<Option<Position>> {
        if !self.state.pending.is_empty() {
            self.check()?;
            let position = self.write(None)?;
            self.log.syncer.written(position.offset, self.state.next_seqno);
        }
        Ok(self.position())
    }

    /// Remembers how far a tree's manifest is durable.
    pub(crate) fn append_anchor(&mut self, anchor: Anchor) -> Result<Position> {
        self.append_note(RecordKind::Anchor, anchor.encode())
    }

    /// Ends the log: what is pending is written, and everything synced, then the end mark. Nothing can be appended after.
    pub(crate) fn close(&mut self) -> Result<()> {
        if self.state.is_closed {
            return Ok(());
        }
        // A replayed tail is pending too: it was never known to be durable.
        let is_untouched = self.state.file.is_none() && self.state.pending.is_empty();
        let ended = self.log.fatal.check().and_then(|()| if is_untouched { Ok(()) } else { self.end() });
        self.state.is_closed = true;
        ended
    }

    fn end(&mut self) -> Result<()> {
        if let Some(position) = self.write_pending()? {
            self.log.sync_to(position)?;
        }
        let position = self.append_note(RecordKind::End, Vec::new())?;
        self.log.sync_to(position)
    }

    /// Appends a record that takes no seqno.
    fn append_note(&mut self, kind: RecordKind, payload: Vec<u8>) -> Result<Position> {
        self.check()?;
        let note = Prepared::new(kind, 0, 0, payload);
        let seqno = self.state.next_seqno;
        let position = self.write(Some((seqno, &note)))?;
        self.log.syncer.written(position.offset, seqno);
        Ok(position)
    }

    fn position(&self) -> Option<Position> {
        let file = self.state.file.as_ref()?;
        Some(Position { file: file.id, offset: file.writer.offset() })
    }

    fn end_seqno(&self, record: &Prepared) -> Result<SeqNo> {
        let end = self.state.next_seqno.checked_add(record.count().into()).filter(|end| *end < SEQNO_MAX);
        end.ok_or_else(|| Error::invalid_input("the database has used up its sequence numbers"))
    }

    /// The first file that is needed, if older ones can go.
    fn oldest_needed(&self, needed_from: SeqNo) -> Option<WalId> {
        let files = &self.state.files;
        let removable = files.iter().take_while(|file| file.end_seqno <= needed_from).count();
        (removable > 0).then(|| files.get(removable).map(|file| file.id)).flatten()
    }

    /// Writes everything pending and then `new`, with one call where it is not long.
    fn write(&mut self, new: Option<(SeqNo, &Prepared)>) -> Result<Position> {
        let pending: u64 = self.state.pending.iter().map(|(_, record)| record.stored_bytes()).sum();
        self.make_room(pending + new.map_or(0, |(_, record)| record.stored_bytes()))?;
        let state = &mut *self.state;
        let file = state.file.as_mut().expect("made above");
        let synced_upto = self.log.syncer.synced_upto();
        let mut writer = file.writer.clone();
        let mut offset = writer.offset();
        let log = &file.log;
        let mut flush = |out: &mut Vec<u8>| -> Result<()> {
            log.write_at(offset, out)?;
            offset += out.len() as u64;
            out.clear();
            Ok(())
        };
        let mut spill = |out: &mut Vec<u8>| if out.len() >= WRITE_BYTES { flush(out) } else { Ok(()) };
        state.scratch.clear();
        let mut records = state.pending.iter().map(|(seqno, record)| (*seqno, record)).chain(new);
        let encoded = records
            .try_for_each(|(seqno, record)| record.write(seqno, synced_upto, &mut writer, &mut state.scratch, &mut spill));
        let written = encoded.and_then(|()| flush(&mut state.scratch));
        state.scratch.shrink_to(WRITE_BYTES);
        match written {
            Ok(()) => file.writer = writer,
            Err(error) => {
                if planted(Bug::AppendAfterFailedAppend) {
                    file.writer = writer;
                } else {
                    state.is_broken = true;
                }
                return Err(self.failed(error));
            }
        }
        state.pending.clear();
        state.pending_bytes = 0;
        state.in_files = state.next_seqno;
        Ok(Position { file: file.id, offset: file.writer.offset() })
    }

    /// Sees to it that a file is open that has room and no failed append.
    fn make_room(&mut self, bytes: u64) -> Result<()> {
        self.check()?;
        let state = &mut *self.state;
        if let Some(file) = &state.file {
            let is_full = file.writer.offset().saturating_add(bytes) > file.capacity;
            if !state.is_broken && (!is_full || file.writer.offset() <= super::format::CREATION_BYTES) {
                return Ok(());
            }
        }
        let id = state.next_id;
        state.next_id = id.next();
        let link = match &state.file {
            Some(file) => Some(Link { id: file.id, uuid: file.uuid, end: file.writer.offset() }),
            None => state.link,
        };
        let first_seqno = state.pending.first().map_or(state.next_seqno, |(seqno, _)| *seqno);
        let start = FileStart {
            previous: link.map_or(id, |link| link.id),
            previous_uuid: link.map_or_else(FileUuid::default, |link| link.uuid),
            previous_end: link.map_or(0, |link| link.end),
            first_seqno,
            resume_seqno: state.in_files,
            oldest: state.files.first().map_or(id, |file| file.id),
        };
        let created = self.log.syncer.switch(&self.log.fatal, || self.log.dir.create(id, &start, bytes));
        let file = created.map_err(|error| self.failed(error))?;
        let state = &mut *self.state;
        if let Some(last) = state.files.last_mut() {
            last.end_seqno = start.resume_seqno;
            last.bytes = state.file.as_ref().map_or(last.bytes, |file| file.writer.offset());
        }
        state.files.push(LiveFile { id, end_seqno: SeqNo::MAX, bytes: 0 });
        self.log.file_count.store(state.files.len(), Ordering::Relaxed);
        state.file = Some(file);
        state.is_broken = false;
        Ok(())
    }

    /// A full disk refuses this write only; anything else ends all writing.
    fn failed(&self, error: Error) -> Error {
        if error.kind() == ErrorKind::NoSpace { error } else { self.log.fatal.set(error) }
    }
}
