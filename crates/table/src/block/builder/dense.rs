//! The same rows to the bytes of a dense block.

use super::{BlockBuilder, BlockSummary};
use crate::block::format::{LONG_SUFFIX, extra_bytes, flags_of};
use sediment_base::{RowFlags, SeqNo, comparator::shared_prefix};
use sediment_codec::coding::Writer;

/// A row with its parts; further versions have no suffix.
struct Parts<'a> {
    suffix: Option<&'a [u8]>,
    extras: &'a [u8],
    value: &'a [u8],
}

impl BlockBuilder {
    /// Appends the block in its dense form to `out`, and is empty again.
    pub(crate) fn finish_dense(&mut self, out: &mut Vec<u8>) -> BlockSummary {
        let summary = self.summary;
        let width = bytes_of(summary.max_seqno.saturating_sub(summary.min_seqno));
        out.put_u16(self.rows.len() as u16);
        out.put_u16(self.tags.len() as u16);
        out.put_u16(self.prefix_len as u16);
        out.put_u8(0);
        out.put_u8(width as u8);
        out.put_u64(summary.min_seqno);
        out.extend(self.rows.iter().map(|row| row.meta));
        out.extend(self.suffixes().map(short_len));
        let shared_at = out.len();
        let mut before: &[u8] = &[];
        for suffix in self.suffixes() {
            out.put_u8(u8::try_from(shared_prefix(before, suffix)).unwrap_or(u8::MAX));
            before = suffix;
        }
        self.put_lens_and_seqs(width, out);
        out.put_bytes(&self.bytes[..self.prefix_len]);
        for suffix in self.suffixes().filter(|suffix| short_len(suffix) == LONG_SUFFIX) {
            out.put_u16(suffix.len() as u16);
        }
        for (key, suffix) in self.suffixes().enumerate() {
            let shared = usize::from(out[shared_at + key]);
            out.put_bytes(&suffix[shared..]);
        }
        self.parts().for_each(|parts| out.put_bytes(parts.extras));
        self.parts().for_each(|parts| out.put_bytes(parts.value));
        self.clear();
        summary
    }

    fn put_lens_and_seqs(&self, width: usize, out: &mut Vec<u8>) {
        let lens = || self.parts().map(|parts| parts.value.len() as u16);
        out.extend(lens().map(|len| len as u8));
        out.extend(lens().map(|len| (len >> 8) as u8));
        for byte in 0..width {
            out.extend(self.rows.iter().map(|row| ((row.seqno - self.summary.min_seqno) >> (8 * byte)) as u8));
        }
    }

    /// Of each key.
    fn suffixes(&self) -> impl Iterator<Item = &[u8]> {
        self.parts().filter_map(|parts| parts.suffix)
    }

    fn parts(&self) -> impl Iterator<Item = Parts<'_>> {
        let mut rest = &self.bytes[..];
        self.rows.iter().map(move |row| {
            let (key, after) = rest.split_at(usize::from(row.key_len));
            let (other, after) = after.split_at(row.rest_len as usize);
            rest = after;
            let (extras, value) = other.split_at(extra_bytes(flags_of(row.meta)));
            let suffix = (row.meta & RowFlags::SAME_KEY.0 == 0).then(|| &key[self.prefix_len..]);
            Parts { suffix, extras, value }
        })
    }
}

/// The length of a suffix as a slot has it.
fn short_len(suffix: &[u8]) -> u8 {
    u8::try_from(suffix.len()).unwrap_or(LONG_SUFFIX)
}

/// How many bytes the number has.
fn bytes_of(number: SeqNo) -> usize {
    (SeqNo::BITS - number.leading_zeros()).div_ceil(8) as usize
}
