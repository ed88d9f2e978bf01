//! Blocks of other tables that are taken over as they are stored: not taken apart, not compressed again.
//!
//! That is done only where this table would have made about the same block of the same rows. What a table knows of its rows beside the blocks,
//! filters and counts, is made from the rows of every block.

use super::TableWriter;
use crate::{
    block::{Block, BlockSummary},
    index::BlockPlace,
    properties::Properties,
};
use sediment_base::{Error, InternalKey, Kind, Result, RowFlags};
use sediment_codec::{compress::Dictionary, seal::FrameHeader};
use std::sync::Arc;

/// A block of another table, with what that says of it, which has all its rows of these keys.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Carried<'a> {
    pub(crate) block: Block<'a>,
    pub(crate) place: BlockPlace,
    pub(crate) properties: &'a Properties,
    pub(crate) dictionary: Option<&'a Arc<Dictionary>>,
}

impl Carried<'_> {
    /// Whether every row is a value, and the only row of its key.
    fn is_plain(&self) -> bool {
        let is_value = |row| self.block.head(row).kind == Kind::Value && !self.block.is_same_key(row);
        (0..self.block.rows()).all(is_value)
    }
}

/// Blocks that are taken over, or could be, for each that is less than half full because of it: what such take is little beside these.
const BLOCKS_PER_SHORT_ONE: u32 = 8;

impl TableWriter {
    /// Whether it takes over a block that begins with this row, which comes behind all so far. Not where it would have stored the rows in
    /// another way, in blocks of quite another size, or would be left with too many short ones.
    pub(crate) fn takes(&mut self, carried: &Carried<'_>, first: InternalKey<'_>) -> Result<bool> {
        if let Some(error) = &self.failed {
            return Err(error.clone());
        }
        let is_taken = self.makes(carried) && self.may_end_block();
        if is_taken {
            self.check_row(first, RowFlags::NONE, &[])?;
        }
        Ok(is_taken)
    }

    /// Whether it would make about this block itself.
    fn makes(&mut self, carried: &Carried<'_>) -> bool {
        let (own, stated) = (&self.properties, carried.properties);
        let target = self.options.block_bytes_target();
        own.compression == stated.compression
            && own.block_codec == stated.block_codec
            && own.hash_seed == stated.hash_seed
            && own.row_digests == stated.row_digests
            && self.data.has_dictionary(carried.dictionary)
            && (target / 2..=target).contains(&carried.block.bytes().len())
            && carried.is_plain()
    }

    /// Whether the block being built may end here, in front of one that is taken over. Rows of the same length would else leave it as short
    /// at the end of each block that is not taken over for that.
    fn may_end_block(&mut self) -> bool {
        let is_short = !self.builder.is_empty() && self.block_bytes < self.options.block_bytes_target() / 2;
        self.blocks_met = (self.blocks_met + 1).min(BLOCKS_PER_SHORT_ONE);
        if is_short && self.blocks_met < BLOCKS_PER_SHORT_ONE {
            return false;
        }
        if is_short {
            self.blocks_met = 0;
        }
        true
    }

    /// Takes over a block that it takes, with the header of its frame and the stored bytes. `damaged` tells of a row that has not its digest.
    pub(crate) fn carry(
        &mut self,
        carried: &Carried<'_>,
        frame: (&FrameHeader, &[u8]),
        damaged: impl FnOnce() -> Error,
    ) -> Result<()> {
        let is_carried = self.carry_checked(carried, frame, damaged);
        self.remember(is_carried)
    }

    fn carry_checked(
        &mut self,
        carried: &Carried<'_>,
        frame: (&FrameHeader, &[u8]),
        damaged: impl FnOnce() -> Error,
    ) -> Result<()> {
        if !self.builder.is_empty() {
            self.finish_block()?;
        }
        let Carried { block, place, .. } = *carried;
        let (mut key, prefix_len) = (block.prefix().to_vec(), block.prefix().len());
        let mut is_intact = true;
        for row in 0..block.rows() {
            let view = block.view(row);
            key.truncate(prefix_len);
            key.extend_from_slice(view.suffix.unwrap_or_default());
            self.begin_key(&key);
            is_intact &= self.properties.row_digests == 0 || block.is_intact(row, self.last.hash);
            if self.wants_hashes() {
                self.hashes.push(self.last.hash);
            }
            self.count(InternalKey::new(&key, view.head.seqno, view.head.kind), view.head.flags, view.value.len(), true);
        }
        if !is_intact {
            return Err(damaged());
        }
        let first = block.head(0);
        (self.continues, self.first_version) = (false, (first.seqno, first.kind));
        let note = self.note(block.user_key(0));
        self.data.carry(&mut self.file, note, frame, BlockSummary::of_values(place.min_seqno, place.max_seqno))?;
        self.charge.grow_to(self.buffer_bytes() as u64);
        Ok(())
    }
}
