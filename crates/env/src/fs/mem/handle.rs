//! What an open simulated disk hands out: files, logs, locks.

use super::{
    MemFs,
    disk::{Edit, Inode},
    op::Op,
};
use crate::fs::{DirLock, File, LogFile, whole::write_whole};
use sediment_base::{
    Error, Result,
    planted::{Bug, planted},
};
use std::{fmt, io, path::Path, sync::Arc};

/// An open file. Keeps its bytes alive when their last name goes.
pub(super) struct MemFile {
    pub(super) fs: MemFs,
    pub(super) inode: Inode,
    pub(super) path: Arc<Path>,
}

impl MemFile {
    fn apply(&self, op: Op) {
        self.fs.write().apply(op, &self.path);
    }

    fn write_all(&self, offset: u64, bytes: &[u8]) -> Result<()> {
        if offset.checked_add(bytes.len() as u64).is_none() {
            return Err(Error::io("write", &self.path, io::ErrorKind::FileTooLarge.into()));
        }
        write_whole(offset, bytes, |at, rest| Ok(self.write_some(at, rest))).map_err(|e| Error::io("write", &self.path, e))
    }

    /// One call of the system. It takes everything, but for every sixteenth call where a loop that ignores that is to be found.
    fn write_some(&self, offset: u64, bytes: &[u8]) -> usize {
        let mut state = self.fs.write();
        state.write_calls += 1;
        let is_short = planted(Bug::IgnoreShortWrite) && state.write_calls.is_multiple_of(16);
        let taken = if is_short { bytes.len().div_ceil(2) } else { bytes.len() };
        let edit = Edit::Write { offset, bytes: bytes[..taken].into() };
        state.apply(Op::Edit { inode: self.inode, edit }, &self.path);
        taken
    }
}

impl File for MemFile {
    fn read_at(&self, offset: u64, buf: &mut [u8]) -> Result<usize> {
        let state = self.fs.read();
        Ok(state.disk.content(self.inode).map_or(0, |content| content.read_at(offset, buf)))
    }

    fn write_at(&self, offset: u64, bytes: &[u8]) -> Result<()> {
        self.write_all(offset, bytes)
    }

    fn len(&self) -> Result<u64> {
        Ok(self.fs.read().disk.content(self.inode).map_or(0, |content| content.len()))
    }

    fn set_len(&self, len: u64) -> Result<()> {
        self.apply(Op::Edit { inode: self.inode, edit: Edit::SetLen(len) });
        Ok(())
    }

    /// Keeps nothing in memory that it could lose, and notes what a system would.
    fn evict(&self, offset: u64, bytes: u64) {
        let mut state = self.fs.write();
        if !state.dirty.contains(&self.inode) {
            state.evicted.push((self.path.to_path_buf(), offset..offset + bytes));
        }
    }

    fn sync_data(&self) -> Result<()> {
        self.apply(Op::Sync { inode: self.inode, with_len: false });
        Ok(())
    }

    fn sync_all(&self) -> Result<()> {
        self.apply(Op::Sync { inode: self.inode, with_len: true });
        Ok(())
    }

    fn path(&self) -> &Path {
        &self.path
    }

    fn lose_unsynced(&self) {
        self.apply(Op::SyncLost { inode: self.inode });
    }
}

impl LogFile for MemFile {
    fn write_at(&self, offset: u64, bytes: &[u8]) -> Result<()> {
        self.write_all(offset, bytes)
    }

    fn sync(&self) -> Result<()> {
        self.sync_all()
    }

    fn is_mapped(&self) -> bool {
        self.fs.reserves_logs
    }

    fn path(&self) -> &Path {
        &self.path
    }

    fn lose_unsynced(&self) {
        File::lose_unsynced(self);
    }
}

impl fmt::Debug for MemFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "MemFile({})", self.path.display())
    }
}

impl Drop for MemFile {
    fn drop(&mut self) {
        let mut state = self.fs.write();
        if let Some(count) = state.handles.get_mut(&self.inode) {
            *count -= 1;
            if *count == 0 {
                state.handles.remove(&self.inode);
                state.reap(Some(self.inode));
            }
        }
    }
}

/// A lock that is held, and given back on drop.
pub(super) struct MemLock {
    pub(super) fs: MemFs,
    pub(super) inode: Inode,
}

impl DirLock for MemLock {}

impl fmt::Debug for MemLock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "MemLock({})", self.inode.0)
    }
}

impl Drop for MemLock {
    fn drop(&mut self) {
        self.fs.write().locks.remove(&self.inode);
    }
}
