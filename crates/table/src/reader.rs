//! An open table: points.
//!
//! Opening reads the tail once: header, footer, fence, filter and properties, all verified. A long filter is read apart, or stays in the file
//! but for its head, and comes page by page (`filter_pages.rs`); so do the leaves of a long fence (`leaves.rs`). After that a lookup asks the filter, then
//! the fence, then reads at most one block that is not cached (two where the versions of the key go on in the next). Where there is a locator,
//! that says at once where the row is, and the fence is asked only if it is not there. Nothing is read that the fence did not promise, and
//! nothing is interpreted that its checksum did not prove. Shared; immutable.

mod approach;
mod counts;
mod digests;
mod estimate;
mod fences;
mod filter_pages;
mod filters;
mod index;
mod leaves;
mod load;
mod located;
mod point;
mod tail;
mod warmth;
mod window;

pub use approach::Approach;
pub use counts::ReadCounts;
use filter_pages::FilterPages;
use filters::{Filters, Held};
pub(crate) use index::Index;
pub(crate) use leaves::HeldLeaf;
use load::verify_block;
pub(crate) use load::{Opener, decode_block, load_block, read_fully};
pub use point::{Looked, PointRead, Reach, TakeRow};
use tail::Apart;
pub(crate) use tail::{Parts, Tail};
pub(crate) use window::{Wake, Window};

use crate::{
    block::{Block, BlockRef, FoundRow, Lookup, tag_of},
    cache::{Heat, Pages},
    context::TableContext,
    filter::{Filter, PrefixFilter},
    index::{BlockPlace, Fence},
    properties::{Properties, TableMeta},
};
use sediment_base::{
    Account, Error, InternalKey, KeyOrder, Kind, MemoryBudget, RangeTombstones, Result, RowFlags, SeqNo, Slice, Stats,
    budget::Charge, stats::Counter,
};
use sediment_codec::{
    compress::Dictionary,
    hash::key_hash,
    seal::{FrameHeader, Region},
};
use sediment_env::File;
use sediment_raw::slab::Pool;
use std::{fmt, path::Path, path::PathBuf, sync::Arc};

/// An open table. Shared; immutable.
pub struct Table {
    file: Arc<dyn File>,
    path: PathBuf,
    order: KeyOrder,
    opener: Opener,
    meta: TableMeta,
    properties: Properties,
    index: Index,
    /// `None` where there is none, and where it is in pages.
    filter: Option<Filter>,
    filter_pages: Option<Box<FilterPages>>,
    has_digests: bool,
    filter_bytes: u64,
    prefix_filter: Option<PrefixFilter<Held>>,
    /// `None` where there are none.
    ranges: Option<Arc<RangeTombstones>>,
    /// `None` where there are none.
    removed: Option<Arc<RangeTombstones>>,
    blocks: Pages<BlockRef>,
    /// The memory of the blocks.
    pool: Pool,
    stats: Arc<Stats>,
    /// Holds what the table keeps in memory while it is open.
    metadata: Charge,
}

/// A row found by a point lookup.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TableRow {
    /// Its version.
    pub seqno: SeqNo,
    /// What it does.
    pub kind: Kind,
    /// How to read the value.
    pub flags: RowFlags,
    /// The stored value.
    pub value: Slice,
}

impl Table {
    /// Opens the table that the manifest describes: identity, length and content root must be the same.
    pub fn open(context: &TableContext, path: &Path, meta: &TableMeta) -> Result<Self> {
        let table = Self::open_file(context, path, Some(meta.file_bytes))?;
        let found = &table.meta;
        let differs = if found.uuid != meta.uuid {
            Some(("file uuid", meta.uuid.to_string(), found.uuid.to_string()))
        } else if found.id != meta.id {
            Some(("table id", meta.id.to_string(), found.id.to_string()))
        } else if found.root != meta.root {
            Some(("content root", format!("{:016x}", meta.root), format!("{:016x}", found.root)))
        } else {
            None
        };
        match differs {
            Some((what, expected, found)) => {
                let error = Error::corruption(format!("{what} is not the one in the manifest"));
                Err(error.expected_found(expected, found).in_file(path))
            }
            None => Ok(table),
        }
    }

    /// Opens a table by what it says about itself: for dumps and repair.
    pub fn open_alone(context: &TableContext, path: &Path) -> Result<Self> {
        Self::open_file(context, path, None)
    }

