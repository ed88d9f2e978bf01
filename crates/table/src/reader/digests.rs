//! Digests of rows: what a read of a table that has them looks at beside.
//!
//! A row is given to nobody before it was found to have its digest. That something is not there needs a proof as well, because damage may hide
//! a row from a search: the rows between which it would lie are looked at.

use super::{Table, point::PointRead};
use crate::{
    block::{Block, Lookup},
    cache::Heat,
};
use sediment_base::{Error, InternalKey, SeqNo};

impl Table {
    /// Whether its rows have digests, which are checked.
    #[inline]
    pub(crate) fn has_digests(&self) -> bool {
        self.has_digests
    }

    /// Whether what a point read has found in a block is so.
    #[inline(never)]
    pub(super) fn proves_lookup(&self, number: usize, block: Block<'_>, found: Lookup, read: &PointRead<'_>) -> bool {
        match found {
            Lookup::Row(found) => block.is_intact(found.row, read.hash),
            Lookup::Later => true,
            Lookup::Absent => self.is_absent(number, block, read.key),
        }
    }

    /// Whether `row` is where a search for `target` has to end in this block.
    pub(crate) fn proves_place(&self, number: usize, block: Block<'_>, row: usize, target: InternalKey<'_>) -> bool {
        match block {
            Block::Slotted(_) => block.proves_place(row, target, &self.order, self.properties.hash_seed),
            // Its value may be long, and has seldom to do with it.
            Block::Jumbo(_) => {
                let key = block.suffix(0);
                let is_intact = || block.is_intact(0, self.key_hash(key));
                match self.index.resident() {
                    Some(fence) => fence.begins_with(number, key) && (key != target.user_key || is_intact()),
                    None => is_intact(),
                }
            }
        }
    }

    /// A row of this block is not what was written.
    #[cold]
    pub(crate) fn damaged(&self, number: usize) -> Error {
        let error = Error::corruption(
            "a row of the block here does not have its digest: it was damaged in memory, before it was written or since",
        );
        match self.place(number, Heat::Scan) {
            Ok(place) => error.at(place.offset).in_file(&self.path),
            Err(_) => error.in_file(&self.path),
        }
    }

    /// Whether surely no row of the block has this user key.
    fn is_absent(&self, number: usize, block: Block<'_>, user_key: &[u8]) -> bool {
        let target = InternalKey::seek_to(user_key, SeqNo::MAX);
        let row = block.lower_bound(target, &self.order);
        let is_here = row < block.rows() && block.compare_key(row, user_key, &self.order).is_eq();
        !is_here && self.proves_place(number, block, row, target)
    }
}

#[cfg(test)]
mod tests;
