//! The files of the log: making one, knowing which there are, removing those that nobody needs.
//!
//! A file is *born* when its header and its first record verify. Both are synced, with the directory, before anything else is
//! written to it, so a file that is not born holds nothing, and a byte behind its first record proves that its birth was
//! durable.

use crate::{
    instruments::Instruments,
    wal::{
        format::{BODY_START, CREATION_BYTES, Entry, FileStart, RecordKind},
        sync::sync_file,
    },
};
use sediment_base::{
    Error, FileUuid, Generation, Result, SeqNo, WalId, filename,
    planted::{Bug, planted},
};
use sediment_codec::{
    frame::{Record, RecordReader, RecordWriter, Step, payload_crc},
    header::{FileHeader, FileKind},
};
use sediment_env::{Env, LogFile};
use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

/// Where the log lives, and what its new files need.
#[derive(Clone, Debug)]
pub(crate) struct WalDir {
    pub(crate) env: Env,
    pub(crate) dir: PathBuf,
    pub(crate) db_uuid: FileUuid,
    pub(crate) file_bytes: u64,
    pub(crate) instruments: Arc<Instruments>,
}

/// A file of the log that is open for appending. What every record changes comes first.
#[derive(Debug)]
#[repr(C)]
pub(crate) struct OpenFile {
    /// Where the next record goes. Everything before it was written.
    pub(crate) writer: RecordWriter,
    pub(crate) capacity: u64,
    pub(crate) log: Arc<dyn LogFile>,
    pub(crate) id: WalId,
    pub(crate) uuid: FileUuid,
}

/// A file of the log as replay found it.
#[derive(Clone, Debug)]
pub(crate) struct FoundFile {
    pub(crate) id: WalId,
    pub(crate) uuid: FileUuid,
    pub(crate) epoch: u32,
    pub(crate) start: FileStart,
    /// Whether anything follows the first record.
    pub(crate) has_begun: bool,
}

/// A file of the log whose records may still be needed.
#[derive(Clone, Copy, Debug)]
pub(crate) struct LiveFile {
    pub(crate) id: WalId,
    /// Every record in it that counts has a smaller seqno. The maximum for the newest file.
    pub(crate) end_seqno: SeqNo,
    pub(crate) bytes: u64,
}

impl WalDir {
    /// Removes a file that nothing names and that was not written.
    pub(crate) fn discard(&self, id: WalId) {
        let _ = self.env.fs.remove_file(&self.path(id));
    }

    pub(crate) fn path(&self, id: WalId) -> PathBuf {
        filename::wal(&self.dir, id)
    }

    /// Makes a file that continues the log as `start` says; durable on return, its name too.
    pub(crate) fn create(&self, id: WalId, start: &FileStart, room_bytes: u64) -> Result<OpenFile> {
        let path = self.path(id);
        let uuid = self.env.random.uuid()?;
        let epoch = epoch_of(id);
        let capacity = self.file_bytes.max(CREATION_BYTES.saturating_add(room_bytes));
        let mut header = FileHeader::new(FileKind::Wal, self.db_uuid, id.0, uuid);
        header.generation = Generation(epoch.into());
        let mut bytes = header.encode().to_vec();
        let mut writer = RecordWriter::new(uuid, epoch, BODY_START);
        let record = Record { kind: RecordKind::Start as u8, seqno: start.first_seqno, ..Record::default() };
        let payload = start.encode();
        writer.append(&record, &payload, payload_crc(&payload), &mut bytes)?;
        let log = self.env.fs.create_log(&path, capacity)?;
        if let Err(error) = log.write_at(0, &bytes) {
            // Nothing names it and its id is not used again; on a full disk it would only be in the way.
            self.discard(id);
            return Err(error);
        }
        sync_file(&self.instruments, &*log).map_err(unsynced)?;
        if !planted(Bug::SkipWalDirectorySync) {
            self.env.fs.sync_dir(&self.dir.join(filename::WAL_DIR)).map_err(unsynced)?;
        }
        Ok(OpenFile { id, uuid, log, writer, capacity })
    }

