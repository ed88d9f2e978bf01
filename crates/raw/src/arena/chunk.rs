//! The memory behind an arena: words, in chunks that double in size and never move. They are zeros, or were used by an arena before.
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
    use crate::{
        pages::{self, Memory},
        simd::prefetch,
        spares::Spares,
        sync::{Mutex, atomic::AtomicU32, lock},
    };
    use std::{
        alloc::Layout,
        marker::PhantomData,
        mem,
        ptr::{self, NonNull},
        slice,
        sync::Arc,
    };

    /// All chunks of an arena, and blocks. The large ones come from its spares, as far as there are any, and go there at its end.
    pub(in super::super) struct Chunks {
        chunks: [AtomicPtr<u64>; CHUNKS],
        /// A bit for each chunk that others used before.
        used: AtomicU32,
        /// Memory for what goes with the records.
        blocks: Mutex<Vec<Memory>>,
        spares: Arc<Spares>,
    }

    /// Some words in a row, all in one chunk.
    #[derive(Clone, Copy)]
    pub(in super::super) struct Words<'a> {
        first: *mut u64,
        chunks: PhantomData<&'a Chunks>,
    }

    impl Chunks {
        pub(in super::super) fn new(spares: Arc<Spares>) -> Self {
            let chunks = [const { AtomicPtr::new(ptr::null_mut()) }; CHUNKS];
            Self { chunks, used: AtomicU32::new(0), blocks: Mutex::new(Vec::new()), spares }
        }

        /// Makes the chunk of `place`, if it is not there. Returns whether it may hold what others left. One caller at a time.
        pub(in super::super) fn ensure(&self, place: u32) -> bool {
            let (index, _) = split(place);
            if self.chunks[index].load(Relaxed).is_null() {
                let (memory, is_used) = self.memory(index);
                self.used.store(self.used.load(Relaxed) | u32::from(is_used) << index, Relaxed);
                self.chunks[index].store(memory.into_first().as_ptr().cast(), Release);
            }
            self.used.load(Relaxed) >> index & 1 == 1
        }

        /// The words from `place` on.
        ///
        /// # Safety
        /// `ensure(place)` happened before.
        #[inline]
        pub(in super::super) unsafe fn words(&self, place: u32) -> Words<'_> {
            let (index, word) = split(place);
            let chunk = self.chunks[index].load(Acquire);
            // SAFETY: the chunk is there, by the caller's word, and `split` stays inside it.
            Words { first: unsafe { chunk.add(word) }, chunks: PhantomData }
        }

        /// Memory for a chunk, and whether others used it before.
        fn memory(&self, index: usize) -> (Memory, bool) {
            let layout = layout(index);
            if !pages::is_large(layout) {
                return (Memory::new(layout), false);
            }
            if !self.chunks[LARGE..].iter().any(|chunk| !chunk.load(Relaxed).is_null()) {
                self.spares.join();
            }
            self.spares.take(layout)
        }

        /// Zeroed memory of a large layout, which is there as long as the chunks are.
        pub(in super::super) fn block(&self, layout: Layout) -> NonNull<u8> {
            let (memory, is_used) = self.spares.take(layout);
            let first = memory.first();
            if is_used {
                // SAFETY: so long, and nobody else's.
                unsafe { first.write_bytes(0, layout.size()) };
            }
            lock(&self.blocks).push(memory);
            first
        }
    }

    impl Drop for Chunks {
        fn drop(&mut self) {
            let memory = |(index, chunk): (usize, &AtomicPtr<u64>)| {
                let first = NonNull::new(chunk.load(Relaxed))?;
                // SAFETY: made by `ensure` with this layout; words borrow the chunks, so none is left.
                Some(unsafe { Memory::from_first(first.cast(), layout(index)) })
            };
            let (large, small): (Vec<_>, Vec<_>) =
                self.chunks.iter().enumerate().filter_map(memory).partition(|memory| pages::is_large(memory.layout()));
            drop(small);
            if !large.is_empty() {
                self.spares.part();
            }
            self.spares.leave(mem::take(&mut *lock(&self.blocks)).into_iter().chain(large).collect());
        }
    }

    /// The first chunk that is large.
    const LARGE: usize = (pages::LARGE_BYTES / 8).ilog2() as usize - FIRST_WORDS.ilog2() as usize;

    fn layout(index: usize) -> Layout {
        let words = Layout::array::<u64>((FIRST_WORDS as usize) << index).expect("at most 8 GiB");
        // Records are looked for here and there, and large chunks are used to the end, mostly.
        pages::to_huge(words)
    }

    impl<'a> Words<'a> {
        /// Asks for the first three cache lines.
        #[inline]
        pub(in super::super) fn prefetch(self) {
            prefetch(self.first);
            prefetch(self.first.wrapping_add(8));
            prefetch(self.first.wrapping_add(16));
        }

        /// Makes `words` words from here on zeros.
        ///
        /// # Safety
        /// They lie in the same chunk, and nobody else has any of them yet.
        pub(in super::super) unsafe fn clear(self, words: u32) {
            // SAFETY: inside the chunk, and exclusive by the caller's word.
            unsafe { self.first.write_bytes(0, words as usize) };
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
    use crate::spares::Spares;
    use loom::cell::UnsafeCell;
    use std::sync::{Arc, OnceLock};

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
        pub(in super::super) fn new(_spares: Arc<Spares>) -> Self {
            Self([const { OnceLock::new() }; CHUNKS])
        }

        pub(in super::super) fn ensure(&self, place: u32) -> bool {
            let (index, _) = split(place);
            self.0[index].get_or_init(|| Chunk {
                atomics: (0..FIRST_WORDS << index).map(|_| AtomicU64::new(0)).collect(),
                payloads: (0..FIRST_WORDS << index).map(|_| (UnsafeCell::new(()), std::cell::UnsafeCell::new(0))).collect(),
            });
            false
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
        /// As for the real form, in which it is called for chunks that were used before.
        pub(in super::super) unsafe fn clear(self, _words: u32) {}

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
