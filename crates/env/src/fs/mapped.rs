//! The mapped form of a log file: records are copied into the page cache, without a call of the system for each.
//!
//! A mapped byte without a block behind it would kill the process on a full disk, so only that is mapped which the file system
//! has set aside, and only on file systems that are known to keep their word: ext4, xfs and tmpfs on this machine. Anything else
//! (network and overlay file systems, copy on write, a disk too full to set the file aside) gets a log that is written by calls.
//!
//! A page has to be made before it can be written. On a disk it takes the file system four times as long to make one for a mapping as to
//! make it where a call writes a large stretch, so zeros are written first where what comes is not synced soon. They make large pages,
//! each of which a sync writes whole, however little of it has changed.

use sediment_raw::mapped::MappedFile;
use std::fs::File;

/// So much is made ready at once where syncs are to be expected,
const AHEAD_SYNCED_BYTES: usize = 64 << 10;
/// and where they are not.
const AHEAD_BYTES: usize = 256 << 10;
/// What is longer is written by a call, which makes its pages as cheaply as zeros do.
const COPIED_BYTES_MAX: usize = 64 << 10;

/// A log file's mapping.
#[derive(Debug)]
pub(super) struct MappedLog {
    mapping: MappedFile,
    is_on_disk: bool,
}

impl MappedLog {
    /// Whether so many bytes at `offset` are written by copying: they lie within the mapping, and a call would not be cheaper.
    pub(super) fn takes(&self, offset: u64, bytes: usize) -> bool {
        (bytes <= COPIED_BYTES_MAX || !self.is_on_disk) && offset.saturating_add(bytes as u64) <= self.mapping.len() as u64
    }

    /// Copies `bytes`, which it takes, to `offset`; nothing is behind `written_end` yet. Where no sync is expected, `fill` writes zeros by a
    /// call of the system: should it fail, the pages are made one by one.
    pub(super) fn write_at(&mut self, offset: u64, bytes: &[u8], written_end: u64, fill: Option<impl FnOnce(u64, &[u8])>) {
        // Lossless: a mapping lies in memory.
        let (offset, end) = (offset as usize, offset as usize + bytes.len());
        if !self.mapping.is_ready(end) {
            let fill = fill.filter(|_| self.is_on_disk);
            let ahead = if fill.is_some() { AHEAD_BYTES } else { AHEAD_SYNCED_BYTES };
            self.mapping.make_ready(offset, end, ahead, |range| {
                let start = range.start.max(written_end as usize);
                if let (Some(fill), Some(zeros)) = (fill, range.end.checked_sub(start).and_then(|bytes| ZEROS.get(..bytes))) {
                    fill(start as u64, zeros);
                }
            });
        }
        self.mapping.write_at(offset, bytes);
    }
}

static ZEROS: [u8; AHEAD_BYTES + COPIED_BYTES_MAX] = [0; AHEAD_BYTES + COPIED_BYTES_MAX];

/// Sets `capacity` bytes aside for an empty file, which are its length from then on and read as zeros, and maps them. `None`, with
/// the file as it was, where that cannot be done.
#[cfg(target_os = "linux")]
pub(super) fn map(file: &File, capacity: u64) -> Option<MappedLog> {
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
        Ok(mapping) => Some(MappedLog { mapping, is_on_disk: file_system != TMPFS }),
        // Half of it may be set aside.
        Err(_) => file.set_len(0).ok().and(None),
    }
}

#[cfg(not(target_os = "linux"))]
pub(super) fn map(_file: &File, _capacity: u64) -> Option<MappedLog> {
    None
}
