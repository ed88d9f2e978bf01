//! `MemFs`: one in memory, over the tree's simulated disk.

use super::{
    Fs, FsDirEntry, FsFile, FsMetadata, FsOpenOptions,
    file_locks::{FileLock, FileLocks},
};
use sediment_env::Fs as _;
use std::{
    fmt,
    io::{Error, ErrorKind, Read, Result, Seek, SeekFrom, Write},
    path::Path,
    sync::{
        Arc, OnceLock,
        atomic::{AtomicU64, Ordering},
    },
};

/// A file system in memory. Clones are the same one.
#[derive(Clone)]
pub struct MemFs {
    disk: sediment_env::MemFs,
    locks: Arc<FileLocks>,
    id: u64,
}

/// That of the operating system's is 1.
static NEXT_ID: AtomicU64 = AtomicU64::new(2);

impl MemFs {
    /// An empty one.
    pub fn new() -> Self {
        Self { disk: sediment_env::MemFs::new(), locks: Arc::default(), id: NEXT_ID.fetch_add(1, Ordering::Relaxed) }
    }

    /// The entry of a name in its parent; the root has none and is a directory.
    fn entry(&self, path: &Path) -> Result<Option<sediment_env::fs::DirEntry>> {
        let (Some(parent), Some(name)) = (path.parent(), path.file_name()) else { return Ok(None) };
        let entries = self.disk.read_dir(parent).map_err(of_env)?;
        let found = entries.into_iter().find(|entry| *entry.name == *name);
        found.map(Some).ok_or_else(|| Error::new(ErrorKind::NotFound, path.display().to_string()))
    }
}

impl Default for MemFs {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for MemFs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemFs").field("id", &self.id).finish_non_exhaustive()
    }
}

impl Fs for MemFs {
    fn open(&self, path: &Path, opts: &FsOpenOptions) -> Result<Box<dyn FsFile>> {
        checked(path)?;
        let is_there = self.exists(path)?;
        let makes = opts.create_new || (opts.create && !is_there);
        let file = if makes { self.disk.create(path) } else { self.disk.open(path) };
        let file = file.map_err(of_env)?;
        if opts.truncate {
            file.set_len(0).map_err(of_env)?;
        }
        let position = if opts.append { file.len().map_err(of_env)? } else { 0 };
        let locks = Arc::clone(&self.locks);
        Ok(Box::new(MemFile { file, position, is_append: opts.append, locks, lock: OnceLock::new() }))
    }

    fn create_dir_all(&self, path: &Path) -> Result<()> {
        checked(path)?;
        for part in path.ancestors().collect::<Vec<_>>().into_iter().rev() {
            if part.file_name().is_some() && !self.exists(part)? {
                self.create_dir(part)?;
            }
        }
        Ok(())
    }

    fn create_dir(&self, path: &Path) -> Result<()> {
        checked(path)?;
        self.disk.create_dir(path).map_err(of_env)
    }

    fn read_dir(&self, path: &Path) -> Result<Vec<FsDirEntry>> {
        let entries = self.disk.read_dir(path).map_err(of_env)?;
        let listed = |entry: sediment_env::fs::DirEntry| FsDirEntry {
            path: path.join(&entry.name),
            file_name: entry.name,
            is_dir: entry.is_dir,
        };
        Ok(entries.into_iter().map(listed).collect())
    }

    fn remove_file(&self, path: &Path) -> Result<()> {
        self.disk.remove_file(path).map_err(of_env)
    }

    fn remove_dir_all(&self, path: &Path) -> Result<()> {
        for entry in self.read_dir(path)? {
            if entry.is_dir { self.remove_dir_all(&entry.path)? } else { self.remove_file(&entry.path)? }
        }
        self.disk.remove_dir(path).map_err(of_env)
    }

    /// Files alone: a directory is `InvalidInput`.
    fn rename(&self, from: &Path, to: &Path) -> Result<()> {
        checked(to)?;
        if self.metadata(from)?.is_dir {
            return Err(Error::new(ErrorKind::InvalidInput, "a directory cannot be renamed here"));
        }
        self.disk.rename(from, to).map_err(of_env)
    }

