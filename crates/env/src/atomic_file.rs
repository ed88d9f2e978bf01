//! Replacing a small file so that a crash leaves the old bytes or the new.
//!
//! Order: write `<name>.tmp`, sync it, rename it over `<name>`, sync the directory. A leftover of an earlier attempt is removed
//! first, never written into: its unsynced bytes could come back.

use crate::fs::{File, Fs, is_not_found};
use sediment_base::{Error, Result};
use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

/// Replaces, or makes, the file at `path`. When it returns, the new bytes survive power loss under that name. After an error
/// either may be there, now and after a crash.
pub fn replace(fs: &dyn Fs, path: &Path, bytes: &[u8]) -> Result<()> {
    let (file, temporary) = write_beside(fs, path, bytes)?;
    file.sync_all()?;
    drop(file);
    fs.rename(&temporary, path)?;
    fs.sync_dir(path.parent().unwrap_or(Path::new("")))
}

/// Replaces, or makes, the file at `path` so that who reads it sees the old bytes or the new. Nothing is synced: after a crash
/// there may be anything under that name. For what is of use only while its writer lives.
pub fn replace_unsynced(fs: &dyn Fs, path: &Path, bytes: &[u8]) -> Result<()> {
    let (file, temporary) = write_beside(fs, path, bytes)?;
    drop(file);
    fs.rename(&temporary, path)
}

/// Writes the bytes to `<name>.tmp`.
fn write_beside(fs: &dyn Fs, path: &Path, bytes: &[u8]) -> Result<(Arc<dyn File>, PathBuf)> {
    let (Some(dir), Some(name)) = (path.parent(), path.file_name()) else {
        return Err(Error::invalid_input("the path names no file").in_file(path));
    };
    let mut temporary = name.to_os_string();
    temporary.push(".tmp");
    let temporary = dir.join(temporary);
    match fs.remove_file(&temporary) {
        Err(error) if !is_not_found(&error) => return Err(error),
        _ => {}
    }
    let file = fs.create(&temporary)?;
    file.write_at(0, bytes)?;
    Ok((file, temporary))
}
