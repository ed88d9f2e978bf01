//! File systems: the traits of the interface, two of them, and what makes one of the tree's.
//!
//! The tree has traits of its own, with stricter promises. The two file systems here are those of the tree, seen through these traits; one
//! of the caller's is adapted (`fs/adapted.rs`).

mod adapted;
mod aligned_buf;
mod file_locks;
mod io_uring;
mod mem;
mod options;
mod std;

pub use self::{
    aligned_buf::AlignedBuf,
    io_uring::{IoUringFs, is_io_uring_available},
    mem::MemFs,
    options::{FileHint, FsCapabilities, FsDirEntry, FsMetadata, FsOpenOptions, SyncMode},
    std::StdFs,
};

pub(crate) use self::adapted::{default_fs, of_tree};

use ::std::{
    io::{ErrorKind, Read, Result, Seek, Write},
    path::Path,
};

/// A file system.
pub trait Fs: Send + Sync + 'static {
    /// Opens a file.
    fn open(&self, path: &Path, opts: &FsOpenOptions) -> Result<Box<dyn FsFile>>;

    /// Makes a directory and all above it that are missing.
    fn create_dir_all(&self, path: &Path) -> Result<()>;

    /// Makes one directory; fails with `AlreadyExists` where the name is taken.
    fn create_dir(&self, _path: &Path) -> Result<()> {
        Err(ErrorKind::Unsupported.into())
    }

    /// What a directory holds, in any order. A name that is not UTF-8 is `InvalidData`.
    fn read_dir(&self, path: &Path) -> Result<Vec<FsDirEntry>>;

    /// Removes a file.
    fn remove_file(&self, path: &Path) -> Result<()>;

    /// Removes a directory with all in it.
    fn remove_dir_all(&self, path: &Path) -> Result<()>;

    /// Gives a file another name, replacing the one that has it.
    fn rename(&self, from: &Path, to: &Path) -> Result<()>;

    /// What is known of a name.
    fn metadata(&self, path: &Path) -> Result<FsMetadata>;

    /// Makes the names in a directory durable.
    fn sync_directory(&self, path: &Path) -> Result<()>;

    /// The same, in this mode.
    fn sync_directory_with(&self, path: &Path, _mode: SyncMode) -> Result<()> {
        self.sync_directory(path)
    }

    /// Whether a name exists.
    fn exists(&self, path: &Path) -> Result<bool>;

    /// Gives a file a second name; never copies.
    fn hard_link(&self, _src: &Path, _dst: &Path) -> Result<()> {
        Err(ErrorKind::Unsupported.into())
    }

    /// File systems with the same number share their names.
    fn backend_id(&self) -> Option<u64> {
        None
    }

    /// What the file system of a path can do.
    fn capabilities(&self, _path: &Path) -> FsCapabilities {
        FsCapabilities::default()
    }

    /// Asks that a file is not copied on write.
    fn try_disable_cow(&self, _path: &Path) -> Result<()> {
        Ok(())
    }

    /// Makes a copy that shares what it can with its source; a plain one here.
    fn reflink_file(&self, src: &Path, dst: &Path) -> Result<()> {
        let mut source = self.open(src, &FsOpenOptions::new().read(true))?;
        let mut target = self.open(dst, &FsOpenOptions::new().write(true).create_new(true))?;
        ::std::io::copy(&mut source, &mut target)?;
        target.sync_all()
    }

    /// Cuts a file to nothing.
    fn truncate_file(&self, path: &Path) -> Result<()> {
        self.open(path, &FsOpenOptions::new().write(true))?.set_len(0)
    }

    /// How many names a file has.
    fn hard_link_count(&self, _path: &Path) -> Result<u64> {
        Err(ErrorKind::Unsupported.into())
    }

    /// The tree's own file system behind this one.
    #[doc(hidden)]
    fn native(&self) -> Option<::std::sync::Arc<dyn sediment_env::Fs>> {
        None
    }
}

/// An open file.
pub trait FsFile: Read + Write + Seek + Send + Sync {
    /// Makes bytes and length durable.
    fn sync_all(&self) -> Result<()>;

    /// Makes bytes durable.
    fn sync_data(&self) -> Result<()>;

    /// As [`FsFile::sync_all`], in this mode.
    fn sync_all_with(&self, _mode: SyncMode) -> Result<()> {
        self.sync_all()
    }

    /// As [`FsFile::sync_data`], in this mode.
    fn sync_data_with(&self, _mode: SyncMode) -> Result<()> {
        self.sync_data()
    }

    /// What is known of it.
    fn metadata(&self) -> Result<FsMetadata>;

    /// Cuts or grows it.
    fn set_len(&self, size: u64) -> Result<()>;

    /// Fills `buf` from `offset` on; how much, which is less at the end of the file alone.
    fn read_at(&self, buf: &mut [u8], offset: u64) -> Result<usize>;

    /// Waits for the exclusive lock of the file and takes it.
    fn lock_exclusive(&self) -> Result<()>;

    /// Says how it will be read.
    fn hint(&self, _hint: FileHint) -> Result<()> {
        Ok(())
    }
}
