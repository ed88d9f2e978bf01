//! `Pointer`: what a slot can hold.

use crate::{slab::Shared, sync::Arc};
use std::ptr::NonNull;

/// A counted pointer of one word. A clone is one more owner of the same value.
///
/// # Safety
/// `into_raw` gives an address that is not null and a multiple of 8: slots use its three lowest bits. `from_raw` makes of it what it was,
/// wherever that is moved; and if it does so several times, while all but one of the results are only borrowed and never dropped,
/// these are as good as borrows of that one.
pub unsafe trait Pointer: Clone {
    /// Gives one owner's right away, as a raw pointer.
    fn into_raw(self) -> NonNull<()>;

    /// Takes such a right back.
    ///
    /// # Safety
    /// The pointer is one of `into_raw` of this type. The right has not been taken back, or the result is never dropped, and not borrowed
    /// for longer than somebody has the right.
    unsafe fn from_raw(raw: NonNull<()>) -> Self;
}

// SAFETY: `Arc::into_raw` points to the value, which the assertion aligns; `Arc::from_raw` takes that pointer back.
unsafe impl<V> Pointer for Arc<V> {
    fn into_raw(self) -> NonNull<()> {
        const { assert!(align_of::<V>() >= 8, "the low bits of a pointer are not free") };
        let raw = Self::into_raw(self).cast_mut().cast();
        NonNull::new(raw).expect("a value is somewhere")
    }

    #[inline]
    unsafe fn from_raw(raw: NonNull<()>) -> Self {
        // SAFETY: by the caller's word.
        unsafe { Self::from_raw(raw.as_ptr().cast_const().cast()) }
    }
}

// SAFETY: it points to a cache line, and is made anew from that pointer alone.
unsafe impl<H> Pointer for Shared<H> {
    fn into_raw(self) -> NonNull<()> {
        self.into_raw()
    }

    #[inline]
    unsafe fn from_raw(raw: NonNull<()>) -> Self {
        // SAFETY: by the caller's word.
        unsafe { Self::from_raw(raw) }
    }
}
