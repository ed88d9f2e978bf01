//! Zeroed memory for large things: pages of the system's own where there are any to be had, or from the allocator.
//!
//! What is large and lives for a while does not go well with what is small and lives for longer: an allocator that cuts a freed
//! megabyte up has to ask for another one the next time, and zeroes again what it recycles, whether it will be used or not. Pages
//! take memory as they are first touched, and give all of it back.

use std::alloc::{Layout, alloc_zeroed, dealloc};

/// From this size on, in bytes, memory comes in pages.
const LARGE_BYTES: usize = 1 << 20;

/// Zeroed memory; null where there is none left. The layout is not empty, and not aligned to more than a page.
pub(crate) fn allocate(layout: Layout) -> *mut u8 {
    assert!(layout.size() > 0 && layout.align() <= 4096, "{layout:?}");
    match large(layout) {
        Some(bytes) => platform::map(bytes),
        // SAFETY: the layout is not empty.
        None => unsafe { alloc_zeroed(layout) },
    }
}

/// Gives memory back.
///
/// # Safety
/// It came from [`allocate`] with this layout, and nobody reaches it any more.
pub(crate) unsafe fn free(memory: *mut u8, layout: Layout) {
    match large(layout) {
        // SAFETY: by the caller's word; the layout says that it was mapped.
        Some(bytes) => unsafe { platform::unmap(memory, bytes) },
        // SAFETY: by the caller's word; the layout says that it was allocated.
        None => unsafe { dealloc(memory, layout) },
    }
}

/// How many bytes to map, if memory of this layout is mapped.
fn large(layout: Layout) -> Option<usize> {
    (platform::HAS_PAGES && layout.size() >= LARGE_BYTES).then_some(layout.size())
}

#[cfg(all(target_os = "linux", not(miri), not(loom)))]
mod platform {
    use rustix::mm::{MapFlags, ProtFlags, mmap_anonymous, munmap};
    use std::ptr;

    pub(super) const HAS_PAGES: bool = true;

    pub(super) fn map(bytes: usize) -> *mut u8 {
        let access = ProtFlags::READ | ProtFlags::WRITE;
        // SAFETY: the system chooses a place where nothing is.
        let mapped = unsafe { mmap_anonymous(ptr::null_mut(), bytes, access, MapFlags::PRIVATE) };
        mapped.map_or(ptr::null_mut(), <*mut _>::cast)
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

    /// # Safety
    /// Never called.
    pub(super) unsafe fn unmap(_memory: *mut u8, _bytes: usize) {}
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_of_every_size_is_zero_and_its_owners() {
        // An interpreter takes minutes for all of it.
        let step = if cfg!(miri) { 4093 } else { 1 };
        for bytes in [8, 4096, LARGE_BYTES - 8, LARGE_BYTES, LARGE_BYTES + 8, 3 * LARGE_BYTES] {
            let layout = Layout::from_size_align(bytes, 8).expect("small");
            for _ in 0..3 {
                let memory = allocate(layout);
                assert!(!memory.is_null() && memory.addr().is_multiple_of(8));
                // SAFETY: so many zeroed bytes, of nobody else.
                let all = unsafe { std::slice::from_raw_parts_mut(memory, bytes) };
                assert!(all.iter().step_by(step).all(|byte| *byte == 0), "{bytes}");
                all.fill(7);
                // SAFETY: allocated with this layout, and `all` is not used again.
                unsafe { free(memory, layout) };
            }
        }
    }
}