    fn metadata(&self, path: &Path) -> Result<FsMetadata> {
        checked(path)?;
        let entry = self.entry(path)?;
        let is_dir = entry.as_ref().is_none_or(|entry| entry.is_dir);
        Ok(FsMetadata { len: entry.map_or(0, |entry| entry.len), is_dir, is_file: !is_dir })
    }

    /// Nothing is volatile; it only looks whether the directory is there.
    fn sync_directory(&self, path: &Path) -> Result<()> {
        self.disk.read_dir(path).map(drop).map_err(of_env)
    }

    fn exists(&self, path: &Path) -> Result<bool> {
        self.disk.exists(path).map_err(of_env)
    }

    /// An independent copy.
    fn hard_link(&self, src: &Path, dst: &Path) -> Result<()> {
        self.reflink_file(src, dst)
    }

    fn backend_id(&self) -> Option<u64> {
        Some(self.id)
    }

    fn native(&self) -> Option<Arc<dyn sediment_env::Fs>> {
        Some(Arc::new(self.disk.clone()))
    }
}

/// An open file, with a position for who reads and writes without one.
#[derive(Debug)]
struct MemFile {
    file: Arc<dyn sediment_env::File>,
    position: u64,
    is_append: bool,
    locks: Arc<FileLocks>,
    /// Held until the file is closed.
    lock: OnceLock<FileLock>,
}

impl Read for MemFile {
    fn read(&mut self, buf: &mut [u8]) -> Result<usize> {
        let count = self.file.read_at(self.position, buf).map_err(of_env)?;
        self.position += count as u64;
        Ok(count)
    }
}

impl Write for MemFile {
    fn write(&mut self, buf: &[u8]) -> Result<usize> {
        if self.is_append {
            self.position = self.file.len().map_err(of_env)?;
        }
        self.file.write_at(self.position, buf).map_err(of_env)?;
        self.position += buf.len() as u64;
        Ok(buf.len())
    }

    fn flush(&mut self) -> Result<()> {
        Ok(())
    }
}

impl Seek for MemFile {
    fn seek(&mut self, from: SeekFrom) -> Result<u64> {
        let target = match from {
            SeekFrom::Start(bytes) => Some(bytes),
            SeekFrom::End(bytes) => self.file.len().map_err(of_env)?.checked_add_signed(bytes),
            SeekFrom::Current(bytes) => self.position.checked_add_signed(bytes),
        };
        self.position = target.ok_or_else(|| Error::from(ErrorKind::InvalidInput))?;
        Ok(self.position)
    }
}

impl FsFile for MemFile {
    fn sync_all(&self) -> Result<()> {
        self.file.sync_all().map_err(of_env)
    }

    fn sync_data(&self) -> Result<()> {
        self.file.sync_data().map_err(of_env)
    }

    fn metadata(&self) -> Result<FsMetadata> {
        Ok(FsMetadata { len: self.file.len().map_err(of_env)?, is_dir: false, is_file: true })
    }

    fn set_len(&self, size: u64) -> Result<()> {
        self.file.set_len(size).map_err(of_env)
    }

    fn read_at(&self, buf: &mut [u8], offset: u64) -> Result<usize> {
        let mut done = 0;
        while done < buf.len() {
            match self.file.read_at(offset + done as u64, &mut buf[done..]).map_err(of_env)? {
                0 => break,
                count => done += count,
            }
        }
        Ok(done)
    }

    fn lock_exclusive(&self) -> Result<()> {
        self.lock.get_or_init(|| self.locks.take(self.file.path()));
        Ok(())
    }
}

fn checked(path: &Path) -> Result<()> {
    if path.as_os_str().is_empty() { Err(Error::new(ErrorKind::InvalidInput, "an empty path")) } else { Ok(()) }
}

/// The system's error beneath one of the tree's.
fn of_env(error: sediment_base::Error) -> Error {
    let source = std::error::Error::source(&error).and_then(|source| source.downcast_ref::<Error>());
    let kind = source.map_or(ErrorKind::Other, Error::kind);
    Error::new(kind, error)
}
