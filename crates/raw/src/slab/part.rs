//! `Part`: some of the bytes behind a `Shared`, found without looking at the header.

use super::Shared;
use std::{
    fmt,
    ops::{Deref, Range},
    ptr::NonNull,
    slice,
};

/// Bytes of a [`Shared`], which it keeps. Dereferences to them: one step, as in a `Box`. The default has none.
pub struct Part<H> {
    first: NonNull<u8>,
    len: usize,
    /// None only where there are no bytes.
    whole: Option<Shared<H>>,
}

// SAFETY: it is a `Shared`, and a pointer to bytes that do not change.
unsafe impl<H: Send + Sync> Send for Part<H> {}
// SAFETY: as above.
unsafe impl<H: Send + Sync> Sync for Part<H> {}

impl<H> Shared<H> {
    /// Some of its bytes. Panics if `range` is not within them.
    pub fn part(&self, range: Range<usize>) -> Part<H> {
        let bytes = &self.bytes()[range];
        Part { first: NonNull::from(bytes).cast(), len: bytes.len(), whole: Some(self.clone()) }
    }
}

impl<H> Part<H> {
    /// Some of its bytes. Panics if `range` is not within them.
    pub fn part(&self, range: Range<usize>) -> Self {
        let bytes = &self[range];
        Self { first: NonNull::from(bytes).cast(), len: bytes.len(), whole: self.whole.clone() }
    }
}

impl<H> Default for Part<H> {
    fn default() -> Self {
        Self { first: NonNull::dangling(), len: 0, whole: None }
    }
}

impl<H> Deref for Part<H> {
    type Target = [u8];
    #[inline]
    fn deref(&self) -> &[u8] {
        // SAFETY: so many bytes of the shared ones, which neither move nor change, and stay while this owner is there; or none.
        unsafe { slice::from_raw_parts(self.first.as_ptr(), self.len) }
    }
}

impl<H> fmt::Debug for Part<H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Part({} bytes)", self.len)
    }
}
