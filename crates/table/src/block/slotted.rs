//! A validated slotted block: search and access.
//!
//! Search runs over distinct user keys, then over the versions of the one found. A point lookup compares one-byte tags, a seek
//! four-byte heads; both touch the key's own bytes only on a match.

use super::{
    FoundRow, Lookup, RowHead, RowView, allocated_bytes,
    format::{self, DIGEST_BYTES, HEADER_BYTES, HINTS, HINTS_AT, LONG_SUFFIX, SLOT_BYTES, Slot},
};
use sediment_base::{Error, InternalKey, KeyOrder, Kind, Result, RowFlags, SeqNo};
use sediment_raw::simd;
use std::cmp::Ordering;

/// Bytes that come to the processor at once.
const LINE_BYTES: usize = 64;
/// Lines of a record that are asked for before it is looked at.
const RECORD_LINES: usize = 3;

/// What is known of a key before its block is looked at.
#[derive(Clone, Copy, Debug)]
pub(crate) enum SoughtKey {
    /// Its tag.
    Tag(u8),
    /// Which of the keys it is.
    Slot(usize),
}

/// Where the parts of a block of many rows are. Made by `decode`, which proves what the accessors of [`SlottedBlock`] take for
/// granted. Small: it shares a cache line with the block's count.
#[derive(Debug, Default)]
pub(crate) struct SlottedHead {
    pub(super) rows: u16,
    pub(super) keys: u16,
    pub(super) slots_at: u16,
    pub(super) seqs_at: u16,
    pub(super) prefix_at: u16,
    pub(super) prefix_len: u16,
    pub(super) seq_width: u8,
    pub(super) seq_base: u64,
    /// First row of each key; empty where every row is a key of its own.
    pub(super) key_rows: Box<[u16]>,
}

impl SlottedHead {
    /// With the seqno of an ingested table, whose rows are stored with 0; 0 if it is of another one.
    pub(crate) fn numbered(mut self, global_seqno: SeqNo) -> Result<Self> {
        if global_seqno > 0 {
            check_unnumbered(self.seq_base, self.seq_width)?;
            self.seq_base = global_seqno;
        }
        Ok(self)
    }

    /// Where its seqnos are, and from where on its records.
    #[cfg(test)]
    pub(crate) fn places(&self) -> (std::ops::Range<usize>, usize) {
        let [rows, seqs_at, prefix_at, prefix_len] =
            [self.rows, self.seqs_at, self.prefix_at, self.prefix_len].map(usize::from);
        (seqs_at..seqs_at + rows * usize::from(self.seq_width), prefix_at + prefix_len)
    }

    /// What it owns elsewhere.
    pub(super) fn heap_bytes(&self) -> usize {
        allocated_bytes(self.key_rows.len() * 2)
    }
}

/// A block of many rows: the head, and the bytes that it was decoded from.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SlottedBlock<'a> {
    pub(super) head: &'a SlottedHead,
    pub(super) payload: &'a [u8],
}

impl<'a> SlottedBlock<'a> {
    #[inline]
    pub(crate) fn rows(self) -> usize {
        usize::from(self.head.rows)
    }

    #[inline]
    fn keys(self) -> usize {
        usize::from(self.head.keys)
    }

