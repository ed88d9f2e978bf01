//! A fence in leaves, of which an open table keeps the root: leaves come from the file where a read or a walk needs them, through the cache of
//! blocks.
//!
//! A leaf is proven when it is loaded, as all that is read, and held against the root. Shared.

use super::{Reach, fences::leaf_frame, load::read_fully, tail::Tail};
use crate::{
    block::{BlockBuffer, BlockHead, BlockRef},
    cache::{Heat, Pages},
    context::TableContext,
    format::RegionEntry,
    index::{BlockEntry, Leaf, Root},
};
use sediment_base::{InternalKey, KeyOrder, Result, Stats, stats::Counter};
use sediment_codec::seal::{FRAME_HEADER_BYTES, Seal};
use sediment_env::File;
use sediment_raw::slab::Pool;
use std::{fmt, sync::Arc};

/// A fence of which only the root is in memory.
pub(crate) struct Leaves {
    root: Root,
    pages: Pages<BlockRef>,
    file: Arc<dyn File>,
    seal: Seal,
    pool: Pool,
    stats: Arc<Stats>,
    /// Where their region begins in the file.
    offset: u64,
}

/// The leaf that a walk goes over, which it keeps.
#[derive(Debug, Default)]
pub(crate) struct HeldLeaf(Option<(usize, BlockRef)>);

impl Leaves {
    /// Those with this root, whose region this is.
    pub(super) fn new(context: &TableContext, tail: &Tail, file: &Arc<dyn File>, root: Root, region: &RegionEntry) -> Self {
        Self {
            pages: context.cache.pages(&context.park, root.leaves()),
            root,
            file: Arc::clone(file),
            seal: tail.seal(),
            pool: context.cache.pool().clone(),
            stats: Arc::clone(&context.stats),
            offset: region.offset,
        }
    }

    /// Memory that it takes, cached leaves and the root not counted.
    pub(super) fn memory_bytes(&self) -> usize {
        size_of::<Self>() + self.pages.memory_bytes()
    }

    /// What leads to them.
    pub(crate) fn root(&self) -> &Root {
        &self.root
    }

    /// The block that [`crate::index::Fence::find`] would find: `Some(None)` if the whole table comes after `target`, `None` if what could
    /// tell is out of reach.
    pub(super) fn find(
        &self,
        target: InternalKey<'_>,
        order: &KeyOrder,
        reach: Reach<'_>,
    ) -> Result<Option<Option<BlockEntry>>> {
        let Some(number) = self.root.find(target, order) else { return Ok(Some(None)) };
        self.look(number, reach, |leaf| Some(self.root.entry(leaf, self.root.find_in(leaf, number, target, order))))
    }

    /// The block behind this one, if it begins with more rows of the user key. `None` as above.
    pub(super) fn find_next(&self, entry: &BlockEntry, key: &[u8], reach: Reach<'_>) -> Result<Option<Option<BlockEntry>>> {
        if !entry.is_continued {
            return Ok(Some(None));
        }
        let next = entry.number + 1;
        self.look(self.root.leaf_of(next), reach, |leaf| {
            let is_key = leaf.begins_with(self.root.within(next), key);
            is_key.then(|| self.root.entry(leaf, next))
        })
    }

    /// What `look` makes of a leaf; `None` if it is out of reach.
    fn look<R>(&self, number: usize, reach: Reach<'_>, look: impl Fn(&Leaf<'_>) -> R) -> Result<Option<R>> {
        let mut made = None;
        let show = |page: &BlockRef| made = Some(self.root.leaf(page.bytes()).map(|leaf| look(&leaf)));
        match reach {
            Reach::All => self.pages.with(number, Heat::Point, || self.load(number), show)?,
            Reach::Resident(pin) => {
                self.pages.look(number, Heat::Point, pin, show);
            }
        }
        made.transpose()
    }

    /// Makes a walk keep the leaf with this number.
    fn hold(&self, number: usize, heat: Heat, held: &mut HeldLeaf) -> Result<()> {
        if held.0.as_ref().is_none_or(|(is_held, _)| *is_held != number) {
            held.0 = Some((number, self.pages.get_or_load(number, heat, || self.load(number))?));
        }
        Ok(())
    }

    /// Makes a walk keep the leaf of this block.
    pub(super) fn hold_block(&self, block: usize, heat: Heat, held: &mut HeldLeaf) -> Result<()> {
        self.hold(self.root.leaf_of(block), heat, held)
    }

    /// The same of the block that [`crate::index::Fence::find`] finds, which is returned.
    pub(super) fn hold_found(
        &self,
        target: InternalKey<'_>,
        order: &KeyOrder,
        heat: Heat,
        held: &mut HeldLeaf,
    ) -> Result<Option<usize>> {
        let Some(number) = self.root.find(target, order) else { return Ok(None) };
        self.hold(number, heat, held)?;
        Ok(Some(self.root.find_in(&self.held(held).1, number, target, order)))
    }

    /// The leaf that a walk keeps, and its number. Panics if that is none.
    pub(super) fn held<'a>(&self, held: &'a HeldLeaf) -> (usize, Leaf<'a>) {
        let (number, page) = held.0.as_ref().expect("a walk holds the leaf of its block");
        (*number, self.root.leaf(page.bytes()).expect("a leaf was taken apart when it was read"))
    }

    /// Reads and proves a leaf.
    fn load(&self, number: usize) -> Result<BlockRef> {
        let frame = self.root.frame_of(number);
        let (offset, bytes) = (self.offset + frame.start, frame.end - frame.start);
        let mut buffer = BlockBuffer::zeroed(&self.pool, bytes as usize);
        read_fully(&*self.file, offset, buffer.bytes_mut())?;
        let stats = self.stats.local();
        stats.add(Counter::FenceLeavesLoaded, 1);
        stats.add(Counter::FenceLeafBytesRead, bytes);
        let stored = leaf_frame(&self.seal, &self.root, self.offset, number, buffer.bytes())?;
        self.root.proven_leaf(number, stored).map_err(|error| error.at(offset))?;
        let kept = FRAME_HEADER_BYTES..FRAME_HEADER_BYTES + stored.len();
        Ok(buffer.share(BlockHead::of_no_rows(), kept))
    }
}

impl fmt::Debug for Leaves {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Leaves({:?})", self.pages)
    }
}
