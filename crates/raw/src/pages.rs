//! Memory for large things, zeroed: pages of the system's own where there are any to be had, or from the allocator.
//!
//! What is large and lives for a while does not go well with what is small and lives for longer: an allocator that cuts a freed
//! megabyte up has to ask for another one the next time, and zeroes again what it recycles, whether it will be used or not. Pages
//! take memory as they are first touched, and give all of it back.
//!
//! Memory that is aligned to [`HUGE_BYTES`] is asked for in pages of that size: where much is read here and there, the tables
//! that say where 4096 bytes lie do not fit into the processor's caches, and looking there costs as much as the read itself.

use std::{
    alloc::{Layout, alloc_zeroed, dealloc, handle_alloc_error},
    mem,
    ptr::NonNull,
};

/// From this size on, in bytes, memory comes in pages; little under the interpreter, which has none, for what else follows from it.
pub(crate) const LARGE_BYTES: usize = if cfg!(miri) { 16 << 10 } else { 1 << 20 };

/// The size of a huge page, in bytes, on the common processors.
pub(crate) const HUGE_BYTES: usize = 2 << 20;

/// The size of other pages.
const PAGE_BYTES: usize = 4096;

/// Memory on its own: zeros at first, then what its users leave behind.
pub(crate) struct Memory {
    first: NonNull<u8>,
    layout: Layout,
}

// SAFETY: it is memory that nobody else owns; whoever reaches into it sees to who else does.
unsafe impl Send for Memory {}

impl Memory {
    /// As much as the layout says; the process ends where there is none left. For layouts see [`allocate`].
    pub(crate) fn new(layout: Layout) -> Self {
        let Some(first) = NonNull::new(allocate(layout)) else { handle_alloc_error(layout) };
        Self { first, layout }
    }

    /// What [`Memory::into_first`] gave.
    ///
    /// # Safety
    /// It was of this layout, and nobody reaches it any more.
    pub(crate) unsafe fn from_first(first: NonNull<u8>, layout: Layout) -> Self {
        Self { first, layout }
    }

    /// Its beginning, which is the caller's to give back.
    pub(crate) fn into_first(self) -> NonNull<u8> {
        mem::ManuallyDrop::new(self).first
    }

    pub(crate) fn first(&self) -> NonNull<u8> {
        self.first
    }

    pub(crate) fn layout(&self) -> Layout {
        self.layout
    }

    pub(crate) fn bytes(&self) -> usize {
        self.layout.size()
    }
}

impl Drop for Memory {
    fn drop(&mut self) {
        // SAFETY: allocated with this layout, and nobody reaches it who does not keep this.
        unsafe { free(self.first.as_ptr(), self.layout) };
    }
}

/// Whether memory of this layout comes in pages: whole ones of its own, from the system.
pub(crate) fn is_large(layout: Layout) -> bool {
    layout.size() >= LARGE_BYTES
}

/// The same layout on huge pages, if it is as long as some of them.
pub(crate) fn to_huge(layout: Layout) -> Layout {
    let is_whole = layout.size() >= HUGE_BYTES && layout.size().is_multiple_of(HUGE_BYTES);
    if is_whole { layout.align_to(HUGE_BYTES).expect("small") } else { layout }
}

/// Zeroed memory; null where there is none left. The layout is not empty, and not aligned to more than a page, or it is
/// aligned to a huge page and as long as some of them.
fn allocate(layout: Layout) -> *mut u8 {
    let is_huge = layout.align() == HUGE_BYTES && layout.size().is_multiple_of(HUGE_BYTES);
    assert!(layout.size() > 0 && (layout.align() <= PAGE_BYTES || is_huge), "{layout:?}");
    match large(layout) {
        Some(bytes) if is_huge => platform::map_huge(bytes),
        Some(bytes) => platform::map(bytes),
        // SAFETY: the layout is not empty.
        None => unsafe { alloc_zeroed(layout) },
    }
}

/// Gives memory back.
///
/// # Safety
/// It came from [`allocate`] with this layout, and nobody reaches it any more.
unsafe fn free(memory: *mut u8, layout: Layout) {
    match large(layout) {
        // SAFETY: by the caller's word; the layout says that it was mapped.
        Some(bytes) => unsafe { platform::unmap(memory, bytes) },
        // SAFETY: by the caller's word; the layout says that it was allocated.
        None => unsafe { dealloc(memory, layout) },
    }
}

