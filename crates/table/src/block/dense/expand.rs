//! A dense block to the slotted one that the builder would have made of its rows.
//!
//! Lengths were added up when the block was taken apart, and the sum is the length of what is filled here: nothing can run out of its
//! place, and where it seems to, the block is refused. Short pieces are copied as sixteen bytes, of which those too many are written over by
//! what comes next.

use super::{DenseBlock, Marks};
use crate::block::{
    format::{HEADER_BYTES, HINTS, HINTS_AT, LONG_SUFFIX, SLOT_BYTES, Slot, extra_bytes, flags_of, head_of},
    tag_of,
};
use sediment_base::{Error, Result, RowFlags};
use sediment_codec::hash::key_hash;

/// Pieces up to this length are copied without a call.
const SHORT_BYTES: usize = 16;

impl DenseBlock<'_> {
    /// Fills `slotted`, which has [`DenseBlock::slotted_len`] bytes. `key` is memory to put keys together in.
    pub(crate) fn expand(&self, marks: Marks, key: &mut Vec<u8>, slotted: &mut [u8]) -> Result<()> {
        self.try_expand(marks, key, slotted).ok_or_else(|| Error::corruption("the rows of a block do not fit it"))
    }

    fn try_expand(&self, marks: Marks, key: &mut Vec<u8>, slotted: &mut [u8]) -> Option<()> {
        let Self { rows, keys, prefix, .. } = *self;
        let width = usize::from(self.slotted_seq_width);
        let (head, rest) = slotted.split_at_mut_checked(HEADER_BYTES)?;
        let (tags, rest) = rest.split_at_mut_checked(keys.next_multiple_of(8))?;
        let (slots, rest) = rest.split_at_mut_checked(rows.checked_mul(SLOT_BYTES)?)?;
        let (seqs, rest) = rest.split_at_mut_checked(rows.checked_mul(width)?)?;
        let (prefix_place, records) = rest.split_at_mut_checked(prefix.len())?;
        head.fill(0);
        head.get_mut(..self.header.len())?.copy_from_slice(self.header);
        *head.get_mut(7)? = self.slotted_seq_width;
        tags.get_mut(keys..)?.fill(0);
        prefix_place.copy_from_slice(prefix);
        self.expand_seqs(seqs, width)?;
        let records_at = usize::from(u16::try_from(self.slotted_len.checked_sub(records.len())?).ok()?);
        let hints = head.get_mut(HINTS_AT..)?;
        self.expand_rows(Keys::new(self, marks, key)?, Places { tags, hints, slots, records, records_at })
    }

    /// Sequence numbers by rows, as wide as there.
    fn expand_seqs(&self, seqs: &mut [u8], width: usize) -> Option<()> {
        if self.seq_width < width {
            seqs.fill(0);
        }
        for byte in 0..self.seq_width {
            let from = byte.checked_mul(self.rows)?;
            let column = self.seqs.get(from..from.checked_add(self.rows)?)?;
            for (place, from) in seqs.get_mut(byte..)?.iter_mut().step_by(width).zip(column) {
                *place = *from;
            }
        }
        Some(())
    }

    fn expand_rows(&self, mut keys: Keys<'_>, places: Places<'_>) -> Option<()> {
        let Places { tags, hints, slots, records, records_at } = places;
        let (mut extras, mut values) = (self.extras, self.values);
        let (mut tags, mut hints) = (tags.iter_mut(), hints.chunks_exact_mut(4));
        let keys_per_hint = self.keys.div_ceil(HINTS);
        let mut until_hint = 0_usize;
        let mut head = 0;
        let mut at = 0_usize;
        let lens = self.value_lens.0.iter().zip(self.value_lens.1);
        for ((meta, (low, high)), slot) in self.metas.iter().zip(lens).zip(slots.chunks_exact_mut(SLOT_BYTES)) {
            let flags = flags_of(*meta);
            let offset = records_at.checked_add(at)? as u16;
            let mut suffix_len = 0;
            if !flags.contains(RowFlags::SAME_KEY) {
                let len;
                (suffix_len, len) = keys.next()?;
                let (tag, key_head) = keys.marks(len)?;
                head = key_head;
                *tags.next()? = tag;
                if until_hint == 0 {
                    hints.next()?.copy_from_slice(&head.to_le_bytes());
                    until_hint = keys_per_hint;
                }
                until_hint = until_hint.checked_sub(1)?;
                if suffix_len == LONG_SUFFIX {
                    put(records, &mut at, &(len as u16).to_le_bytes(), 2)?;
                }
                put(records, &mut at, keys.suffix()?, len)?;
            }
            slot.copy_from_slice(&Slot::new(head, offset, suffix_len, *meta).0.to_le_bytes());
            let extra = extra_bytes(flags);
            if extra > 0 {
                put(records, &mut at, extras, extra)?;
                extras = extras.get(extra..)?;
            }
            let len = usize::from(u16::from_le_bytes([*low, *high]));
            put(records, &mut at, values, len)?;
            values = values.get(len..)?;
        }
        (at == records.len()).then_some(())
    }
}

