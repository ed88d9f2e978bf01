//! `StdFs`: the file system of the operating system.
//!
//! Positioned reads and writes, so that one open file serves every thread. Reads and writes go on after a signal and after
//! short counts. A directory lock is an advisory lock on its file: it dies with the process, and the file is never unlinked,
//! because a lock on an unlinked file holds nobody off.

use super::{
    DirEntry, DirLock, File, Fs, LogFile,
    mapped::{self, MappedLog},
    whole::write_whole,
};
use sediment_base::{Error, ErrorKind, Result};
use sediment_raw::{fork_mark::ForkMark, sync::OwnLines};
use std::{
    fs::{self, OpenOptions, TryLockError},
    io,
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};

/// The file system of the operating system. Shared.
#[derive(Clone, Copy, Debug, Default)]
pub struct StdFs;

impl Fs for StdFs {
    fn create(&self, path: &Path) -> Result<Arc<dyn File>> {
        Ok(Arc::new(StdFile::create(path)?))
    }

    fn open(&self, path: &Path) -> Result<Arc<dyn File>> {
        let inner = fs::File::open(path).map_err(|e| Error::io("open", path, e))?;
        Ok(Arc::new(StdFile { inner, path: path.to_path_buf() }))
    }

    fn create_log(&self, path: &Path, capacity: u64) -> Result<Arc<dyn LogFile>> {
        let file = StdFile::create(path)?;
        let mapping = mapped::map(&file.inner, capacity);
        if mapping.is_none() {
            platform::preallocate(&file.inner, capacity);
        }
        let is_mapped = mapping.is_some();
        let written = OwnLines::new(Mutex::new(Written { mapping, end: 0 }));
        let expects_syncs = AtomicBool::new(true);
        Ok(Arc::new(StdLog { file, is_mapped, expects_syncs, written, owner: ForkMark::new() }))
    }

    fn create_dir(&self, path: &Path) -> Result<()> {
        fs::create_dir(path).map_err(|e| Error::io("create the directory", path, e))
    }

    fn read_dir(&self, path: &Path) -> Result<Vec<DirEntry>> {
        let read = || -> io::Result<Vec<DirEntry>> {
            let mut entries = Vec::new();
            for entry in fs::read_dir(or_here(path))? {
                let entry = entry?;
                let meta = match fs::metadata(entry.path()) {
                    Ok(meta) => meta,
                    Err(e) if e.kind() == io::ErrorKind::NotFound => continue,
                    Err(e) => return Err(e),
                };
                let len = if meta.is_dir() { 0 } else { meta.len() };
                entries.push(DirEntry { name: entry.file_name().to_string_lossy().into_owned(), is_dir: meta.is_dir(), len });
            }
            entries.sort_unstable();
            Ok(entries)
        };
        read().map_err(|e| Error::io("list the directory", path, e))
    }

    fn rename(&self, from: &Path, to: &Path) -> Result<()> {
        fs::rename(from, to).map_err(|e| Error::io(&format!("rename to {}", to.display()), from, e))
    }

    fn hard_link(&self, from: &Path, to: &Path) -> Result<()> {
        fs::hard_link(from, to).map_err(|e| Error::io(&format!("link as {}", to.display()), from, e))
    }

    fn remove_file(&self, path: &Path) -> Result<()> {
        fs::remove_file(path).map_err(|e| Error::io("remove", path, e))
    }

    fn remove_dir(&self, path: &Path) -> Result<()> {
        fs::remove_dir(path).map_err(|e| Error::io("remove the directory", path, e))
    }

    fn exists(&self, path: &Path) -> Result<bool> {
        match fs::symlink_metadata(path) {
            Ok(_) => Ok(true),
            Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(false),
            Err(e) => Err(Error::io("look for", path, e)),
        }
    }

    fn sync_dir(&self, path: &Path) -> Result<()> {
        platform::sync_dir(or_here(path)).map_err(|e| Error::io("sync the directory", path, e))
    }

    fn lock(&self, path: &Path) -> Result<Box<dyn DirLock>> {
        let file = open_lock(path).map_err(|e| Error::io("open the lock file", path, e))?;
        match file.try_lock() {
            Ok(()) => Ok(Box::new(StdLock { file, owner: ForkMark::new() })),
            Err(TryLockError::WouldBlock) => {
                Err(Error::new(ErrorKind::Locked, "another handle has the directory open").in_file(path))
            }
            Err(TryLockError::Error(e)) => Err(Error::io("lock", path, e)),
        }
    }

    fn available_bytes(&self, path: &Path) -> Result<Option<u64>> {
        platform::available_bytes(or_here(path)).map_err(|e| Error::io("ask for free space", path, e))
    }

    fn memory_bytes(&self) -> Option<u64> {
        platform::memory_bytes()
    }
}

