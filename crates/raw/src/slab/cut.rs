//! `Slab`: memory of the system's, cut into pieces of one class.

use super::classes::{LINE_BYTES, class_bytes};
use crate::pages::{HUGE_BYTES, Memory};
use std::{alloc::Layout, ptr::NonNull};

/// Bytes of the largest slabs: a huge page.
pub(super) const SLAB_BYTES_MAX: usize = HUGE_BYTES;

/// Pieces of the first slab of a class.
const FIRST_PIECES: usize = 4;

/// So many bytes of memory, whole cache lines; on huge pages, if they are whole huge pages.
pub(super) fn memory_of(bytes: usize) -> Memory {
    let align = if bytes.is_multiple_of(HUGE_BYTES) { HUGE_BYTES } else { LINE_BYTES };
    Memory::new(Layout::from_size_align(bytes, align).expect("lengths of slabs are small"))
}

/// Memory in pieces, those in front used first.
pub(super) struct Slab {
    memory: Memory,
    piece_bytes: usize,
    /// A bit for each piece that is there to be had.
    free: Box<[u64]>,
    taken: usize,
    pieces: usize,
}

impl Slab {
    /// How long the next slab of a class is that has so many bytes in slabs: as long as all of them, so that small stores
    /// stay small and large ones are of large slabs.
    pub(super) fn next_bytes(class: usize, bytes_now: usize) -> usize {
        let least = FIRST_PIECES * class_bytes(class);
        // What comes next is then not much shorter than the largest.
        if bytes_now > SLAB_BYTES_MAX / 4 * 3 { SLAB_BYTES_MAX } else { bytes_now.max(least) }
    }

    /// Cuts memory into pieces of a class.
    pub(super) fn new(memory: Memory, class: usize) -> Self {
        let piece_bytes = class_bytes(class);
        let pieces = memory.bytes() / piece_bytes;
        let mut free = vec![u64::MAX; pieces.div_ceil(64)].into_boxed_slice();
        if let Some(last) = free.last_mut()
            && !pieces.is_multiple_of(64)
        {
            *last = (1 << (pieces % 64)) - 1;
        }
        Self { memory, piece_bytes, free, taken: 0, pieces }
    }

    pub(super) fn is_full(&self) -> bool {
        self.taken == self.pieces
    }

    pub(super) fn is_empty(&self) -> bool {
        self.taken == 0
    }

    /// The first piece that is to be had. Panics where there is none.
    pub(super) fn take(&mut self) -> NonNull<u8> {
        let word = self.free.iter().position(|word| *word != 0).expect("full slabs are not asked");
        let bit = self.free[word].trailing_zeros() as usize;
        self.free[word] &= self.free[word] - 1;
        self.taken += 1;
        // SAFETY: one of the pieces, which all lie inside the memory.
        unsafe { self.memory.first().add((word * 64 + bit) * self.piece_bytes) }
    }

    /// Takes back a piece that `take` gave.
    pub(super) fn give_back(&mut self, piece: NonNull<u8>) {
        let index = (piece.addr().get() - self.memory.first().addr().get()) / self.piece_bytes;
        let bit = 1 << (index % 64);
        debug_assert!(self.free[index / 64] & bit == 0, "given back twice");
        self.free[index / 64] |= bit;
        self.taken -= 1;
    }

    /// The memory, of which no piece is outside.
    pub(super) fn into_memory(self) -> Memory {
        assert!(self.is_empty());
        self.memory
    }
}
