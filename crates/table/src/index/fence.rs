//! The fence: the first key of every block, and what can be known of a block without reading it.
//!
//! ```text
//!  0 blocks u32 | 4 prefix_len u32 | 8 pool_len u32 | 12 flags u32 | 16 zero u64
//! 24 heads u64[blocks]     monotone summary of the first key, behind the prefix
//!    min_seqno u64[blocks]
//!    max_seqno u64[blocks]
//!    offset u32[blocks]    of the block's first frame, in units of 64 bytes
//!    length u32[blocks]    of all its frames, likewise
//!    pool_end u32[blocks]  where the entry in the pool ends
//!    block_flags u16[blocks]
//!    prefix                what all first keys share; empty if the order is not lexicographic
//!    pool                  first key behind the prefix; for a block that continues, then seqno u64 and kind u8 of its first row
//! ```
//!
//! A block *continues* if its first row has the user key of the last row before it. Only then does the version of the first row
//! matter for a search: any other block begins with all that the table knows of its first key. Blocks lie in the
//! file without gaps. An unknown flag refuses the fence.
//!
//! It is searched where it was read to: opening looks at it once, and copies nothing. A long fence is stored in *leaves*, each like this of some
//! of the blocks, all with the prefix of the whole: `root.rs`.

#![deny(clippy::indexing_slicing, clippy::unwrap_used, clippy::arithmetic_side_effects)]

use super::{
    builder::{in_u32, put_header},
    place::{BlockFlags, BlockPlace},
};
use crate::format::{BODY_AT, Content};
use sediment_base::{Error, InternalKey, KeyOrder, Kind, Result, SeqNo};
use sediment_codec::{
    coding::{Reader, Writer},
    seal::FRAME_ALIGN,
};
use sediment_raw::simd;
use std::{
    cmp::Ordering,
    ops::{Deref, Range},
};

pub(super) const HEADER_BYTES: usize = 24;
const ENTRY_BYTES: usize = 38;
pub(super) const VERSION_BYTES: usize = 9;

/// What is known of the blocks of a table, or of a leaf of them, in the memory of `B`, where it was read to. Immutable. The default is that
/// of a table without rows.
#[derive(Debug, Default)]
pub(crate) struct Fence<B = Content> {
    heads: Column<8, B>,
    min_seqnos: Column<8, B>,
    max_seqnos: Column<8, B>,
    offsets: Column<4, B>,
    lengths: Column<4, B>,
    pool_ends: Column<4, B>,
    flags: Column<2, B>,
    prefix: B,
    pool: B,
    /// Of an ingested table, else 0.
    pub(super) global_seqno: SeqNo,
}

/// An array of the region: numbers of so many bytes.
#[derive(Debug, Default)]
pub(super) struct Column<const BYTES: usize, B = Content>(pub(super) B);

impl<const BYTES: usize, B: Deref<Target = [u8]>> Column<BYTES, B> {
    #[inline]
    pub(super) fn all(&self) -> &[[u8; BYTES]] {
        self.0.as_chunks().0
    }

    #[inline]
    pub(super) fn get(&self, block: usize) -> [u8; BYTES] {
        *self.all().get(block).expect("callers ask for blocks of the fence")
    }
}

impl Fence {
    /// Takes the fence of the blocks that fill the file there.
    pub(crate) fn decode(content: &Content, data: Range<u64>) -> Result<Self> {
        let fence = Self::split(content, |range| content.part(range))?;
        fence.check(data)?;
        Ok(fence)
    }
}

impl<'a> Fence<&'a [u8]> {
    /// The same of bytes that were checked before, or are then.
    pub(super) fn view(bytes: &'a [u8], global_seqno: SeqNo) -> Result<Self> {
        let fence = Self::split(bytes, |range| bytes.get(range).unwrap_or_default())?;
        Ok(Self { global_seqno, ..fence })
    }

