//! `Shared`: a counted pointer to one piece of a pool. `Buffer`: the piece while it is being filled.

use super::{Piece, Pool, classes::LINE_BYTES};
use crate::sync::atomic::{
    AtomicU32,
    Ordering::{Acquire, Relaxed, Release},
    fence,
};
use std::{
    fmt,
    marker::PhantomData,
    mem::ManuallyDrop,
    ops::{Deref, Range},
    process::abort,
    ptr::{self, NonNull},
    slice,
};

/// Bytes in a piece of a pool, filled by one owner, with room in front of them for a header `H`.
pub struct Buffer<H> {
    pool: Pool,
    piece: Piece,
    len: usize,
    _header: PhantomData<fn(H)>,
}

/// A counted pointer to a header `H` and immutable bytes behind it, in one piece of a pool. Dereferences to the header. As thin, and
/// shared in the same way, as an [`Arc`](std::sync::Arc).
pub struct Shared<H> {
    inner: NonNull<Inner<H>>,
    _owned: PhantomData<Inner<H>>,
}

/// What lies in front of the bytes. With a header of up to 40 bytes all of it is in one cache line.
#[repr(C, align(64))]
pub(super) struct Inner<H> {
    pool: Pool,
    /// With `class`, what the pool has to be told.
    number: u32,
    count: AtomicU32,
    /// How many bytes there are.
    len: u32,
    /// Where they begin, from the beginning of this.
    start: u16,
    class: u16,
    header: H,
}

/// More owners than can be had without leaking most of them.
const COUNT_MAX: u32 = 1 << 31;

impl<H> Buffer<H> {
    /// Where the bytes begin in their piece.
    const START: usize = {
        assert!(align_of::<Inner<H>>() == LINE_BYTES, "a header is aligned to a cache line at most");
        assert!(size_of::<Inner<H>>() <= 4096, "a header is small");
        size_of::<Inner<H>>()
    };

    /// So many zeros. Panics above 4 GiB less a few KiB.
    pub fn zeroed(pool: &Pool, len: usize) -> Self {
        let (buffer, is_zero) = Self::take(pool, len);
        if !is_zero {
            // SAFETY: the piece has room for so many bytes from there on, and is this buffer's alone.
            unsafe { buffer.first().write_bytes(0, len) };
        }
        buffer
    }

    /// A copy of `bytes`. Panics above 4 GiB less a few KiB.
    pub fn copied(pool: &Pool, bytes: &[u8]) -> Self {
        let (buffer, _) = Self::take(pool, bytes.len());
        // SAFETY: the piece has room for so many bytes from there on, and nobody else, `bytes` neither, reaches them.
        unsafe { buffer.first().copy_from_nonoverlapping(NonNull::from(bytes).cast(), bytes.len()) };
        buffer
    }

    /// One, and whether it is all zeros. If not, its bytes are to be written before anything else is done with it.
    fn take(pool: &Pool, len: usize) -> (Self, bool) {
        let (piece, is_zero) = pool.take(len.saturating_add(Self::START));
        (Self { pool: pool.clone(), piece, len, _header: PhantomData }, is_zero)
    }

    fn first(&self) -> NonNull<u8> {
        // SAFETY: the piece is at least that long.
        unsafe { self.piece.memory.add(Self::START) }
    }

    /// The bytes.
    pub fn bytes(&self) -> &[u8] {
        // SAFETY: the piece has so many bytes from there on, written when it was taken, and only through this buffer.
        unsafe { slice::from_raw_parts(self.first().as_ptr(), self.len) }
    }

    /// The bytes, to be written.
    pub fn bytes_mut(&mut self) -> &mut [u8] {
        // SAFETY: as in `bytes`; the buffer is borrowed alone.
        unsafe { slice::from_raw_parts_mut(self.first().as_ptr(), self.len) }
    }

