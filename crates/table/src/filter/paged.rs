//! Filters in pages: what is long of a filter is read where a question needs it.
//!
//! A filter has a short *head*, which is enough to know where in the rest a question looks: in one place, and by the hash alone. So the rest
//! is cut into pages that can be read each for itself. What a question looks at may begin in one page and end in the next.

#![deny(clippy::indexing_slicing, clippy::unwrap_used, clippy::arithmetic_side_effects)]

use super::{
    burr::{self, Burr},
    split_block::Lines,
    unknown,
};
use crate::format::{Content, kinds};
use sediment_base::Result;
use std::ops::Range;

/// Bytes of a page, the last one's fewer: with the header of its frame 4 KiB, and whole lines of a split-block filter.
pub(crate) const PAGE_BYTES: usize = 63 * 64;
/// The most that a question looks at.
pub(crate) const WINDOW_BYTES_MAX: usize = burr::WINDOW_BYTES_MAX;

/// A filter that was built.
#[derive(Debug)]
pub(crate) struct Encoded {
    /// The kind of its frames.
    pub(crate) kind: u8,
    /// The content of its region.
    pub(crate) content: Vec<u8>,
    /// How much of that is its head.
    pub(super) head_bytes: usize,
}

impl Encoded {
    /// Whether it is longer than a page, and so in pages.
    pub(crate) fn is_paged(&self) -> bool {
        self.content.len() > PAGE_BYTES
    }

    /// What is in each of its frames: all, or the head and the pages.
    pub(crate) fn frames(&self) -> impl Iterator<Item = &[u8]> {
        let head_bytes = if self.is_paged() { self.head_bytes } else { self.content.len() };
        let (head, rest) = self.content.split_at_checked(head_bytes).unwrap_or((&self.content, &[]));
        [head].into_iter().chain(rest.chunks(PAGE_BYTES))
    }
}

/// A filter of which only the head is in memory.
#[derive(Debug)]
pub(crate) enum PagedFilter {
    /// As [`Filter::SplitBlock`](super::Filter::SplitBlock).
    SplitBlock(Lines),
    /// As [`Filter::Burr`](super::Filter::Burr).
    Burr(Burr),
}

/// What the answer to a question is told by.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Place {
    /// The line of this hash.
    Line(u64),
    /// Some of a solution.
    Solution(burr::Sought),
}

impl PagedFilter {
    /// Takes the head of a filter region of so many bytes, whose frames are of this kind.
    pub(crate) fn decode(kind: u8, head: Content, len: usize) -> Result<Self> {
        match kind {
            kinds::SPLIT_BLOCK => Lines::decode(&head, len).map(Self::SplitBlock),
            kinds::BURR => Burr::decode_head(head, len).map(Self::Burr),
            _ => Err(unknown(kind)),
        }
    }

    /// Where behind the head the answer is that a question about this hash looks for; or the answer, if the head has it.
    pub(crate) fn find(&self, hash: u64) -> std::result::Result<(Place, Range<usize>), bool> {
        match self {
            Self::SplitBlock(lines) => Ok((Place::Line(hash), lines.place(hash))),
            Self::Burr(filter) => filter.find(hash).map(|(sought, place)| (Place::Solution(sought), place)),
        }
    }

    /// The answer, by the bytes that are there: false only if no key has the hash.
    pub(crate) fn may_contain(&self, place: &Place, bytes: &[u8]) -> bool {
        match (self, place) {
            (Self::SplitBlock(_), Place::Line(hash)) => Lines::may_contain(bytes, *hash),
            (Self::Burr(filter), Place::Solution(sought)) => filter.gives_value(sought, bytes),
            _ => true,
        }
    }
}

#[cfg(test)]
mod tests;
