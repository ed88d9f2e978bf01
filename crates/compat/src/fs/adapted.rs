//! A file system of the caller's as one of the tree's.
//!
//! The tree reads and writes at offsets from many threads; the caller's files have one position. So reads share a lock, and a write takes
//! it alone. A lock of a directory waits where it is taken: the traits have no other.

use super::{Fs, FsFile, FsOpenOptions, StdFs};
use sediment_base::{Error, Result};
use sediment_env::fs::{DirEntry, DirLock, File, LogFile};
use std::{
    fmt,
    io::{self, SeekFrom},
    path::{Path, PathBuf},
    sync::{Arc, PoisonError, RwLock},
};

/// The tree's own file system behind one of the interface's, or the interface's adapted.
pub(crate) fn of_tree(fs: &Arc<dyn Fs>) -> Arc<dyn sediment_env::Fs> {
    fs.native().unwrap_or_else(|| Arc::new(Adapted(Arc::clone(fs))))
}

struct Adapted(Arc<dyn Fs>);

impl fmt::Debug for Adapted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Adapted({:?})", self.0.backend_id())
    }
}

impl Adapted {
    fn open_with(&self, path: &Path, options: &FsOpenOptions, doing: &str) -> Result<Arc<AdaptedFile>> {
        let file = self.0.open(path, options).map_err(|error| Error::io(doing, path, error))?;
        Ok(Arc::new(AdaptedFile { file: RwLock::new(file), path: path.to_path_buf() }))
    }
}

impl Adapted {
    fn is_empty_dir(&self, path: &Path) -> bool {
        self.0.metadata(path).is_ok_and(|metadata| metadata.is_dir)
            && self.0.read_dir(path).is_ok_and(|entries| entries.is_empty())
    }
}

impl sediment_env::Fs for Adapted {
    fn create(&self, path: &Path) -> Result<Arc<dyn File>> {
        Ok(self.open_with(path, &FsOpenOptions::new().read(true).write(true).create_new(true), "create")?)
    }

    fn open(&self, path: &Path) -> Result<Arc<dyn File>> {
        Ok(self.open_with(path, &FsOpenOptions::new().read(true), "open")?)
    }

    fn create_log(&self, path: &Path, _capacity: u64) -> Result<Arc<dyn LogFile>> {
        Ok(self.open_with(path, &FsOpenOptions::new().read(true).write(true).create_new(true), "create")?)
    }

    fn create_dir(&self, path: &Path) -> Result<()> {
        let made = match self.0.create_dir(path) {
            Err(error) if error.kind() == io::ErrorKind::Unsupported => match self.0.exists(path) {
                Ok(true) => Err(io::ErrorKind::AlreadyExists.into()),
                Ok(false) => self.0.create_dir_all(path),
                Err(error) => Err(error),
            },
            made => made,
        };
        made.map_err(|error| Error::io("make the directory", path, error))
    }

    fn read_dir(&self, path: &Path) -> Result<Vec<DirEntry>> {
        let listed = self.0.read_dir(path).map_err(|error| Error::io("list", path, error))?;
        let mut entries = Vec::with_capacity(listed.len());
        for entry in listed {
            let len = match entry.is_dir {
                true => 0,
                false => self.0.metadata(&entry.path).map_err(|error| Error::io("look at", &entry.path, error))?.len,
            };
            entries.push(DirEntry { name: entry.file_name, is_dir: entry.is_dir, len });
        }
        entries.sort();
        Ok(entries)
    }

    fn rename(&self, from: &Path, to: &Path) -> Result<()> {
        let renamed = match self.0.rename(from, to) {
            // The traits promise no names to directories. The tree has only empty ones renamed.
            Err(error) if error.kind() == io::ErrorKind::InvalidInput && self.is_empty_dir(from) => {
                self.0.create_dir_all(to).and_then(|()| self.0.remove_dir_all(from))
            }
            renamed => renamed,
        };
        renamed.map_err(|error| Error::io("rename", from, error))
    }

