//! A filter in pages, of which an open table keeps the head: pages come from the file where a question needs them, through the cache of
//! blocks.
//!
//! A page is proven when it is loaded, and again whenever it was pushed out. What cannot be read or proven is an error of whoever asks,
//! and never a *no*. Shared.

use super::{Reach, load::read_fully, tail::Tail};
use crate::{
    block::{BlockBuffer, BlockHead, BlockRef},
    cache::{Heat, Pages},
    context::TableContext,
    filter::{PAGE_BYTES, PagedFilter, Place, WINDOW_BYTES_MAX},
    format::RegionEntry,
};
use sediment_base::{Error, Result, Stats, stats::Counter};
use sediment_codec::{
    compress::Codec,
    seal::{FRAME_ALIGN, FRAME_HEADER_BYTES, Seal},
};
use sediment_env::File;
use sediment_raw::slab::Pool;
use std::{fmt, ops::Range, sync::Arc};

/// A filter of which only the head is in memory.
pub(super) struct FilterPages {
    filter: PagedFilter,
    pages: Pages<BlockRef>,
    file: Arc<dyn File>,
    seal: Seal,
    pool: Pool,
    stats: Arc<Stats>,
    region: RegionEntry,
    /// Where the first page begins in the file.
    offset: u64,
    /// Bytes of all pages.
    bytes: usize,
    head_bytes: usize,
}

/// Length of the frame of so many plain bytes, which is stored as it is.
fn frame_bytes(plain: usize) -> usize {
    (FRAME_HEADER_BYTES + plain).next_multiple_of(FRAME_ALIGN)
}

impl FilterPages {
    /// Takes the head of a filter whose region this is.
    pub(super) fn open(context: &TableContext, tail: &Tail, file: &Arc<dyn File>, region: &RegionEntry) -> Result<Self> {
        let (head, offset) = tail.filter_head(&**file, region)?;
        let head_bytes = head.len();
        let len = usize::try_from(region.plain_bytes).unwrap_or(usize::MAX);
        let filter = PagedFilter::decode(region.kind, head, len).map_err(|error| error.at(region.offset))?;
        let bytes = len.saturating_sub(head_bytes);
        let count = bytes.div_ceil(PAGE_BYTES);
        // So there are no more pages than the file has room for.
        let last_bytes = bytes - count.saturating_sub(1) * PAGE_BYTES;
        let expected =
            offset.saturating_add((count.saturating_sub(1) * frame_bytes(PAGE_BYTES) + frame_bytes(last_bytes)) as u64);
        if count + 1 != region.frames as usize || expected != region.end() {
            let error = Error::corruption("pages of a filter").at(region.offset);
            return Err(error.expected_found(format!("{count} up to {expected}"), format!("up to {}", region.end())));
        }
        Ok(Self {
            filter,
            pages: context.cache.pages(&context.park, count),
            file: Arc::clone(file),
            seal: tail.seal(),
            pool: context.cache.pool().clone(),
            stats: Arc::clone(&context.stats),
            region: *region,
            offset,
            bytes,
            head_bytes,
        })
    }

    /// Memory that it takes, cached pages not counted.
    pub(super) fn memory_bytes(&self) -> usize {
        size_of::<Self>() + self.pages.memory_bytes() + self.head_bytes
    }

    /// Bytes that were read for the head.
    pub(super) fn head_read_bytes(&self) -> u64 {
        self.offset - self.region.offset
    }

    /// False only if no key has this hash; `None` if what could tell is out of reach.
    pub(super) fn may_contain(&self, hash: u64, reach: Reach<'_>, heat: Heat) -> Result<Option<bool>> {
        let (place, window) = match self.filter.find(hash) {
            Ok(found) => found,
            Err(answer) => return Ok(Some(answer)),
        };
        let (first, last) = (window.start / PAGE_BYTES, window.end.saturating_sub(1) / PAGE_BYTES);
        let at = window.start % PAGE_BYTES;
        if first != last {
            return self.may_contain_across(first, at..at + window.len(), &place, reach, heat);
        }
        let mut answer = None;
        self.look(first, reach, heat, |page| {
            let window = page.get(at..at + window.len()).unwrap_or_default();
            answer = Some(self.filter.may_contain(&place, window));
        })?;
        Ok(answer)
    }

    /// The same where what has to be looked at begins in this page and ends in the next.
    fn may_contain_across(
        &self,
        first: usize,
        window: Range<usize>,
        place: &Place,
        reach: Reach<'_>,
        heat: Heat,
    ) -> Result<Option<bool>> {
        let mut bytes = [0; WINDOW_BYTES_MAX];
        let (begun, len) = (PAGE_BYTES - window.start, window.len());
        let (begin, end) = bytes[..len].split_at_mut(begun);
        let is_first_there = self.look(first, reach, heat, |page| begin.copy_from_slice(&page[window.start..]))?;
        let is_there = is_first_there && self.look(first + 1, reach, heat, |page| end.copy_from_slice(&page[..len - begun]))?;
        Ok(is_there.then(|| self.filter.may_contain(place, &bytes[..len])))
    }

    /// Shows `look` a page; false if it is out of reach.
    fn look(&self, number: usize, reach: Reach<'_>, heat: Heat, mut look: impl FnMut(&[u8])) -> Result<bool> {
        match reach {
            Reach::All => {
                self.pages.with(number, heat, || self.load(number), |page| look(page.bytes()))?;
                Ok(true)
            }
            Reach::Resident(pin) => Ok(self.pages.look(number, heat, pin, |page| look(page.bytes()))),
        }
    }

    /// Reads and proves a page.
    fn load(&self, number: usize) -> Result<BlockRef> {
        let plain_bytes = PAGE_BYTES.min(self.bytes - number * PAGE_BYTES);
        let offset = self.offset + (number * frame_bytes(PAGE_BYTES)) as u64;
        let mut buffer = BlockBuffer::zeroed(&self.pool, frame_bytes(plain_bytes));
        read_fully(&*self.file, offset, buffer.bytes_mut())?;
        let stats = self.stats.local();
        stats.add(Counter::FilterPagesLoaded, 1);
        stats.add(Counter::FilterPageBytesRead, buffer.bytes().len() as u64);
        let (header, stored) = self.seal.verify(offset, buffer.bytes())?;
        let found = (header.region, header.kind, header.ordinal as usize, header.codec, stored.len());
        if found != (self.region.id, self.region.kind, number + 1, Codec::None, plain_bytes) {
            return Err(Error::corruption("another block where a page of a filter should be").at(offset));
        }
        Ok(buffer.share(BlockHead::of_no_rows(), FRAME_HEADER_BYTES..FRAME_HEADER_BYTES + plain_bytes))
    }
}

impl fmt::Debug for FilterPages {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "FilterPages({:?})", self.pages)
    }
}
