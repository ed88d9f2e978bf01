//! The memory behind an arena: zeroed words, in chunks that double in size and never move.
//!
//! A word is reached by its *place*, a number that grows through all chunks. Places begin at the size of the first chunk, so
//! that the chunk of a place is the position of its highest bit, and 0 is no place.

use crate::sync::atomic::AtomicU64;

/// Words in the first chunk: 64 KiB, so that a tree with few writes stays small; little under the checkers, to see growth.
pub(super) const FIRST_WORDS: u32 = if cfg!(loom) {
    8
} else if cfg!(miri) {
    64
} else {
    8 << 10
};

/// Places are below this, so that a link has a bit to spare.
pub(super) const PLACES_MAX: u32 = 1 << 31;

const CHUNKS: usize = (PLACES_MAX.ilog2() - FIRST_WORDS.ilog2()) as usize;

pub(super) use form::{Chunks, Words};

/// The chunk that holds `place`, and the word in it.
#[inline]
fn split(place: u32) -> (usize, usize) {
    let highest = place.ilog2();
    ((highest - FIRST_WORDS.ilog2()) as usize, (place ^ 1 << highest) as usize)
}

/// The first place behind the chunk that holds `place`.
pub(super) fn chunk_end(place: u32) -> u32 {
    2 << place.ilog2()
}

#[cfg(not(loom))]
mod form {
    use super::{AtomicU64, CHUNKS, FIRST_WORDS, split};
    use crate::sync::atomic::{
        AtomicPtr,
        Ordering::{Acquire, Relaxed, Release},
    };
    use crate::{pages, simd::prefetch};
    use std::{
        alloc::{Layout, handle_alloc_error},
        marker::PhantomData,
        ptr, slice,
    };

    /// All chunks of an arena.
    pub(in super::super) struct Chunks([AtomicPtr<u64>; CHUNKS]);

    /// Some words in a row, all in one chunk.
    #[derive(Clone, Copy)]
    pub(in super::super) struct Words<'a> {
        first: *mut u64,
        chunks: PhantomData<&'a Chunks>,
    }

    impl Chunks {
        pub(in super::super) fn new() -> Self {
            Self([const { AtomicPtr::new(ptr::null_mut()) }; CHUNKS])
        }

        /// Makes the chunk of `place`, if it is not there. One caller at a time.
        pub(in super::super) fn ensure(&self, place: u32) {
            let (index, _) = split(place);
            if self.0[index].load(Relaxed).is_null() {
                let layout = layout(index);
                let chunk = pages::allocate(layout);
                if chunk.is_null() {
                    handle_alloc_error(layout);
                }
                self.0[index].store(chunk.cast(), Release);
            }
        }

        /// The words from `place` on.
        ///
        /// # Safety
        /// `ensure(place)` happened before.
        #[inline]
        pub(in super::super) unsafe fn words(&self, place: u32) -> Words<'_> {
            let (index, word) = split(place);
            let chunk = self.0[index].load(Acquire);
            // SAFETY: the chunk is there, by the caller's word, and `split` stays inside it.
            Words { first: unsafe { chunk.add(word) }, chunks: PhantomData }
        }
    }

    impl Drop for Chunks {
        fn drop(&mut self) {
            for (index, chunk) in self.0.iter().enumerate() {
                let chunk = chunk.load(Relaxed);
                if !chunk.is_null() {
                    // SAFETY: allocated by `ensure` with this layout; words borrow the chunks, so none is left.
                    unsafe { pages::free(chunk.cast(), layout(index)) };
                }
            }
        }
    }

    fn layout(index: usize) -> Layout {
        let words = Layout::array::<u64>((FIRST_WORDS as usize) << index).expect("at most 8 GiB");
        // Records are looked for here and there, and large chunks are used to the end, mostly.
        if words.size() >= pages::HUGE_BYTES { words.align_to(pages::HUGE_BYTES).expect("small") } else { words }
    }

    impl<'a> Words<'a> {
        /// Asks for the first two cache lines.
        #[inline]
        pub(in super::super) fn prefetch(self) {
            prefetch(self.first);
            prefetch(self.first.wrapping_add(8));
        }

        /// A word that is only ever reached through atomics.
        ///
        /// # Safety
        /// The word `index` lies in the same chunk, and is never part of a payload.
        #[inline]
        pub(in super::super) unsafe fn atomic(self, index: usize) -> &'a AtomicU64 {
            // SAFETY: inside the chunk, which lives for 'a, aligned for u64, initialized (zeroed), and by the caller's word
            // no plain access to it exists.
            unsafe { AtomicU64::from_ptr(self.first.add(index)) }
        }

        /// A finished payload of `len` bytes from word `index` on.
        ///
        /// # Safety
        /// The bytes lie in the same chunk; their writing is over and happened before.
        #[inline]
        pub(in super::super) unsafe fn bytes(self, index: usize, len: usize) -> &'a [u8] {
            // SAFETY: inside the chunk, which lives for 'a, initialized, and nobody writes to them any more.
            unsafe { slice::from_raw_parts(self.first.add(index).cast(), len) }
        }

        /// A payload of `len` bytes from word `index` on, to be written.
        ///
        /// # Safety
        /// The bytes lie in the same chunk, and the caller is the only one who has them while the result lives.
        #[inline]
        pub(in super::super) unsafe fn bytes_mut(self, index: usize, len: usize) -> &'a mut [u8] {
            // SAFETY: inside the chunk, which lives for 'a, initialized, and exclusive by the caller's word.
            unsafe { slice::from_raw_parts_mut(self.first.add(index).cast(), len) }
        }
    }
}

