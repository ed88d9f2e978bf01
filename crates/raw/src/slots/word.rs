//! `Word`: what the one word of a slot says, as one load saw it.
//!
//! ```text
//!   0                        empty
//!   4 | awaited 1            somebody loads
//!   pointer | frequency 0-3  resident; the slot is one of the value's owners
//! ```

use std::ptr::{self, NonNull};

/// A pointer whose three lowest bits are free, or none and only bits.
#[derive(Clone, Copy)]
pub(super) struct Word(pub(super) *mut ());

/// In a resident word: how often the value was asked for lately.
const FREQUENCY: usize = 3;
/// In a word without a pointer: somebody loads.
const LOADING: usize = 4;
/// Beside `LOADING`: somebody waits for it.
const AWAITED: usize = 1;
const BITS: usize = FREQUENCY | LOADING;

impl Word {
    pub(super) const FREQUENCY_MAX: u8 = FREQUENCY as u8;
    pub(super) const EMPTY: Self = Self(ptr::null_mut());
    pub(super) const LOADING: Self = Self(ptr::without_provenance_mut(LOADING));
    pub(super) const AWAITED: Self = Self(ptr::without_provenance_mut(LOADING | AWAITED));

    /// A resident value; `pointer` is one of `Pointer::into_raw`.
    pub(super) fn resident(pointer: NonNull<()>, frequency: u8) -> Self {
        debug_assert_eq!(pointer.addr().get() & BITS, 0);
        Self(pointer.as_ptr().map_addr(|address| address | usize::from(frequency.min(Self::FREQUENCY_MAX))))
    }

    #[inline]
    pub(super) fn is_loading(self) -> bool {
        self.0.addr() & LOADING != 0
    }

    pub(super) fn is_awaited(self) -> bool {
        self.0.addr() == LOADING | AWAITED
    }

    #[inline]
    pub(super) fn frequency(self) -> u8 {
        (self.0.addr() & FREQUENCY) as u8
    }

    /// The same value, asked for once more; its frequency is below the maximum.
    #[inline]
    pub(super) fn warmer(self) -> Self {
        Self(self.0.map_addr(|address| address + 1))
    }

    /// The same value, asked for once less; its frequency is above 0.
    pub(super) fn colder(self) -> Self {
        Self(self.0.map_addr(|address| address - 1))
    }

    /// The pointer of a resident word; none of another.
    #[inline]
    pub(super) fn pointer(self) -> Option<NonNull<()>> {
        NonNull::new(self.0.map_addr(|address| address & !BITS))
    }
}
