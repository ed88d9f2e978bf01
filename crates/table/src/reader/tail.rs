//! The end of a table file: header, footer, and the regions that every reader needs. It is read once, to where these are used from
//! then on, but for its last few KiB, which tell how long it is. Locators, filters in pages and the leaves of a fence are not a part of that, and are
//! read apart.

use super::load::read_fully;
use crate::{
    context::TableContext,
    filter::{Filter, Locator, PrefixFilter},
    format::{BODY_AT, Content, Footer, RegionEntry, kinds},
    index::Fence,
    properties::Properties,
    removed_block::{self, RemovedRuns},
    tombstone_block,
};
use sediment_base::{Error, FileUuid, KeyOrder, RangeTombstone, RangeTombstones, Result, Slice};
use sediment_codec::{
    compress::{Dictionary, Unpacker},
    hash::KEY_HASH_VERSION,
    header::{FileHeader, FileKind, HEADER_BYTES},
    seal::{FRAME_ALIGN, FRAME_HEADER_BYTES, Region, Seal},
};
use sediment_env::File;
use sediment_raw::slab::{Buffer, Pool, Shared};
use std::{borrow::Cow, ops::Range, sync::Arc};

/// The smallest file that could be a table.
const FILE_BYTES_MIN: u64 = BODY_AT + HEADER_BYTES as u64 + FRAME_ALIGN as u64;
/// How much is read first: the footer, which says where the rest is, and all of a small table's metadata.
const FIRST_BYTES: u64 = 16 << 10;
/// How much is read for the head of a filter in pages: more than most have.
const HEAD_BYTES: u64 = 4 << 10;
/// What is in memory before the bytes of the file, so that what follows a frame's header begins a cache line.
const SHIFT: usize = FRAME_ALIGN - FRAME_HEADER_BYTES;

/// What a table says of its rows, in memory.
#[derive(Debug)]
pub(crate) struct Parts {
    pub(crate) properties: Properties,
    pub(crate) fence: Fence,
    pub(crate) filter: Option<Filter>,
    pub(crate) prefix_filter: Option<PrefixFilter>,
    pub(crate) locator: Option<Locator>,
    pub(crate) removed: Option<RangeTombstones>,
}

/// What an open table has beside what the end of its file holds: bytes that were read for it, and memory.
#[derive(Debug, Default)]
pub(super) struct Apart {
    pub(super) read_bytes: u64,
    pub(super) memory_bytes: u64,
}

/// Some of the file.
#[derive(Debug)]
pub(super) struct Stretch {
    /// The bytes, behind [`SHIFT`] others.
    bytes: Shared<()>,
    /// Where in the file they begin.
    at: u64,
}

/// The verified end of a table file.
#[derive(Debug)]
pub(crate) struct Tail {
    pub(crate) header: FileHeader,
    pub(crate) footer: Footer,
    pub(crate) file_bytes: u64,
    /// Where the footer frame begins.
    pub(crate) body_len: u64,
    stretch: Stretch,
    read_bytes: u64,
    pool: Pool,
}

impl Tail {
    /// Reads and verifies the end of `file`, which should have `expected_bytes`, into memory of `pool`: no more than the file is
    /// long, and a few KiB.
    pub(crate) fn read(pool: &Pool, file: &dyn File, expected_bytes: Option<u64>) -> Result<Self> {
        let file_bytes = file.len()?;
        if let Some(expected) = expected_bytes.filter(|expected| *expected != file_bytes) {
            return Err(Error::corruption("length of the file").expected_found(expected, file_bytes));
        }
        if file_bytes < FILE_BYTES_MIN {
            return Err(Error::corruption("too short for a table").expected_found(FILE_BYTES_MIN, file_bytes));
        }
        let bytes_at = file_bytes.saturating_sub(FIRST_BYTES);
        let mut tail = Self {
            header: FileHeader::new(FileKind::Table, FileUuid::default(), 0, FileUuid::default()),
            footer: Footer::default(),
            file_bytes,
            body_len: 0,
            stretch: Stretch::read(pool, file, bytes_at..file_bytes)?,
            read_bytes: file_bytes - bytes_at,
            pool: pool.clone(),
        };
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
        let needed = [
            Region::Dictionary,
            Region::Fence,
            Region::Filter,
            Region::PrefixFilter,
            Region::RangeTombstones,
            Region::RemovedRuns,
            Region::Properties,
        ];
        let needed = needed.iter().filter_map(|id| tail.footer.region(*id)).filter(|region| !is_paged(region));
        let first = needed.map(|region| region.offset).min();
        let first = first.unwrap_or(body_len);
        tail.extend_to(file, first)?;
        tail.keep_from(first);
        Ok(tail)
    }

    /// Bytes that were read for it.
    pub(crate) fn read_bytes(&self) -> u64 {
        self.read_bytes
    }

    /// Memory that it takes, which its parts share.
    pub(crate) fn memory_bytes(&self) -> usize {
        self.stretch.bytes.memory_bytes()
    }

    pub(crate) fn seal(&self) -> Seal {
        Seal { uuid: self.header.uuid }
    }

