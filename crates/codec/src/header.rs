//! The 128 bytes with which every file begins, and which tables repeat at their tail.
//!
//! ```text
//!   0 magic 8          10 kind u8          28 database uuid 16     68 file uuid 16
//!   8 format u16       11 suite u8         44 file id u64          84 commitment 32
//!                      12 key epoch u32    52 generation u64      116 body length u64 (0 at the head)
//!                      16 features 3 x u32 60 incarnation u64     124 CRC-32C of bytes 0..124
//! ```
//!
//! The place of magic, format and checksum never changes, so that any version can tell a file of a later version from a
//! damaged one. Suite, key epoch, commitment and incarnation are zero until files are encrypted.

use crate::{
    checksum,
    coding::{ArrayWriter, Reader},
};
use sediment_base::{Error, FileUuid, Generation, Result, limits};

/// Length of the header.
pub const HEADER_BYTES: usize = 128;

/// First bytes of every file. The first is no text, the line ends show a transfer that rewrote them.
pub const MAGIC: [u8; 8] = *b"\x89SDM\r\n\x1a\n";

/// The format that this version writes; it reads all from 1 on.
pub const FORMAT: u16 = 1;

const CHECKED_BYTES: usize = 124;

/// What a file holds. The numbers are on disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum FileKind {
    /// Sorted rows.
    Table = 1,
    /// Separated values.
    Blob = 2,
    /// The log of a tree's versions.
    Manifest = 3,
    /// The log of a database's keyspaces.
    Catalog = 4,
    /// The write-ahead log.
    Wal = 5,
    /// Names the newest generation of a manifest or catalog.
    Current = 6,
    /// A dictionary for compression.
    Dictionary = 7,
    /// Wrapped encryption keys.
    KeyRing = 8,
}

impl FileKind {
    pub(crate) fn from_tag(tag: u8) -> Option<Self> {
        Some(match tag {
            1 => Self::Table,
            2 => Self::Blob,
            3 => Self::Manifest,
            4 => Self::Catalog,
            5 => Self::Wal,
            6 => Self::Current,
            7 => Self::Dictionary,
            8 => Self::KeyRing,
            _ => return None,
        })
    }
}

/// Sets of features that a file makes use of, one bit each. This version knows none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Features {
    /// Who does not know one of these must not open the file.
    pub incompat: u32,
    /// Who does not know one of these may read the file, and must not write where it lives.
    pub ro_compat: u32,
    /// Who does not know one of these may ignore it.
    pub compat: u32,
}

impl Features {
    /// Bits of `incompat` that this version knows.
    pub const INCOMPAT_KNOWN: u32 = 0;
    /// Bits of `ro_compat` that this version knows.
    pub const RO_COMPAT_KNOWN: u32 = 0;

    /// Whether the file may be read, but nothing may be written where it lives.
    pub fn requires_read_only(&self) -> bool {
        self.ro_compat & !Self::RO_COMPAT_KNOWN != 0
    }
}

/// The header of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileHeader {
    /// What the file holds.
    pub kind: FileKind,
    /// How its frames are encrypted; 0: not at all.
    pub suite: u8,
    /// Which data key its own key comes from; 0 without encryption.
    pub key_epoch: u32,
    /// What a reader must know.
    pub features: Features,
    /// The database, or the tree that stands alone.
    pub db_uuid: FileUuid,
    /// The number in its name.
    pub file_id: u64,
    /// The manifest or catalog generation; 0 for other kinds.
    pub generation: Generation,
    /// Which copy of the database wrote it, once copies tell themselves apart; 0 until then.
    pub incarnation: u64,
    /// Random: tells this file from every other, and binds its frames to it.
    pub uuid: FileUuid,
    /// Commits to the file's key; zeros without encryption.
    pub commitment: [u8; 32],
}

impl FileHeader {
    /// A header without features and encryption.
    pub fn new(kind: FileKind, db_uuid: FileUuid, file_id: u64, uuid: FileUuid) -> Self {
        Self {
            kind,
            suite: 0,
            key_epoch: 0,
            features: Features::default(),
            db_uuid,
            file_id,
            generation: Generation(0),
            incarnation: 0,
            uuid,
            commitment: [0; 32],
        }
    }

    /// The bytes at the head of the file.
    pub fn encode(&self) -> [u8; HEADER_BYTES] {
        self.encode_tail(0)
    }

