//! The manifest: an append-only log of edits behind a snapshot, and the rules that keep it believable.
//!
//! `manifest-<gen>` is a header, a snapshot record, and edit records; `CURRENT` names the generation that holds. One record is
//! one write, then one sync, and only then is the edit visible to anybody.
//!
//! * A file that was read at open is never appended to: the first edit afterwards begins a new generation. Nobody knows what a
//!   crash left behind its end.
//! * After a failed append or sync that file is never touched again: the edit goes into a new generation at once.
//! * A new generation is written and synced whole, its name too, before `CURRENT` is replaced. The generation before it is kept
//!   until the next one is in place.
//! * If the new generation fails as well, no edit is accepted any more (`Poisoned`, with the first cause), but for a full disk:
//!   then the next edit tries again. An edit that was refused may still be on disk; its files must not be removed.
//!
//! One caller at a time.

use super::{
    Edit, ManifestPosition, Version,
    format::{EDIT_RECORD, RecordPlace, SNAPSHOT_RECORD, decode_edit, encode_edit, open_payload, seal_payload},
};
use sediment_base::{
    Error, ErrorKind, FileUuid, Generation, Result, TableId, filename,
    planted::{Bug, planted},
};
use sediment_codec::{
    current::Current,
    frame::{self, Record, RecordReader, RecordWriter, Step},
    header::{FileHeader, FileKind, HEADER_BYTES},
};
use sediment_env::{File, Fs, Random, atomic_file};
use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

/// A log below this is never worth a new generation.
const LOG_BYTES_MIN: u64 = 64 << 10;
/// How many times longer than its snapshot a log may grow.
const LOG_PER_SNAPSHOT_MAX: u64 = 2;

/// What a manifest needs from around it.
#[derive(Clone, Debug)]
pub(crate) struct ManifestContext {
    pub(crate) fs: Arc<dyn Fs>,
    pub(crate) random: Arc<dyn Random>,
    pub(crate) dir: PathBuf,
    pub(crate) db_uuid: FileUuid,
}

/// The manifest of an open tree.
#[derive(Debug)]
pub(crate) struct Manifest {
    context: ManifestContext,
    log: Log,
    next_generation: Generation,
    /// Why no edit is accepted any more.
    poison: Option<Error>,
}

/// One generation.
#[derive(Debug)]
struct Log {
    generation: Generation,
    uuid: FileUuid,
    /// Where edits may be appended; `None` once that is forbidden.
    tail: Option<(Arc<dyn File>, RecordWriter)>,
    snapshot_end: u64,
    /// End of the last durable record.
    end: u64,
    root: u64,
}

/// What a manifest file says.
#[derive(Debug)]
pub(crate) struct Replayed {
    pub(crate) header: FileHeader,
    /// The snapshot, then the edits.
    pub(crate) edits: Vec<Edit>,
    /// Whether the log ended as a finished record ends.
    pub(crate) is_clean: bool,
    root: u64,
    snapshot_end: u64,
    end: u64,
}

impl Replayed {
    /// Where its last record ends.
    pub(crate) fn end(&self) -> u64 {
        self.end
    }
}

impl Manifest {
    /// Writes a first generation; who calls publishes it.
    pub(crate) fn begin(context: ManifestContext, generation: Generation, snapshot: &Edit) -> Result<Self> {
        let log = Log::write(&context, generation, snapshot)?;
        Ok(Self { context, log, next_generation: generation.next(), poison: None })
    }

    /// Takes over a generation that was read. `next_generation` is above every one that was ever written.
    pub(crate) fn resume(context: ManifestContext, replayed: &Replayed, next_generation: Generation) -> Self {
        let log = Log {
            generation: replayed.header.generation,
            uuid: replayed.header.uuid,
            tail: None,
            snapshot_end: replayed.snapshot_end,
            end: replayed.end,
            root: replayed.root,
        };
        Self { context, log, next_generation, poison: None }
    }

