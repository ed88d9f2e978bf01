//! `CURRENT`: which generation of the manifest holds.
//!
//! ```text
//! header 128 (kind Current, generation) | generation u64 | manifest uuid 16 | root u64 | CRC-64 of all before, with the uuid
//! ```
//!
//! The root is the checksum of the manifest's first record, so that an older manifest under the right name is noticed.

#![deny(clippy::indexing_slicing, clippy::unwrap_used, clippy::arithmetic_side_effects)]

use sediment_base::{Error, FileUuid, Generation, Result};
use sediment_codec::{
    checksum::{crc64, matches},
    coding::{Reader, Writer},
    header::{FileHeader, FileKind, HEADER_BYTES},
};

/// What `CURRENT` says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Current {
    /// The generation that holds.
    pub(crate) generation: Generation,
    /// The identity of its file.
    pub(crate) manifest: FileUuid,
    /// The checksum of its first record.
    pub(crate) root: u64,
}

impl Current {
    /// Length of the file.
    pub(crate) const BYTES: usize = HEADER_BYTES + 8 + 16 + 8 + 8;

    /// The whole file; `uuid` is its own.
    pub(crate) fn encode(&self, db_uuid: FileUuid, uuid: FileUuid) -> Vec<u8> {
        let mut header = FileHeader::new(FileKind::Current, db_uuid, 0, uuid);
        header.generation = self.generation;
        let mut out = header.encode().to_vec();
        out.put_u64(self.generation.0);
        out.put_bytes(&self.manifest.0);
        out.put_u64(self.root);
        let sum = crc64(crc64(0, &uuid.0), &out);
        out.put_u64(sum);
        out
    }

    /// Reads the whole file.
    pub(crate) fn decode(bytes: &[u8]) -> Result<(FileHeader, Self)> {
        let header = FileHeader::decode(bytes)?;
        header.expect(FileKind::Current)?;
        let mut reader = Reader::new(bytes);
        reader.bytes(HEADER_BYTES)?;
        let current = Self { generation: Generation(reader.u64()?), manifest: FileUuid(reader.array()?), root: reader.u64()? };
        let covered = bytes.get(..reader.position()).unwrap_or_default();
        let (found, expected) = (reader.u64()?, crc64(crc64(0, &header.uuid.0), covered));
        reader.expect_end()?;
        if !matches(found, expected) {
            let error = Error::corruption("checksum of CURRENT");
            return Err(error.expected_found(format!("{expected:016x}"), format!("{found:016x}")));
        }
        Ok((header, current))
    }
}
