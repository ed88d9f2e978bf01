//! Rows to the bytes of a slotted block.
//!
//! Keys and values are copied as they come and laid out once the block is full, when prefix and width of the sequence numbers
//! are known. The size is known at every moment (two bytes too much for a long key whose suffix is short), so that a
//! block is cut before it outgrows its target.

mod dense;

use super::format::{
    DIGEST_BYTES, EXPIRY_BYTES, HEADER_BYTES, HINTS, HINTS_AT, LONG_SUFFIX, PAYLOAD_BYTES_MAX, SLOT_BYTES, Slot, head_of,
};
use sediment_base::{InternalKey, KeyOrder, Kind, RowFlags, SeqNo, comparator::shared_prefix};
use sediment_codec::coding::Writer;

/// A row to write, with what the writer knows of it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RowParts<'a> {
    pub(crate) key: InternalKey<'a>,
    /// Whether the row before has another user key, or there is none.
    pub(crate) is_new_key: bool,
    /// Flags to store; *same key* is the builder's to add.
    pub(crate) flags: RowFlags,
    pub(crate) tag: u8,
    /// Microseconds since 1970; stored if the flags say so.
    pub(crate) expiry_us: u64,
    /// Digest of the row; stored if the flags say so.
    pub(crate) digest: u32,
    pub(crate) value: &'a [u8],
}

/// What the fence records of a block beside its place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct BlockSummary {
    pub(crate) min_seqno: SeqNo,
    pub(crate) max_seqno: SeqNo,
    pub(crate) all_obsolete: bool,
    pub(crate) all_tombstones: bool,
    pub(crate) has_blob: bool,
    pub(crate) has_operand: bool,
}

impl BlockSummary {
    /// Of no row yet.
    pub(crate) fn empty() -> Self {
        let (all_obsolete, all_tombstones) = (true, true);
        Self { min_seqno: SeqNo::MAX, max_seqno: 0, all_obsolete, all_tombstones, has_blob: false, has_operand: false }
    }

    /// Of rows that are values, none with a newer one.
    pub(crate) fn of_values(min_seqno: SeqNo, max_seqno: SeqNo) -> Self {
        Self { min_seqno, max_seqno, all_obsolete: false, all_tombstones: false, has_blob: false, has_operand: false }
    }

    /// With one more row.
    #[must_use]
    pub(crate) fn with(self, seqno: SeqNo, kind: Kind, flags: RowFlags) -> Self {
        Self {
            min_seqno: self.min_seqno.min(seqno),
            max_seqno: self.max_seqno.max(seqno),
            all_obsolete: self.all_obsolete && flags.contains(RowFlags::OBSOLETE),
            all_tombstones: self.all_tombstones && kind.is_tombstone(),
            has_blob: self.has_blob || flags.contains(RowFlags::BLOB),
            has_operand: self.has_operand || kind == Kind::Operand,
        }
    }
}

/// What a block becomes with one more row.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Fit {
    /// Size of the block, or a little more.
    pub(crate) size: usize,
    is_same_key: bool,
    prefix_len: usize,
    summary: BlockSummary,
}

/// Collects the rows of one block. One caller at a time; used again for the next block.
#[derive(Debug)]
pub(crate) struct BlockBuilder {
    is_lexicographic: bool,
    rows: Vec<PendingRow>,
    tags: Vec<u8>,
    /// Keys, extras and values in the order of the rows; the key of a further version is not repeated.
    bytes: Vec<u8>,
    prefix_len: usize,
    key_bytes: usize,
    long_keys: usize,
    other_bytes: usize,
    summary: BlockSummary,
}

#[derive(Debug)]
struct PendingRow {
    seqno: SeqNo,
    meta: u8,
    key_len: u16,
    rest_len: u32,
}