    /// The bytes at the tail of the file, whose body ends with the footer frame at `body_len`.
    pub fn encode_tail(&self, body_len: u64) -> [u8; HEADER_BYTES] {
        let mut bytes = [0; HEADER_BYTES];
        let mut out = ArrayWriter::new(&mut bytes);
        out.put(MAGIC);
        out.put(FORMAT.to_le_bytes());
        out.put([self.kind as u8, self.suite]);
        out.put(self.key_epoch.to_le_bytes());
        out.put(self.features.incompat.to_le_bytes());
        out.put(self.features.ro_compat.to_le_bytes());
        out.put(self.features.compat.to_le_bytes());
        out.put(self.db_uuid.0);
        out.put(self.file_id.to_le_bytes());
        out.put(self.generation.0.to_le_bytes());
        out.put(self.incarnation.to_le_bytes());
        out.put(self.uuid.0);
        out.put(self.commitment);
        out.put(body_len.to_le_bytes());
        if let Some((checked, sum)) = bytes.split_first_chunk_mut::<CHECKED_BYTES>() {
            ArrayWriter::new(sum).put(checksum::crc32c(0, checked).to_le_bytes());
        }
        bytes
    }

    /// Reads the header at the head of a file from the file's first bytes.
    pub fn decode(bytes: &[u8]) -> Result<Self> {
        match decode(bytes)? {
            (header, 0) => Ok(header),
            (_, body_len) => Err(Error::corruption("a file begins with the header of a tail").expected_found(0, body_len)),
        }
    }

    /// Reads the header at the tail of a file from the file's last 128 bytes: the header, and where the footer frame begins.
    pub fn decode_tail(bytes: &[u8]) -> Result<(Self, u64)> {
        let (header, body_len) = decode(bytes)?;
        if body_len < HEADER_BYTES as u64 {
            return Err(Error::corruption("body length in the header at the tail")
                .expected_found(format!("at least {HEADER_BYTES}"), body_len));
        }
        Ok((header, body_len))
    }

    /// Insists on the kind of file that its name promises.
    pub fn expect(&self, kind: FileKind) -> Result<()> {
        if self.kind == kind {
            return Ok(());
        }
        Err(Error::corruption("kind of file").expected_found(format!("{kind:?}"), format!("{:?}", self.kind)))
    }
}

fn decode(bytes: &[u8]) -> Result<(FileHeader, u64)> {
    let Some(bytes) = bytes.first_chunk::<HEADER_BYTES>() else {
        let beginning = bytes.get(..MAGIC.len()).unwrap_or(bytes);
        if !MAGIC.starts_with(beginning) {
            return Err(Error::corruption("not a Sediment file"));
        }
        return Err(Error::corruption("file ends inside its header").expected_found(HEADER_BYTES, bytes.len()));
    };
    let mut reader = Reader::new(bytes);
    if reader.array()? != MAGIC {
        return Err(Error::corruption("not a Sediment file"));
    }
    let (checked, _) = bytes.split_at(CHECKED_BYTES);
    let mut sum = Reader::new(bytes);
    sum.bytes(CHECKED_BYTES)?;
    let (found, expected) = (sum.u32()?, checksum::crc32c(0, checked));
    if !checksum::matches(found, expected) {
        return Err(
            Error::corruption("checksum of the file header").expected_found(format!("{expected:08x}"), format!("{found:08x}"))
        );
    }
    let format = reader.u16()?;
    if format != FORMAT {
        return Err(Error::unsupported(format!("file has format {format}, this version reads formats up to {FORMAT}")));
    }
    let (kind, suite) = (reader.u8()?, reader.u8()?);
    let key_epoch = reader.u32()?;
    let features = Features { incompat: reader.u32()?, ro_compat: reader.u32()?, compat: reader.u32()? };
    refuse_unknown(suite, features)?;
    let Some(kind) = FileKind::from_tag(kind) else {
        return Err(Error::unsupported(format!("kind of file {kind} is not known to this version")));
    };
    let header = FileHeader {
        kind,
        suite,
        key_epoch,
        features,
        db_uuid: FileUuid(reader.array()?),
        file_id: reader.u64()?,
        generation: Generation(reader.u64()?),
        incarnation: reader.u64()?,
        uuid: FileUuid(reader.array()?),
        commitment: reader.array()?,
    };
    if header.file_id.max(header.generation.0) >= limits::ID_END {
        return Err(Error::corruption("id in the file header is none"));
    }
    Ok((header, reader.u64()?))
}

fn refuse_unknown(suite: u8, features: Features) -> Result<()> {
    let unknown = features.incompat & !Features::INCOMPAT_KNOWN;
    if unknown != 0 {
        let known = Features::INCOMPAT_KNOWN;
        return Err(Error::unsupported(format!("file needs features {unknown:#x}, this version knows {known:#x}")));
    }
    if suite != 0 {
        return Err(Error::unsupported(format!("file is encrypted by suite {suite}, this version knows none")));
    }
    Ok(())
}

#[cfg(test)]
mod tests;