    /// The content of the fence of which these are the leaves.
    pub(crate) fn join(leaves: &[Self]) -> Result<Vec<u8>> {
        let prefix = leaves.first().map_or(&[][..], |leaf| leaf.prefix);
        if leaves.iter().any(|leaf| leaf.prefix != prefix) {
            return Err(Error::corruption("leaves of a fence have other prefixes"));
        }
        let sum = |count: fn(&Self) -> usize| leaves.iter().map(count).fold(0, usize::saturating_add);
        let (blocks, pool_len) = (sum(Self::blocks), sum(|leaf| leaf.pool.len()));
        let mut out = Vec::with_capacity(fence_bytes(blocks, prefix.len(), pool_len).unwrap_or(0));
        put_header(&mut out, [blocks, prefix.len(), pool_len])?;
        let columns: [fn(&Self) -> &'a [u8]; 5] = [
            |leaf| leaf.heads.0,
            |leaf| leaf.min_seqnos.0,
            |leaf| leaf.max_seqnos.0,
            |leaf| leaf.offsets.0,
            |leaf| leaf.lengths.0,
        ];
        columns.iter().for_each(|column| leaves.iter().for_each(|leaf| out.put_bytes(column(leaf))));
        let mut before = 0_u32;
        for leaf in leaves {
            leaf.pool_ends.all().iter().for_each(|end| out.put_u32(before.saturating_add(u32::from_le_bytes(*end))));
            before = before.saturating_add(in_u32(leaf.pool.len() as u64)?);
        }
        leaves.iter().for_each(|leaf| out.put_bytes(leaf.flags.0));
        out.put_bytes(prefix);
        leaves.iter().for_each(|leaf| out.put_bytes(leaf.pool));
        Ok(out)
    }
}

impl<B: Deref<Target = [u8]>> Fence<B> {
    /// Takes the content apart.
    fn split(content: &[u8], part: impl Fn(Range<usize>) -> B) -> Result<Self> {
        let mut reader = Reader::new(content);
        let count = reader.u32()? as usize;
        let (prefix_len, pool_len) = (reader.u32()? as usize, reader.u32()? as usize);
        let flags = reader.u32()?;
        if flags != 0 {
            return Err(Error::unsupported(format!("fence flags {flags:#x} are unknown to this version; upgrade Sediment")));
        }
        let needed = fence_bytes(count, prefix_len, pool_len);
        if count == 0 || needed != Some(content.len()) {
            return Err(reader.error("fence length").expected_found(needed.unwrap_or(usize::MAX), content.len()));
        }
        let mut at = HEADER_BYTES;
        let mut take = |bytes: usize| {
            let start = at;
            at = at.saturating_add(bytes);
            part(start..at)
        };
        let mut array = |bytes: usize| take(bytes.saturating_mul(count));
        Ok(Self {
            heads: Column(array(8)),
            min_seqnos: Column(array(8)),
            max_seqnos: Column(array(8)),
            offsets: Column(array(4)),
            lengths: Column(array(4)),
            pool_ends: Column(array(4)),
            flags: Column(array(2)),
            prefix: take(prefix_len),
            pool: take(pool_len),
            global_seqno: 0,
        })
    }

    /// Every block that it names lies within these data, and can be found.
    pub(super) fn check(&self, data: Range<u64>) -> Result<()> {
        let comes_first = data.start == BODY_AT;
        self.check_places(data)?;
        self.check_keys(comes_first)
    }

    /// Blocks lie one behind the other, from the beginning of the data to their end.
    fn check_places(&self, data: Range<u64>) -> Result<()> {
        let flags = self.flags.all().iter().fold(0, |all, flags| all | u16::from_le_bytes(*flags));
        if flags & !BlockFlags::KNOWN != 0 {
            return Err(Error::unsupported(format!(
                "flags {flags:#x} of a block are unknown to this version; upgrade Sediment"
            )));
        }
        let (offsets, lengths) = (self.offsets.all(), self.lengths.all());
        let first = offsets.first().map(|offset| in_bytes(*offset));
        if first != Some(data.start) {
            return Err(bad_entry(0, "does not come first").expected_found(data.start, first.unwrap_or_default()));
        }
        if let Some(block) = first_false(lengths.iter().map(|length| *length != [0; 4])) {
            return Err(bad_entry(block, "is empty"));
        }
        let nexts = offsets.get(1..).unwrap_or_default();
        let ends = offsets.iter().zip(lengths).map(|(offset, length)| end_of(*offset, *length));
        if let Some(block) = first_false(ends.zip(nexts).map(|(end, next)| end == in_bytes(*next))) {
            return Err(bad_entry(block, "does not end where the next begins"));
        }
        if self.data_end() != data.end {
            return Err(Error::corruption("the fence does not end with the data").expected_found(data.end, self.data_end()));
        }
        Ok(())
    }

