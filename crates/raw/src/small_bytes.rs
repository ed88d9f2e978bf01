//! A byte string in three words: a short one lies in place, a longer one behind a count.
//!
//! Who scans is given two of them for each row, through some layers, and moves them at each. An enum of both is moved in pieces, its
//! tag by itself; then the bytes, stored in pieces and read as a whole, hold the processor up until everything that was stored before
//! them is in the cache. So the tag is nothing but the last byte here, and all of it is moved in words. For the same reason it
//! has no number to spare that `Option` could use: asking for that one would take the tag apart from the rest again.

use std::{fmt, mem::MaybeUninit, slice, sync::Arc};

/// An immutable byte string. Cloning never copies a long one.
#[repr(C)]
pub struct SmallBytes {
    /// The bytes; or the pointer that an `Arc` was turned into, which owns one count.
    words: [MaybeUninit<u64>; 2],
    rest: [MaybeUninit<u8>; 7],
    tag: u8,
}

/// The tag of one that is shared. Any lower is the length of what lies in place.
const SHARED: u8 = SmallBytes::IN_PLACE_MAX as u8 + 1;

impl SmallBytes {
    /// Up to so many bytes lie in place.
    pub const IN_PLACE_MAX: usize = 23;

    /// A copy of `bytes`.
    #[inline]
    pub fn new(bytes: &[u8]) -> Self {
        if bytes.len() > Self::IN_PLACE_MAX {
            return Self::from(Arc::from(bytes));
        }
        let mut this = Self::zeroed(bytes.len() as u8);
        // SAFETY: there is room for so many bytes in front of the tag, and nobody else reaches them.
        unsafe { (&raw mut this).cast::<u8>().copy_from_nonoverlapping(bytes.as_ptr(), bytes.len()) };
        this
    }

    /// The bytes.
    #[inline]
    pub fn as_bytes(&self) -> &[u8] {
        let in_place = (&raw const *self).cast::<u8>();
        match self.shared() {
            // SAFETY: the pointer came from `Arc::into_raw`, and the count that this one owns keeps what is behind it.
            Some(shared) => unsafe { &*shared },
            // SAFETY: so many bytes were written when this was made, in front of the tag, and nobody changes them.
            None => unsafe { slice::from_raw_parts(in_place, self.tag as usize) },
        }
    }

    fn zeroed(tag: u8) -> Self {
        Self { words: [MaybeUninit::new(0); 2], rest: [MaybeUninit::new(0); 7], tag }
    }

    /// The pointer of the `Arc`, if it has one.
    #[inline]
    fn shared(&self) -> Option<*const [u8]> {
        // SAFETY: where the tag says so, that is what `from` wrote there.
        (self.tag == SHARED).then(|| unsafe { (&raw const self.words).cast::<*const [u8]>().read() })
    }
}

impl From<Arc<[u8]>> for SmallBytes {
    fn from(bytes: Arc<[u8]>) -> Self {
        const { assert!(size_of::<*const [u8]>() <= 16 && align_of::<*const [u8]>() <= align_of::<u64>()) };
        let mut this = Self::zeroed(SHARED);
        // SAFETY: a pointer fits into the words, and is aligned like them.
        unsafe { (&raw mut this.words).cast::<*const [u8]>().write(Arc::into_raw(bytes)) };
        this
    }
}

impl Clone for SmallBytes {
    #[inline]
    fn clone(&self) -> Self {
        if let Some(shared) = self.shared() {
            // SAFETY: the pointer came from `Arc::into_raw`, and this one owns a count. The copy owns the one that is added.
            unsafe { Arc::increment_strong_count(shared) };
        }
        Self { words: self.words, rest: self.rest, tag: self.tag }
    }
}

impl Drop for SmallBytes {
    #[inline]
    fn drop(&mut self) {
        if let Some(shared) = self.shared() {
            // SAFETY: the pointer came from `Arc::into_raw`, and nobody uses the count that this one owns any more.
            drop(unsafe { Arc::from_raw(shared) });
        }
    }
}

impl fmt::Debug for SmallBytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\"{}\"", self.as_bytes().escape_ascii())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_of_every_length_are_what_they_were_through_moves_and_clones() {
        for len in (0..=40).chain([1000]) {
            let bytes: Vec<u8> = (0..len).map(|at| at as u8 ^ 0x5A).collect();
            let made = [SmallBytes::new(&bytes), SmallBytes::from(Arc::from(&bytes[..]))];
            let cloned: Vec<SmallBytes> = made.iter().chain(&made).cloned().collect();
            drop(made);
            assert!(cloned.into_iter().all(|there| Some(&there).is_some_and(|there| there.as_bytes() == bytes)), "{len}");
        }
    }

    #[test]
    fn a_shared_one_holds_one_count_for_itself_and_each_clone() {
        let bytes: Arc<[u8]> = Arc::from(&b"short, and shared all the same"[..]);
        let first = SmallBytes::from(Arc::clone(&bytes));
        let second = first.clone();
        assert!(std::ptr::eq(second.as_bytes(), &*bytes));
        assert_eq!(Arc::strong_count(&bytes), 3);
        drop(first);
        assert_eq!((Arc::strong_count(&bytes), second.as_bytes()), (2, &*bytes));
        drop(second);
        assert_eq!(Arc::strong_count(&bytes), 1);
    }

    #[test]
    fn it_takes_three_words() {
        assert_eq!(size_of::<SmallBytes>(), 24);
    }
}
