//! The frame of a block: the one way in which a block gets into a file and back.
//!
//! ```text
//!   0 magic u32        8 ordinal u32      24 CRC-64/NVME u64
//!   4 region u8       12 dictionary u32   32 stored bytes
//!   5 kind u8         16 stored len u32      zeros up to a multiple of 64
//!   6 codec u8        20 plain len u32
//!   7 flags u8
//! ```
//!
//! Frames are aligned and say their own length, so that they can be found without an index. The checksum covers the file's
//! uuid, the frame's kind and its offset (which are not stored for it), then bytes 0..24 and the stored bytes: a frame in
//! another place or file does not verify. It does not cover the padding, which must be zero. Verification comes before
//! anything is interpreted.

use crate::{
    checksum,
    coding::{ArrayWriter, Reader, Writer},
    compress::{Codec, Packed, Packer, Unpacker},
};
use sediment_base::{Error, FileUuid, Result, limits};
use std::borrow::Cow;

/// Length of a frame's header.
pub const FRAME_HEADER_BYTES: usize = 32;

/// Every frame begins, and its padding ends, at a multiple of this.
pub const FRAME_ALIGN: usize = 64;

/// First bytes of every frame.
pub const FRAME_MAGIC: u32 = u32::from_le_bytes(*b"SDMF");

/// Flag: an authentication tag ends the stored bytes. Reserved.
pub const FLAG_TAG: u8 = 1;

/// Flag: the frame is protected by parity of its file. Reserved.
pub const FLAG_PARITY: u8 = 2;

const CHECKED_BYTES: usize = 24;
const IDENTITY_BYTES: usize = 32;

/// What part of a file a frame belongs to. The numbers are on disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Region {
    /// Rows.
    Data = 1,
    /// First keys of the data blocks.
    Fence = 2,
    /// Pages of a fence that is too large for memory.
    Leaves = 3,
    /// Filter over keys.
    Filter = 4,
    /// Filter over prefixes.
    PrefixFilter = 5,
    /// Place of the newest version of each key.
    Locator = 6,
    /// Range tombstones.
    RangeTombstones = 7,
    /// Counts, bounds and names.
    Properties = 8,
    /// Dictionary for compression.
    Dictionary = 9,
    /// Which blob files the rows refer to.
    BlobList = 10,
    /// Parity of the file.
    Parity = 11,
    /// Checksums of pages.
    PageSums = 12,
    /// Where the other regions are.
    Footer = 13,
    /// Runs of removed keys.
    RemovedRuns = 14,
}

impl Region {
    /// The region behind a number, or `None` for one of a later version.
    pub fn from_tag(tag: u8) -> Option<Self> {
        Some(match tag {
            1 => Self::Data,
            2 => Self::Fence,
            3 => Self::Leaves,
            4 => Self::Filter,
            5 => Self::PrefixFilter,
            6 => Self::Locator,
            7 => Self::RangeTombstones,
            8 => Self::Properties,
            9 => Self::Dictionary,
            10 => Self::BlobList,
            11 => Self::Parity,
            12 => Self::PageSums,
            13 => Self::Footer,
            14 => Self::RemovedRuns,
            _ => return None,
        })
    }
}

/// Which block of its file a frame holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FrameId {
    /// A [`Region`], or one of a later version.
    pub region: u8,
    /// What the block is, within its region.
    pub kind: u8,
    /// Counts the frames of a region.
    pub ordinal: u32,
}

/// The header of a frame.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FrameHeader {
    /// A [`Region`], or one of a later version.
    pub region: u8,
    /// What the block is, within its region.
    pub kind: u8,
    /// How the stored bytes came from the plain ones.
    pub codec: Codec,
    /// Reserved; 0.
    pub flags: u8,
    /// Counts the frames of a region.
    pub ordinal: u32,
    /// Which dictionary the codec used; 0 for none.
    pub dictionary: u32,
    /// Bytes after the header, without padding.
    pub stored_len: u32,
    /// Bytes of the block itself.
    pub plain_len: u32,
    /// CRC-64/NVME over identity, header and stored bytes.
    pub checksum: u64,
}

impl FrameHeader {
    /// Length of the whole frame with its padding: the next one begins there.
    #[inline]
    pub fn frame_bytes(&self) -> u64 {
        frame_bytes(self.stored_len)
    }

    /// How its bytes were stored.
    #[inline]
    pub fn packed(&self) -> Packed {
        Packed { codec: self.codec, dictionary: self.dictionary }
    }

    fn encode_checked(&self) -> [u8; CHECKED_BYTES] {
        let mut bytes = [0; CHECKED_BYTES];
        let mut out = ArrayWriter::new(&mut bytes);
        out.put(FRAME_MAGIC.to_le_bytes());
        out.put([self.region, self.kind, self.codec.tag(), self.flags]);
        out.put(self.ordinal.to_le_bytes());
        out.put(self.dictionary.to_le_bytes());
        out.put(self.stored_len.to_le_bytes());
        out.put(self.plain_len.to_le_bytes());
        bytes
    }
}

