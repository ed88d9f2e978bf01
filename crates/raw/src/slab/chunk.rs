//! `Chunk`: a few huge pages, cut into pieces of any size: for what is above the largest class by far.
//!
//! The first touch of a small page costs as much as copying a few of them, and a read of a megabyte into fresh memory makes some
//! hundreds of such touches; a huge page makes one. Pieces lie side by side, the first gap that is long enough is used first, so
//! that the pages behind are not touched before those in front are full.

use super::{
    classes::LINE_BYTES,
    cut::{SLAB_BYTES_MAX, memory_of},
};
use crate::pages::Memory;
use std::{collections::BTreeMap, ptr::NonNull};

/// Pieces of at least so many bytes are cut out of chunks.
pub(super) const CHUNKED_BYTES: usize = 256 << 10;

/// Bytes of a chunk, but for one that is made for a longer piece.
const CHUNK_BYTES: usize = 4 * SLAB_BYTES_MAX;

/// Memory, and which parts of it are given out.
pub(super) struct Chunk {
    memory: Memory,
    /// Where pieces begin, and how long they are.
    pieces: BTreeMap<usize, usize>,
    /// No gap is longer.
    gap_bytes: usize,
    /// No piece ever was behind this place: the memory is as the system gave it.
    fresh_at: usize,
}

impl Chunk {
    /// An empty one with room for a piece of so many bytes.
    pub(super) fn with_room_for(bytes: usize) -> Self {
        let memory = memory_of(bytes.max(CHUNK_BYTES).next_multiple_of(SLAB_BYTES_MAX));
        let gap_bytes = memory.bytes();
        Self { memory, pieces: BTreeMap::new(), gap_bytes, fresh_at: 0 }
    }

    pub(super) fn bytes(&self) -> usize {
        self.memory.bytes()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.pieces.is_empty()
    }

    /// A piece of at least so many bytes, and whether it is all zeros; nothing where no gap is long enough.
    pub(super) fn take(&mut self, bytes: usize) -> Option<(NonNull<u8>, bool)> {
        let bytes = bytes.next_multiple_of(LINE_BYTES);
        if bytes > self.gap_bytes {
            return None;
        }
        let (at, _) = self.gaps().find(|(_, gap)| *gap >= bytes)?;
        self.pieces.insert(at, bytes);
        self.gap_bytes = self.longest_gap();
        let is_fresh = at >= self.fresh_at;
        self.fresh_at = self.fresh_at.max(at + bytes);
        // SAFETY: the gap is inside the memory.
        Some((unsafe { self.memory.first().add(at) }, is_fresh))
    }

    /// Takes back a piece that `take` gave.
    pub(super) fn give_back(&mut self, piece: NonNull<u8>) {
        let bytes = self.pieces.remove(&self.place_of(piece));
        debug_assert!(bytes.is_some(), "given back twice");
        self.gap_bytes = self.longest_gap();
    }

    /// How long a piece is that `take` gave.
    pub(super) fn piece_bytes(&self, piece: NonNull<u8>) -> usize {
        self.pieces[&self.place_of(piece)]
    }

    fn place_of(&self, piece: NonNull<u8>) -> usize {
        piece.addr().get() - self.memory.first().addr().get()
    }

    fn longest_gap(&self) -> usize {
        self.gaps().map(|(_, gap)| gap).max().unwrap_or(0)
    }

    /// Where there is room, and how much, from the front to the back.
    fn gaps(&self) -> impl Iterator<Item = (usize, usize)> {
        let ends = [0].into_iter().chain(self.pieces.iter().map(|(at, bytes)| at + bytes));
        let starts = self.pieces.keys().copied().chain([self.memory.bytes()]);
        ends.zip(starts).map(|(end, start)| (end, start - end))
    }
}