    /// The newest row of `user_key` with a sequence number below `read_seqno`. `hash` is the key's hash under the table's own
    /// seed.
    pub fn get(&self, user_key: &[u8], hash: u64, read_seqno: SeqNo) -> Result<Option<TableRow>> {
        let (mut counts, mut row) = (ReadCounts::default(), None);
        let read = PointRead { key: user_key, hash, read_seqno, reach: Reach::All };
        let looked = self.look(&read, &mut counts, &mut row);
        counts.add_to(self.stats.local());
        looked.map(|_| row)
    }

    /// Looks for the newest row that `read` sees, and gives it to `taker`. What it met is added to `counts` and not to the statistics.
    #[inline]
    pub fn look(&self, read: &PointRead<'_>, counts: &mut ReadCounts, taker: &mut impl TakeRow) -> Result<Looked> {
        if read.read_seqno <= self.meta.min_seqno {
            return Ok(Looked::Absent);
        }
        let before = *counts;
        match &self.filter {
            None => {
                if let Some(pages) = &self.filter_pages
                    && let Some(looked) = self.look_paged(pages, read, counts)?
                {
                    return Ok(looked);
                }
            }
            Some(Filter::Locator(locator)) => {
                if let Some(looked) = self.look_located(locator, read, counts, taker)? {
                    return Ok(looked);
                }
            }
            Some(filter) => {
                counts.filter_checks += 1;
                if !filter.may_contain(read.hash) {
                    counts.filter_negatives += 1;
                    return Ok(Looked::Absent);
                }
            }
        }
        self.look_by_index(read, before, counts, taker)
    }

    /// The same for a read that has an approach to this table: its filter, if that is in memory, and its fence have been asked.
    #[inline]
    pub fn look_at(
        &self,
        approach: &Approach<'_>,
        read: &PointRead<'_>,
        counts: &mut ReadCounts,
        taker: &mut impl TakeRow,
    ) -> Result<Looked> {
        if read.read_seqno <= self.meta.min_seqno {
            return Ok(Looked::Absent);
        }
        let before = *counts;
        match &self.filter {
            None => {
                if let Some(pages) = &self.filter_pages
                    && let Some(looked) = self.look_paged(pages, read, counts)?
                {
                    return Ok(looked);
                }
            }
            Some(Filter::SplitBlock(_) | Filter::Burr(_)) => counts.filter_checks += 1,
            Some(Filter::Locator(locator)) => {
                return match self.look_located(locator, read, counts, taker)? {
                    Some(looked) => Ok(looked),
                    None => self.look_by_index(read, before, counts, taker),
                };
            }
        }
        let Index::Resident(fence) = &self.index else { return self.look_by_index(read, before, counts, taker) };
        let looked = self.search(fence, approach.block(), read, counts, taker)?;
        Ok(self.settle(looked, before, counts))
    }

    /// Looks where fence or leaves lead; the filter was asked.
    #[inline]
    fn look_by_index(
        &self,
        read: &PointRead<'_>,
        before: ReadCounts,
        counts: &mut ReadCounts,
        taker: &mut impl TakeRow,
    ) -> Result<Looked> {
        let looked = match &self.index {
            Index::Resident(fence) => match fence.find(InternalKey::seek_to(read.key, read.read_seqno), &self.order) {
                Some(block) => self.search(fence, block, read, counts, taker)?,
                None => Looked::Absent,
            },
            Index::Paged(leaves) => self.look_by_leaves(leaves, read, counts, taker)?,
        };
        Ok(self.settle(looked, before, counts))
    }

    /// Counts what a filter has said by mistake, and nothing of a look that came to nothing.
    #[inline]
    fn settle(&self, looked: Looked, before: ReadCounts, counts: &mut ReadCounts) -> Looked {
        match looked {
            Looked::Found => {}
            Looked::Absent => counts.filter_false_positives += u64::from(self.filter.is_some() || self.filter_pages.is_some()),
            Looked::OutOfReach => *counts = before,
        }
        looked
    }

    /// Looks into the blocks that could hold the row, from this one on.
    fn search(
        &self,
        fence: &Fence,
        mut number: usize,
        read: &PointRead<'_>,
        counts: &mut ReadCounts,
        taker: &mut impl TakeRow,
    ) -> Result<Looked> {
        let PointRead { key, read_seqno, .. } = *read;
        // A reader above every row need not look at the bounds of a block.
        let is_above_all = read_seqno > self.meta.max_seqno;
        loop {
            if (is_above_all || fence.min_seqno(number) < read_seqno)
                && let Some(looked) = self.look_in(number, read, counts, taker)?
            {
                return Ok(looked);
            }
            if !fence.is_continued(number, key) {
                return Ok(Looked::Absent);
            }
            number += 1;
        }
    }

