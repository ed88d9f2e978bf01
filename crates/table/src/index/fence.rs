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
//! The region is searched where it was read to: opening looks at it once, and copies nothing.

#![deny(clippy::indexing_slicing, clippy::unwrap_used, clippy::arithmetic_side_effects)]

use crate::{
    block::BlockSummary,
    format::{BODY_AT, Content},
};
use sediment_base::{Error, InternalKey, KeyOrder, KeyRange, Kind, Result, SeqNo, comparator::shared_prefix};
use sediment_codec::{
    coding::{Reader, Writer},
    seal::FRAME_ALIGN,
};
use sediment_raw::simd;
use std::{cmp::Ordering, fmt, ops::Range};

const HEADER_BYTES: usize = 24;
const ENTRY_BYTES: usize = 38;
const VERSION_BYTES: usize = 9;

/// What is known of a block without reading it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct BlockFlags(pub(crate) u16);

impl BlockFlags {
    /// Every row has a newer one in the table.
    pub(crate) const ALL_OBSOLETE: Self = Self(1);
    /// Every row is a tombstone.
    pub(crate) const ALL_TOMBSTONES: Self = Self(1 << 1);
    /// A range tombstone begins in it. Reserved.
    pub(crate) const RANGE_TOMBSTONE: Self = Self(1 << 2);
    /// A row refers to a blob file.
    pub(crate) const BLOB: Self = Self(1 << 3);
    /// A row is an operand.
    pub(crate) const OPERAND: Self = Self(1 << 4);
    /// The first row has the user key of the last row of the block before.
    pub(crate) const CONTINUES: Self = Self(1 << 5);
    /// One large row.
    pub(crate) const JUMBO: Self = Self(1 << 6);

    const KNOWN: u16 = (1 << 7) - 1;

    pub(crate) fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// Whether it is among the flags of a stored block.
    fn is_in(self, stored: [u8; 2]) -> bool {
        Self(u16::from_le_bytes(stored)).contains(self)
    }

    /// What a builder found, and the two things that it cannot know.
    pub(crate) fn of(summary: BlockSummary, continues: bool, is_jumbo: bool) -> Self {
        let flags = [
            (summary.all_obsolete, Self::ALL_OBSOLETE),
            (summary.all_tombstones, Self::ALL_TOMBSTONES),
            (summary.has_blob, Self::BLOB),
            (summary.has_operand, Self::OPERAND),
            (continues, Self::CONTINUES),
            (is_jumbo, Self::JUMBO),
        ];
        Self(flags.iter().filter(|(is_set, _)| *is_set).fold(0, |bits, (_, flag)| bits | flag.0))
    }
}

impl fmt::Display for BlockFlags {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = [
            (Self::ALL_OBSOLETE, "all-obsolete"),
            (Self::ALL_TOMBSTONES, "all-tombstones"),
            (Self::RANGE_TOMBSTONE, "range-tombstone"),
            (Self::BLOB, "blob"),
            (Self::OPERAND, "operand"),
            (Self::CONTINUES, "continues"),
            (Self::JUMBO, "jumbo"),
        ];
        write!(f, "flags")?;
        names.iter().filter(|(flag, _)| self.contains(*flag)).try_for_each(|(_, name)| write!(f, " {name}"))
    }
}

/// Where a block lies and what is known of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct BlockPlace {
    pub(crate) offset: u64,
    pub(crate) bytes: u64,
    pub(crate) min_seqno: SeqNo,
    pub(crate) max_seqno: SeqNo,
    pub(crate) flags: BlockFlags,
    /// The seqno of its rows in an ingested table, which are stored with 0; else 0.
    pub(crate) global_seqno: SeqNo,
}

/// Collects the entries of a table being written.
#[derive(Debug, Default)]
pub(crate) struct FenceBuilder {
    places: Vec<BlockPlace>,
    keys: Vec<u8>,
    key_ends: Vec<usize>,
    versions: Vec<(SeqNo, Kind)>,
}

impl FenceBuilder {
    pub(crate) fn blocks(&self) -> usize {
        self.places.len()
    }

