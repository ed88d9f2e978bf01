//! The end of a table file, read at once: header, footer, and the regions that every reader needs.

use super::load::read_fully;
use crate::{
    filter::Filter,
    format::{BODY_AT, Footer, RegionEntry, kinds},
    index::Fence,
    properties::Properties,
    tombstone_block,
};
use sediment_base::{Error, FileUuid, KeyOrder, RangeTombstone, RangeTombstones, Result};
use sediment_codec::{
    compress::Codec,
    hash::KEY_HASH_VERSION,
    header::{FileHeader, FileKind, HEADER_BYTES},
    seal::{FRAME_ALIGN, Region, Seal},
};
use sediment_env::File;

/// The smallest file that could be a table.
const FILE_BYTES_MIN: u64 = BODY_AT + HEADER_BYTES as u64 + FRAME_ALIGN as u64;
/// How much is read in the hope that the metadata is in it: this, and one part in [`GUESS_SHARE`] of the file.
const GUESS_BYTES: u64 = 16 << 10;
const GUESS_SHARE: u64 = 32;

/// The verified end of a table file.
#[derive(Debug)]
pub(crate) struct Tail {
    pub(crate) header: FileHeader,
    pub(crate) footer: Footer,
    pub(crate) file_bytes: u64,
    /// Where the footer frame begins.
    pub(crate) body_len: u64,
    /// The file from `bytes_at` to its end.
    bytes: Vec<u8>,
    bytes_at: u64,
}

impl Tail {
    /// Reads and verifies the end of `file`, which should have `expected_bytes`. Allocates no more than the file is long.
    pub(crate) fn read(file: &dyn File, expected_bytes: Option<u64>) -> Result<Self> {
        let file_bytes = file.len()?;
        if let Some(expected) = expected_bytes.filter(|expected| *expected != file_bytes) {
            return Err(Error::corruption("length of the file").expected_found(expected, file_bytes));
        }
        if file_bytes < FILE_BYTES_MIN {
            return Err(Error::corruption("too short for a table").expected_found(FILE_BYTES_MIN, file_bytes));
        }
        let guess = (GUESS_BYTES + file_bytes / GUESS_SHARE).min(file_bytes);
        let mut tail = Self {
            header: FileHeader::new(FileKind::Table, FileUuid::default(), 0, FileUuid::default()),
            footer: Footer::default(),
            file_bytes,
            body_len: 0,
            bytes: Vec::new(),
            bytes_at: file_bytes,
        };
        tail.extend_to(file, file_bytes - guess)?;
        let tail_at = file_bytes - HEADER_BYTES as u64;
        let (header, body_len) = FileHeader::decode_tail(tail.slice(tail_at)).map_err(|error| error.at(tail_at))?;
        header.expect(FileKind::Table).map_err(|error| error.at(tail_at))?;
        if body_len < BODY_AT || body_len > tail_at - FRAME_ALIGN as u64 || !body_len.is_multiple_of(FRAME_ALIGN as u64) {
            return Err(Error::corruption("place of the footer")
                .at(tail_at)
                .expected_found(format!("below {tail_at}"), body_len));
        }
        (tail.header, tail.body_len) = (header, body_len);
        tail.extend_to(file, body_len)?;
        tail.footer = tail.read_footer(tail_at)?;
        let needed = [Region::Fence, Region::Filter, Region::RangeTombstones, Region::Properties];
        let first = needed.iter().filter_map(|id| tail.footer.region(*id)).map(|region| region.offset).min();
        tail.extend_to(file, first.unwrap_or(body_len))?;
        Ok(tail)
    }

    /// Bytes that were read for it.
    pub(crate) fn read_bytes(&self) -> u64 {
        self.bytes.len() as u64
    }

    pub(crate) fn seal(&self) -> Seal {
        Seal { uuid: self.header.uuid, codec: Codec::None }
    }

