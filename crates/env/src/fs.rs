//! Files, with their durability rules in words.
//!
//! What a call promises, and all that it promises:
//!
//! * bytes written to a file survive the process at once, and power loss only after [`File::sync_all`] (or `sync_data`, where
//!   the file did not grow);
//! * a name made, moved or removed survives power loss only after [`Fs::sync_dir`] on its directory, and may survive (or
//!   vanish) without it; syncing a file does not sync its name;
//! * after a failed sync nothing is known about the bytes written since the last good one: they may be lost though later reads
//!   still show them, and a later sync that succeeds proves nothing;
//! * a failed write may have written any part.
//!
//! Implementations: [`StdFs`], the operating system; [`MemFs`], a simulated disk that can be had as any crash would leave it;
//! [`FaultFs`], which fails on demand around another.

mod fault;
mod mapped;
mod mem;
mod std;
mod whole;

pub use self::{
    fault::{Call, Fault, FaultFs, FaultRule},
    mem::{CrashPlan, History, ImageName, MemFs, Rule, Variant},
    std::{StdFs, read_std_file_at, std_names_of},
};

use ::std::{fmt, path::Path, sync::Arc};
use sediment_base::{Error, Result};

/// A file system. Paths are handed through unchanged; errors name them.
pub trait Fs: Send + Sync + fmt::Debug {
    /// Makes a new file, for reading and writing. Fails with [`is_already_exists`] where the name is taken.
    fn create(&self, path: &Path) -> Result<Arc<dyn File>>;

    /// Opens a file that exists, for reading only. A missing one gives an error for which [`is_not_found`] holds.
    fn open(&self, path: &Path) -> Result<Arc<dyn File>>;

    /// Makes a log file that may grow to `capacity` bytes without metadata changes where the system can promise that.
    fn create_log(&self, path: &Path, capacity: u64) -> Result<Arc<dyn LogFile>>;

    /// Makes one directory; its parent must exist. Fails with [`is_already_exists`] where the name is taken.
    fn create_dir(&self, path: &Path) -> Result<()>;

    /// Names (not paths) of what a directory holds, in ascending order.
    fn read_dir(&self, path: &Path) -> Result<Vec<DirEntry>>;

    /// Gives a file or directory another name, replacing a file (never a non-empty directory) that has it. Atomic for readers.
    fn rename(&self, from: &Path, to: &Path) -> Result<()>;

    /// Gives a file a second name.
    fn hard_link(&self, from: &Path, to: &Path) -> Result<()>;

    /// Removes a file's name; open handles keep the bytes.
    fn remove_file(&self, path: &Path) -> Result<()>;

    /// Removes an empty directory.
    fn remove_dir(&self, path: &Path) -> Result<()>;

    /// Whether the name exists, whatever it names.
    fn exists(&self, path: &Path) -> Result<bool>;

    /// Makes every name in this directory as durable as it is visible.
    fn sync_dir(&self, path: &Path) -> Result<()>;

    /// Takes the exclusive lock that this file stands for, making the file where it is missing. Given back on drop, or by the
    /// system when the process dies. [`ErrorKind::Locked`](sediment_base::ErrorKind::Locked) where another handle has it.
    fn lock(&self, path: &Path) -> Result<Box<dyn DirLock>>;

    /// Bytes that can still be written to the file system of `path`; `None` where it cannot tell.
    fn available_bytes(&self, path: &Path) -> Result<Option<u64>>;

    /// How many bytes of files the system can keep in memory at the very most; `None` where it cannot tell.
    fn memory_bytes(&self) -> Option<u64> {
        None
    }
}

/// An open file. Shared; calls at different offsets do not disturb each other.
pub trait File: Send + Sync + fmt::Debug {
    /// Reads up to `buf.len()` bytes; fewer at the end of the file or at the system's whim, 0 only at the end.
    fn read_at(&self, offset: u64, buf: &mut [u8]) -> Result<usize>;

    /// Writes all of `bytes`, growing the file as needed.
    fn write_at(&self, offset: u64, bytes: &[u8]) -> Result<()>;

    /// Length in bytes.
    fn len(&self) -> Result<u64>;

    /// Whether it has no bytes.
    fn is_empty(&self) -> Result<bool> {
        Ok(self.len()? == 0)
    }