    pub(crate) fn add(&mut self, first: InternalKey<'_>, place: BlockPlace) {
        self.places.push(place);
        self.keys.put_bytes(first.user_key);
        self.key_ends.push(self.keys.len());
        self.versions.push((first.seqno, first.kind));
    }

    /// Where blocks lie that hold no key of these ranges, which ascend and do not overlap; neighbours as one.
    pub(crate) fn places_outside(&self, ranges: &[KeyRange], order: &KeyOrder) -> Vec<Range<u64>> {
        let mut outside: Vec<Range<u64>> = Vec::new();
        let nexts = self.keys().skip(1).map(Some).chain([None]);
        for ((first, next), place) in self.keys().zip(nexts).zip(&self.places) {
            let behind = ranges.partition_point(|range| range.is_below(first, order));
            // The last key of a block may be the first of the next.
            if ranges.get(behind).is_some_and(|range| next.is_none_or(|next| !range.is_above(next, order))) {
                continue;
            }
            let end = place.offset.saturating_add(place.bytes);
            match outside.last_mut().filter(|before| before.end == place.offset) {
                Some(before) => before.end = end,
                None => outside.push(place.offset..end),
            }
        }
        outside
    }

    /// The bytes of the fence region, and how many neighbours have equal heads. Fails on a table too large for the format.
    pub(crate) fn encode(&self, order: &KeyOrder) -> Result<(Vec<u8>, u64)> {
        let keys: Vec<&[u8]> = self.keys().collect();
        let shared = keys.first().zip(keys.last()).map_or(0, |(first, last)| shared_prefix(first, last));
        let prefix_len = if order.is_lexicographic() { shared } else { 0 };
        let suffixes: Vec<&[u8]> = keys.iter().map(|key| key.get(prefix_len..).unwrap_or_default()).collect();
        let heads: Vec<u64> = suffixes.iter().map(|suffix| order.head(suffix)).collect();
        let mut pool = Vec::new();
        let mut pool_ends = Vec::new();
        for ((suffix, place), (seqno, kind)) in suffixes.iter().zip(&self.places).zip(&self.versions) {
            pool.put_bytes(suffix);
            if place.flags.contains(BlockFlags::CONTINUES) {
                pool.put_u64(*seqno);
                pool.put_u8(kind.tag());
            }
            pool_ends.push(in_u32(pool.len() as u64)?);
        }
        let mut out = Vec::new();
        out.put_u32(in_u32(self.places.len() as u64)?);
        out.put_u32(in_u32(prefix_len as u64)?);
        out.put_u32(in_u32(pool.len() as u64)?);
        out.put_u32(0);
        out.put_u64(0);
        heads.iter().for_each(|head| out.put_u64(*head));
        self.places.iter().for_each(|place| out.put_u64(place.min_seqno));
        self.places.iter().for_each(|place| out.put_u64(place.max_seqno));
        for place in &self.places {
            out.put_u32(in_units(place.offset)?);
        }
        for place in &self.places {
            out.put_u32(in_units(place.bytes)?);
        }
        pool_ends.iter().for_each(|end| out.put_u32(*end));
        self.places.iter().for_each(|place| out.put_u16(place.flags.0));
        out.put_bytes(keys.first().and_then(|key| key.get(..prefix_len)).unwrap_or_default());
        out.put_bytes(&pool);
        let ties = heads.windows(2).filter(|pair| pair.first() == pair.last()).count();
        Ok((out, ties as u64))
    }

    fn keys(&self) -> impl Iterator<Item = &[u8]> {
        let starts = [0].into_iter().chain(self.key_ends.iter().copied());
        starts.zip(&self.key_ends).map(|(start, end)| self.keys.get(start..*end).unwrap_or_default())
    }
}

/// The fence of an open table, where it was read to. Immutable. The default is that of a table without rows.
#[derive(Debug, Default)]
pub(crate) struct Fence {
    heads: Column<8>,
    min_seqnos: Column<8>,
    max_seqnos: Column<8>,
    offsets: Column<4>,
    lengths: Column<4>,
    pool_ends: Column<4>,
    flags: Column<2>,
    prefix: Content,
    pool: Content,
    /// Of an ingested table, else 0.
    global_seqno: SeqNo,
}

/// An array of the region: numbers of so many bytes.
#[derive(Debug, Default)]
struct Column<const BYTES: usize>(Content);

