//! Blocks as wholes: for a rewrite that leaves every row of one as it is, and may then take over the block without making it anew.

use super::TableCursor;
use crate::{
    block::Block,
    index::{BlockFlags, BlockPlace},
    reader::Table,
    writer::{Carried, TableWriter},
};
use sediment_base::{Cursor, Result, SeqNo};
use std::sync::Arc;

/// A block on whose first row a cursor stands, with all rows that the table has of their keys.
#[derive(Clone, Copy, Debug)]
pub struct WholeBlock<'a> {
    table: &'a Table,
    place: BlockPlace,
    block: Block<'a>,
    first_key: &'a [u8],
}

impl<'a> WholeBlock<'a> {
    /// The user key of its first row.
    #[inline]
    pub fn first_key(&self) -> &'a [u8] {
        self.first_key
    }

    /// Whether all its keys come before this one.
    #[inline]
    pub fn ends_before(&self, user_key: &[u8]) -> bool {
        self.block.compare_key(self.block.rows() - 1, user_key, self.table.order()).is_lt()
    }

    /// The highest sequence number of a row.
    pub fn max_seqno(&self) -> SeqNo {
        self.place.max_seqno
    }

    /// How many rows it has.
    pub fn rows(&self) -> usize {
        self.block.rows()
    }

    /// Bytes of its rows, with what describes them.
    pub fn bytes(&self) -> usize {
        self.block.bytes().len()
    }
}

/// Flags of blocks that nobody takes over: they are few, or say more than their rows do.
const NEVER: [BlockFlags; 5] =
    [BlockFlags::ALL_OBSOLETE, BlockFlags::ALL_TOMBSTONES, BlockFlags::BLOB, BlockFlags::OPERAND, BlockFlags::CONTINUES];

impl TableCursor {
    /// The block whose first row it stands on, unless that is one which a rewrite never leaves as it is, or has not the rows that it
    /// seems to have: a large row, rows that belong to keys of other blocks, rows of an ingested table.
    #[inline]
    pub fn whole_block(&self) -> Option<WholeBlock<'_>> {
        if self.row > 0 || !self.is_valid { None } else { self.find_whole() }
    }

    fn find_whole(&self) -> Option<WholeBlock<'_>> {
        let (number, block) = self.standing();
        let (index, block) = (self.table.index(), Block::of(block));
        let (place, goes_on) = (index.place(number, &self.leaf), index.continues(number + 1, &self.leaf));
        let never = goes_on || place.global_seqno > 0 || NEVER.iter().any(|flag| place.flags.contains(*flag));
        let is_whole = !never && matches!(block, Block::Slotted(_));
        is_whole.then(|| WholeBlock { table: &self.table, place, block, first_key: self.key.bytes() })
    }

    /// Moves to the first row behind the block that it stands on. Panics on no row.
    pub fn pass_block(&mut self) -> Result<()> {
        self.check()?;
        let (number, _) = self.standing();
        self.stand_on_first(number + 1)
    }

    /// Gives the block on whose first row it stands to `writer`, as it is stored; its rows come behind all that are there. False, and nothing
    /// done, where the writer would rather have the rows: because it stores them in another way, or not every row is a value and the
    /// only one of its key. Either way it stays where it is.
    pub fn carry_block(&mut self, writer: &mut TableWriter) -> Result<bool> {
        self.check()?;
        let Some(WholeBlock { place, .. }) = self.whole_block() else { return Ok(false) };
        let (number, block) = self.standing();
        // They stay what they are while the frame is read.
        let (block, table) = (block.clone(), Arc::clone(&self.table));
        let (properties, dictionary) = (table.properties(), table.dictionary());
        let carried = Carried { block: Block::of(&block), place, properties, dictionary };
        if !writer.takes(&carried, self.key())? {
            return Ok(false);
        }
        let done = table
            .frame(place, &mut self.window)
            .and_then(|(header, stored)| writer.carry(&carried, (&header, stored), || table.damaged(number)));
        match done {
            Ok(()) => Ok(true),
            Err(error) => self.fail(error),
        }
    }
}