    /// Heads ascend, and every block has its part of the pool.
    fn check_keys(&self, comes_first: bool) -> Result<()> {
        let heads = self.heads.all();
        let pairs = heads.iter().zip(heads.get(1..).unwrap_or_default());
        if let Some(block) = first_false(pairs.map(|(head, next)| u64::from_le_bytes(*head) <= u64::from_le_bytes(*next))) {
            return Err(bad_entry(block, "has a head above the next"));
        }
        let ends = self.pool_ends.all();
        let pairs = ends.iter().zip(ends.get(1..).unwrap_or_default());
        let falls = first_false(pairs.map(|(end, next)| u32::from_le_bytes(*end) <= u32::from_le_bytes(*next)));
        if falls.is_some() || ends.last().map(|end| u32::from_le_bytes(*end) as usize) != Some(self.pool.len()) {
            return Err(bad_entry(falls.unwrap_or(0), "has no place for its first key"));
        }
        let continuing = self.flags.all().iter().enumerate().filter(|(_, flags)| BlockFlags::CONTINUES.is_in(**flags));
        for (block, _) in continuing {
            if comes_first && block == 0 || self.version(block).is_none() {
                return Err(bad_entry(block, "continues nothing"));
            }
        }
        Ok(())
    }

    /// With the seqno of an ingested table, whose rows are stored with 0; 0 if it is of another one.
    pub(crate) fn numbered(mut self, global_seqno: SeqNo) -> Result<Self> {
        let is_numbered = self.max_seqnos.all().iter().any(|seqno| *seqno != [0; 8]);
        let continues = self.flags.all().iter().any(|flags| BlockFlags::CONTINUES.is_in(*flags));
        if global_seqno > 0 && (is_numbered || continues) {
            return Err(Error::corruption("blocks of an ingested table have seqnos of their own"));
        }
        self.global_seqno = global_seqno;
        Ok(self)
    }

    /// Blocks of the table.
    #[inline]
    pub(crate) fn blocks(&self) -> usize {
        self.heads.all().len()
    }

    /// Where the last block ends.
    pub(crate) fn data_end(&self) -> u64 {
        let last = self.offsets.all().last().zip(self.lengths.all().last());
        last.map_or(BODY_AT, |(offset, length)| end_of(*offset, *length))
    }

    /// Where a block lies and what is known of it. Panics where there is none.
    #[inline]
    pub(crate) fn place(&self, block: usize) -> BlockPlace {
        BlockPlace {
            offset: in_bytes(self.offsets.get(block)),
            bytes: in_bytes(self.lengths.get(block)),
            min_seqno: self.min_seqno(block),
            max_seqno: u64::from_le_bytes(self.max_seqnos.get(block)).max(self.global_seqno),
            flags: BlockFlags(u16::from_le_bytes(self.flags.get(block))),
            global_seqno: self.global_seqno,
        }
    }

    /// The lowest seqno in a block. Panics where there is none.
    #[inline]
    pub(crate) fn min_seqno(&self, block: usize) -> SeqNo {
        u64::from_le_bytes(self.min_seqnos.get(block)).max(self.global_seqno)
    }

    /// The last block that can begin at or before `target`; nothing if the whole table comes after it. The first row at or
    /// after `target` is in that block or the first of the next one; the last row before it in that block or the end of the
    /// one before.
    pub(crate) fn find(&self, target: InternalKey<'_>, order: &KeyOrder) -> Option<usize> {
        let key = target.user_key;
        let shared = key.len().min(self.prefix.len());
        let (begins, rest) = key.split_at_checked(shared).unwrap_or_default();
        match self.prefix.get(..shared).unwrap_or_default().cmp(begins) {
            Ordering::Less => return self.blocks().checked_sub(1),
            Ordering::Equal if shared == self.prefix.len() => {}
            Ordering::Equal | Ordering::Greater => return None,
        }
        let head = order.head(rest);
        let heads = self.heads.all();
        let mut low = simd::lower_bound_u64(heads, head);
        let head = head.to_le_bytes();
        let mut high = low;
        if heads.get(low) == Some(&head) {
            let ties = heads.get(low..).unwrap_or_default();
            let is_single = ties.get(1) != Some(&head);
            high = low.saturating_add(if is_single { 1 } else { ties.partition_point(|tied| *tied == head) });
        }
        while low < high {
            let middle = low.midpoint(high);
            if self.begins_at_or_before(middle, rest, target, order) {
                low = middle.saturating_add(1);
            } else {
                high = middle;
            }
        }
        low.checked_sub(1)
    }

    /// Whether [`Fence::find`] would find this block, as far as heads tell; it says no where they tie.
    #[inline]
    pub(crate) fn is_in(&self, block: usize, target: InternalKey<'_>, order: &KeyOrder) -> bool {
        let Some(rest) = target.user_key.strip_prefix(&*self.prefix) else { return false };
        let head = order.head(rest);
        let at = |block: usize| self.heads.all().get(block).map(|head| u64::from_le_bytes(*head));
        at(block).is_some_and(|first| first < head) && at(block.saturating_add(1)).is_none_or(|next| head < next)
    }