/// How many bytes to map, if memory of this layout is mapped.
fn large(layout: Layout) -> Option<usize> {
    (platform::HAS_PAGES && is_large(layout)).then_some(layout.size())
}

#[cfg(all(target_os = "linux", not(miri), not(loom)))]
mod platform {
    use super::HUGE_BYTES;
    use rustix::mm::{Advice, MapFlags, ProtFlags, madvise, mmap_anonymous, munmap};
    use std::ptr;

    pub(super) const HAS_PAGES: bool = true;

    pub(super) fn map(bytes: usize) -> *mut u8 {
        let access = ProtFlags::READ | ProtFlags::WRITE;
        // SAFETY: the system chooses a place where nothing is.
        let mapped = unsafe { mmap_anonymous(ptr::null_mut(), bytes, access, MapFlags::PRIVATE) };
        mapped.map_or(ptr::null_mut(), <*mut _>::cast)
    }

    /// Aligned to a huge page, and in such where the system has any. Some huge pages long.
    pub(super) fn map_huge(bytes: usize) -> *mut u8 {
        // One more, of which the ends are given back.
        let mapped = map(bytes + HUGE_BYTES);
        if mapped.is_null() {
            return mapped;
        }
        let before = mapped.addr().wrapping_neg() % HUGE_BYTES;
        let memory = mapped.wrapping_add(before);
        for (end, len) in [(mapped, before), (memory.wrapping_add(bytes), HUGE_BYTES - before)] {
            if len > 0 {
                // SAFETY: inside what was just mapped, outside what is returned.
                unsafe { unmap(end, len) };
            }
        }
        // A system without huge pages refuses, and small ones do as well.
        // SAFETY: just mapped. The advice changes neither what is there nor who may use it.
        let _advised = unsafe { madvise(memory.cast(), bytes, Advice::LinuxHugepage) };
        memory
    }

    /// # Safety
    /// As for `free`.
    pub(super) unsafe fn unmap(memory: *mut u8, bytes: usize) {
        // SAFETY: it was mapped with this length, and nothing points into it, by the caller's word.
        let unmapped = unsafe { munmap(memory.cast(), bytes) };
        debug_assert!(unmapped.is_ok(), "{unmapped:?}");
    }
}

#[cfg(not(all(target_os = "linux", not(miri), not(loom))))]
mod platform {
    pub(super) const HAS_PAGES: bool = false;

    pub(super) fn map(_bytes: usize) -> *mut u8 {
        std::ptr::null_mut()
    }

    pub(super) fn map_huge(bytes: usize) -> *mut u8 {
        map(bytes)
    }

    /// # Safety
    /// Never called.
    pub(super) unsafe fn unmap(_memory: *mut u8, _bytes: usize) {}
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_of_every_size_is_zero_and_its_owners() {
        let sizes = [8, PAGE_BYTES, LARGE_BYTES - 8, LARGE_BYTES, LARGE_BYTES + 8, 3 * LARGE_BYTES];
        let layouts = sizes.map(|bytes| (bytes, 8)).into_iter().chain([(64, 64), (HUGE_BYTES, HUGE_BYTES)]);
        // An interpreter takes minutes for all of it.
        let step = if cfg!(miri) { 4093 } else { 1 };
        for (bytes, align) in layouts {
            let layout = Layout::from_size_align(bytes, align).expect("small");
            for _ in 0..3 {
                let memory = allocate(layout);
                assert!(!memory.is_null() && memory.addr().is_multiple_of(align), "{layout:?}");
                // SAFETY: so many zeroed bytes, of nobody else.
                let all = unsafe { std::slice::from_raw_parts_mut(memory, bytes) };
                assert!(all.iter().step_by(step).all(|byte| *byte == 0), "{bytes}");
                all.fill(7);
                // SAFETY: allocated with this layout, and `all` is not used again.
                unsafe { free(memory, layout) };
            }
        }
    }

    #[test]
    #[should_panic(expected = "align")]
    fn a_huge_page_and_a_half_is_refused() {
        allocate(Layout::from_size_align(3 * LARGE_BYTES, HUGE_BYTES).expect("small"));
    }
}