    /// Reads the whole of a file.
    pub(crate) fn read(&self, id: WalId) -> Result<Vec<u8>> {
        read_whole(&self.env, &self.path(id))
    }

    /// The same into a buffer, in place of what it holds: memory that was used before costs less.
    pub(crate) fn read_into(&self, id: WalId, bytes: &mut Vec<u8>) -> Result<()> {
        read_whole_into(&self.env, &self.path(id), bytes)
    }

    /// Reads as much of a file as is written before its creation is durable.
    pub(crate) fn read_birth(&self, id: WalId) -> Result<Vec<u8>> {
        let file = self.env.fs.open(&self.path(id))?;
        let mut bytes = vec![0; file.len()?.min(CREATION_BYTES) as usize];
        file.read_exact_at(0, &mut bytes)?;
        Ok(bytes)
    }

    /// Reads a file's birth; `None` for one that was never born, whose creation a crash cut short.
    pub(crate) fn inspect(&self, id: WalId, bytes: &[u8]) -> Result<Option<FoundFile>> {
        let path = self.path(id);
        let born = read_birth(bytes);
        let has_begun = bytes.get(CREATION_BYTES as usize..).is_some_and(|rest| rest.iter().any(|byte| *byte != 0));
        let found = match born {
            Ok((header, start)) => {
                self.check_identity(&header, id).map_err(|error| error.in_file(&path))?;
                FoundFile { id, uuid: header.uuid, epoch: header.generation.0 as u32, start, has_begun }
            }
            Err(error) if has_begun || error.kind() != sediment_base::ErrorKind::Corruption => return Err(error.in_file(&path)),
            Err(_) => return Ok(None),
        };
        Ok(Some(found))
    }

    fn check_identity(&self, header: &FileHeader, id: WalId) -> Result<()> {
        if header.db_uuid != self.db_uuid {
            return Err(Error::corruption("a log file of another database").expected_found(self.db_uuid, header.db_uuid));
        }
        if header.file_id != id.0 {
            return Err(Error::corruption("a log file under another's name").expected_found(id, header.file_id));
        }
        Ok(())
    }
}

/// The epoch that records of a file carry.
pub(crate) fn epoch_of(id: WalId) -> u32 {
    id.0 as u32
}

/// Reads the whole of a file.
pub(crate) fn read_whole(env: &Env, path: &Path) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    read_whole_into(env, path, &mut bytes)?;
    Ok(bytes)
}

fn read_whole_into(env: &Env, path: &Path, bytes: &mut Vec<u8>) -> Result<()> {
    let file = env.fs.open(path)?;
    let wanted = usize::try_from(file.len()?).unwrap_or(usize::MAX);
    bytes.truncate(wanted);
    bytes.try_reserve_exact(wanted - bytes.len()).map_err(|error| {
        Error::new(sediment_base::ErrorKind::Io, "not enough memory to read the file").with_source(error).in_file(path)
    })?;
    bytes.resize(wanted, 0);
    file.read_exact_at(0, bytes)
}

/// Reads header and first record.
pub(crate) fn read_birth(bytes: &[u8]) -> Result<(FileHeader, FileStart)> {
    let header = FileHeader::decode(bytes)?;
    header.expect(FileKind::Wal)?;
    let mut reader = RecordReader::new(header.uuid, header.generation.0 as u32, bytes, BODY_START);
    match reader.next() {
        Step::Record { record, payload, .. } => match Entry::decode(&record, payload).map_err(|error| error.at(BODY_START))? {
            Entry::Start(start) => Ok((header, start)),
            _ => Err(Error::corruption("a log file begins with a record of another kind").at(BODY_START)),
        },
        Step::End { offset } => Err(Error::corruption("a log file without its first record").at(offset)),
        Step::Damage { error, .. } => Err(error),
    }
}

/// A creation whose sync failed: what is on disk is unknown, so the caller must stop writing. The kind tells it apart from a
/// full disk, which harms nothing.
fn unsynced(error: Error) -> Error {
    if error.kind() == sediment_base::ErrorKind::NoSpace { error.with_kind(sediment_base::ErrorKind::Io) } else { error }
}
