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

#![deny(clippy::indexing_slicing, clippy::unwrap_used, clippy::arithmetic_side_effects)]

use crate::{block::BlockSummary, format::BODY_AT};
use sediment_base::{Error, InternalKey, KeyOrder, Kind, Result, SeqNo, comparator::shared_prefix};
use sediment_codec::{
    coding::{Reader, Writer},
    seal::FRAME_ALIGN,
};
use sediment_raw::simd;
use std::{cmp::Ordering, fmt};

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

/// The fence of an open table. Immutable. The default is that of a table without rows.
#[derive(Debug, Default)]
pub(crate) struct Fence {
    heads: Box<[u64]>,
    entries: Box<[Entry]>,
    prefix: Box<[u8]>,
    pool: Box<[u8]>,
    /// Of an ingested table, else 0.
    global_seqno: SeqNo,
}

#[derive(Clone, Copy, Debug)]
struct Entry {
    min_seqno: SeqNo,
    max_seqno: SeqNo,
    offset: u32,
    bytes: u32,
    pool_end: u32,
    flags: BlockFlags,
}

impl Fence {
    /// Reads the fence region of a table whose data ends at `data_end`. Every block that it returns lies between the header
    /// and there.
    pub(crate) fn decode(payload: &[u8], data_end: u64) -> Result<Self> {
        let mut reader = Reader::new(payload);
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
        let heads = u64s(&mut reader, count)?;
        let (min, max) = (u64s(&mut reader, count)?, u64s(&mut reader, count)?);
        let (offsets, lengths) = (u32s(&mut reader, count)?, u32s(&mut reader, count)?);
        let pool_ends = u32s(&mut reader, count)?;
        let flags = (0..count).map(|_| reader.u16().map(BlockFlags)).collect::<Result<Vec<_>>>()?;
        let prefix = reader.bytes(prefix_len)?.into();
        let pool = reader.bytes(pool_len)?.into();
        let seqnos = min.iter().zip(&max);
        let places = offsets.iter().zip(&lengths).zip(pool_ends).zip(flags);
        let entries = seqnos.zip(places).map(|((min, max), (((offset, bytes), pool_end), flags))| Entry {
            min_seqno: *min,
            max_seqno: *max,
            offset: *offset,
            bytes: *bytes,
            pool_end,
            flags,
        });
        let fence = Self { entries: entries.collect(), heads: heads.into(), prefix, pool, global_seqno: 0 };
        fence.check(data_end)?;
        Ok(fence)
    }

    fn check(&self, data_end: u64) -> Result<()> {
        let mut next = BODY_AT;
        let mut pool_at = 0;
        for (block, entry) in self.entries.iter().enumerate() {
            let place = entry.place(0);
            if place.flags.0 & !BlockFlags::KNOWN != 0 {
                let flags = place.flags.0;
                return Err(Error::unsupported(format!(
                    "flags {flags:#x} of a block are unknown to this version; upgrade Sediment"
                )));
            }
            if place.offset != next || place.bytes == 0 {
                return Err(bad_entry(block, "does not follow the one before").expected_found(next, place.offset));
            }
            next = next.saturating_add(place.bytes);
            let continues = place.flags.contains(BlockFlags::CONTINUES);
            let smallest = if continues { VERSION_BYTES as u32 } else { 0 };
            if entry.pool_end.checked_sub(pool_at).is_none_or(|len| len < smallest) || entry.pool_end as usize > self.pool.len()
            {
                return Err(bad_entry(block, "has no place for its first key"));
            }
            pool_at = entry.pool_end;
            if continues && (block == 0 || self.version(block).is_none()) {
                return Err(bad_entry(block, "continues nothing"));
            }
        }
        if next != data_end || pool_at as usize != self.pool.len() || !self.heads.is_sorted() {
            return Err(Error::corruption("the fence does not end with the data").expected_found(data_end, next));
        }
        Ok(())
    }

    /// With the seqno of an ingested table, whose rows are stored with 0; 0 if it is of another one.
    pub(crate) fn numbered(mut self, global_seqno: SeqNo) -> Result<Self> {
        let is_unnumbered = |entry: &Entry| entry.max_seqno == 0 && !entry.flags.contains(BlockFlags::CONTINUES);
        if global_seqno > 0 && !self.entries.iter().all(is_unnumbered) {
            return Err(Error::corruption("blocks of an ingested table have seqnos of their own"));
        }
        self.global_seqno = global_seqno;
        Ok(self)
    }