/// Binds frames to their file.
#[derive(Clone, Copy, Debug)]
pub struct Seal {
    /// The file's own uuid, from its header.
    pub uuid: FileUuid,
}

impl Seal {
    /// Appends `plain` as a frame that is to stand at `offset` of the file, stored as it is, with its padding. On error `out` is as
    /// before.
    pub fn seal(&self, id: FrameId, offset: u64, plain: &[u8], out: &mut Vec<u8>) -> Result<FrameHeader> {
        self.seal_with(&mut Packer::default(), id, offset, out, |out| out.put_bytes(plain)).map(|(header, ())| header)
    }

    /// As [`Seal::seal`], for the bytes that `write` appends, once, compressed by `packer` where that saves anything.
    pub fn seal_with<T>(
        &self,
        packer: &mut Packer,
        id: FrameId,
        offset: u64,
        out: &mut Vec<u8>,
        write: impl FnOnce(&mut Vec<u8>) -> T,
    ) -> Result<(FrameHeader, T)> {
        append(offset, out, |start, out| {
            let stored_at = out.len();
            let written = write(out);
            let plain_len = bounded_length(out.len().saturating_sub(stored_at))?;
            let packed = packer.pack_from(stored_at, out)?;
            Ok((self.finish_frame(packed, plain_len, id, offset, (start, out))?, written))
        })
    }

    /// Appends stored bytes, which were packed so from a plain block of that length, as a frame that is to stand at `offset`. On error `out`
    /// is as before.
    pub fn seal_packed(
        &self,
        (packed, plain_len): (Packed, u32),
        id: FrameId,
        offset: u64,
        stored: &[u8],
        out: &mut Vec<u8>,
    ) -> Result<FrameHeader> {
        append(offset, out, |start, out| {
            out.put_bytes(stored);
            self.finish_frame(packed, plain_len, id, offset, (start, out))
        })
    }

    /// Makes a frame of the stored bytes that lie in `out` behind `start` and the place for its header.
    fn finish_frame(
        &self,
        Packed { codec, dictionary }: Packed,
        plain_len: u32,
        id: FrameId,
        offset: u64,
        (start, out): (usize, &mut Vec<u8>),
    ) -> Result<FrameHeader> {
        let (header_place, stored) = out
            .get_mut(start..)
            .and_then(|frame| frame.split_first_chunk_mut::<FRAME_HEADER_BYTES>())
            .ok_or_else(|| Error::invalid_input("a codec shortened its output"))?;
        let mut header = FrameHeader {
            region: id.region,
            kind: id.kind,
            codec,
            flags: 0,
            ordinal: id.ordinal,
            dictionary,
            stored_len: bounded_length(stored.len())?,
            plain_len,
            checksum: 0,
        };
        let checked = header.encode_checked();
        header.checksum = self.checksum(offset, &checked, stored);
        let mut place = ArrayWriter::new(header_place);
        place.put(checked);
        place.put(header.checksum.to_le_bytes());
        let padded = usize::try_from(header.frame_bytes()).unwrap_or(usize::MAX);
        out.resize(start.saturating_add(padded), 0);
        Ok(header)
    }

    /// Verifies and unpacks the frame that stood at `offset`. `frame` begins with it and holds all of it, padding included;
    /// what follows is not looked at.
    pub fn open<'a>(&self, unpacker: &Unpacker, offset: u64, frame: &'a [u8]) -> Result<(FrameHeader, Cow<'a, [u8]>)> {
        let (header, stored) = self.verify(offset, frame)?;
        let plain = unpacker.unpack(header.packed(), stored, length(header.plain_len));
        plain.map(|plain| (header, plain)).map_err(|error| error.at(offset))
    }

    /// Verifies the frame that stood at `offset`, as [`Seal::open`]. Returns its stored bytes.
    pub fn verify<'a>(&self, offset: u64, frame: &'a [u8]) -> Result<(FrameHeader, &'a [u8])> {
        self.verify_at(offset, frame).map_err(|error| error.at(offset))
    }

    fn verify_at<'a>(&self, offset: u64, frame: &'a [u8]) -> Result<(FrameHeader, &'a [u8])> {
        check_alignment(offset)?;
        let raw = RawHeader::parse(frame)?;
        let mut rest = Reader::new(frame);
        let header_bytes = rest.array::<FRAME_HEADER_BYTES>()?;
        let stored = rest.bytes(length(raw.stored_len))?;
        let checked = Reader::new(&header_bytes).array::<CHECKED_BYTES>()?;
        let expected = self.checksum(offset, &checked, stored);
        if !checksum::matches(raw.checksum, expected) {
            return Err(Error::corruption("block checksum")
                .expected_found(format!("{expected:016x}"), format!("{:016x}", raw.checksum)));
        }
        let padding = rest.bytes(padding_bytes(raw.stored_len))?;
        if padding.iter().any(|byte| *byte != 0) {
            return Err(Error::corruption("padding behind a block is not zero"));
        }
        let header = raw.interpret()?;
        if header.flags != 0 {
            return Err(Error::unsupported(format!("block flags {:#04x} are not known to this version", header.flags)));
        }
        Ok((header, stored))
    }

    /// Reads a frame's header without verifying it: for its size, and to find frames without an index. Lengths are within
    /// [`limits::FRAME_BYTES_MAX`]; nothing else is certain.
    pub fn peek(frame_header: &[u8]) -> Result<FrameHeader> {
        RawHeader::parse(frame_header)?.interpret()
    }

    fn checksum(&self, offset: u64, checked: &[u8; CHECKED_BYTES], stored: &[u8]) -> u64 {
        let [_, _, _, _, _, kind, ..] = *checked;
        let mut head = [0; IDENTITY_BYTES + CHECKED_BYTES];
        let mut out = ArrayWriter::new(&mut head);
        out.put(self.uuid.0);
        out.put(u64::from(kind).to_le_bytes());
        out.put(offset.to_le_bytes());
        out.put(*checked);
        checksum::crc64(checksum::crc64(0, &head), stored)
    }
}

