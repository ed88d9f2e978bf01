//! A file mapped for writing: its bytes are written by copying, without a call of the system.
//!
//! What is copied is in the system's page cache as if it had been written by a call: it survives the death of the process, and
//! syncing the file makes it durable. Linux only; elsewhere, and under Miri, there is no mapping to be had.

use std::{io, ops::Range};

/// The beginning of a file, mapped. One writer at a time.
#[derive(Debug)]
pub struct MappedFile {
    mapping: platform::Mapping,
}

impl MappedFile {
    /// Maps the first `bytes` bytes of a file that is open for reading and writing.
    ///
    /// Every one of them must have a block of the disk behind it, and the file must not be cut: the system kills a process that
    /// touches a mapped byte which it cannot find a place for.
    ///
    /// # Errors
    ///
    /// Those of the system; `Unsupported` where nothing can be mapped.
    #[cfg(unix)]
    pub fn new(file: std::os::fd::BorrowedFd<'_>, bytes: usize) -> io::Result<Self> {
        Ok(Self { mapping: platform::Mapping::new(file, bytes)? })
    }

    /// How many bytes are mapped.
    pub fn len(&self) -> usize {
        self.mapping.len()
    }

    /// Whether nothing is mapped.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether pages have been asked for, up to `end`.
    #[inline]
    pub fn is_ready(&self, end: usize) -> bool {
        self.mapping.is_ready(end)
    }

    /// Asks for the pages from what is ready, or from `offset` if that is behind it, to the first multiple of `ahead` that is not below
    /// `end`. `fill` is called first with the bytes in these, which nobody has written yet. Lets go of what lies far before `offset`.
    ///
    /// Panics if `end` is not within the mapping.
    pub fn make_ready(&mut self, offset: usize, end: usize, ahead: usize, fill: impl FnOnce(Range<usize>)) {
        assert!(end <= self.len(), "{end} is not within the mapping");
        self.mapping.make_ready(offset, end, ahead, fill);
    }

    /// Copies `bytes` to `offset`. Panics where that is not ready.
    #[inline]
    pub fn write_at(&mut self, offset: usize, bytes: &[u8]) {
        let end = offset.checked_add(bytes.len()).filter(|end| self.is_ready(*end));
        assert!(end.is_some(), "{} bytes at {offset} are not in what is ready of the mapping", bytes.len());
        self.mapping.write_at(offset, bytes);
    }
}

#[cfg(all(target_os = "linux", not(miri)))]
mod platform {
    use rustix::mm::{Advice, MapFlags, ProtFlags, madvise, mmap, munmap};
    use std::{io, ops::Range, os::fd::BorrowedFd, ptr::NonNull};

    /// Advice is given from a multiple of it on: no system has larger pages.
    const PAGE_BYTES: usize = 64 << 10;
    /// So much that was written is let go of at once.
    const BEHIND_BYTES: usize = 1 << 20;

    /// A shared mapping that nothing else in this process points into.
    #[derive(Debug)]
    pub(super) struct Mapping {
        start: NonNull<u8>,
        bytes: usize,
        /// Up to here pages were asked for,
        ready: usize,
        /// and up to here let go of.
        left: usize,
    }

    // SAFETY: the mapping belongs to its owner alone, and memory of a process is the same on every thread.
    unsafe impl Send for Mapping {}

    impl Mapping {
        pub(super) fn new(file: BorrowedFd<'_>, bytes: usize) -> io::Result<Self> {
            let (access, flags) = (ProtFlags::READ | ProtFlags::WRITE, MapFlags::SHARED);
            // SAFETY: the system chooses a place where nothing is.
            let start = unsafe { mmap(std::ptr::null_mut(), bytes, access, flags, file, 0)? };
            let start = NonNull::new(start.cast()).ok_or(io::ErrorKind::OutOfMemory)?;
            let mapping = Self { start, bytes, ready: 0, left: 0 };
            // Else the first touch of a page would read ahead, which is to fill megabytes with zeros.
            mapping.advise(0, bytes, Advice::Random);
            Ok(mapping)
        }

        pub(super) fn len(&self) -> usize {
            self.bytes
        }

        #[inline]
        pub(super) fn is_ready(&self, end: usize) -> bool {
            end <= self.ready
        }

        #[inline]
        pub(super) fn write_at(&mut self, offset: usize, bytes: &[u8]) {
            // SAFETY: the caller saw to it that the bytes lie within what is ready of the mapping, which no reference points into, so that
            // `bytes` do not overlap it; `&mut self` keeps other writers away.
            unsafe { self.start.add(offset).copy_from_nonoverlapping(NonNull::from(bytes).cast(), bytes.len()) }
        }
    }

    impl Mapping {
        #[cold]
        pub(super) fn make_ready(&mut self, offset: usize, end: usize, ahead: usize, fill: impl FnOnce(Range<usize>)) {
            self.leave(offset);
            let (from, to) = (offset.max(self.ready), end.next_multiple_of(ahead).min(self.bytes));
            if from < to {
                fill(from..to);
                self.advise(from / PAGE_BYTES * PAGE_BYTES, to, Advice::LinuxPopulateWrite);
                self.ready = to;
            }
        }

        /// Takes pages that lie behind `offset` out of the mapping. Their bytes stay in the page cache. The system protects each
        /// mapped page before it writes it to the disk, and interrupts every processor that may have its address: by far the
        /// most of what a sync costs. Of pages that are not mapped it does nothing of the kind.
        fn leave(&mut self, offset: usize) {
            let behind = offset / BEHIND_BYTES * BEHIND_BYTES;
            if behind > self.left {
                self.advise(self.left, behind, Advice::LinuxDontNeed);
                self.left = behind;
            }
        }

        /// Only a hint: a system that does not know it will see each page when it is touched.
        fn advise(&self, from: usize, to: usize, advice: Advice) {
            // SAFETY: the range is within the mapping and begins with a page. No advice that is given here changes a byte of it: it is
            // a file's, and shared, so what is not needed any more in the mapping is in the file.
            let _ = unsafe { madvise(self.start.add(from).as_ptr().cast(), to - from, advice) };
        }
    }

    impl Drop for Mapping {
        fn drop(&mut self) {
            // SAFETY: it was mapped by `new` with this length, and nothing points into it.
            let unmapped = unsafe { munmap(self.start.as_ptr().cast(), self.bytes) };
            debug_assert!(unmapped.is_ok(), "{unmapped:?}");
        }
    }
}

#[cfg(not(all(target_os = "linux", not(miri))))]
mod platform {
    use std::{io, ops::Range};

    /// Cannot be made.
    #[derive(Debug)]
    pub(super) enum Mapping {}

    impl Mapping {
        #[cfg(unix)]
        pub(super) fn new(_file: std::os::fd::BorrowedFd<'_>, _bytes: usize) -> io::Result<Self> {
            Err(io::ErrorKind::Unsupported.into())
        }

        pub(super) fn len(&self) -> usize {
            match *self {}
        }

        pub(super) fn is_ready(&self, _end: usize) -> bool {
            match *self {}
        }

        pub(super) fn make_ready(&mut self, _offset: usize, _end: usize, _ahead: usize, _fill: impl FnOnce(Range<usize>)) {
            match *self {}
        }

        pub(super) fn write_at(&mut self, _offset: usize, _bytes: &[u8]) {
            match *self {}
        }
    }
}