    /// Blocks of the table.
    #[inline]
    pub(crate) fn blocks(&self) -> usize {
        self.entries.len()
    }

    /// Where the last block ends.
    pub(crate) fn data_end(&self) -> u64 {
        self.entries.last().map_or(BODY_AT, |entry| entry.place(0).offset.saturating_add(entry.place(0).bytes))
    }

    /// Where a block lies and what is known of it. Panics where there is none.
    #[inline]
    pub(crate) fn place(&self, block: usize) -> BlockPlace {
        self.entry(block).place(self.global_seqno)
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
        let mut low = simd::lower_bound_u64(&self.heads, head);
        let mut high = low;
        if self.heads.get(low) == Some(&head) {
            let ties = self.heads.get(low..).unwrap_or_default();
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

    /// Whether the next block begins with more rows of this user key.
    #[inline]
    pub(crate) fn is_continued(&self, block: usize, user_key: &[u8]) -> bool {
        let next = block.saturating_add(1);
        let continues = self.entries.get(next).is_some_and(|entry| entry.flags.contains(BlockFlags::CONTINUES));
        continues && user_key.strip_prefix(&*self.prefix) == Some(self.suffix(next))
    }

    /// Whether the block begins with more rows of the user key that ends the one before.
    #[inline]
    pub(crate) fn continues(&self, block: usize) -> bool {
        self.entry(block).flags.contains(BlockFlags::CONTINUES)
    }

    /// The first user key of a block.
    pub(crate) fn first_key(&self, block: usize) -> Vec<u8> {
        [&*self.prefix, self.suffix(block)].concat()
    }

    /// Memory it takes.
    pub(crate) fn memory_bytes(&self) -> usize {
        let each = size_of::<Entry>().saturating_add(8);
        self.blocks().saturating_mul(each).saturating_add(self.pool.len()).saturating_add(self.prefix.len())
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

    #[inline]
    fn entry(&self, block: usize) -> &Entry {
        self.entries.get(block).expect("callers ask for blocks of the fence")
    }

    fn pooled(&self, block: usize) -> &[u8] {
        let before = block.checked_sub(1).and_then(|before| self.entries.get(before));
        let start = before.map_or(0, |entry| entry.pool_end as usize);
        self.pool.get(start..self.entry(block).pool_end as usize).unwrap_or_default()
    }

    /// The first user key of a block, behind the prefix.
    #[inline]
    fn suffix(&self, block: usize) -> &[u8] {
        let pooled = self.pooled(block);
        if self.entry(block).flags.contains(BlockFlags::CONTINUES) {
            pooled.split_last_chunk::<VERSION_BYTES>().map_or(pooled, |(suffix, _)| suffix)
        } else {
            pooled
        }
    }

    /// Version of the first row of a block that continues.
    fn version(&self, block: usize) -> Option<(SeqNo, Kind)> {
        if !self.entry(block).flags.contains(BlockFlags::CONTINUES) {
            return None;
        }
        let (_, version) = self.pooled(block).split_last_chunk::<VERSION_BYTES>()?;
        let (seqno, kind) = version.split_first_chunk::<8>()?;
        Some((u64::from_le_bytes(*seqno), Kind::from_tag(*kind.first()?).ok()?))
    }
}

impl Entry {
    #[inline]
    fn place(&self, global_seqno: SeqNo) -> BlockPlace {
        BlockPlace {
            offset: u64::from(self.offset).saturating_mul(FRAME_ALIGN as u64),
            bytes: u64::from(self.bytes).saturating_mul(FRAME_ALIGN as u64),
            min_seqno: self.min_seqno.max(global_seqno),
            max_seqno: self.max_seqno.max(global_seqno),
            flags: self.flags,
            global_seqno,
        }
    }
}

fn u64s(reader: &mut Reader<'_>, count: usize) -> Result<Vec<u64>> {
    (0..count).map(|_| reader.u64()).collect()
}

fn u32s(reader: &mut Reader<'_>, count: usize) -> Result<Vec<u32>> {
    (0..count).map(|_| reader.u32()).collect()
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