    /// Looks into one block: `None` if no row in it is one that `read` sees.
    #[inline]
    fn look_in(
        &self,
        number: usize,
        read: &PointRead<'_>,
        counts: &mut ReadCounts,
        taker: &mut impl TakeRow,
    ) -> Result<Option<Looked>> {
        let mut sought = Sought::NotHere;
        let look = |block: &BlockRef| sought = self.find_in(number, Block::of(block), read, taker);
        counts.blocks += 1;
        match read.reach {
            Reach::All => self.blocks.with(number, Heat::Point, || self.load(number, counts), look)?,
            Reach::Resident(pin) if self.blocks.look(number, Heat::Point, pin, look) => {}
            Reach::Resident(_) => return Ok(Some(Looked::OutOfReach)),
        }
        match sought {
            Sought::Found => Ok(Some(Looked::Found)),
            Sought::NotHere => Ok(None),
            Sought::Damaged => Err(self.damaged(number)),
        }
    }

    /// Gives the newest row of a block that `read` sees to `taker`, if there is one.
    #[inline]
    fn find_in(&self, number: usize, block: Block<'_>, read: &PointRead<'_>, taker: &mut impl TakeRow) -> Sought {
        let found = block.lookup(read.key, tag_of(read.hash), read.read_seqno);
        self.take_found((number, block), found, read, taker)
    }