#[derive(Debug)]
struct StdFile {
    inner: fs::File,
    path: PathBuf,
}

impl StdFile {
    fn create(path: &Path) -> Result<Self> {
        let inner = OpenOptions::new().read(true).write(true).create_new(true).open(path);
        Ok(Self { inner: inner.map_err(|e| Error::io("create", path, e))?, path: path.to_path_buf() })
    }

    fn write_all(&self, offset: u64, bytes: &[u8]) -> Result<()> {
        write_whole(offset, bytes, |at, rest| platform::write_at(&self.inner, at, rest))
            .map_err(|e| Error::io("write", &self.path, e).at(offset))
    }
}

impl File for StdFile {
    fn read_at(&self, offset: u64, buf: &mut [u8]) -> Result<usize> {
        loop {
            match platform::read_at(&self.inner, offset, buf) {
                Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                read => return read.map_err(|e| Error::io("read", &self.path, e).at(offset)),
            }
        }
    }

    fn write_at(&self, offset: u64, bytes: &[u8]) -> Result<()> {
        self.write_all(offset, bytes)
    }

    fn len(&self) -> Result<u64> {
        self.inner.metadata().map(|meta| meta.len()).map_err(|e| Error::io("ask the length", &self.path, e))
    }

    fn set_len(&self, len: u64) -> Result<()> {
        self.inner.set_len(len).map_err(|e| Error::io("set the length", &self.path, e))
    }

    fn sync_data(&self) -> Result<()> {
        self.inner.sync_data().map_err(|e| Error::io("sync", &self.path, e))
    }

    fn sync_all(&self) -> Result<()> {
        self.inner.sync_all().map_err(|e| Error::io("sync", &self.path, e))
    }

    fn evict(&self, offset: u64, bytes: u64) {
        platform::evict(&self.inner, offset, bytes);
    }

    fn path(&self) -> &Path {
        &self.path
    }
}

/// A log file, mapped where that is safe. What was reserved for it and not used is given back when it is dropped.
#[derive(Debug)]
struct StdLog {
    file: StdFile,
    is_mapped: bool,
    expects_syncs: AtomicBool,
    written: OwnLines<Mutex<Written>>,
    owner: ForkMark,
}

#[derive(Debug)]
struct Written {
    mapping: Option<MappedLog>,
    /// Where what was written ends.
    end: u64,
}

impl LogFile for StdLog {
    fn write_at(&self, offset: u64, bytes: &[u8]) -> Result<()> {
        let mut written = self.written.lock().unwrap_or_else(PoisonError::into_inner);
        let (end, written_end) = (offset + bytes.len() as u64, written.end);
        match &mut written.mapping {
            Some(mapping) if mapping.takes(offset, bytes.len()) => {
                let fill = |offset, zeros: &[u8]| _ = self.file.write_all(offset, zeros);
                let fill = (!self.expects_syncs.load(Ordering::Relaxed)).then_some(fill);
                mapping.write_at(offset, bytes, written_end, fill);
            }
            // Behind what is mapped, where a record may reach, the file grows.
            _ => self.file.write_all(offset, bytes)?,
        }
        written.end = written.end.max(end);
        Ok(())
    }

    // `fdatasync` saves what was copied into a mapping, too, and a grown length: without it the bytes could not be read back.
    fn sync(&self) -> Result<()> {
        File::sync_data(&self.file)
    }

    fn is_mapped(&self) -> bool {
        self.is_mapped
    }

    fn expect_syncs(&self, are_expected: bool) {
        self.expects_syncs.store(are_expected, Ordering::Relaxed);
    }

    fn path(&self) -> &Path {
        &self.file.path
    }
}

impl Drop for StdLog {
    /// Frees what is reserved behind the end. Only a hint, like reserving. A forked child must not: its parent goes on writing.
    fn drop(&mut self) {
        let written = self.written.get_mut().unwrap_or_else(PoisonError::into_inner);
        written.mapping = None;
        if self.owner.is_own() {
            let _ = self.file.inner.set_len(written.end);
        }
    }
}

#[derive(Debug)]
struct StdLock {
    file: fs::File,
    owner: ForkMark,
}

impl DirLock for StdLock {
    fn is_owner(&self) -> bool {
        self.owner.is_own()
    }
}

impl Drop for StdLock {
    /// Gives the lock back at once. Closing alone would do so only when the last copy of the descriptor is gone, and a child that is on
    /// its way to another program has one for a moment. A forked child must not take it from its parent.
    fn drop(&mut self) {
        if self.owner.is_own() {
            let _ = self.file.unlock();
        }
    }
}

