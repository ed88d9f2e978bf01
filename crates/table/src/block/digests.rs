//! Whether what a block holds of a row is what was written, by the digest that the row came with.
//!
//! A block is proven when it is loaded, and then lies in memory for as long as it is asked for. A bit of it may turn over there, and may have
//! done so before the checksum of the block was made. So nothing is taken for granted here: whatever the bytes are, the answer is yes or
//! no.

use super::Block;
use sediment_base::{InternalKey, KeyOrder};
use sediment_codec::{
    checksum,
    hash::{key_hash, row_digest},
};
use std::cmp::Ordering;

impl<'a> Block<'a> {
    /// The digest that the row came with.
    pub(crate) fn digest(self, row: usize) -> Option<u32> {
        self.digested(row).map(|(digest, ..)| digest)
    }

    /// Whether the row has its digest. `key_hash` is that of its user key, as it lies here.
    #[inline]
    pub(crate) fn is_intact(self, row: usize, key_hash: u64) -> bool {
        self.digested(row).is_some_and(|(digest, what, value)| checksum::matches(row_digest(key_hash, what, value), digest))
    }

    /// The user key of the row.
    pub(crate) fn user_key(self, row: usize) -> Vec<u8> {
        [self.prefix(), self.suffix(row)].concat()
    }

    /// Whether `row` is the first at or after `target`, as a search has said that some damage may have led astray: the rows on both
    /// sides of the place are whole, and lie on their sides.
    pub(crate) fn proves_place(self, row: usize, target: InternalKey<'_>, order: &KeyOrder, hash_seed: u64) -> bool {
        let lies = |row: usize, expected: fn(Ordering) -> bool| {
            let key = self.user_key(row);
            self.is_intact(row, key_hash(hash_seed, &key)) && {
                let head = self.head(row);
                expected(InternalKey::new(&key, head.seqno, head.kind).compare(target, order))
            }
        };
        let is_before = row.checked_sub(1).is_none_or(|before| lies(before, Ordering::is_lt));
        is_before && (row >= self.rows() || lies(row, Ordering::is_ge))
    }

    /// Digest, kind and flags, value.
    #[inline]
    fn digested(self, row: usize) -> Option<(u32, u8, &'a [u8])> {
        match self {
            Self::Slotted(block) => block.digested(row),
            Self::Jumbo(block) => block.digested(),
        }
    }
}
