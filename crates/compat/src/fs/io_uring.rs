//! `IoUringFs`: the name of a file system over a submission ring, which is not there.

use super::{Fs, FsDirEntry, FsFile, FsMetadata, FsOpenOptions, StdFs};
use crate::error::unsupported;
use std::{
    io::{Error, ErrorKind, Result},
    path::Path,
};

/// A file system over a submission ring. None can be made.
#[derive(Clone, Debug)]
pub struct IoUringFs(Never);

#[derive(Clone, Debug)]
enum Never {}

/// Whether [`IoUringFs::new`] succeeds.
pub fn is_io_uring_available() -> bool {
    false
}

impl IoUringFs {
    /// `Unsupported`.
    pub fn new() -> Result<Self> {
        Err(Error::new(ErrorKind::Unsupported, unsupported("io_uring")))
    }

    /// `Unsupported`.
    pub fn with_ring_size(_sq_entries: u32) -> Result<Self> {
        Self::new()
    }
}

macro_rules! absurd {
    ($(fn $name:ident(&self $(, $arg:ident: $type:ty)*) -> $result:ty;)*) => {
        impl Fs for IoUringFs {
            $(fn $name(&self $(, $arg: $type)*) -> $result {
                let _ = ($($arg,)* StdFs);
                match self.0 {}
            })*
        }
    };
}

absurd! {
    fn open(&self, path: &Path, opts: &FsOpenOptions) -> Result<Box<dyn FsFile>>;
    fn create_dir_all(&self, path: &Path) -> Result<()>;
    fn read_dir(&self, path: &Path) -> Result<Vec<FsDirEntry>>;
    fn remove_file(&self, path: &Path) -> Result<()>;
    fn remove_dir_all(&self, path: &Path) -> Result<()>;
    fn rename(&self, from: &Path, to: &Path) -> Result<()>;
    fn metadata(&self, path: &Path) -> Result<FsMetadata>;
    fn sync_directory(&self, path: &Path) -> Result<()>;
    fn exists(&self, path: &Path) -> Result<bool>;
}