    #[inline]
    pub(crate) fn prefix(self) -> &'a [u8] {
        let at = usize::from(self.head.prefix_at);
        self.part(at, at + usize::from(self.head.prefix_len))
    }

    #[inline]
    pub(crate) fn suffix(self, row: usize) -> &'a [u8] {
        let slot = self.slot(row);
        if slot.flags().contains(RowFlags::SAME_KEY) { self.key_suffix(self.key_of_row(row)) } else { self.own_suffix(slot) }
    }

    #[inline]
    pub(crate) fn value(self, row: usize) -> &'a [u8] {
        let slot = self.slot(row);
        let (start, len) = self.suffix_span(slot);
        self.part(start + len + format::extra_bytes(slot.flags()), self.record_end(row))
    }

    /// The digest that the row came with, and what it is of beside the key: kind and flags, and the value.
    #[inline]
    pub(super) fn digested(self, row: usize) -> Option<(u32, u8, &'a [u8])> {
        let slot = self.slot(row);
        if !slot.flags().contains(RowFlags::DIGEST) {
            return None;
        }
        let (start, len) = self.suffix_span(slot);
        let value_at = start + len + format::extra_bytes(slot.flags());
        let (record, end) = (self.payload.get(value_at - DIGEST_BYTES..)?, self.record_end(row));
        let digest = u32::from_le_bytes(*record.first_chunk()?);
        Some((digest, RowFlags::digested(slot.meta()), self.payload.get(value_at..end)?))
    }

    #[inline]
    fn record_end(self, row: usize) -> usize {
        if row + 1 < self.rows() { self.slot(row + 1).offset() } else { self.payload.len() }
    }

    /// Some bytes of the block. Inside, as was checked when it was loaded; nothing where memory has changed since.
    #[inline]
    pub(crate) fn part(self, start: usize, end: usize) -> &'a [u8] {
        self.payload.get(start..end).unwrap_or_default()
    }

    #[inline]
    pub(crate) fn bytes(self) -> &'a [u8] {
        self.payload
    }

    #[inline]
    pub(crate) fn view(self, row: usize) -> RowView<'a> {
        let slot = self.slot(row);
        let flags = slot.flags();
        let end = self.record_end(row);
        let (start, len) = self.suffix_span(slot);
        let suffix = if flags.contains(RowFlags::SAME_KEY) { None } else { Some(self.part(start, start + len)) };
        let head = RowHead { seqno: self.seqno(row), kind: known_kind(slot.meta()), flags };
        RowView { head, suffix, value: start + len + format::extra_bytes(flags)..end }
    }

    #[inline]
    pub(crate) fn head(self, row: usize) -> RowHead {
        let meta = self.slot(row).meta();
        RowHead { seqno: self.seqno(row), kind: known_kind(meta), flags: format::flags_of(meta) }
    }

    #[inline]
    pub(crate) fn is_same_key(self, row: usize) -> bool {
        self.slot(row).flags().contains(RowFlags::SAME_KEY)
    }

    #[inline]
    pub(crate) fn key_start(self, row: usize) -> usize {
        if self.head.key_rows.is_empty() {
            return row;
        }
        (0..=row).rev().find(|row| !self.is_same_key(*row)).unwrap_or(0)
    }

    #[inline]
    pub(crate) fn key_end(self, row: usize) -> usize {
        if self.head.key_rows.is_empty() {
            return row + 1;
        }
        (row + 1..self.rows()).find(|row| !self.is_same_key(*row)).unwrap_or(self.rows())
    }

    pub(crate) fn lower_bound(self, target: InternalKey<'_>, order: &KeyOrder) -> usize {
        match self.search_key(target.user_key, order) {
            Err(key) => self.first_row(key),
            Ok(key) => {
                let (first, end) = (self.first_row(key), self.first_row(key + 1));
                partition(first, end, |row| {
                    let (seqno, kind) = self.version(row);
                    InternalKey::new(target.user_key, seqno, kind).compare_version(target).is_lt()
                })
            }
        }
    }

    #[inline(always)]
    pub(crate) fn lookup(self, user_key: &[u8], tag: u8, read_seqno: SeqNo) -> Lookup {
        let Some(rest) = self.without_prefix(user_key) else { return Lookup::Absent };
        for (chunk, tags) in self.tags().chunks(64).enumerate() {
            let mut mask = simd::match_mask(tags, tag);
            while mask != 0 {
                let key = chunk * 64 + mask.trailing_zeros() as usize;
                if key < self.keys()
                    && let Some(found) = self.lookup_key(key, rest, read_seqno)
                {
                    return found;
                }
                mask &= mask - 1;
            }
        }
        Lookup::Absent
    }

    #[inline]
    pub(crate) fn lookup_slot(self, slot: usize, user_key: &[u8], read_seqno: SeqNo) -> Option<Lookup> {
        if slot >= self.keys() {
            return None;
        }
        let rest = self.without_prefix(user_key);
        Some(rest.and_then(|rest| self.lookup_key(slot, rest, read_seqno)).unwrap_or(Lookup::Absent))
    }

    /// What is behind the block's prefix, if it is this key's, too.
    #[inline]
    fn without_prefix(self, user_key: &[u8]) -> Option<&[u8]> {
        let prefix = self.prefix();
        user_key.split_at_checked(prefix.len()).and_then(|(begins, rest)| is_same(begins, prefix).then_some(rest))
    }

    /// The newest row of the key of this number that the reader may see, if its suffix is `rest`. A part of its callers: what it returns is more
    /// than fits registers, and writing it to memory takes longer than finding it.
    #[inline(always)]
    fn lookup_key(self, key: usize, rest: &[u8], read_seqno: SeqNo) -> Option<Lookup> {
        let first = self.first_row(key);
        let slot = self.slot(first);
        let (start, len) = self.suffix_span(slot);
        if !is_same(self.part(start, start + len), rest) {
            return None;
        }
        let seqno = self.seqno(first);
        if seqno < read_seqno {
            return Some(self.found(first, slot, seqno, start + len));
        }
        Some(if self.head.key_rows.is_empty() { Lookup::Later } else { self.older_below(key, read_seqno) })
    }

    #[inline(always)]
    fn found(self, row: usize, slot: Slot, seqno: SeqNo, key_end: usize) -> Lookup {
        let flags = slot.flags();
        let kind = format::kind_of(slot.meta()).unwrap_or(Kind::Value);
        let value = (key_end + format::extra_bytes(flags), self.record_end(row));
        Lookup::Row(FoundRow { row, head: RowHead { seqno, kind, flags }, value })
    }

    /// Asks for what a point lookup looks at first.
    #[inline]
    pub(crate) fn prefetch_tags(self) {
        self.prefetch(HEADER_BYTES);
        self.prefetch(usize::from(self.head.prefix_at));
    }

    /// Asks for what a point lookup looks at next: the slots of the keys that it could be.
    #[inline]
    pub(crate) fn prefetch_slots(self, sought: SoughtKey) {
        self.each_match(sought, |row| {
            self.prefetch(usize::from(self.head.slots_at) + row * SLOT_BYTES);
            self.prefetch(usize::from(self.head.seqs_at) + row * usize::from(self.head.seq_width));
        });
    }

    /// Asks for what a point lookup looks at last: the keys and the beginnings of their values.
    #[inline]
    pub(crate) fn prefetch_records(self, sought: SoughtKey) {
        self.each_match(sought, |row| {
            let at = self.slot(row).offset();
            (0..RECORD_LINES).for_each(|line| self.prefetch(at + line * LINE_BYTES));
        });
    }

    /// The first rows of the keys that it could be.
    #[inline]
    fn each_match(self, sought: SoughtKey, mut found: impl FnMut(usize)) {
        let tag = match sought {
            SoughtKey::Tag(tag) => tag,
            SoughtKey::Slot(slot) if slot < self.keys() => return found(self.first_row(slot)),
            SoughtKey::Slot(_) => return,
        };
        for (chunk, tags) in self.tags().chunks(64).enumerate() {
            let mut mask = simd::match_mask(tags, tag);
            while mask != 0 {
                let key = chunk * 64 + mask.trailing_zeros() as usize;
                if key < self.keys() {
                    found(self.first_row(key));
                }
                mask &= mask - 1;
            }
        }
    }

    #[inline]
    fn prefetch(self, at: usize) {
        simd::prefetch(self.payload.as_ptr().wrapping_add(at));
    }

    /// The tags, with as many bytes behind them as make them a multiple of 16, which is what is matched at once.
    #[inline]
    fn tags(self) -> &'a [u8] {
        let end = HEADER_BYTES + self.keys().next_multiple_of(16);
        self.payload.get(HEADER_BYTES..end).unwrap_or_else(|| self.part(HEADER_BYTES, usize::from(self.head.slots_at)))
    }

    /// The newest row of a key that the reader may see, who may not see the newest of all.
    fn older_below(self, key: usize, read_seqno: SeqNo) -> Lookup {
        let (first, end) = (self.first_row(key), self.first_row(key + 1));
        let row = partition(first, end, |row| self.seqno(row) >= read_seqno);
        if row >= end {
            return Lookup::Later;
        }
        let slot = self.slot(row);
        let (start, len) = self.suffix_span(slot);
        self.found(row, slot, self.seqno(row), start + len)
    }

    /// The key equal to `target`, or the first one behind it.
    fn search_key(self, target: &[u8], order: &KeyOrder) -> Result<usize, usize> {
        if !order.is_lexicographic() {
            return self.search_suffixes(0, self.keys(), |suffix| order.compare(suffix, target));
        }
        let prefix = self.prefix();
        let shared = target.len().min(prefix.len());
        match prefix[..shared].cmp(&target[..shared]) {
            Ordering::Less => return Err(self.keys()),
            Ordering::Equal if shared == prefix.len() => {}
            Ordering::Equal | Ordering::Greater => return Err(0),
        }
        let rest = &target[shared..];
        let head = format::head_of(rest);
        let (low, high) = self.hinted(head);
        let first = partition(low, high, |key| self.key_head(key) < head);
        if first == self.keys() || self.key_head(first) != head {
            return Err(first);
        }
        let end = if first + 1 == self.keys() || self.key_head(first + 1) != head {
            first + 1
        } else {
            partition(first, self.keys(), |key| self.key_head(key) <= head)
        };
        self.search_suffixes(first, end, |suffix| suffix.cmp(rest))
    }

    /// Between which keys the first one lies whose head is at least `head`, by the hints alone.
    #[inline]
    fn hinted(self, head: u32) -> (usize, usize) {
        let step = self.keys().div_ceil(HINTS).max(1);
        let used = self.keys().div_ceil(step);
        let below = self.part(HINTS_AT, HINTS_AT + used * 4).chunks_exact(4);
        let below = below.filter(|hint| u32::from_le_bytes([hint[0], hint[1], hint[2], hint[3]]) < head).count();
        (below.saturating_sub(1) * step, (below * step).min(self.keys()))
    }

    fn search_suffixes(self, low: usize, high: usize, compare: impl Fn(&[u8]) -> Ordering) -> Result<usize, usize> {
        let found = partition(low, high, |key| compare(self.key_suffix(key)).is_lt());
        if found < high && compare(self.key_suffix(found)).is_eq() { Ok(found) } else { Err(found) }
    }

    /// First row of a key; one past the last row for one past the last key.
    #[inline]
    fn first_row(self, key: usize) -> usize {
        if self.head.key_rows.is_empty() {
            key
        } else if key < self.keys() {
            self.head.key_rows.get(key).map_or(0, |first| usize::from(*first))
        } else {
            self.rows()
        }
    }

    /// The key that a row belongs to.
    fn key_of_row(self, row: usize) -> usize {
        if self.head.key_rows.is_empty() {
            row
        } else {
            self.head.key_rows.partition_point(|first| usize::from(*first) <= row).saturating_sub(1)
        }
    }

    #[inline]
    fn key_head(self, key: usize) -> u32 {
        self.slot(self.first_row(key)).head()
    }

    #[inline]
    fn key_suffix(self, key: usize) -> &'a [u8] {
        self.own_suffix(self.slot(self.first_row(key)))
    }

    #[inline]
    fn own_suffix(self, slot: Slot) -> &'a [u8] {
        let (start, len) = self.suffix_span(slot);
        self.part(start, start + len)
    }

    #[inline]
    fn suffix_span(self, slot: Slot) -> (usize, usize) {
        let at = slot.offset();
        if slot.suffix_len() == LONG_SUFFIX {
            (at + 2, usize::from(u16::from_le_bytes(self.bytes_at(at))))
        } else {
            (at, usize::from(slot.suffix_len()))
        }
    }

    #[inline]
    fn slot(self, row: usize) -> Slot {
        Slot(u64::from_le_bytes(self.bytes_at(usize::from(self.head.slots_at) + row * SLOT_BYTES)))
    }

    #[inline]
    fn seqno(self, row: usize) -> SeqNo {
        let at = usize::from(self.head.seqs_at) + row * usize::from(self.head.seq_width);
        let delta = match self.head.seq_width {
            0 => 0,
            1 => u64::from(u8::from_le_bytes(self.bytes_at(at))),
            2 => u64::from(u16::from_le_bytes(self.bytes_at(at))),
            4 => u64::from(u32::from_le_bytes(self.bytes_at(at))),
            _ => u64::from_le_bytes(self.bytes_at(at)),
        };
        self.head.seq_base.wrapping_add(delta)
    }

    /// For the order of rows alone. A kind that memory has lost is noticed by who looks at the row.
    fn version(self, row: usize) -> (SeqNo, Kind) {
        (self.seqno(row), format::kind_of(self.slot(row).meta()).unwrap_or(Kind::Value))
    }

    /// So many bytes of the block: as [`SlottedBlock::part`].
    #[inline]
    fn bytes_at<const N: usize>(self, at: usize) -> [u8; N] {
        self.payload.get(at..).and_then(|rest| rest.first_chunk()).copied().unwrap_or([0; N])
    }
}