    /// Makes an edit durable; `after` is the version that it leads to. Returns whether a new generation was begun.
    pub(crate) fn commit(&mut self, edit: &Edit, after: &Version, next_table: TableId) -> Result<bool> {
        if let Some(cause) = &self.poison {
            return Err(cause.clone());
        }
        let mut first_cause = None;
        if !self.log.is_outgrown() && self.log.tail.is_some() {
            match self.log.append(edit) {
                Ok(()) => return Ok(false),
                Err(_) if planted(Bug::RetryFailedSync) && self.log.retry_sync() => return Ok(false),
                Err(error) => first_cause = Some(error),
            }
        }
        match self.rotate(&after.snapshot(next_table)) {
            Ok(()) => Ok(true),
            Err(error) if error.kind() == ErrorKind::NoSpace => Err(error),
            Err(error) => {
                let cause = first_cause.unwrap_or(error).with_kind(ErrorKind::Poisoned);
                let cause = cause.context("the manifest cannot be written, reopen the tree");
                self.poison = Some(cause.clone());
                Err(cause)
            }
        }
    }

    /// Whether this process wrote and synced the file itself. What was read at opening may be in the system's memory alone.
    pub(crate) fn is_confirmed(&self) -> bool {
        self.log.tail.is_some()
    }

    /// How far it is durable.
    pub(crate) fn position(&self) -> ManifestPosition {
        ManifestPosition { generation: self.log.generation, length: self.log.end }
    }

    /// What `CURRENT` has to say of it.
    pub(crate) fn current(&self) -> Current {
        current_of(&self.log)
    }

    /// Why no edit is accepted any more.
    pub(crate) fn poison(&self) -> Option<&Error> {
        self.poison.as_ref()
    }

    fn rotate(&mut self, snapshot: &Edit) -> Result<()> {
        let generation = self.next_generation;
        self.next_generation = generation.next();
        let log = Log::write(&self.context, generation, snapshot)?;
        let current = current_of(&log);
        let bytes = current.encode(self.context.db_uuid, self.context.random.uuid()?);
        atomic_file::replace(&*self.context.fs, &self.context.dir.join(filename::CURRENT), &bytes)?;
        let before = std::mem::replace(&mut self.log, log).generation;
        self.remove_older_than(before);
        Ok(())
    }

    /// Removes generations that even the one before the current does not need. Failing changes nothing.
    fn remove_older_than(&self, kept: Generation) {
        let Ok(entries) = self.context.fs.read_dir(&self.context.dir) else { return };
        for entry in entries {
            match filename::FileName::parse(&entry.name) {
                Some(filename::FileName::Manifest(generation)) if generation < kept => {
                    let _ = self.context.fs.remove_file(&filename::manifest(&self.context.dir, generation));
                }
                _ => {}
            }
        }
    }
}

impl Log {
    /// Writes a whole generation, durable with its name.
    fn write(context: &ManifestContext, generation: Generation, snapshot: &Edit) -> Result<Self> {
        let uuid = context.random.uuid()?;
        let mut header = FileHeader::new(FileKind::Manifest, context.db_uuid, generation.0, uuid);
        header.generation = generation;
        let mut bytes = header.encode().to_vec();
        let mut writer = RecordWriter::new(uuid, 0, HEADER_BYTES as u64);
        let root = encode_record(&mut writer, uuid, SNAPSHOT_RECORD, snapshot, &mut bytes)?;
        let file = context.fs.create(&filename::manifest(&context.dir, generation))?;
        file.write_at(0, &bytes)?;
        if !planted(Bug::SwitchCurrentBeforeSync) {
            file.sync_all()?;
            context.fs.sync_dir(&context.dir)?;
        }
        let end = writer.offset();
        Ok(Self { generation, uuid, tail: Some((file, writer)), snapshot_end: end, end, root })
    }

    /// Appends one edit, durably. After an error the tail is gone.
    fn append(&mut self, edit: &Edit) -> Result<()> {
        let Some((file, mut writer)) = self.tail.take() else {
            return Err(Error::invalid_input("this generation takes no more edits"));
        };
        let start = writer.offset();
        let mut bytes = Vec::new();
        encode_record(&mut writer, self.uuid, EDIT_RECORD, edit, &mut bytes)?;
        file.write_at(start, &bytes)?;
        if planted(Bug::RetryFailedSync) {
            self.tail = Some((Arc::clone(&file), writer.clone()));
        }
        if !planted(Bug::PublishBeforeManifestSync) {
            file.sync_all()?;
        }
        self.end = writer.offset();
        self.tail = Some((file, writer));
        Ok(())
    }

    /// The mistake of believing a sync because an earlier one failed.
    fn retry_sync(&mut self) -> bool {
        let Some((file, writer)) = &self.tail else { return false };
        let is_synced = file.sync_all().is_ok();
        self.end = writer.offset();
        is_synced
    }