    /// What every reader needs.
    pub(crate) fn parts(&self) -> Result<(Properties, Fence, Option<Filter>)> {
        let properties = self.footer.expect_region(Region::Properties)?;
        expect_kind(properties, kinds::FIELDS)?;
        let properties = Properties::decode(&self.content(properties)?).map_err(|error| error.at(properties.offset))?;
        if properties.hash_version != u64::from(KEY_HASH_VERSION) {
            let version = properties.hash_version;
            return Err(Error::unsupported(format!("key hash {version} is unknown to this version; upgrade Sediment")));
        }
        if properties.rows == 0 && properties.range_tombstones > 0 {
            return Ok((properties, Fence::default(), None));
        }
        let data = self.footer.expect_region(Region::Data)?;
        if data.offset != BODY_AT {
            return Err(Error::corruption("the data does not come first").at(data.offset));
        }
        let fence = self.footer.expect_region(Region::Fence)?;
        expect_kind(fence, kinds::FENCE)?;
        let fence = Fence::decode(&self.content(fence)?, data.end()).map_err(|error| error.at(fence.offset))?;
        let fence = fence.numbered(properties.global_seqno)?;
        let filter = match self.footer.region(Region::Filter) {
            Some(region) => {
                let filter = Filter::decode(region.kind, &self.content(region)?);
                Some(filter.map_err(|error| error.at(region.offset))?)
            }
            None => None,
        };
        Ok((properties, fence, filter))
    }

    /// The range tombstones of the table, which `properties` count.
    pub(crate) fn range_tombstones(&self, properties: &Properties, order: &KeyOrder) -> Result<RangeTombstones> {
        let decode = |content: &[u8]| tombstone_block::decode(content, order);
        let tombstones = self.read_ranges(decode)?.unwrap_or_default();
        if tombstones.len() as u64 != properties.range_tombstones {
            let error = Error::corruption("number of range tombstones").at(self.body_len);
            return Err(error.expected_found(properties.range_tombstones, tombstones.len()));
        }
        Ok(tombstones)
    }

    /// The same as they lie, whatever the order.
    pub(crate) fn raw_range_tombstones(&self) -> Result<Vec<RangeTombstone>> {
        Ok(self.read_ranges(tombstone_block::read)?.unwrap_or_default())
    }

    fn read_ranges<T>(&self, decode: impl FnOnce(&[u8]) -> Result<T>) -> Result<Option<T>> {
        let Some(region) = self.footer.region(Region::RangeTombstones) else { return Ok(None) };
        expect_kind(region, kinds::RANGES)?;
        let decoded = decode(&self.content(region)?).map_err(|error| error.at(region.offset))?;
        Ok(Some(decoded))
    }

    /// The plain bytes of a region that was read.
    pub(crate) fn content(&self, region: &RegionEntry) -> Result<Vec<u8>> {
        let mut content = Vec::with_capacity(region.plain_bytes.min(region.bytes) as usize);
        let mut offset = region.offset;
        for ordinal in 0..region.frames {
            let (header, plain) = self.seal().open(offset, self.slice(offset))?;
            if (header.region, header.kind, header.ordinal) != (region.id, region.kind, ordinal) {
                return Err(Error::corruption("a block of another region").at(offset));
            }
            content.extend_from_slice(&plain);
            offset += header.frame_bytes();
            if offset > region.end() || content.len() as u64 > region.plain_bytes {
                return Err(Error::corruption("a region is longer than the footer says").at(region.offset));
            }
        }
        if offset != region.end() || content.len() as u64 != region.plain_bytes {
            return Err(Error::corruption("a region is shorter than the footer says").at(region.offset));
        }
        Ok(content)
    }

    fn read_footer(&self, tail_at: u64) -> Result<Footer> {
        let (header, plain) = self.seal().open(self.body_len, self.slice(self.body_len))?;
        if (header.region, header.kind) != (Region::Footer as u8, kinds::FOOTER) {
            return Err(Error::corruption("no footer where the tail says").at(self.body_len));
        }
        if self.body_len + header.frame_bytes() != tail_at {
            return Err(Error::corruption("the footer does not end at the tail").at(self.body_len));
        }
        Footer::decode(&plain, self.body_len).map_err(|error| error.at(self.body_len))
    }

    /// What was read, from this place of the file on.
    fn slice(&self, offset: u64) -> &[u8] {
        offset.checked_sub(self.bytes_at).and_then(|at| self.bytes.get(at as usize..)).unwrap_or_default()
    }

    /// Makes sure that everything from `offset` on was read.
    fn extend_to(&mut self, file: &dyn File, offset: u64) -> Result<()> {
        if offset < self.bytes_at {
            let mut bytes = vec![0; (self.bytes_at - offset) as usize];
            read_fully(file, offset, &mut bytes)?;
            bytes.append(&mut self.bytes);
            (self.bytes, self.bytes_at) = (bytes, offset);
        }
        Ok(())
    }
}

fn expect_kind(region: &RegionEntry, kind: u8) -> Result<()> {
    if region.kind == kind {
        return Ok(());
    }
    let (id, kind) = (region.id, region.kind);
    Err(Error::unsupported(format!("kind {kind} of region {id} is unknown to this version; upgrade Sediment")))
}