    fn hard_link(&self, from: &Path, to: &Path) -> Result<()> {
        self.0.hard_link(from, to).map_err(|error| Error::io("link", from, error))
    }

    fn remove_file(&self, path: &Path) -> Result<()> {
        self.0.remove_file(path).map_err(|error| Error::io("remove", path, error))
    }

    fn remove_dir(&self, path: &Path) -> Result<()> {
        let removed = match self.0.read_dir(path) {
            Ok(entries) if entries.is_empty() => self.0.remove_dir_all(path),
            Ok(_) => Err(io::ErrorKind::DirectoryNotEmpty.into()),
            Err(error) => Err(error),
        };
        removed.map_err(|error| Error::io("remove", path, error))
    }

    fn exists(&self, path: &Path) -> Result<bool> {
        self.0.exists(path).map_err(|error| Error::io("look for", path, error))
    }

    fn sync_dir(&self, path: &Path) -> Result<()> {
        self.0.sync_directory(path).map_err(|error| Error::io("sync", path, error))
    }

    fn lock(&self, path: &Path) -> Result<Box<dyn DirLock>> {
        let options = FsOpenOptions::new().read(true).write(true).create(true);
        let file = self.0.open(path, &options).map_err(|error| Error::io("open", path, error))?;
        file.lock_exclusive().map_err(|error| Error::io("lock", path, error))?;
        Ok(Box::new(AdaptedLock { _file: file }))
    }

    fn available_bytes(&self, _path: &Path) -> Result<Option<u64>> {
        Ok(None)
    }
}

struct AdaptedLock {
    _file: Box<dyn FsFile>,
}

impl fmt::Debug for AdaptedLock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AdaptedLock")
    }
}

impl DirLock for AdaptedLock {}

struct AdaptedFile {
    file: RwLock<Box<dyn FsFile>>,
    path: PathBuf,
}

impl fmt::Debug for AdaptedFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("AdaptedFile").field(&self.path).finish()
    }
}

impl AdaptedFile {
    fn ask<T>(&self, doing: &str, ask: impl FnOnce(&dyn FsFile) -> io::Result<T>) -> Result<T> {
        let file = self.file.read().unwrap_or_else(PoisonError::into_inner);
        ask(&**file).map_err(|error| Error::io(doing, &self.path, error))
    }

    fn write(&self, offset: u64, bytes: &[u8]) -> Result<()> {
        let mut file = self.file.write().unwrap_or_else(PoisonError::into_inner);
        let written = file.seek(SeekFrom::Start(offset)).and_then(|_| file.write_all(bytes)).and_then(|()| file.flush());
        written.map_err(|error| Error::io("write", &self.path, error))
    }
}

impl File for AdaptedFile {
    fn read_at(&self, offset: u64, buf: &mut [u8]) -> Result<usize> {
        self.ask("read", |file| file.read_at(buf, offset))
    }

    fn write_at(&self, offset: u64, bytes: &[u8]) -> Result<()> {
        self.write(offset, bytes)
    }

    fn len(&self) -> Result<u64> {
        self.ask("look at", |file| file.metadata()).map(|metadata| metadata.len)
    }

    fn set_len(&self, len: u64) -> Result<()> {
        self.ask("cut", |file| file.set_len(len))
    }

    fn sync_data(&self) -> Result<()> {
        self.ask("sync", |file| file.sync_data())
    }

    fn sync_all(&self) -> Result<()> {
        self.ask("sync", |file| file.sync_all())
    }

    fn path(&self) -> &Path {
        &self.path
    }
}

impl LogFile for AdaptedFile {
    fn write_at(&self, offset: u64, bytes: &[u8]) -> Result<()> {
        self.write(offset, bytes)
    }

    fn sync(&self) -> Result<()> {
        File::sync_all(self)
    }

    fn path(&self) -> &Path {
        &self.path
    }
}

/// What a configuration begins with.
pub(crate) fn default_fs() -> Arc<dyn Fs> {
    Arc::new(StdFs)
}