    /// Gives what was found in a block to `taker`, if it is a row and what was found is so. A part of each of its two callers, which are asked
    /// too often for a call.
    #[inline(always)]
    fn take_found(
        &self,
        (number, block): (usize, Block<'_>),
        found: Lookup,
        read: &PointRead<'_>,
        taker: &mut impl TakeRow,
    ) -> Sought {
        if self.has_digests && !self.proves_lookup(number, block, found, read) {
            return Sought::Damaged;
        }
        let Lookup::Row(FoundRow { head, value: (start, end), .. }) = found else { return Sought::NotHere };
        match block {
            Block::Slotted(block) => taker.take(head, block.part(start, end)),
            Block::Jumbo(block) => taker.take_shared(head, block.shared_value()),
        }
        Sought::Found
    }

    /// A key's hash under the seed of this table.
    pub fn key_hash(&self, user_key: &[u8]) -> u64 {
        key_hash(self.properties.hash_seed, user_key)
    }

    /// Its range tombstones, if it has any.
    #[inline]
    pub fn range_tombstones(&self) -> Option<&Arc<RangeTombstones>> {
        self.ranges.as_ref()
    }

    /// Its runs of removed keys, if it has any, as range tombstones right above the highest sequence number of a row in them.
    pub fn removed_runs(&self) -> Option<&Arc<RangeTombstones>> {
        self.removed.as_ref()
    }

    /// What the table says about itself.
    pub fn properties(&self) -> &Properties {
        &self.properties
    }

    /// What a manifest records of it.
    pub fn meta(&self) -> &TableMeta {
        &self.meta
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Bytes of its filter of keys.
    pub fn filter_bytes(&self) -> u64 {
        self.filter_bytes
    }

    /// Memory that the table takes while it is open, cached blocks not counted.
    pub fn memory_bytes(&self) -> usize {
        self.metadata.bytes() as usize
    }

    pub(crate) fn order(&self) -> &KeyOrder {
        &self.order
    }

    /// For a walk after which the system need not keep in memory what was read.
    pub(crate) fn wake(&self) -> Wake {
        Wake::new(Arc::clone(&self.file), Arc::clone(&self.stats))
    }

    pub(crate) fn budget(&self) -> &Arc<MemoryBudget> {
        self.metadata.budget()
    }

    /// The block with this number, of which the walk holds what is known, read through its window where it is not there.
    #[inline]
    pub(crate) fn block(&self, number: usize, heat: Heat, held: &HeldLeaf, window: &mut Window) -> Result<BlockRef> {
        let before = window.read_bytes();
        let mut is_loaded = false;
        let block = self.blocks.get_or_load(number, heat, || {
            is_loaded = true;
            let place = self.index.place(number, held);
            let bytes = window.block(&*self.file, place, self.index.data_end());
            self.of_this_file(bytes.and_then(|bytes| decode_block(&self.pool, &self.opener, place, bytes)))
        });
        // Of rewrites, who count what they read by the table, the cache neither gains nor loses.
        if heat != Heat::Once {
            let stats = self.stats.local();
            stats.add(if is_loaded { Counter::BlockCacheMisses } else { Counter::BlockCacheHits }, 1);
            stats.add_some(Counter::BlockBytesRead, window.read_bytes() - before);
        }
        block
    }

    /// The frame of a block, proven: header and stored bytes, read through the window of a walk.
    pub(crate) fn frame<'a>(&self, place: BlockPlace, window: &'a mut Window) -> Result<(FrameHeader, &'a [u8])> {
        let bytes = window.block(&*self.file, place, self.index.data_end());
        self.of_this_file(bytes.and_then(|bytes| verify_block(&self.opener.seal, place, bytes)))
    }

    /// The dictionary of its blocks, if they have one.
    pub(crate) fn dictionary(&self) -> Option<&Arc<Dictionary>> {
        self.opener.unpacker.dictionary()
    }

    /// Reads a block for a point.
    fn load(&self, number: usize, counts: &mut ReadCounts) -> Result<BlockRef> {
        let place = self.place(number, Heat::Point)?;
        counts.blocks_loaded += 1;
        counts.block_bytes_read += place.bytes;
        self.of_this_file(load_block(&self.pool, &*self.file, &self.opener, place))
    }

    fn of_this_file<T>(&self, block: Result<T>) -> Result<T> {
        block.map_err(|error| error.in_file(&self.path))
    }

    fn open_file(context: &TableContext, path: &Path, expected_bytes: Option<u64>) -> Result<Self> {
        let file = context.fs.open(path)?;
        let tail = Tail::read(context.cache.pool(), &*file, expected_bytes).map_err(|error| error.in_file(path))?;
        let properties = tail.properties().map_err(|error| error.in_file(path))?;
        let mut apart = Apart::default();
        let index = Index::open(context, &tail, &file, &properties, &mut apart).map_err(|error| error.in_file(path))?;
        let filters = Filters::open(context, &tail, &file, &properties, &mut apart).map_err(|error| error.in_file(path))?;
        if properties.comparator != context.order.name() {
            let error = Error::invalid_input("the table is sorted by another comparator");
            return Err(error.expected_found(context.order.name(), &properties.comparator).in_file(path));
        }
        let ranges = tail.range_tombstones(&properties, &context.order).map_err(|error| error.in_file(path))?;
        let ranges = (!ranges.is_empty()).then(|| Arc::new(ranges));
        let removed = tail.removed_runs(&properties, &context.order).map_err(|error| error.in_file(path))?;
        let removed = removed.map(|removed| Arc::new(removed.covers(&context.order)));
        let range_bytes: usize = ranges.iter().chain(&removed).map(|ranges| ranges.memory_bytes()).sum();
        let unpacker = tail.unpacker(context, &properties).map_err(|error| error.in_file(path))?;
        let dictionary_bytes = unpacker.dictionary().map_or(0, |dictionary| dictionary.memory_bytes());
        let blocks = context.cache.pages(&context.park, index.blocks());
        let memory_bytes = (size_of::<Self>() + tail.memory_bytes() + range_bytes + dictionary_bytes) as u64;
        let memory_bytes = memory_bytes + apart.memory_bytes + blocks.memory_bytes() as u64;
        context.stats.add(Counter::TableOpens, 1);
        context.stats.add(Counter::TableOpenBytesRead, tail.read_bytes() + apart.read_bytes);
        Ok(Self {
            file,
            path: path.to_path_buf(),
            order: context.order.clone(),
            opener: Opener::new(tail.seal(), unpacker, &properties, &context.order),
            meta: properties.meta(&tail.header, tail.file_bytes, tail.footer.root),
            has_digests: properties.has_digests(),
            properties,
            blocks,
            pool: context.cache.pool().clone(),
            index,
            filter: filters.filter,
            filter_pages: filters.pages,
            filter_bytes: tail.footer.region(Region::Filter).map_or(0, |region| region.plain_bytes),
            prefix_filter: filters.prefixes,
            ranges,
            removed,
            stats: Arc::clone(&context.stats),
            metadata: Charge::new(&context.budget, Account::Metadata, memory_bytes),
        })
    }
}

impl fmt::Debug for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Table({}, {} rows in {} blocks)", self.path.display(), self.meta.rows, self.index.blocks())
    }
}

/// What a point read found in one block.
#[derive(Clone, Copy, Debug)]
enum Sought {
    /// The newest row that it sees, which was taken.
    Found,
    /// No row that it sees.
    NotHere,
    /// A row that is not what was written.
    Damaged,
}