    fn is_outgrown(&self) -> bool {
        self.end - self.snapshot_end > LOG_BYTES_MIN.max(self.snapshot_end.saturating_mul(LOG_PER_SNAPSHOT_MAX))
    }
}

/// What `CURRENT` says of a generation.
fn current_of(log: &Log) -> Current {
    Current { kind: FileKind::Manifest, generation: log.generation, uuid: log.uuid, root: log.root }
}

/// Appends a record, and returns the checksum of its payload.
fn encode_record(writer: &mut RecordWriter, uuid: FileUuid, kind: u8, edit: &Edit, out: &mut Vec<u8>) -> Result<u64> {
    let offset = writer.offset();
    let mut payload = Vec::new();
    encode_edit(edit, &mut payload);
    let sum = seal_payload(RecordPlace { uuid, kind, offset }, &mut payload);
    let record = Record { kind, count: 1, synced_upto: offset, ..Record::default() };
    writer.append(&record, &payload, frame::payload_crc(&payload), out)?;
    Ok(sum)
}

/// Reads the manifest that `current` names, or, for a dump, whatever is there.
pub(crate) fn read_manifest(fs: &dyn Fs, path: &Path, current: Option<&Current>) -> Result<Replayed> {
    let bytes = read_whole(fs, path)?;
    replay(&bytes, current).map_err(|error| error.in_file(path))
}

/// All bytes of a file.
pub(crate) fn read_whole(fs: &dyn Fs, path: &Path) -> Result<Vec<u8>> {
    let file = fs.open(path)?;
    let len = file.len()?;
    let len = usize::try_from(len).map_err(|_| Error::corruption("a file longer than memory").in_file(path))?;
    let mut bytes = Vec::new();
    bytes.try_reserve_exact(len).map_err(|_| Error::corruption("a file longer than memory").in_file(path))?;
    bytes.resize(len, 0);
    file.read_exact_at(0, &mut bytes)?;
    Ok(bytes)
}

fn replay(bytes: &[u8], current: Option<&Current>) -> Result<Replayed> {
    let header = FileHeader::decode(bytes)?;
    header.expect(FileKind::Manifest)?;
    if let Some(current) = current
        && (header.uuid, header.generation) != (current.uuid, current.generation)
    {
        let expected = format!("generation {} {}", current.generation, current.uuid);
        let found = format!("generation {} {}", header.generation, header.uuid);
        return Err(Error::corruption("this is not the manifest that CURRENT names").expected_found(expected, found));
    }
    let mut reader = RecordReader::new(header.uuid, 0, bytes, HEADER_BYTES as u64);
    let (mut edits, mut root, mut snapshot_end) = (Vec::new(), 0, 0);
    let (end, is_clean) = loop {
        match reader.next() {
            Step::Record { record, payload, start, end } => {
                let expected_kind = if edits.is_empty() { SNAPSHOT_RECORD } else { EDIT_RECORD };
                if record.kind != expected_kind {
                    return Err(unexpected_kind(expected_kind, record.kind).at(start));
                }
                let place = RecordPlace { uuid: header.uuid, kind: record.kind, offset: start };
                let (fields, sum) = open_payload(place, payload).map_err(|error| error.at(start))?;
                if edits.is_empty() {
                    (root, snapshot_end) = (sum, end);
                }
                edits.push(decode_edit(fields).map_err(|error| error.at(start + frame::RECORD_HEADER_BYTES as u64))?);
            }
            Step::End { offset } if !edits.is_empty() => break (offset, true),
            Step::End { offset } => return Err(Error::corruption("a manifest without its snapshot").at(offset)),
            Step::Damage { error, .. } if edits.is_empty() => return Err(error),
            Step::Damage { offset, error } => break (frame::torn_tail(&reader, offset, error)?, false),
        }
    };
    if let Some(current) = current
        && current.root != root
    {
        let error = Error::corruption("the manifest's snapshot is not the one that CURRENT names");
        return Err(error.expected_found(format!("{:016x}", current.root), format!("{root:016x}")).at(HEADER_BYTES as u64));
    }
    Ok(Replayed { header, edits, is_clean, root, snapshot_end, end })
}

#[cold]
fn unexpected_kind(expected: u8, found: u8) -> Error {
    match found {
        SNAPSHOT_RECORD | EDIT_RECORD => Error::corruption("kind of a manifest record").expected_found(expected, found),
        _ => Error::unsupported(format!("manifest record kind {found} is unknown to this version; upgrade Sediment")),
    }
}