impl<const BYTES: usize> Column<BYTES> {
    #[inline]
    fn all(&self) -> &[[u8; BYTES]] {
        self.0.as_chunks().0
    }

    #[inline]
    fn get(&self, block: usize) -> [u8; BYTES] {
        *self.all().get(block).expect("callers ask for blocks of the fence")
    }
}

impl Fence {
    /// Takes the fence region of a table whose data ends at `data_end`. Every block that it returns lies between the header
    /// and there.
    pub(crate) fn decode(content: Content, data_end: u64) -> Result<Self> {
        let mut reader = Reader::new(&content);
        let count = reader.u32()? as usize;
        let (prefix_len, pool_len) = (reader.u32()? as usize, reader.u32()? as usize);
        let flags = reader.u32()?;
        reader.bytes(HEADER_BYTES.saturating_sub(reader.position()))?;
        if flags != 0 {
            return Err(Error::unsupported(format!("fence flags {flags:#x} are unknown to this version; upgrade Sediment")));
        }
        let needed = count.saturating_mul(ENTRY_BYTES).saturating_add(prefix_len).saturating_add(pool_len);
        if count == 0 || needed != reader.remaining() {
            return Err(reader.error("fence length").expected_found(needed, reader.remaining()));
        }
        let mut at = reader.position();
        let mut take = |bytes: usize| {
            let start = at;
            at = at.saturating_add(bytes);
            content.part(start..at)
        };
        let mut array = |bytes: usize| take(bytes.saturating_mul(count));
        let fence = Self {
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
        };
        fence.check_places(data_end)?;
        fence.check_keys()?;
        Ok(fence)
    }

    /// Blocks lie one behind the other, from the header to the end of the data.
    fn check_places(&self, data_end: u64) -> Result<()> {
        let flags = self.flags.all().iter().fold(0, |all, flags| all | u16::from_le_bytes(*flags));
        if flags & !BlockFlags::KNOWN != 0 {
            return Err(Error::unsupported(format!(
                "flags {flags:#x} of a block are unknown to this version; upgrade Sediment"
            )));
        }
        let (offsets, lengths) = (self.offsets.all(), self.lengths.all());
        let first = offsets.first().map(|offset| in_bytes(*offset));
        if first != Some(BODY_AT) {
            return Err(bad_entry(0, "does not come first").expected_found(BODY_AT, first.unwrap_or_default()));
        }
        if let Some(block) = first_false(lengths.iter().map(|length| *length != [0; 4])) {
            return Err(bad_entry(block, "is empty"));
        }
        let nexts = offsets.get(1..).unwrap_or_default();
        let ends = offsets.iter().zip(lengths).map(|(offset, length)| end_of(*offset, *length));
        if let Some(block) = first_false(ends.zip(nexts).map(|(end, next)| end == in_bytes(*next))) {
            return Err(bad_entry(block, "does not end where the next begins"));
        }
        if self.data_end() != data_end {
            return Err(Error::corruption("the fence does not end with the data").expected_found(data_end, self.data_end()));
        }
        Ok(())
    }

    /// Heads ascend, and every block has its part of the pool.
    fn check_keys(&self) -> Result<()> {
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
            if block == 0 || self.version(block).is_none() {
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
        continues && user_key.strip_prefix(&*self.prefix) == Some(self.suffix(next))
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
fn in_bytes(units: [u8; 4]) -> u64 {
    u64::from(u32::from_le_bytes(units)).saturating_mul(FRAME_ALIGN as u64)
}

#[inline]
fn end_of(offset: [u8; 4], length: [u8; 4]) -> u64 {
    in_bytes(offset).saturating_add(in_bytes(length))
}

fn in_units(bytes: u64) -> Result<u32> {
    in_u32(bytes.checked_div(FRAME_ALIGN as u64).unwrap_or(0))
}

fn in_u32(number: u64) -> Result<u32> {
    u32::try_from(number).map_err(|_| Error::invalid_input("the table grows too large for its index; write smaller tables"))
}

#[cold]
fn bad_entry(block: usize, what: &str) -> Error {
    Error::corruption(format!("block {block} of the fence {what}"))
}