impl BlockBuilder {
    pub(crate) fn new(order: &KeyOrder) -> Self {
        Self {
            is_lexicographic: order.is_lexicographic(),
            rows: Vec::new(),
            tags: Vec::new(),
            bytes: Vec::new(),
            prefix_len: 0,
            key_bytes: 0,
            long_keys: 0,
            other_bytes: 0,
            summary: BlockSummary::empty(),
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    pub(crate) fn first_key(&self) -> &[u8] {
        let len = self.rows.first().map_or(0, |row| usize::from(row.key_len));
        &self.bytes[..len]
    }

    /// What the block becomes if this row is added next.
    pub(crate) fn fit(&self, row: &RowParts<'_>) -> Fit {
        let user_key = row.key.user_key;
        let is_same_key = !row.is_new_key && !self.is_empty();
        let summary = self.summary.with(row.key.seqno, row.key.kind, row.flags);
        let prefix_len = if is_same_key { self.prefix_len } else { self.prefix_with(user_key) };
        let rows = self.rows.len() + 1;
        let keys = self.tags.len() + usize::from(!is_same_key);
        let (key_bytes, long) = if is_same_key { (0, 0) } else { (user_key.len(), is_long(user_key)) };
        let size = HEADER_BYTES
            + keys.next_multiple_of(8)
            + rows * (SLOT_BYTES + usize::from(seq_width(summary)))
            + prefix_len
            + (self.key_bytes + key_bytes - keys * prefix_len)
            + (self.long_keys + long) * 2
            + self.other_bytes
            + extra_len(row.flags)
            + row.value.len();
        Fit { size, is_same_key, prefix_len, summary }
    }

    /// Adds a row that comes behind all that are here, and with which the block does not outgrow its format. `fit` is what
    /// [`BlockBuilder::fit`] said of it.
    pub(crate) fn add(&mut self, row: &RowParts<'_>, fit: Fit) {
        debug_assert!(fit.size <= PAYLOAD_BYTES_MAX);
        let user_key = row.key.user_key;
        let mut flags = row.flags;
        if fit.is_same_key {
            flags = flags.with(RowFlags::SAME_KEY);
        } else {
            self.prefix_len = fit.prefix_len;
            self.key_bytes += user_key.len();
            self.long_keys += is_long(user_key);
            self.tags.push(row.tag);
            self.bytes.put_bytes(user_key);
        }
        let before = self.bytes.len();
        if flags.contains(RowFlags::EXPIRY) {
            self.bytes.put_u64(row.expiry_us);
        }
        if flags.contains(RowFlags::DIGEST) {
            self.bytes.put_u32(row.digest);
        }
        self.bytes.put_bytes(row.value);
        let rest_len = self.bytes.len() - before;
        self.other_bytes += rest_len;
        self.summary = fit.summary;
        self.rows.push(PendingRow {
            seqno: row.key.seqno,
            meta: row.key.kind.tag() | flags.0,
            key_len: if fit.is_same_key { 0 } else { user_key.len() as u16 },
            rest_len: rest_len as u32,
        });
    }

    /// Appends the block to `out`, and is empty again.
    pub(crate) fn finish(&mut self, out: &mut Vec<u8>) -> BlockSummary {
        let start = out.len();
        let summary = self.summary;
        let width = seq_width(summary);
        out.put_u16(self.rows.len() as u16);
        out.put_u16(self.tags.len() as u16);
        out.put_u16(self.prefix_len as u16);
        out.put_u8(0);
        out.put_u8(width);
        out.put_u64(summary.min_seqno);
        let slots_at = HEADER_BYTES + self.tags.len().next_multiple_of(8);
        // Hints and slots follow from the records.
        out.resize(start + HEADER_BYTES, 0);
        out.put_bytes(&self.tags);
        out.resize(start + slots_at + self.rows.len() * SLOT_BYTES, 0);
        for row in &self.rows {
            out.put_bytes(&(row.seqno - summary.min_seqno).to_le_bytes()[..usize::from(width)]);
        }
        out.put_bytes(&self.bytes[..self.prefix_len]);
        self.put_records(start, slots_at, out);
        self.clear();
        summary
    }

    /// Appends the records of all rows to a block that began at `start`, and puts their slots in their place, and the heads of keys at
    /// equal distances, as many as the header has room for.
    fn put_records(&self, start: usize, slots_at: usize, out: &mut Vec<u8>) {
        out.reserve(self.bytes.len() + 2 * self.long_keys);
        let mut rest = &self.bytes[..];
        let (mut head, mut keys) = (0_u32, 0);
        let keys_per_hint = self.tags.len().div_ceil(HINTS);
        let mut slot_at = start + slots_at;
        for row in &self.rows {
            let offset = (out.len() - start) as u16;
            let (key, after) = rest.split_at(usize::from(row.key_len));
            let (other, after) = after.split_at(row.rest_len as usize);
            rest = after;
            let is_same = row.meta & RowFlags::SAME_KEY.0 != 0;
            let suffix = if is_same { key } else { &key[self.prefix_len..] };
            if !is_same {
                head = if self.is_lexicographic { head_of(suffix) } else { 0 };
                if keys % keys_per_hint == 0 {
                    put_at(out, start + HINTS_AT + keys / keys_per_hint * 4, &head.to_le_bytes());
                }
                keys += 1;
            }
            let suffix_len = u8::try_from(suffix.len()).unwrap_or(LONG_SUFFIX);
            if suffix_len == LONG_SUFFIX {
                out.put_u16(suffix.len() as u16);
            }
            out.put_bytes(suffix);
            out.put_bytes(other);
            let slot = Slot::new(head, offset, suffix_len, row.meta);
            put_at(out, slot_at, &slot.0.to_le_bytes());
            slot_at += SLOT_BYTES;
        }
    }

    fn clear(&mut self) {
        self.rows.clear();
        self.tags.clear();
        self.bytes.clear();
        (self.prefix_len, self.key_bytes, self.long_keys, self.other_bytes) = (0, 0, 0, 0);
        self.summary = BlockSummary::empty();
    }

    /// How much of its beginning this key shares with every key of the block.
    fn prefix_with(&self, user_key: &[u8]) -> usize {
        match (self.is_lexicographic, self.is_empty()) {
            (false, _) => 0,
            (true, true) => user_key.len(),
            (true, false) => shared_prefix(&self.bytes[..self.prefix_len], user_key),
        }
    }
}

/// Overwrites what is there.
fn put_at(out: &mut [u8], at: usize, bytes: &[u8]) {
    out[at..at + bytes.len()].copy_from_slice(bytes);
}

fn extra_len(flags: RowFlags) -> usize {
    usize::from(flags.contains(RowFlags::EXPIRY)) * EXPIRY_BYTES + usize::from(flags.contains(RowFlags::DIGEST)) * DIGEST_BYTES
}

/// Whether the key may need a length of its own in its record; what the prefix takes off is not counted.
fn is_long(user_key: &[u8]) -> usize {
    usize::from(user_key.len() >= usize::from(LONG_SUFFIX))
}

fn seq_width(summary: BlockSummary) -> u8 {
    match summary.max_seqno.saturating_sub(summary.min_seqno) {
        0 => 0,
        1..=0xFF => 1,
        0x100..=0xFFFF => 2,
        0x1_0000..=0xFFFF_FFFF => 4,
        _ => 8,
    }
}
