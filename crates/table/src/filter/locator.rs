//! A locator: in which block the newest row of a key is, and which key of the block it is. It takes the place of a filter, of the
//! fence and of the tags of a block where one key is looked for.
//!
//! ```text
//!  0 keys u64 | 8 lines u32 | 12 block_bits u8 | 13 slot_bits u8 | 14 farthest u8 | 15 zeros to 64
//! 64 lines, 16 cells u32 each: tag | block | slot from the highest bit on; 0 where there is none
//! ```
//!
//! The upper half of the hash chooses the line, `(hi32 * lines) >> 32`; where that is full, the key is in the first one behind it that is
//! not, the first line of all behind the last, and no more than `farthest` lines on. A line is filled from its first cell. The
//! tag has the bits that block and slot leave, at least eight, and is `1 + (lo32 * (2^bits - 1) >> 32)`. The *slot* is the number of the
//! key among the user keys of its block, as its tags have it.
//!
//! What it says of a hash is checked when it is followed: opening looks at no line. A line that says nothing is believed, as a
//! filter is; a cell that leads to another key is not, and the table is searched as if there were no locator.

#![deny(clippy::indexing_slicing, clippy::unwrap_used, clippy::arithmetic_side_effects)]

mod build;

#[cfg(test)]
mod tests;

pub(crate) use build::KeyPlaces;

use crate::format::{Content, kinds};
use sediment_base::{Error, Result};
use sediment_codec::coding::Reader;
use sediment_raw::simd;

const HEADER_BYTES: usize = 64;
const LINE_BYTES: usize = 64;
const CELLS: usize = 16;
const CELL_BITS: u8 = 32;
/// Fewer bits of a tag are wrong too often to be worth a cell.
const TAG_BITS_MIN: u8 = 8;

/// A locator, where it was read to.
#[derive(Debug)]
pub(crate) struct Locator {
    lines: Content,
    keys: u64,
    widths: Widths,
    /// How many lines a key is from its own at most.
    farthest: u8,
    /// Where its region begins in the file.
    offset: u64,
}

/// Where a key is: a block, and a key of that.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct KeyPlace {
    pub(crate) block: usize,
    pub(crate) slot: usize,
}

/// How the bits of a cell are divided.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Widths {
    block_bits: u8,
    slot_bits: u8,
}

impl Widths {
    /// Those for so many blocks, and slots up to this one; `None` if they leave no bits for tags.
    fn new(blocks: usize, slot_max: usize) -> Option<Self> {
        let widths = Self { block_bits: bits_of(blocks.checked_sub(1)?), slot_bits: bits_of(slot_max) };
        widths.leave_a_tag().then_some(widths)
    }

    fn leave_a_tag(self) -> bool {
        self.block_bits.saturating_add(self.slot_bits) <= CELL_BITS.saturating_sub(TAG_BITS_MIN)
    }

    fn place_bits(self) -> u32 {
        u32::from(self.block_bits.saturating_add(self.slot_bits))
    }

    /// The tag of a hash, in its place in a cell: never 0.
    #[inline]
    fn tag(self, hash: u64) -> u32 {
        let most = u64::from(u32::MAX.wrapping_shr(self.place_bits()));
        let tag = (hash & u64::from(u32::MAX)).wrapping_mul(most).wrapping_shr(32).wrapping_add(1);
        (tag as u32).wrapping_shl(self.place_bits())
    }

    /// The bits of a cell that are of the tag.
    #[inline]
    fn tag_mask(self) -> u32 {
        u32::MAX.wrapping_shl(self.place_bits())
    }

    fn cell(self, hash: u64, place: KeyPlace) -> u32 {
        self.tag(hash) | (place.block as u32).wrapping_shl(u32::from(self.slot_bits)) | place.slot as u32
    }

    #[inline]
    fn place(self, cell: u32) -> KeyPlace {
        let place = cell & !self.tag_mask();
        let slot = place & !u32::MAX.wrapping_shl(u32::from(self.slot_bits));
        KeyPlace { block: place.wrapping_shr(u32::from(self.slot_bits)) as usize, slot: slot as usize }
    }
}

/// Bits that the numbers up to this one take.
fn bits_of(most: usize) -> u8 {
    usize::BITS.saturating_sub(most.leading_zeros()) as u8
}

