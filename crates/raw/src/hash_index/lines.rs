//! The memory of tables: lines in a row.
//!
//! The first tables of all shards lie together in a block of the arena, if that is worth one: it is there as soon as the arena is, may
//! have been another's before, and comes on huge pages. A table that replaces one has memory of its own.

pub(super) use form::Lines;

#[cfg(not(loom))]
mod form {
    use super::super::Line;
    use crate::{
        arena::Arena,
        pages::{self, Memory},
    };
    use std::{alloc::Layout, ptr::NonNull, slice};

    /// Lines in a row.
    pub(in super::super) struct Lines {
        first: NonNull<Line>,
        count: usize,
        /// None where they are the arena's.
        own: Option<Memory>,
    }

    // SAFETY: lines are atomics, and whoever looks at them sees to it that they are there.
    unsafe impl Send for Lines {}
    // SAFETY: as above.
    unsafe impl Sync for Lines {}

    impl Lines {
        /// So many empty lines.
        pub(in super::super) fn new(count: usize) -> Self {
            let memory = Memory::new(layout(count));
            Self { first: memory.first().cast(), count, own: Some(memory) }
        }

        /// The same some times, for an index over the records of this arena.
        pub(in super::super) fn of_arena(arena: &Arena, times: usize, count: usize) -> impl Iterator<Item = Self> {
            let all = pages::to_huge(layout(count * times));
            let block = pages::is_large(all).then(|| arena.block(all).cast::<Line>());
            (0..times).map(move |number| match block {
                // SAFETY: the block holds `times` times `count` lines.
                Some(block) => Self { first: unsafe { block.add(number * count) }, count, own: None },
                None => Self::new(count),
            })
        }

        pub(in super::super) fn count(&self) -> usize {
            self.count
        }

        /// Whether what they take is given back with them.
        pub(in super::super) fn are_own(&self) -> bool {
            self.own.is_some()
        }

        /// All of them.
        ///
        /// # Safety
        /// The arena that they were made for is there as long as the result is looked at.
        #[inline]
        pub(in super::super) unsafe fn all(&self) -> &[Line] {
            // SAFETY: so many lines, zeroed at first, in memory of their own or, by the caller's word, of an arena that is there.
            unsafe { slice::from_raw_parts(self.first.as_ptr(), self.count) }
        }

        /// Where a line is. Nothing is looked at.
        #[inline]
        pub(in super::super) fn address(&self, index: usize) -> *const Line {
            self.first.as_ptr().wrapping_add(index)
        }
    }

    fn layout(lines: usize) -> Layout {
        Layout::array::<Line>(lines).expect("an index is smaller than memory")
    }
}

/// Under loom atomics are objects, not words of memory.
#[cfg(loom)]
mod form {
    use super::super::{LINE_WORDS, Line};
    use crate::{arena::Arena, sync::atomic::AtomicU64};

    pub(in super::super) struct Lines(Box<[Line]>);

    impl Lines {
        pub(in super::super) fn new(count: usize) -> Self {
            let line = |_| Line(std::array::from_fn::<_, LINE_WORDS, _>(|_| AtomicU64::new(0)));
            Self((0..count).map(line).collect())
        }

        pub(in super::super) fn of_arena(_arena: &Arena, times: usize, count: usize) -> impl Iterator<Item = Self> {
            (0..times).map(move |_| Self::new(count))
        }

        pub(in super::super) fn count(&self) -> usize {
            self.0.len()
        }

        pub(in super::super) fn are_own(&self) -> bool {
            true
        }

        /// # Safety
        /// As for the real form.
        pub(in super::super) unsafe fn all(&self) -> &[Line] {
            &self.0
        }

        pub(in super::super) fn address(&self, index: usize) -> *const Line {
            &raw const self.0[index]
        }
    }
}
