//! What keeps the log short: the next file made ahead of its time, old files removed, all of it read through on demand.

use crate::wal::{
    files::OpenFile,
    format::{Entry, FileStart, RecordKind, for_each_op},
    log::Log,
    reader::{Logged, replay},
    writer::Place,
};
use sediment_base::{Error, Result, SeqNo, WalId, event::WalFileRemoved};

impl Log {
    /// Prepares the file that follows the one that is written, if that one is full. What is written meanwhile goes to the old
    /// one, and will be repeated. For one background thread.
    pub(crate) fn prepare_successor(&self) -> Result<bool> {
        let Some(place) = self.writer().begin_hand_over() else { return Ok(false) };
        self.lots.breathe();
        let made = self.make(&place);
        self.lots.breathe();
        let mut writer = self.writer();
        match made {
            Ok(file) => {
                if let Some(unwanted) = writer.end_hand_over(&place, file) {
                    self.dir.discard(unwanted.id);
                }
                Ok(true)
            }
            Err(error) => {
                writer.abandon_hand_over();
                Err(error)
            }
        }
    }

    fn make(&self, place: &Place) -> Result<OpenFile> {
        let (id, oldest) = self.files.take_id();
        let start = FileStart {
            previous: place.link.id,
            previous_uuid: place.link.uuid,
            previous_end: place.durable,
            first_seqno: place.seqno,
            // Nothing in the old file is given up: what lies behind the place is repeated word for word.
            resume_seqno: SeqNo::MAX,
            oldest,
        };
        self.dir.create(id, &start, 0)
    }

    /// Goes over to another file, if this process has written at all, so that those before it can be removed.
    pub(crate) fn begin_anew(&self) -> Result<bool> {
        self.write_waiting()?;
        self.while_still(|| self.writer().begin_anew())
    }

    /// Lets go of files that are full, which writers do not do while there is a helper.
    pub(crate) fn let_go(&self) {
        let full = self.writer().take_full();
        drop(full);
    }

    /// Syncs what is written, if it is much and somebody will ask for it.
    pub(crate) fn sync_backlog(&self) -> Result<bool> {
        self.syncer.sync_backlog()
    }

    /// Removes the files all of whose records lie below `needed_from`. Where a manifest or the catalog says that these are `covered`, that
    /// is all there is to it; otherwise the log itself says first, durably, that they may go.
    pub(crate) fn trim(&self, needed_from: SeqNo, covered: SeqNo) -> Result<()> {
        let Some(oldest) = self.files.oldest_needed(needed_from) else { return Ok(()) };
        if self.files.oldest_needed(needed_from.min(covered.saturating_add(1))) != Some(oldest) {
            let position = self.append_note(RecordKind::Trim, oldest.0.to_le_bytes().to_vec())?;
            self.sync_to(position)?;
        }
        if self.writer().must_repeat_beyond(covered) {
            self.write_waiting()?;
        }
        self.syncer.forget_before(oldest);
        self.files.remove_before(oldest, |id| {
            self.dir.env.fs.remove_file(&self.dir.path(id))?;
            self.dir.instruments.events.post(|| WalFileRemoved { wal: id });
            Ok(())
        })
    }

    /// Reads every record of every file that is needed: files, bytes, and what is wrong. Nothing is needed up to the seqno `covered`. Nobody
    /// commits meanwhile.
    pub(crate) fn verify(&self, covered: SeqNo) -> (u64, u64, Option<Error>) {
        let mut check = |logged: Logged<'_>| match logged.entry {
            Entry::Batch => for_each_op(logged.payload, logged.count, |_| Ok(())),
            _ => Ok(()),
        };
        match self.while_still(|| self.files.while_still(|| replay(&self.dir, covered, WalId::default(), &mut check))) {
            Ok(found) => (found.files.len() as u64, found.files.iter().map(|file| file.bytes).sum(), None),
            Err(error) => (0, 0, Some(error)),
        }
    }

    /// Whether the log is worth more than `files_max` files, and has a file that could go.
    #[inline]
    pub(crate) fn is_crowded(&self, files_max: usize) -> bool {
        self.files.has_full() && self.files_worth() > files_max
    }

    /// The seqno after the records of the oldest file, if the log is crowded.
    pub(crate) fn oldest_end(&self, files_max: usize) -> Option<SeqNo> {
        if self.is_crowded(files_max) { self.files.oldest_end() } else { None }
    }

    /// Whether there is so little of it that it is read in no time: the 256th part of a file.
    pub(crate) fn is_short(&self) -> bool {
        self.size().1 < self.dir.file_bytes / 256
    }

    /// How many files the log is worth: a file is longer than it was meant to be where making its successor takes the disk longer than
    /// writers take to fill it.
    pub(crate) fn files_worth(&self) -> usize {
        let (count, bytes) = self.size();
        count.max((bytes / self.dir.file_bytes) as usize)
    }

    /// Number and bytes of the files that are still needed.
    pub(crate) fn size(&self) -> (usize, u64) {
        let (count, bytes) = self.files.size();
        (count, bytes + self.syncer.written_bytes())
    }
}