/// A frame's header as numbers, before anybody knows whether they are true.
struct RawHeader {
    region: u8,
    kind: u8,
    codec: u8,
    flags: u8,
    ordinal: u32,
    dictionary: u32,
    stored_len: u32,
    plain_len: u32,
    checksum: u64,
}

impl RawHeader {
    fn parse(bytes: &[u8]) -> Result<Self> {
        let mut reader = Reader::new(bytes);
        let magic = reader.u32()?;
        if magic != FRAME_MAGIC {
            return Err(
                Error::corruption("no block begins here").expected_found(format!("{FRAME_MAGIC:08x}"), format!("{magic:08x}"))
            );
        }
        let raw = Self {
            region: reader.u8()?,
            kind: reader.u8()?,
            codec: reader.u8()?,
            flags: reader.u8()?,
            ordinal: reader.u32()?,
            dictionary: reader.u32()?,
            stored_len: reader.u32()?,
            plain_len: reader.u32()?,
            checksum: reader.u64()?,
        };
        let longest = raw.stored_len.max(raw.plain_len);
        if length(longest) > limits::FRAME_BYTES_MAX {
            return Err(
                Error::corruption("block length").expected_found(format!("at most {}", limits::FRAME_BYTES_MAX), longest)
            );
        }
        Ok(raw)
    }

    fn interpret(self) -> Result<FrameHeader> {
        Ok(FrameHeader {
            region: self.region,
            kind: self.kind,
            codec: Codec::from_tag(self.codec)?,
            flags: self.flags,
            ordinal: self.ordinal,
            dictionary: self.dictionary,
            stored_len: self.stored_len,
            plain_len: self.plain_len,
            checksum: self.checksum,
        })
    }
}

/// Appends a frame that is to stand at `offset`: `make` gets where it begins in `out`, with the place for its header behind that. On error
/// `out` is as before.
fn append<T>(offset: u64, out: &mut Vec<u8>, make: impl FnOnce(usize, &mut Vec<u8>) -> Result<T>) -> Result<T> {
    check_alignment(offset).map_err(|error| error.with_kind(sediment_base::ErrorKind::InvalidInput))?;
    let start = out.len();
    out.put_bytes(&[0; FRAME_HEADER_BYTES]);
    let made = make(start, out);
    if made.is_err() {
        out.truncate(start);
    }
    made
}

fn check_alignment(offset: u64) -> Result<()> {
    if offset.is_multiple_of(FRAME_ALIGN as u64) {
        return Ok(());
    }
    Err(Error::corruption(format!("block offset {offset} is no multiple of {FRAME_ALIGN}")))
}

fn frame_bytes(stored_len: u32) -> u64 {
    let unpadded = u64::from(stored_len).saturating_add(FRAME_HEADER_BYTES as u64);
    unpadded.saturating_add(padding_bytes(stored_len) as u64)
}

fn padding_bytes(stored_len: u32) -> usize {
    let last = length(stored_len).wrapping_add(FRAME_HEADER_BYTES);
    last.wrapping_neg() & const { FRAME_ALIGN - 1 }
}

fn bounded_length(bytes: usize) -> Result<u32> {
    match u32::try_from(bytes) {
        Ok(length) if bytes <= limits::FRAME_BYTES_MAX => Ok(length),
        _ => {
            Err(Error::invalid_input("a block is too long")
                .expected_found(format!("at most {}", limits::FRAME_BYTES_MAX), bytes))
        }
    }
}

/// Lossless: the engine runs on 64-bit machines only.
#[inline(always)]
fn length(bytes: u32) -> usize {
    bytes as usize
}

#[cfg(test)]
mod tests;
