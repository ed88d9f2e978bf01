//! `CURRENT`: which generation of a manifest or catalog holds.
//!
//! ```text
//!   0 header (kind Current, generation)     136 generation u64     160 root u64
//! 128 kind of the named file u64            144 its uuid 16        168 CRC-64/NVME of the file's uuid and bytes 0..168
//! ```
//!
//! It names the file by number, uuid and content: the *root* is a checksum of the content that the named generation began
//! with, so that neither another file nor an older state under the right name is taken for it.

use crate::{
    checksum::{crc64, matches},
    coding::{Reader, Writer},
    header::{FileHeader, FileKind, HEADER_BYTES},
};
use sediment_base::{Error, FileUuid, Generation, Result, limits};

const CHECKED_BYTES: usize = 168;

/// What `CURRENT` says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Current {
    /// What kind of file it names: a manifest or a catalog.
    pub kind: FileKind,
    /// The generation that holds.
    pub generation: Generation,
    /// The uuid in the header of that file.
    pub uuid: FileUuid,
    /// A checksum of what that file began with, of the owner's choice.
    pub root: u64,
}

impl Current {
    /// Length of the file.
    pub const BYTES: usize = CHECKED_BYTES + 8;

    /// The whole file; `own_uuid` is random.
    pub fn encode(&self, db_uuid: FileUuid, own_uuid: FileUuid) -> Vec<u8> {
        let mut header = FileHeader::new(FileKind::Current, db_uuid, 0, own_uuid);
        header.generation = self.generation;
        let mut out = Vec::with_capacity(Self::BYTES);
        out.put_bytes(&header.encode());
        out.put_u64(self.kind as u64);
        out.put_u64(self.generation.0);
        out.put_bytes(&self.uuid.0);
        out.put_u64(self.root);
        let sum = crc64(crc64(0, &own_uuid.0), &out);
        out.put_u64(sum);
        out
    }

    /// Reads the whole file, which must name a file of this kind.
    pub fn decode(bytes: &[u8], kind: FileKind) -> Result<(FileHeader, Self)> {
        let (header, current) = Self::decode_any(bytes)?;
        if current.kind == kind {
            return Ok((header, current));
        }
        let error = Error::corruption("kind of file that CURRENT names").at(HEADER_BYTES as u64);
        Err(error.expected_found(format!("{kind:?}"), format!("{:?}", current.kind)))
    }

    /// Reads the whole file, whatever it names.
    pub fn decode_any(bytes: &[u8]) -> Result<(FileHeader, Self)> {
        let header = FileHeader::decode(bytes)?;
        header.expect(FileKind::Current)?;
        let mut reader = Reader::new(bytes);
        let covered = reader.clone().bytes(CHECKED_BYTES)?;
        reader.bytes(HEADER_BYTES)?;
        let kind = reader.u64()?;
        let (generation, uuid) = (Generation(reader.u64()?), FileUuid(reader.array()?));
        let root = reader.u64()?;
        let (found, expected) = (reader.u64()?, crc64(crc64(0, &header.uuid.0), covered));
        reader.expect_end()?;
        if !matches(found, expected) {
            let error = Error::corruption("checksum of CURRENT").at(CHECKED_BYTES as u64);
            return Err(error.expected_found(format!("{expected:016x}"), format!("{found:016x}")));
        }
        if generation.0 >= limits::ID_END {
            return Err(Error::corruption("generation that CURRENT names is none").at(HEADER_BYTES as u64));
        }
        let Some(kind) = u8::try_from(kind).ok().and_then(FileKind::from_tag) else {
            return Err(Error::unsupported(format!("CURRENT names a file of kind {kind}, which is not known to this version")));
        };
        Ok((header, Self { kind, generation, uuid, root }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use sediment_base::ErrorKind;

    const OWN: FileUuid = FileUuid([5; 16]);

    fn sample() -> Current {
        Current { kind: FileKind::Manifest, generation: Generation(0x0102), uuid: FileUuid([6; 16]), root: 0x0304 }
    }

    /// Files hold these bytes: if this fails, old files are no longer read.
    #[test]
    fn every_field_has_its_place() {
        let bytes = sample().encode(FileUuid([4; 16]), OWN);
        let mut expected = vec![3, 0, 0, 0, 0, 0, 0, 0, 2, 1, 0, 0, 0, 0, 0, 0];
        expected.extend([6; 16]);
        expected.extend([4, 3, 0, 0, 0, 0, 0, 0]);
        assert_eq!((bytes.len(), &bytes[HEADER_BYTES..CHECKED_BYTES]), (Current::BYTES, &expected[..]));
        let covered = [&OWN.0, &bytes[..CHECKED_BYTES]].concat();
        assert_eq!(bytes[CHECKED_BYTES..], crc64(0, &covered).to_le_bytes());
        let (header, current) = Current::decode(&bytes, FileKind::Manifest).unwrap();
        assert_eq!((header.generation, header.uuid, current), (Generation(0x0102), OWN, sample()));
    }

    #[test]
    fn every_flipped_bit_and_every_length_is_noticed() {
        let bytes = sample().encode(FileUuid([4; 16]), OWN);
        for bit in 0..bytes.len() * 8 {
            let mut damaged = bytes.clone();
            damaged[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(Current::decode_any(&damaged).unwrap_err().kind(), ErrorKind::Corruption, "bit {bit}");
        }
        assert!((0..bytes.len()).all(|len| Current::decode_any(&bytes[..len]).is_err()));
        assert!(Current::decode_any(&[&bytes[..], &[0]].concat()).is_err());
    }

    #[test]
    fn a_tree_is_not_taken_for_a_database() {
        let bytes = sample().encode(FileUuid([4; 16]), OWN);
        assert_eq!(Current::decode(&bytes, FileKind::Catalog).unwrap_err().expected(), Some(("Catalog", "Manifest")));
    }
}
