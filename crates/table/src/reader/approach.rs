//! `Approach`: where a point read will look, worked out ahead, so that many reads can wait for memory at the same time.
//!
//! A read is a chain: what is looked at next is known once the memory of the step before is there. One read alone waits at every
//! step. Of many, each step is taken for all of them before the next: while one waits, the others' memory is on its way. Nothing is
//! answered here: a read that comes without it finds the same, and one that comes with it need not look for its block again.

use super::Table;
use crate::{
    block::{Block, BlockRef, SlottedBlock, SoughtKey, tag_of},
    filter::KeyPlace,
};
use sediment_base::{InternalKey, SeqNo};
use sediment_raw::{epoch::Pin, simd};

/// The way of one point read to a row that may be in a table.
#[derive(Clone, Copy, Debug)]
pub struct Approach<'t> {
    table: &'t Table,
    block: usize,
    sought: SoughtKey,
}

impl Table {
    /// Asks for the part of the filter that a read of this hash looks at.
    #[inline]
    pub fn prefetch_filter(&self, hash: u64) {
        if let Some(filter) = &self.filter {
            filter.prefetch(hash);
        }
    }

    /// Where a read goes that the filter does not end: asks for the slot of its block. `near` is that of another read, of a key that
    /// may be a neighbour. Nothing is known ahead of a table whose fence is not in memory.
    #[inline]
    pub fn approach(&self, user_key: &[u8], hash: u64, read_seqno: SeqNo, near: Option<&Approach<'_>>) -> Option<Approach<'_>> {
        if let Some(locator) = self.locator() {
            let KeyPlace { block, slot } = locator.places(hash).next().filter(|place| place.block < self.index.blocks())?;
            self.blocks.prefetch(block);
            return Some(Approach { table: self, block, sought: SoughtKey::Slot(slot) });
        }
        let fence = self.index.resident()?;
        if self.filter.as_ref().is_some_and(|filter| !filter.may_contain(hash)) {
            return None;
        }
        let target = InternalKey::seek_to(user_key, read_seqno);
        let near = near.filter(|near| std::ptr::eq(near.table, self)).map(|near| near.block);
        let near = near.filter(|near| fence.is_in(*near, target, &self.order));
        let block = near.or_else(|| fence.find(target, &self.order))?;
        self.blocks.prefetch(block);
        Some(Approach { table: self, block, sought: SoughtKey::Tag(tag_of(hash)) })
    }
}

impl Approach<'_> {
    /// The block where its read begins.
    #[inline]
    pub(super) fn block(&self) -> usize {
        self.block
    }

    /// Second step: asks for the head of the block.
    #[inline]
    pub fn prefetch_head(&self, pin: &Pin) {
        self.with_block(pin, |block| simd::prefetch(&raw const **block));
    }

    /// Third: for its tags.
    #[inline]
    pub fn prefetch_tags(&self, pin: &Pin) {
        if let SoughtKey::Tag(_) = self.sought {
            self.with_rows(pin, |block| block.prefetch_tags());
        }
    }

    /// Fourth: for the slots of the rows that it could be.
    #[inline]
    pub fn prefetch_slots(&self, pin: &Pin) {
        self.with_rows(pin, |block| block.prefetch_slots(self.sought));
    }

    /// Last: for those rows.
    #[inline]
    pub fn prefetch_records(&self, pin: &Pin) {
        self.with_rows(pin, |block| block.prefetch_records(self.sought));
    }

    /// Shows `look` the block, if it is in memory and one of many rows.
    #[inline]
    fn with_rows(&self, pin: &Pin, look: impl FnOnce(SlottedBlock<'_>)) {
        self.with_block(pin, |block| {
            if let Block::Slotted(block) = Block::of(block) {
                look(block);
            }
        });
    }

    /// Shows `look` the block, if it is in memory.
    #[inline]
    fn with_block(&self, pin: &Pin, look: impl FnOnce(&BlockRef)) {
        self.table.blocks.peek(self.block, pin, look);
    }
}
