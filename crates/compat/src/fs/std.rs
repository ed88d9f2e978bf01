//! `StdFs`: the operating system's.
#![allow(clippy::disallowed_types, reason = "the interface makes the system's own file one of its files")]

use super::{Fs, FsDirEntry, FsFile, FsMetadata, FsOpenOptions, SyncMode};
use sediment_env::fs::{read_std_file_at, std_names_of};
use std::{
    fs::{self, File, OpenOptions},
    io::{Error, ErrorKind, Result},
    path::Path,
    sync::Arc,
};

/// The operating system's file system.
#[derive(Clone, Copy, Debug, Default)]
pub struct StdFs;

/// Two handles of the system share their names.
const BACKEND: u64 = 1;

impl Fs for StdFs {
    fn open(&self, path: &Path, opts: &FsOpenOptions) -> Result<Box<dyn FsFile>> {
        let mut options = OpenOptions::new();
        options.read(opts.read).write(opts.write).create(opts.create).create_new(opts.create_new);
        options.truncate(opts.truncate).append(opts.append);
        Ok(Box::new(options.open(path)?))
    }

    fn create_dir_all(&self, path: &Path) -> Result<()> {
        fs::create_dir_all(path)
    }

    fn create_dir(&self, path: &Path) -> Result<()> {
        fs::create_dir(path)
    }

    fn read_dir(&self, path: &Path) -> Result<Vec<FsDirEntry>> {
        let mut entries = Vec::new();
        for entry in fs::read_dir(path)? {
            let entry = entry?;
            let not_text = |name| Error::new(ErrorKind::InvalidData, format!("a name that is not UTF-8: {name:?}"));
            let file_name = entry.file_name().into_string().map_err(not_text)?;
            entries.push(FsDirEntry { path: entry.path(), file_name, is_dir: entry.file_type()?.is_dir() });
        }
        Ok(entries)
    }

    fn remove_file(&self, path: &Path) -> Result<()> {
        fs::remove_file(path)
    }

    fn remove_dir_all(&self, path: &Path) -> Result<()> {
        fs::remove_dir_all(path)
    }

    fn rename(&self, from: &Path, to: &Path) -> Result<()> {
        fs::rename(from, to)
    }

    fn metadata(&self, path: &Path) -> Result<FsMetadata> {
        fs::metadata(path).map(|metadata| of_std(&metadata))
    }

    fn sync_directory(&self, path: &Path) -> Result<()> {
        File::open(path)?.sync_all()
    }

    fn sync_directory_with(&self, path: &Path, _mode: SyncMode) -> Result<()> {
        self.sync_directory(path)
    }

    fn exists(&self, path: &Path) -> Result<bool> {
        fs::exists(path)
    }

    fn hard_link(&self, src: &Path, dst: &Path) -> Result<()> {
        fs::hard_link(src, dst)
    }

    fn hard_link_count(&self, path: &Path) -> Result<u64> {
        std_names_of(path)
    }

    fn backend_id(&self) -> Option<u64> {
        Some(BACKEND)
    }

    fn native(&self) -> Option<Arc<dyn sediment_env::Fs>> {
        Some(Arc::new(sediment_env::StdFs))
    }
}

impl FsFile for File {
    fn sync_all(&self) -> Result<()> {
        Self::sync_all(self)
    }

    fn sync_data(&self) -> Result<()> {
        Self::sync_data(self)
    }

    fn metadata(&self) -> Result<FsMetadata> {
        Self::metadata(self).map(|metadata| of_std(&metadata))
    }

    fn set_len(&self, size: u64) -> Result<()> {
        Self::set_len(self, size)
    }

    fn read_at(&self, buf: &mut [u8], offset: u64) -> Result<usize> {
        let mut done = 0;
        while done < buf.len() {
            match read_std_file_at(self, offset + done as u64, &mut buf[done..]) {
                Ok(0) => break,
                Ok(count) => done += count,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(done)
    }

    fn lock_exclusive(&self) -> Result<()> {
        self.lock()
    }
}

fn of_std(metadata: &fs::Metadata) -> FsMetadata {
    FsMetadata { len: metadata.len(), is_dir: metadata.is_dir(), is_file: metadata.is_file() }
}