    /// What the table says about itself.
    pub(crate) fn properties(&self) -> Result<Properties> {
        let properties = self.footer.expect_region(Region::Properties)?;
        expect_kind(properties, kinds::FIELDS)?;
        let properties = Properties::decode(&self.content(properties)?).map_err(|error| error.at(properties.offset))?;
        if properties.hash_version != u64::from(KEY_HASH_VERSION) {
            let version = properties.hash_version;
            return Err(Error::unsupported(format!("key hash {version} is unknown to this version; upgrade Sediment")));
        }
        Ok(properties)
    }

    /// What unpacks the data, whose properties these are.
    pub(crate) fn unpacker(&self, context: &TableContext, properties: &Properties) -> Result<Unpacker> {
        let load = |region: &RegionEntry| {
            expect_kind(region, kinds::ZSTD_DICTIONARY)?;
            let dictionary = Dictionary::load((&*self.content(region)?).into());
            dictionary.map(Arc::new).map_err(|error| error.at(region.offset))
        };
        let dictionary = self.footer.region(Region::Dictionary).map(load).transpose()?;
        let codec = context.codec(&properties.block_codec)?;
        Ok(Unpacker::new(Arc::clone(context.cache.contexts()), dictionary, codec))
    }

    /// Reads a filter, of keys or of prefixes, whole.
    pub(crate) fn filter(&self, file: &dyn File, id: Region) -> Result<Option<Filter>> {
        let Some(region) = self.footer.region(id) else { return Ok(None) };
        let content = if is_paged(region) {
            let stretch = self.stretch_of(file, region)?;
            self.content_of(&stretch, region)?
        } else {
            self.content(region)?
        };
        Filter::decode(region.kind, content).map(Some).map_err(|error| error.at(region.offset))
    }

    /// Reads the head of a filter in pages, whose region this is, and tells where the first page begins.
    pub(super) fn filter_head(&self, file: &dyn File, region: &RegionEntry) -> Result<(Content, u64)> {
        let mut stretch = Stretch::read(&self.pool, file, region.offset..region.end().min(region.offset + HEAD_BYTES))?;
        let peeked = Seal::peek(stretch.slice(region.offset)).map_err(|error| error.at(region.offset))?;
        let end = region.offset + peeked.frame_bytes().min(region.bytes);
        if end > region.offset + HEAD_BYTES {
            stretch = Stretch::read(&self.pool, file, region.offset..end)?;
        }
        let (header, plain) = self.seal().open(&Unpacker::default(), region.offset, stretch.slice(region.offset))?;
        if (header.region, header.kind, header.ordinal) != (region.id, region.kind, 0) {
            return Err(Error::corruption("a block of another region").at(region.offset));
        }
        Ok((self.kept(&plain), end))
    }

    /// How much memory the locator takes; 0 where there is none.
    pub(crate) fn locator_bytes(&self) -> u64 {
        self.footer.region(Region::Locator).map_or(0, |region| region.bytes)
    }

