//! The mapped form of a log file: records are copied into the page cache, without a call of the system for each.
//!
//! A mapped byte without a block behind it would kill the process on a full disk, so only that is mapped which the file system
//! has set aside, and only on file systems that are known to keep their word: ext4, xfs and tmpfs on this machine. Anything else
//! (network and overlay file systems, copy on write, a disk too full to set the file aside) gets a log that is written by calls.

use sediment_raw::mapped::MappedFile;
use std::fs::File;

/// Sets `capacity` bytes aside for an empty file, which are its length from then on and read as zeros, and maps them. `None`, with
/// the file as it was, where that cannot be done.
#[cfg(target_os = "linux")]
pub(super) fn map(file: &File, capacity: u64) -> Option<MappedFile> {
    use rustix::fs::{FallocateFlags, fallocate, fstatfs};
    use std::os::fd::AsFd;

    const EXT4: u64 = 0xEF53;
    const XFS: u64 = 0x5846_5342;
    const TMPFS: u64 = 0x0102_1994;

    let file_system = fstatfs(file).ok()?.f_type as u64;
    let bytes = usize::try_from(capacity).ok().filter(|bytes| *bytes > 0)?;
    if ![EXT4, XFS, TMPFS].contains(&file_system) {
        return None;
    }
    let mapped = fallocate(file, FallocateFlags::empty(), 0, capacity).map_err(Into::into);
    match mapped.and_then(|()| MappedFile::new(file.as_fd(), bytes)) {
        Ok(mapped) => Some(mapped),
        // Half of it may be set aside.
        Err(_) => file.set_len(0).ok().and(None),
    }
}

#[cfg(not(target_os = "linux"))]
pub(super) fn map(_file: &File, _capacity: u64) -> Option<MappedFile> {
    None
}