    /// Cuts or grows (with zeros) the file.
    fn set_len(&self, len: u64) -> Result<()>;

    /// Makes the bytes durable, and the length too only if it did not change. Never retry after an error.
    fn sync_data(&self) -> Result<()>;

    /// Makes bytes and length durable. Never retry after an error.
    fn sync_all(&self) -> Result<()>;

    /// Nobody is likely to read these bytes soon: the system need not keep them in memory, where others may need the room. A hint. Whole
    /// pages of the system go, and only what is durable.
    fn evict(&self, offset: u64, bytes: u64) {
        let _ = (offset, bytes);
    }

    /// The path under which it was opened, for errors.
    fn path(&self) -> &Path;

    /// What a failed sync does: bytes written since the last good one stay readable and never reach the disk. Only fault
    /// injection calls it; a disk that cannot pretend ignores it.
    fn lose_unsynced(&self) {}

    /// Fills `buf`, whatever pieces the system returns. A file that ends early is
    /// [`Corruption`](sediment_base::ErrorKind::Corruption): no caller reads past what was promised to it.
    fn read_exact_at(&self, offset: u64, buf: &mut [u8]) -> Result<()> {
        let mut done = 0;
        while done < buf.len() {
            let at = offset + done as u64;
            match self.read_at(at, &mut buf[done..])? {
                0 => return Err(truncated(buf.len() - done).at(at).in_file(self.path())),
                count => done += count,
            }
        }
        Ok(())
    }
}

/// A log: written in ascending order, synced often.
pub trait LogFile: Send + Sync + fmt::Debug {
    /// Writes all of `bytes` at `offset`, as one call of the system. After an error the file must not be written again.
    fn write_at(&self, offset: u64, bytes: &[u8]) -> Result<()>;

    /// Makes everything written before the call durable, length included. Never retry after an error.
    fn sync(&self) -> Result<()>;

    /// Whether writing below the capacity that it was made for is a copy in memory: as long as a short lock may be held.
    fn is_mapped(&self) -> bool {
        false
    }

    /// Says whether what is written from now on is likely to be synced soon, as it is until somebody says otherwise. Only a hint.
    fn expect_syncs(&self, _are_expected: bool) {}

    /// The path under which it was made, for errors.
    fn path(&self) -> &Path;

    /// See [`File::lose_unsynced`].
    fn lose_unsynced(&self) {}
}

/// Holds a directory for one process, until dropped.
pub trait DirLock: Send + Sync + fmt::Debug {
    /// Whether the calling process is the one that took the lock: a child made by `fork` has a copy and must not write.
    fn is_owner(&self) -> bool {
        true
    }
}

/// One name in a directory.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct DirEntry {
    /// The name, lossily made UTF-8: our own names always are.
    pub name: String,
    /// Whether it names a directory.
    pub is_dir: bool,
    /// Length of a file in bytes; 0 for a directory.
    pub len: u64,
}

/// Whether the error is that a name does not exist.
pub fn is_not_found(error: &Error) -> bool {
    io_kind(error) == Some(::std::io::ErrorKind::NotFound)
}

/// Whether the error is that a name exists already.
pub fn is_already_exists(error: &Error) -> bool {
    io_kind(error) == Some(::std::io::ErrorKind::AlreadyExists)
}

/// Whether the error is that a directory was wanted and something else is there.
pub fn is_not_a_directory(error: &Error) -> bool {
    io_kind(error) == Some(::std::io::ErrorKind::NotADirectory)
}

/// For reading what must be there: that it is missing is damage, not a failure of the system.
pub fn missing_is_damage(error: Error, what: &str) -> Error {
    if !is_not_found(&error) {
        return error;
    }
    let file = error.location().map(|location| location.file).unwrap_or_default();
    Error::corruption(format!("{what} is missing")).in_file(&file).with_source(error)
}

fn io_kind(error: &Error) -> Option<::std::io::ErrorKind> {
    let source = ::std::error::Error::source(error)?;
    source.downcast_ref::<::std::io::Error>().map(::std::io::Error::kind)
}

#[cold]
fn truncated(missing: usize) -> Error {
    Error::corruption(format!("the file ends {missing} bytes early"))
}