/// A lock file that may only be read can be locked all the same.
fn open_lock(path: &Path) -> io::Result<fs::File> {
    let opened = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path);
    opened.or_else(|e| match e.kind() {
        io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => fs::File::open(path).map_err(|_| e),
        _ => Err(e),
    })
}

/// The parent of a bare file name is the empty path, which the system does not take for a directory.
fn or_here(path: &Path) -> &Path {
    if path.as_os_str().is_empty() { Path::new(".") } else { path }
}

/// Reads from a file of the system at an offset, wherever its own position is: up to `buf.len()` bytes, 0 only at its end.
pub fn read_std_file_at(file: &fs::File, offset: u64, buf: &mut [u8]) -> io::Result<usize> {
    platform::read_at(file, offset, buf)
}

/// How many names a file of the system has; an error of kind `Unsupported` where the system does not say.
pub fn std_names_of(path: &Path) -> io::Result<u64> {
    platform::names_of(path)
}

#[cfg(unix)]
mod platform {
    use std::{
        fs::{self, File},
        io,
        os::unix::fs::{FileExt, MetadataExt},
        path::Path,
    };

    pub(super) fn names_of(path: &Path) -> io::Result<u64> {
        fs::metadata(path).map(|metadata| metadata.nlink())
    }

    pub(super) fn read_at(file: &File, offset: u64, buf: &mut [u8]) -> io::Result<usize> {
        file.read_at(buf, offset)
    }

    pub(super) fn write_at(file: &File, offset: u64, bytes: &[u8]) -> io::Result<usize> {
        file.write_at(bytes, offset)
    }

    pub(super) fn sync_dir(path: &Path) -> io::Result<()> {
        File::open(path)?.sync_all()
    }

    pub(super) fn available_bytes(path: &Path) -> io::Result<Option<u64>> {
        let stat = rustix::fs::statvfs(path)?;
        Ok(Some(stat.f_bavail.saturating_mul(stat.f_frsize)))
    }

    /// Reserves blocks without changing the length. Only a hint: where it is refused the log grows as it is written.
    #[cfg(target_os = "linux")]
    pub(super) fn preallocate(file: &File, capacity: u64) {
        let _ = rustix::fs::fallocate(file, rustix::fs::FallocateFlags::KEEP_SIZE, 0, capacity);
    }

    #[cfg(not(target_os = "linux"))]
    pub(super) fn preallocate(file: &File, _capacity: u64) {}

    /// Only a hint: what the system keeps all the same is nobody's loss but that of the memory.
    #[cfg(target_os = "linux")]
    pub(super) fn evict(file: &File, offset: u64, bytes: u64) {
        // No length would stand for the rest of the file.
        if let Some(bytes) = std::num::NonZeroU64::new(bytes) {
            let _ = rustix::fs::fadvise(file, offset, Some(bytes), rustix::fs::Advice::DontNeed);
        }
    }

    #[cfg(not(target_os = "linux"))]
    pub(super) fn evict(_file: &File, _offset: u64, _bytes: u64) {}

    /// What the machine has, whatever part of it this process may use.
    #[cfg(target_os = "linux")]
    pub(super) fn memory_bytes() -> Option<u64> {
        let info = rustix::system::sysinfo();
        Some((info.totalram as u64).saturating_mul(info.mem_unit.into()))
    }

    #[cfg(not(target_os = "linux"))]
    pub(super) fn memory_bytes() -> Option<u64> {
        None
    }
}

#[cfg(windows)]
mod platform {
    use std::{fs::File, io, os::windows::fs::FileExt, path::Path};

    pub(super) fn names_of(_path: &Path) -> io::Result<u64> {
        Err(io::ErrorKind::Unsupported.into())
    }

    pub(super) fn read_at(file: &File, offset: u64, buf: &mut [u8]) -> io::Result<usize> {
        match file.seek_read(buf, offset) {
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(0),
            read => read,
        }
    }

    pub(super) fn write_at(file: &File, offset: u64, bytes: &[u8]) -> io::Result<usize> {
        file.seek_write(bytes, offset)
    }

    /// Names are journalled by the file system; there is no call that waits for them.
    pub(super) fn sync_dir(_path: &Path) -> io::Result<()> {
        Ok(())
    }

    pub(super) fn available_bytes(_path: &Path) -> io::Result<Option<u64>> {
        Ok(None)
    }

    pub(super) fn preallocate(file: &File, _capacity: u64) {}
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lock_is_given_back_though_a_copy_of_its_descriptor_is_left() {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let file = open_lock(&dir.path().join("LOCK")).expect("it is made");
        file.try_lock().expect("nobody else has it");
        let copy = file.try_clone().expect("a copy, as a child has before it becomes another program");
        drop(StdLock { file, owner: ForkMark::new() });
        assert!(StdFs.lock(&dir.path().join("LOCK")).is_ok());
        drop(copy);
    }
}
