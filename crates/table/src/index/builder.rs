//! The fence of a table that is being written.

#![deny(clippy::indexing_slicing, clippy::unwrap_used, clippy::arithmetic_side_effects)]

use super::{
    fence::{HEADER_BYTES, VERSION_BYTES, fence_bytes, in_units},
    place::{BlockFlags, BlockPlace},
};
use sediment_base::{Error, InternalKey, KeyOrder, KeyRange, Kind, Result, SeqNo, comparator::shared_prefix};
use sediment_codec::{
    coding::Writer,
    seal::{FRAME_ALIGN, FRAME_HEADER_BYTES},
};
use std::ops::Range;

/// Bytes that a leaf aims at, so that with the header of its frame it is read as one page of 4 KiB.
const LEAF_BYTES: usize = 4096 - FRAME_HEADER_BYTES;
/// How long a fence may be that has no leaves.
const WHOLE_BYTES: usize = 2 * LEAF_BYTES;
/// No leaf has fewer blocks, but for the last: where keys are long, leaves are.
const LEAF_BLOCKS_MIN: usize = 16;

/// Collects the entries of a table being written.
#[derive(Debug, Default)]
pub(crate) struct FenceBuilder {
    places: Vec<BlockPlace>,
    keys: Vec<u8>,
    key_ends: Vec<usize>,
    versions: Vec<(SeqNo, Kind)>,
}

/// The content of what says where blocks are.
#[derive(Debug)]
pub(crate) struct EncodedFence {
    /// The frames of the leaves; none if the fence is short.
    pub(crate) leaves: Vec<Vec<u8>>,
    /// The fence, or the root of its leaves.
    pub(crate) content: Vec<u8>,
    /// How many neighbours have equal heads.
    pub(crate) ties: u64,
}

/// One entry, of a block or of a leaf.
#[derive(Clone, Copy, Debug)]
struct Entry<'a> {
    key: &'a [u8],
    version: (SeqNo, Kind),
    place: BlockPlace,
}

impl Entry<'_> {
    /// Bytes of it in the pool.
    fn pooled_bytes(&self, prefix_len: usize) -> usize {
        let version_bytes = if self.place.flags.contains(BlockFlags::CONTINUES) { VERSION_BYTES } else { 0 };
        suffix(self.key, prefix_len).len().saturating_add(version_bytes)
    }
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

    /// What is stored of it. Fails on a table too large for the format.
    pub(crate) fn encode(&self, order: &KeyOrder) -> Result<EncodedFence> {
        let keys: Vec<&[u8]> = self.keys().collect();
        let shared = keys.first().zip(keys.last()).map_or(0, |(first, last)| shared_prefix(first, last));
        let prefix_len = if order.is_lexicographic() { shared } else { 0 };
        let described = keys.iter().zip(&self.places).zip(&self.versions);
        let entries: Vec<Entry<'_>> =
            described.map(|((key, place), version)| Entry { key, version: *version, place: *place }).collect();
        let head = |entry: &Entry<'_>| order.head(suffix(entry.key, prefix_len));
        let ties = entries.windows(2).filter(|pair| pair.first().map(head) == pair.last().map(head)).count() as u64;
        let pool_len = entries.iter().map(|entry| entry.pooled_bytes(prefix_len)).sum();
        let bytes = fence_bytes(entries.len(), prefix_len, pool_len).unwrap_or(usize::MAX);
        if bytes <= WHOLE_BYTES {
            return Ok(EncodedFence { leaves: Vec::new(), content: encode_entries(&entries, prefix_len, order)?, ties });
        }
        let blocks = leaf_blocks(bytes, entries.len());
        let leaves = entries.chunks(blocks).map(|of_leaf| encode_entries(of_leaf, prefix_len, order));
        let leaves = leaves.collect::<Result<Vec<_>>>()?;
        let content = encode_root(&entries, blocks, &leaves, prefix_len, order)?;
        Ok(EncodedFence { leaves, content, ties })
    }

    fn keys(&self) -> impl Iterator<Item = &[u8]> {
        let starts = [0].into_iter().chain(self.key_ends.iter().copied());
        starts.zip(&self.key_ends).map(|(start, end)| self.keys.get(start..*end).unwrap_or_default())
    }
}