    /// Reads the locator of the table with these properties, if it has one. No reader needs it.
    pub(crate) fn locator(&self, file: &dyn File, properties: &Properties) -> Result<Option<Locator>> {
        let Some(region) = self.footer.region(Region::Locator) else { return Ok(None) };
        let stretch = self.stretch_of(file, region)?;
        let content = self.content_of(&stretch, region)?;
        let (blocks, keys) = (properties.blocks as usize, properties.user_keys);
        let locator = Locator::decode(region.kind, &content, region.offset, blocks, keys);
        locator.map(Some).map_err(|error| error.at(region.offset))
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

    /// The runs of removed keys, which `properties` count. No reader needs them: those of a kind that is not known are passed over.
    pub(crate) fn removed_runs(&self, properties: &Properties, order: &KeyOrder) -> Result<Option<RemovedRuns>> {
        let decode = |content: &[u8]| removed_block::decode(content, order);
        let Some((removed, offset)) = self.read_removed(decode)? else { return Ok(None) };
        let found = (removed.runs.len() as u64, removed.seqno);
        let stated = (properties.removed_runs, properties.removed_seqno);
        if found != stated || removed.seqno < properties.max_seqno {
            let error = Error::corruption("number and sequence number of runs of removed keys").at(offset);
            return Err(error.expected_found(format!("{stated:?}, above all rows"), format!("{found:?}")));
        }
        let bounds = properties.range();
        let is_inside = |(start, end): &(Slice, Slice)| bounds.contains(start, order) && bounds.contains(end, order);
        if !removed.runs.iter().all(is_inside) {
            return Err(Error::corruption("a run of removed keys lies outside the bounds of the table").at(offset));
        }
        Ok(Some(removed))
    }

    /// The same as they lie, whatever the order.
    pub(crate) fn raw_removed_runs(&self) -> Result<RemovedRuns> {
        Ok(self.read_removed(removed_block::read)?.map(|(removed, _)| removed).unwrap_or_default())
    }

    fn read_removed<T>(&self, decode: impl FnOnce(&[u8]) -> Result<T>) -> Result<Option<(T, u64)>> {
        let Some(region) = self.footer.region(Region::RemovedRuns).filter(|region| region.kind == kinds::RUNS) else {
            return Ok(None);
        };
        let decoded = decode(&self.content(region)?).map_err(|error| error.at(region.offset))?;
        Ok(Some((decoded, region.offset)))
    }

    fn read_ranges<T>(&self, decode: impl FnOnce(&[u8]) -> Result<T>) -> Result<Option<T>> {
        let Some(region) = self.footer.region(Region::RangeTombstones) else { return Ok(None) };
        expect_kind(region, kinds::RANGES)?;
        let decoded = decode(&self.content(region)?).map_err(|error| error.at(region.offset))?;
        Ok(Some(decoded))
    }

    /// The plain bytes of a region that was read: where they are, if they are in one frame as they were before.
    pub(crate) fn content(&self, region: &RegionEntry) -> Result<Content> {
        self.content_of(&self.stretch, region)
    }

    fn content_of(&self, stretch: &Stretch, region: &RegionEntry) -> Result<Content> {
        let mut content = Vec::with_capacity(if region.frames > 1 { region.plain_bytes.min(region.bytes) as usize } else { 0 });
        let mut offset = region.offset;
        for ordinal in 0..region.frames {
            let (header, plain) = self.seal().open(&Unpacker::default(), offset, stretch.slice(offset))?;
            if (header.region, header.kind, header.ordinal) != (region.id, region.kind, ordinal) {
                return Err(Error::corruption("a block of another region").at(offset));
            }
            let end = offset + header.frame_bytes();
            let bytes = content.len() as u64 + plain.len() as u64;
            if end > region.end() || bytes > region.plain_bytes {
                return Err(Error::corruption("a region is longer than the footer says").at(region.offset));
            }
            if let (Cow::Borrowed(plain), 1) = (&plain, region.frames)
                && (end, bytes) == (region.end(), region.plain_bytes)
            {
                let at = SHIFT + (offset - stretch.at) as usize + FRAME_HEADER_BYTES;
                return Ok(stretch.bytes.part(at..at + plain.len()));
            }
            content.extend_from_slice(&plain);
            offset = end;
        }
        if offset != region.end() || content.len() as u64 != region.plain_bytes {
            return Err(Error::corruption("a region is shorter than the footer says").at(region.offset));
        }
        Ok(self.kept(&content))
    }

    /// Content that was put together, where it stays.
    pub(super) fn kept(&self, content: &[u8]) -> Content {
        Buffer::copied(&self.pool, content).share((), 0..content.len()).part(0..content.len())
    }

    /// Reads a region that is read apart.
    pub(super) fn stretch_of(&self, file: &dyn File, region: &RegionEntry) -> Result<Stretch> {
        Stretch::read(&self.pool, file, region.offset..region.end())
    }

    fn read_footer(&self, tail_at: u64) -> Result<Footer> {
        let (header, plain) = self.seal().open(&Unpacker::default(), self.body_len, self.slice(self.body_len))?;
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
        self.stretch.slice(offset)
    }

    /// Makes sure that everything from `offset` on was read.
    fn extend_to(&mut self, file: &dyn File, offset: u64) -> Result<()> {
        if offset < self.stretch.at {
            self.stretch = Stretch::read(&self.pool, file, offset..self.file_bytes)?;
            self.read_bytes += self.file_bytes - offset;
        }
        Ok(())
    }

    /// Lets go of what is before `offset`.
    fn keep_from(&mut self, offset: u64) {
        if offset > self.stretch.at {
            let shifted = [&[0; SHIFT], self.slice(offset)].concat();
            let bytes = Buffer::copied(&self.pool, &shifted).share((), 0..shifted.len());
            self.stretch = Stretch { bytes, at: offset };
        }
    }
}

impl Stretch {
    fn read(pool: &Pool, file: &dyn File, place: Range<u64>) -> Result<Self> {
        let len = SHIFT + (place.end - place.start) as usize;
        let mut buffer = Buffer::zeroed(pool, len);
        read_fully(file, place.start, &mut buffer.bytes_mut()[SHIFT..])?;
        Ok(Self { bytes: buffer.share((), 0..len), at: place.start })
    }

    /// Its bytes from this place of the file on; none where that is not in it.
    pub(super) fn slice(&self, offset: u64) -> &[u8] {
        let read = self.bytes.bytes().get(SHIFT..).unwrap_or_default();
        offset.checked_sub(self.at).and_then(|at| read.get(at as usize..)).unwrap_or_default()
    }
}

/// Whether a region is a filter in pages, which is read apart.
pub(super) fn is_paged(region: &RegionEntry) -> bool {
    let is_filter = [Region::Filter as u8, Region::PrefixFilter as u8].contains(&region.id);
    is_filter && region.frames > 1
}

pub(super) fn expect_kind(region: &RegionEntry, kind: u8) -> Result<()> {
    if region.kind == kind {
        return Ok(());
    }
    let (id, kind) = (region.id, region.kind);
    Err(Error::unsupported(format!("kind {kind} of region {id} is unknown to this version; upgrade Sediment")))
}