/// Under loom an atomic is an object and not a word of memory: atomics, payloads and their access checks lie side by side.
#[cfg(loom)]
mod form {
    use super::{AtomicU64, CHUNKS, FIRST_WORDS, split};
    use loom::cell::UnsafeCell;
    use std::sync::OnceLock;

    pub(in super::super) struct Chunks([OnceLock<Chunk>; CHUNKS]);

    struct Chunk {
        atomics: Vec<AtomicU64>,
        payloads: Vec<(UnsafeCell<()>, std::cell::UnsafeCell<u64>)>,
    }

    #[derive(Clone, Copy)]
    pub(in super::super) struct Words<'a> {
        chunk: &'a Chunk,
        first: usize,
    }

    // SAFETY: as for the real form; loom checks the accesses.
    unsafe impl Send for Chunks {}
    // SAFETY: as above.
    unsafe impl Sync for Chunks {}

    impl Chunks {
        pub(in super::super) fn new() -> Self {
            Self([const { OnceLock::new() }; CHUNKS])
        }

        pub(in super::super) fn ensure(&self, place: u32) {
            let (index, _) = split(place);
            self.0[index].get_or_init(|| Chunk {
                atomics: (0..FIRST_WORDS << index).map(|_| AtomicU64::new(0)).collect(),
                payloads: (0..FIRST_WORDS << index).map(|_| (UnsafeCell::new(()), std::cell::UnsafeCell::new(0))).collect(),
            });
        }

        /// # Safety
        /// As for the real form.
        pub(in super::super) unsafe fn words(&self, place: u32) -> Words<'_> {
            let (index, first) = split(place);
            Words { chunk: self.0[index].get().expect("ensured"), first }
        }
    }

    impl<'a> Words<'a> {
        pub(in super::super) fn prefetch(self) {}

        /// # Safety
        /// As for the real form.
        pub(in super::super) unsafe fn atomic(self, index: usize) -> &'a AtomicU64 {
            &self.chunk.atomics[self.first + index]
        }

        /// # Safety
        /// As for the real form.
        pub(in super::super) unsafe fn bytes(self, index: usize, len: usize) -> &'a [u8] {
            let cells = &self.chunk.payloads[self.first + index];
            cells.0.with(|_| ());
            assert!(len <= 8, "models write one word");
            // SAFETY: as for the real form, and loom just checked that the write happened before.
            unsafe { std::slice::from_raw_parts(cells.1.get().cast(), len) }
        }

        /// # Safety
        /// As for the real form.
        pub(in super::super) unsafe fn bytes_mut(self, index: usize, len: usize) -> &'a mut [u8] {
            let cells = &self.chunk.payloads[self.first + index];
            cells.0.with_mut(|_| ());
            assert!(len <= 8, "models write one word");
            // SAFETY: as for the real form, and loom just checked that nobody else has access.
            unsafe { std::slice::from_raw_parts_mut(cells.1.get().cast(), len) }
        }
    }
}