/// How many blocks are in a leaf of a fence of so many bytes and blocks.
fn leaf_blocks(bytes: usize, blocks: usize) -> usize {
    LEAF_BYTES.saturating_mul(blocks).checked_div(bytes).unwrap_or(0).max(LEAF_BLOCKS_MIN)
}

/// A fence whose entries are leaves, and where these lie.
fn encode_root(
    entries: &[Entry<'_>],
    blocks: usize,
    leaves: &[Vec<u8>],
    prefix_len: usize,
    order: &KeyOrder,
) -> Result<Vec<u8>> {
    let of_leaves: Vec<Entry<'_>> = entries.chunks(blocks).filter_map(of_leaf).collect();
    let mut content = encode_entries(&of_leaves, prefix_len, order)?;
    let mut end = 0_u64;
    for leaf in leaves {
        let frame_bytes = FRAME_HEADER_BYTES.saturating_add(leaf.len()).next_multiple_of(FRAME_ALIGN);
        end = end.saturating_add(frame_bytes as u64);
        content.put_u32(in_units(end)?);
    }
    content.put_u32(in_u32(blocks as u64)?);
    Ok(content)
}

/// The entry of a leaf with these entries.
fn of_leaf<'a>(entries: &[Entry<'a>]) -> Option<Entry<'a>> {
    let places = || entries.iter().map(|entry| entry.place);
    let (first, last) = (entries.first()?, entries.last()?.place);
    let place = BlockPlace {
        offset: first.place.offset,
        bytes: last.offset.saturating_add(last.bytes).saturating_sub(first.place.offset),
        min_seqno: places().map(|place| place.min_seqno).min()?,
        max_seqno: places().map(|place| place.max_seqno).max()?,
        flags: first.place.flags.and(BlockFlags::CONTINUES),
        global_seqno: 0,
    };
    Some(Entry { place, ..*first })
}

/// Entries whose keys share so many bytes.
fn encode_entries(entries: &[Entry<'_>], prefix_len: usize, order: &KeyOrder) -> Result<Vec<u8>> {
    let suffixes = || entries.iter().map(|entry| suffix(entry.key, prefix_len));
    let (mut pool, mut pool_ends) = (Vec::new(), Vec::new());
    for (suffix, Entry { place, version: (seqno, kind), .. }) in suffixes().zip(entries) {
        pool.put_bytes(suffix);
        if place.flags.contains(BlockFlags::CONTINUES) {
            pool.put_u64(*seqno);
            pool.put_u8(kind.tag());
        }
        pool_ends.push(in_u32(pool.len() as u64)?);
    }
    let places = || entries.iter().map(|entry| entry.place);
    let mut out = Vec::new();
    put_header(&mut out, [entries.len(), prefix_len, pool.len()])?;
    suffixes().for_each(|suffix| out.put_u64(order.head(suffix)));
    places().for_each(|place| out.put_u64(place.min_seqno));
    places().for_each(|place| out.put_u64(place.max_seqno));
    places().try_for_each(|place| in_units(place.offset).map(|offset| out.put_u32(offset)))?;
    places().try_for_each(|place| in_units(place.bytes).map(|bytes| out.put_u32(bytes)))?;
    pool_ends.iter().for_each(|end| out.put_u32(*end));
    places().for_each(|place| out.put_u16(place.flags.0));
    out.put_bytes(entries.first().and_then(|entry| entry.key.get(..prefix_len)).unwrap_or_default());
    out.put_bytes(&pool);
    Ok(out)
}

/// What comes before the arrays: how many entries there are, and the lengths of prefix and pool.
pub(super) fn put_header(out: &mut Vec<u8>, lengths: [usize; 3]) -> Result<()> {
    lengths.iter().try_for_each(|length| in_u32(*length as u64).map(|length| out.put_u32(length)))?;
    out.resize(out.len().next_multiple_of(HEADER_BYTES), 0);
    Ok(())
}

fn suffix(key: &[u8], prefix_len: usize) -> &[u8] {
    key.get(prefix_len..).unwrap_or_default()
}

pub(super) fn in_u32(number: u64) -> Result<u32> {
    u32::try_from(number).map_err(|_| Error::invalid_input("the table grows too large for its index; write smaller tables"))
}