    /// Puts a header in front, and lets go of all bytes but those in `kept`. Panics if these are not in the buffer, or begin
    /// behind its first 60 KiB.
    pub fn share(self, header: H, kept: Range<usize>) -> Shared<H> {
        assert!(kept.start <= kept.end && kept.end <= self.len, "{kept:?} of {}", self.len);
        let start = u16::try_from(Self::START + kept.start).expect("bytes begin in the first 60 KiB");
        let len = kept.len() as u32;
        // From here on the piece is the shared one's.
        let this = ManuallyDrop::new(self);
        let Piece { memory, class, number } = this.piece;
        // SAFETY: `this` is not dropped, nor looked at again.
        let pool = unsafe { ptr::read(&this.pool) };
        let inner = memory.cast::<Inner<H>>();
        let value = Inner { pool, number, count: AtomicU32::new(1), len, start, class, header };
        // SAFETY: the piece is aligned to a cache line, has room for this in front of the bytes, and nobody else reaches it.
        unsafe { inner.write(value) };
        Shared { inner, _owned: PhantomData }
    }
}

impl<H> Drop for Buffer<H> {
    fn drop(&mut self) {
        // SAFETY: this pool gave it, and whoever borrowed its bytes borrowed the buffer.
        unsafe { self.pool.give_back(self.piece) };
    }
}

impl<H> fmt::Debug for Buffer<H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Buffer({} bytes)", self.len)
    }
}

// SAFETY: as for an `Arc`: whoever has one can look at the header, and may be the one who drops it. The bytes do not change.
unsafe impl<H: Send + Sync> Send for Shared<H> {}
// SAFETY: as above.
unsafe impl<H: Send + Sync> Sync for Shared<H> {}

impl<H> Shared<H> {
    /// The bytes behind the header.
    #[inline]
    pub fn bytes(&self) -> &[u8] {
        let inner = self.inner();
        let (start, len) = (usize::from(inner.start), inner.len as usize);
        // SAFETY: the piece has so many bytes from there on, as the buffer saw to; they are not written to any more, and stay while
        // there is an owner.
        unsafe { slice::from_raw_parts(self.inner.cast::<u8>().add(start).as_ptr(), len) }
    }

    /// Memory that it takes, in bytes: the piece, header and all. What the header owns elsewhere is not in it.
    pub fn memory_bytes(&self) -> usize {
        self.inner().pool.piece_bytes(self.piece())
    }

    /// Gives one owner's right away, as a pointer that is a multiple of the length of a cache line.
    #[inline]
    pub(crate) fn into_raw(self) -> NonNull<()> {
        ManuallyDrop::new(self).inner.cast()
    }

    /// Takes such a right back.
    ///
    /// # Safety
    /// The pointer is one of `into_raw`, for the same `H`; each is taken back once.
    #[inline]
    pub(crate) unsafe fn from_raw(raw: NonNull<()>) -> Self {
        Self { inner: raw.cast(), _owned: PhantomData }
    }

    #[inline]
    fn inner(&self) -> &Inner<H> {
        // SAFETY: written when it was made, and there while there is an owner.
        unsafe { self.inner.as_ref() }
    }

    fn piece(&self) -> Piece {
        let inner = self.inner();
        Piece { memory: self.inner.cast(), class: inner.class, number: inner.number }
    }

    #[cold]
    fn free(&mut self) {
        let piece = self.piece();
        // SAFETY: this was the last owner, who moves it out and looks at it no more.
        let Inner { pool, header, .. } = unsafe { self.inner.read() };
        // SAFETY: this pool gave it, and nobody has a pointer into it any more.
        unsafe { pool.give_back(piece) };
        drop(header);
    }
}

impl<H> Clone for Shared<H> {
    #[inline]
    fn clone(&self) -> Self {
        // Who has one may have another: nothing is ordered by it.
        if self.inner().count.fetch_add(1, Relaxed) >= COUNT_MAX {
            abort();
        }
        Self { inner: self.inner, _owned: PhantomData }
    }
}

impl<H> Drop for Shared<H> {
    #[inline]
    fn drop(&mut self) {
        if self.inner().count.fetch_sub(1, Release) == 1 {
            // What the others did with it comes before its end.
            fence(Acquire);
            self.free();
        }
    }
}

impl<H> Deref for Shared<H> {
    type Target = H;
    #[inline]
    fn deref(&self) -> &H {
        &self.inner().header
    }
}

impl<H: fmt::Debug> fmt::Debug for Shared<H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Shared({:?}, {} bytes)", **self, self.bytes().len())
    }
}