/// Where the parts of a slotted block are put.
struct Places<'a> {
    tags: &'a mut [u8],
    hints: &'a mut [u8],
    slots: &'a mut [u8],
    records: &'a mut [u8],
    /// Where the records begin in the block.
    records_at: usize,
}

/// The keys of a block, put together one by one.
struct Keys<'a> {
    lens: std::slice::Iter<'a, u8>,
    shared: std::slice::Iter<'a, u8>,
    long_lens: &'a [u8],
    suffixes: &'a [u8],
    marks: Marks,
    prefix_len: usize,
    /// The prefix, the suffix of the last key, and as many bytes more as a short piece may have too many.
    key: &'a mut [u8],
}

impl<'a> Keys<'a> {
    fn new(block: &DenseBlock<'a>, marks: Marks, key: &'a mut Vec<u8>) -> Option<Self> {
        let prefix_len = block.prefix.len();
        let longest = prefix_len.checked_add(block.longest_suffix)?.checked_add(SHORT_BYTES)?;
        if key.len() < longest {
            key.resize(longest, 0);
        }
        key.get_mut(..prefix_len)?.copy_from_slice(block.prefix);
        let (lens, shared) = (block.suffix_lens.iter(), block.shared.iter());
        Some(Self { lens, shared, long_lens: block.long_lens, suffixes: block.suffixes, marks, prefix_len, key })
    }

    /// Moves on. Returns the length of the suffix, as a slot has it and as it is.
    #[inline]
    fn next(&mut self) -> Option<(u8, usize)> {
        let stated = *self.lens.next()?;
        let mut len = usize::from(stated);
        if stated == LONG_SUFFIX {
            let (long, rest) = self.long_lens.split_first_chunk()?;
            (len, self.long_lens) = (usize::from(u16::from_le_bytes(*long)), rest);
        }
        let shared = usize::from(*self.shared.next()?);
        let own = len.checked_sub(shared)?;
        let mut at = self.prefix_len.checked_add(shared)?;
        put(self.key, &mut at, self.suffixes, own)?;
        self.suffixes = self.suffixes.get(own..)?;
        Some((stated, len))
    }

    /// Tag and head of the key, whose suffix is so long.
    #[inline]
    fn marks(&self, suffix_len: usize) -> Option<(u8, u32)> {
        let key = self.key.get(..self.prefix_len.checked_add(suffix_len)?)?;
        let head = if self.marks.is_lexicographic { head_of(key.get(self.prefix_len..)?) } else { 0 };
        Some((tag_of(key_hash(self.marks.hash_seed, key)), head))
    }

    /// The suffix, and what else is there.
    #[inline]
    fn suffix(&self) -> Option<&[u8]> {
        self.key.get(self.prefix_len..)
    }
}

/// Copies the first `len` bytes of `from` to `at`, and moves that behind them. Bytes behind may change.
#[inline]
fn put(to: &mut [u8], at: &mut usize, from: &[u8], len: usize) -> Option<()> {
    let place = to.get_mut(*at..)?;
    *at = at.checked_add(len)?;
    if len <= SHORT_BYTES
        && let (Some(place), Some(from)) = (place.first_chunk_mut::<SHORT_BYTES>(), from.first_chunk::<SHORT_BYTES>())
    {
        *place = *from;
        return Some(());
    }
    place.get_mut(..len)?.copy_from_slice(from.get(..len)?);
    Some(())
}