#[inline]
fn known_kind(meta: u8) -> Kind {
    format::kind_of(meta).expect("kinds were checked when the block was loaded")
}

/// Whether two short runs of bytes are the same: without a call, where they are no longer than keys mostly are.
#[inline]
fn is_same(one: &[u8], other: &[u8]) -> bool {
    if one.len() != other.len() {
        return false;
    }
    match one.len() {
        0 => true,
        8..=16 => same_ends::<8>(one, other),
        4..8 => same_ends::<4>(one, other),
        _ => one == other,
    }
}

/// The first `N` and the last `N` bytes, which are all of no more than twice as many.
#[inline]
fn same_ends<const N: usize>(one: &[u8], other: &[u8]) -> bool {
    one.first_chunk::<N>() == other.first_chunk() && one.last_chunk::<N>() == other.last_chunk()
}

/// The first index in `low..high` for which `is_before` is false; it is true only for a beginning of the range.
#[inline]
fn partition(mut low: usize, mut high: usize, is_before: impl Fn(usize) -> bool) -> usize {
    while low < high {
        let middle = low + (high - low) / 2;
        if is_before(middle) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    low
}

/// The rows of an ingested table are stored with the seqno 0.
pub(super) fn check_unnumbered(seqno: SeqNo, width: u8) -> Result<()> {
    if (seqno, width) == (0, 0) { Ok(()) } else { Err(Error::corruption("a row of an ingested table has a seqno of its own")) }
}
