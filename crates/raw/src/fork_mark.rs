//! Telling a process from the children that it forks, for the price of one load.
//!
//! A forked child has a copy of everything its parent had in memory. On Linux a page can be had that is the exception: the child
//! finds it empty. The process's number stands in such a page, so that who reads another number there is a child. Where there is
//! no such page the system is asked for the number each time.

use std::{
    process,
    sync::{
        OnceLock,
        atomic::{AtomicU32, Ordering::Relaxed},
    },
};

/// Remembers which process made it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ForkMark {
    process: u32,
}

impl ForkMark {
    /// A mark of the calling process.
    pub fn new() -> Self {
        let process = process::id();
        if let Some(number) = number() {
            number.store(process, Relaxed);
        }
        Self { process }
    }

    /// Whether the calling process is the one that made the mark, and not a child of it.
    #[inline]
    pub fn is_own(&self) -> bool {
        self.process == number().map_or_else(process::id, |number| number.load(Relaxed))
    }
}

impl Default for ForkMark {
    fn default() -> Self {
        Self::new()
    }
}

/// Where the number of the process stands; 0 in a child that has made no mark.
#[inline]
fn number() -> Option<&'static AtomicU32> {
    static NUMBER: OnceLock<Option<&'static AtomicU32>> = OnceLock::new();
    *NUMBER.get_or_init(platform::number_wiped_on_fork)
}

#[cfg(all(target_os = "linux", not(miri)))]
mod platform {
    use rustix::mm::{Advice, MapFlags, ProtFlags, madvise, mmap_anonymous};
    use std::sync::atomic::AtomicU32;

    const PAGE_BYTES: usize = 4096;

    pub(super) fn number_wiped_on_fork() -> Option<&'static AtomicU32> {
        let access = ProtFlags::READ | ProtFlags::WRITE;
        // SAFETY: the system chooses a place where nothing is.
        let page = unsafe { mmap_anonymous(std::ptr::null_mut(), PAGE_BYTES, access, MapFlags::PRIVATE) }.ok()?;
        // SAFETY: the page was mapped just now and holds nothing. One that cannot be had wiped stays behind, unused.
        unsafe { madvise(page, PAGE_BYTES, Advice::LinuxWipeOnFork) }.ok()?;
        // SAFETY: the page is never unmapped, is aligned to far more than four bytes, and its zeros are a number.
        Some(unsafe { &*page.cast::<AtomicU32>() })
    }
}

#[cfg(not(all(target_os = "linux", not(miri))))]
mod platform {
    pub(super) fn number_wiped_on_fork() -> Option<&'static std::sync::atomic::AtomicU32> {
        None
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    #[test]
    fn a_mark_is_own_and_one_of_another_process_is_not() {
        let mark = ForkMark::new();
        assert!(mark.is_own() && ForkMark::new() == mark);
        assert!(!ForkMark { process: mark.process ^ 1 }.is_own());
        // What a forked child finds.
        if let Some(number) = number() {
            number.store(0, Relaxed);
            assert!(!mark.is_own());
            assert!(ForkMark::new().is_own());
        }
    }
}
