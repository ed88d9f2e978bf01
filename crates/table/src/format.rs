//! What lies where in a table file.
//!
//! ```text
//! header 128 | data frames | locator | filters in pages | leaves | dictionary | fence | other filters | range tombstones | removed runs | properties | … | footer frame | tail 128
//! ```
//!
//! Every frame is a `codec::seal` frame at a multiple of 64, each right behind the one before; they begin behind the header and
//! end at the tail, so that a file can be walked without any index. The tail is the header again with the place of the
//! footer. A *region* is a run of frames with one region id and ordinals from 0; but for the data, its content is the
//! concatenation of their plain bytes, and the frame kind says how to read it. The footer lists the regions:
//!
//! ```text
//!  0 root u64 | 8 frames u32 (before the footer) | 12 regions u16 | 14 entry_bytes u16 (at least 32) | 16 flags u32 | 20 zero u32
//! 24 entries: id u8 | flags u8 (1: required) | kind u8 | zero u8 | frames u32 | offset u64 | bytes u64 | plain_bytes u64
//! ```
//!
//! `root` is CRC-64/NVME over the checksums of all frames before the footer, eight bytes each, in order. A reader skips regions
//! that it does not know unless they are required, and reads from an entry only what it knows of it.

#![deny(clippy::indexing_slicing, clippy::unwrap_used, clippy::arithmetic_side_effects)]

use sediment_base::{Error, Result};
use sediment_codec::{
    checksum,
    coding::{Reader, Writer},
    header::HEADER_BYTES,
    seal::{FRAME_ALIGN, Region},
};
use sediment_raw::slab::Part;

/// Kinds of frames, within their regions. The numbers are on disk.
pub(crate) mod kinds {
    /// Data: many rows.
    pub(crate) const SLOTTED: u8 = 1;
    /// Data: one large row.
    pub(crate) const JUMBO: u8 = 2;
    /// Data: more of the value of the jumbo block before.
    pub(crate) const EXTENT: u8 = 3;
    /// Data: many rows, to be compressed.
    pub(crate) const DENSE: u8 = 4;
    /// Fence, and leaves: all entries in one array each.
    pub(crate) const FENCE: u8 = 1;
    /// Fence: one whose entries are leaves, and where these lie.
    pub(crate) const ROOT: u8 = 2;
    /// Filter and prefix filter: Bloom in lines of 64 bytes.
    pub(crate) const SPLIT_BLOCK: u8 = 1;
    /// Filter and prefix filter: bumped ribbon retrieval.
    pub(crate) const BURR: u8 = 2;
    /// Locator: cells of 32 bits in lines of 64 bytes.
    pub(crate) const LOCATOR: u8 = 1;
    /// Range tombstones: one after the other.
    pub(crate) const RANGES: u8 = 1;
    /// Removed runs: one after the other.
    pub(crate) const RUNS: u8 = 1;
    /// Properties: tagged fields.
    pub(crate) const FIELDS: u8 = 1;
    /// Dictionary: of Zstandard, as RFC 8878 has it, or any bytes.
    pub(crate) const ZSTD_DICTIONARY: u8 = 1;
    /// Footer: the list of regions.
    pub(crate) const FOOTER: u8 = 1;
}

/// The content of a region, most often where it was read to.
pub(crate) type Content = Part<()>;

/// Where the first frame begins.
pub(crate) const BODY_AT: u64 = HEADER_BYTES as u64;

const REQUIRED: u8 = 1;
const ENTRY_BYTES: u16 = 32;

/// One region of a table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct RegionEntry {
    /// A [`Region`], or one of a later version.
    pub(crate) id: u8,
    /// Whether a reader that does not know it must refuse the file.
    pub(crate) is_required: bool,
    /// How to read it.
    pub(crate) kind: u8,
    /// Frames in it.
    pub(crate) frames: u32,
    /// Where its first frame begins.
    pub(crate) offset: u64,
    /// Its length in the file.
    pub(crate) bytes: u64,
    /// Length of its content.
    pub(crate) plain_bytes: u64,
}

impl RegionEntry {
    /// One past its last byte.
    pub(crate) fn end(&self) -> u64 {
        self.offset.saturating_add(self.bytes)
    }
}

/// The content of the footer frame.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Footer {
    /// Checksum over the checksums of all frames before this one.
    pub(crate) root: u64,
    /// How many those are.
    pub(crate) frames: u32,
    /// The regions, in the order of the file.
    pub(crate) regions: Vec<RegionEntry>,
}

impl Footer {
    /// The bytes of the footer frame.
    pub(crate) fn encode(&self) -> Vec<u8> {
        let mut out = Vec::new();
        out.put_u64(self.root);
        out.put_u32(self.frames);
        out.put_u16(self.regions.len() as u16);
        out.put_u16(ENTRY_BYTES);
        out.put_u64(0);
        for region in &self.regions {
            out.put_u8(region.id);
            out.put_u8(if region.is_required { REQUIRED } else { 0 });
            out.put_u8(region.kind);
            out.put_u8(0);
            out.put_u32(region.frames);
            out.put_u64(region.offset);
            out.put_u64(region.bytes);
            out.put_u64(region.plain_bytes);
        }
        out
    }