    /// Whether the next block begins with more rows of this user key.
    #[inline]
    pub(crate) fn is_continued(&self, block: usize, user_key: &[u8]) -> bool {
        let next = block.saturating_add(1);
        let continues = self.flags.all().get(next).is_some_and(|flags| BlockFlags::CONTINUES.is_in(*flags));
        continues && self.begins_with(next, user_key)
    }

    /// Whether the first user key of a block is this one. Panics where there is no such block.
    #[inline]
    pub(crate) fn begins_with(&self, block: usize, user_key: &[u8]) -> bool {
        user_key.strip_prefix(&*self.prefix) == Some(self.suffix(block))
    }

    /// Whether the block begins with more rows of the user key that ends the one before.
    #[inline]
    pub(crate) fn continues(&self, block: usize) -> bool {
        BlockFlags::CONTINUES.is_in(self.flags.get(block))
    }

    /// The first user key of a block.
    pub(crate) fn first_key(&self, block: usize) -> Vec<u8> {
        [&*self.prefix, self.suffix(block)].concat()
    }

    /// Whether all that a search looks at of its first block is that of a block of another fence.
    pub(super) fn begins_as<C: Deref<Target = [u8]>>(&self, other: &Fence<C>, block: usize) -> bool {
        *self.prefix == *other.prefix && self.heads.get(0) == other.heads.get(block) && self.pooled(0) == other.pooled(block)
    }

    fn begins_at_or_before(&self, block: usize, rest: &[u8], target: InternalKey<'_>, order: &KeyOrder) -> bool {
        match order.compare(self.suffix(block), rest) {
            Ordering::Less => true,
            Ordering::Greater => false,
            Ordering::Equal => match self.version(block) {
                None => true,
                Some((seqno, kind)) => InternalKey::new(target.user_key, seqno, kind).compare_version(target).is_le(),
            },
        }
    }

    fn pooled(&self, block: usize) -> &[u8] {
        let end = |block| u32::from_le_bytes(self.pool_ends.get(block)) as usize;
        let start = block.checked_sub(1).map_or(0, end);
        self.pool.get(start..end(block)).unwrap_or_default()
    }

    /// The first user key of a block, behind the prefix.
    #[inline]
    fn suffix(&self, block: usize) -> &[u8] {
        let pooled = self.pooled(block);
        if self.continues(block) {
            pooled.split_last_chunk::<VERSION_BYTES>().map_or(pooled, |(suffix, _)| suffix)
        } else {
            pooled
        }
    }

    /// Version of the first row of a block that continues.
    fn version(&self, block: usize) -> Option<(SeqNo, Kind)> {
        if !self.continues(block) {
            return None;
        }
        let (_, version) = self.pooled(block).split_last_chunk::<VERSION_BYTES>()?;
        let (seqno, kind) = version.split_first_chunk::<8>()?;
        Some((u64::from_le_bytes(*seqno), Kind::from_tag(*kind.first()?).ok()?))
    }
}

/// The first place where it does not hold. All are looked at without a branch: it holds everywhere, most often.
fn first_false(mut holds: impl Iterator<Item = bool> + Clone) -> Option<usize> {
    if holds.clone().fold(true, |all, holds| all & holds) { None } else { holds.position(|holds| !holds) }
}

#[inline]
pub(super) fn in_bytes(units: [u8; 4]) -> u64 {
    u64::from(u32::from_le_bytes(units)).saturating_mul(FRAME_ALIGN as u64)
}

#[inline]
fn end_of(offset: [u8; 4], length: [u8; 4]) -> u64 {
    in_bytes(offset).saturating_add(in_bytes(length))
}

pub(super) fn in_units(bytes: u64) -> Result<u32> {
    in_u32(bytes.checked_div(FRAME_ALIGN as u64).unwrap_or(0))
}

/// How long a fence of so many blocks is, if that can be.
pub(super) fn fence_bytes(blocks: usize, prefix_len: usize, pool_len: usize) -> Option<usize> {
    blocks.checked_mul(ENTRY_BYTES)?.checked_add(HEADER_BYTES)?.checked_add(prefix_len)?.checked_add(pool_len)
}

#[cold]
fn bad_entry(block: usize, what: &str) -> Error {
    Error::corruption(format!("block {block} of the fence {what}"))
}