impl Locator {
    /// Takes a locator region whose frames are of this kind, which begins at `offset`, of a table of so many blocks and user keys.
    pub(crate) fn decode(kind: u8, content: &Content, offset: u64, blocks: usize, keys: u64) -> Result<Self> {
        if kind != kinds::LOCATOR {
            return Err(Error::unsupported(format!("locator {kind} is unknown to this version; upgrade Sediment")));
        }
        let mut reader = Reader::new(content);
        let stored_keys = reader.u64()?;
        let lines = reader.u32()? as usize;
        let widths = Widths { block_bits: reader.u8()?, slot_bits: reader.u8()? };
        let farthest = reader.u8()?;
        let spare = reader.bytes(HEADER_BYTES.saturating_sub(reader.position()))?;
        if spare.iter().any(|byte| *byte != 0) {
            return Err(Error::unsupported("a locator of another shape; upgrade Sediment"));
        }
        if lines == 0 || lines.checked_mul(LINE_BYTES) != Some(reader.remaining()) {
            return Err(Error::corruption("locator length").at(8).expected_found(lines, reader.remaining()));
        }
        if stored_keys != keys || keys > (lines as u64).saturating_mul(CELLS as u64) {
            return Err(Error::corruption("keys of a locator").at(0).expected_found(keys, stored_keys));
        }
        if Some(widths.block_bits) != blocks.checked_sub(1).map(bits_of) || !widths.leave_a_tag() {
            let bits = format!("{} and {}", widths.block_bits, widths.slot_bits);
            return Err(Error::corruption("widths of a locator").at(12).expected_found(format!("for {blocks} blocks"), bits));
        }
        let lines = content.part(reader.position()..content.len());
        Ok(Self { lines, keys, widths, farthest, offset })
    }

    /// Where the key may be that has this hash: nowhere only if no key of the table has.
    #[inline]
    pub(crate) fn places(&self, hash: u64) -> Places<'_> {
        let lines = self.lines();
        let mut places = Places {
            lines,
            widths: self.widths,
            tag: self.widths.tag(hash),
            line: lines.first().unwrap_or(&EMPTY),
            number: line_of(hash, lines.len()),
            left: self.farthest,
            mask: 0,
        };
        places.enter();
        places
    }

    /// False only if no key of the table has this hash.
    #[inline]
    pub(crate) fn may_contain(&self, hash: u64) -> bool {
        self.places(hash).next().is_some()
    }

    /// Asks for the line that a question about this hash looks at first.
    #[inline]
    pub(crate) fn prefetch(&self, hash: u64) {
        let lines = self.lines();
        if let Some(line) = lines.get(line_of(hash, lines.len())) {
            simd::prefetch(&raw const *line);
        }
    }

    /// Where its region begins in the file.
    pub(crate) fn offset(&self) -> u64 {
        self.offset
    }

    /// How many lines from its own the cell is that leads from this hash to this place, if there is one.
    pub(crate) fn distance(&self, hash: u64, place: KeyPlace) -> Option<u8> {
        let mut places = self.places(hash);
        let mut is_there = false;
        while !is_there {
            is_there = places.next()? == place;
        }
        Some(self.farthest.saturating_sub(places.left))
    }

    /// Whether it has a cell for each key and no other, none of them farther from its line than this.
    pub(crate) fn is_whole(&self, farthest: u8) -> bool {
        let cells = self.lines().iter().flat_map(|line| line.as_chunks::<4>().0);
        cells.filter(|cell| **cell != [0; 4]).count() as u64 == self.keys && self.farthest == farthest
    }

    #[inline]
    fn lines(&self) -> &[Line] {
        self.lines.as_chunks().0
    }
}

type Line = [u8; LINE_BYTES];

const EMPTY: Line = [0; LINE_BYTES];

/// The places that a locator names for one hash. Most often there is one, or none.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Places<'a> {
    lines: &'a [Line],
    widths: Widths,
    tag: u32,
    line: &'a Line,
    number: usize,
    /// How many lines may follow.
    left: u8,
    /// Cells of the line that have the tag, and were not looked at.
    mask: u16,
}

impl Places<'_> {
    /// Looks at the line with the number.
    #[inline]
    fn enter(&mut self) {
        self.line = self.lines.get(self.number).unwrap_or(&EMPTY);
        self.mask = simd::match_cells(self.line, self.tag, self.widths.tag_mask());
    }

    /// Goes on to the next line, if a key may be there.
    #[inline]
    fn advance(&mut self) -> Option<()> {
        // A line is filled from its first cell, and the next one takes nothing as long as there is room.
        let [.., last] = self.line.as_chunks::<4>().0 else { return None };
        if *last == [0; 4] {
            return None;
        }
        self.left = self.left.checked_sub(1)?;
        self.number = self.number.wrapping_add(1);
        if self.number >= self.lines.len() {
            self.number = 0;
        }
        self.enter();
        Some(())
    }
}

impl Iterator for Places<'_> {
    type Item = KeyPlace;

    #[inline]
    fn next(&mut self) -> Option<KeyPlace> {
        while self.mask == 0 {
            self.advance()?;
        }
        let cell = self.line.as_chunks::<4>().0.get(self.mask.trailing_zeros() as usize)?;
        self.mask &= self.mask.wrapping_sub(1);
        Some(self.widths.place(u32::from_le_bytes(*cell)))
    }
}

#[inline]
fn line_of(hash: u64, lines: usize) -> usize {
    ((hash >> 32).wrapping_mul(lines as u64) >> 32) as usize
}