    /// Reads the footer of a file whose body ends at `body_len`. The regions that it returns lie in the body, one behind
    /// the other and without a gap; those of a later version are among them if they may be skipped.
    pub(crate) fn decode(payload: &[u8], body_len: u64) -> Result<Self> {
        let mut reader = Reader::new(payload);
        let root = reader.u64()?;
        let frames = reader.u32()?;
        let count = usize::from(reader.u16()?);
        let entry_bytes = reader.u16()?;
        let flags = reader.u32()?;
        reader.u32()?;
        if flags != 0 {
            return Err(Error::unsupported(format!("footer flags {flags:#x} are unknown to this version; upgrade Sediment")));
        }
        if entry_bytes < ENTRY_BYTES {
            return Err(reader.error("footer entries are too short").expected_found(ENTRY_BYTES, entry_bytes));
        }
        let mut regions = Vec::with_capacity(count.min(reader.remaining()));
        let mut expected = BODY_AT;
        for _ in 0..count {
            let region = decode_entry(reader.bytes(usize::from(entry_bytes))?)?;
            let is_aligned = region.bytes.is_multiple_of(FRAME_ALIGN as u64) && region.bytes > 0;
            if region.offset != expected || !is_aligned || region.bytes > body_len.saturating_sub(region.offset) {
                return Err(reader.error("a region does not follow the one before").expected_found(expected, region.offset));
            }
            expected = region.end();
            regions.push(region);
        }
        reader.expect_end()?;
        if expected != body_len {
            return Err(reader.error("the regions do not fill the file").expected_found(body_len, expected));
        }
        Ok(Self { root, frames, regions })
    }

    /// The region with this id.
    pub(crate) fn region(&self, id: Region) -> Option<&RegionEntry> {
        self.regions.iter().find(|region| region.id == id as u8)
    }

    /// The region with this id, which every table has.
    pub(crate) fn expect_region(&self, id: Region) -> Result<&RegionEntry> {
        self.region(id).ok_or_else(|| Error::corruption(format!("the table has no region {id:?}")))
    }
}

/// One step of the content root: that of no frame is 0.
pub(crate) fn extend_root(root: u64, frame_checksum: u64) -> u64 {
    checksum::crc64(root, &frame_checksum.to_le_bytes())
}

fn decode_entry(bytes: &[u8]) -> Result<RegionEntry> {
    let mut reader = Reader::new(bytes);
    let (id, flags) = (reader.u8()?, reader.u8()?);
    let kind = reader.u8()?;
    reader.u8()?;
    let frames = reader.u32()?;
    let (offset, bytes, plain_bytes) = (reader.u64()?, reader.u64()?, reader.u64()?);
    let is_required = flags & REQUIRED != 0;
    if flags & !REQUIRED != 0 {
        return Err(Error::unsupported(format!("region flags {flags:#x} are unknown to this version; upgrade Sediment")));
    }
    if is_required && !is_known(id) {
        return Err(Error::unsupported(format!(
            "the table needs region {id}, which this version does not know; upgrade Sediment"
        )));
    }
    Ok(RegionEntry { id, is_required, kind, frames, offset, bytes, plain_bytes })
}

/// Whether this version gives a region its meaning.
fn is_known(id: u8) -> bool {
    matches!(
        Region::from_tag(id),
        Some(
            Region::Data
                | Region::Fence
                | Region::Leaves
                | Region::Filter
                | Region::PrefixFilter
                | Region::Locator
                | Region::RangeTombstones
                | Region::RemovedRuns
                | Region::Properties
                | Region::Dictionary
        )
    )
}

#[cfg(test)]
#[allow(clippy::indexing_slicing, clippy::unwrap_used, clippy::arithmetic_side_effects, reason = "a test may panic")]
mod tests {
    use super::*;
    use sediment_base::ErrorKind;

    fn footer() -> Footer {
        let entry =
            |id, offset, is_required| RegionEntry { id, is_required, kind: 1, frames: 1, offset, bytes: 64, plain_bytes: 9 };
        Footer { root: 7, frames: 3, regions: vec![entry(1, 128, true), entry(2, 192, true), entry(99, 256, false)] }
    }

    #[test]
    fn a_footer_comes_back_and_optional_strangers_are_kept_aside() {
        let footer = footer();
        assert_eq!(Footer::decode(&footer.encode(), 320).unwrap(), footer);
        assert_eq!(footer.region(Region::Fence), Some(&footer.regions[1]));
        assert!(footer.expect_region(Region::Properties).is_err());
    }

    #[test]
    fn a_required_stranger_refuses_the_file() {
        let mut footer = footer();
        footer.regions[2].is_required = true;
        assert_eq!(Footer::decode(&footer.encode(), 320).unwrap_err().kind(), ErrorKind::Unsupported);
    }

    #[test]
    fn longer_entries_of_a_later_version_are_read_as_far_as_known() {
        let mut bytes = footer().encode();
        bytes[14] = 40;
        for i in (1..=3).rev() {
            let at = 24 + 32 * i;
            bytes.splice(at..at, [1; 8]);
        }
        assert_eq!(Footer::decode(&bytes, 320).unwrap(), footer());
    }

    #[test]
    fn regions_fill_the_body_and_nothing_else() {
        assert!(Footer::decode(&footer().encode(), 384).is_err());
        assert!(Footer::decode(&footer().encode(), 256).is_err());
        let mut gap = footer();
        gap.regions[1].offset = 256;
        assert!(Footer::decode(&gap.encode(), 320).is_err());
        let sound = footer().encode();
        assert!((0..sound.len()).all(|cut| Footer::decode(&sound[..cut], 320).is_err()));
    }
}
