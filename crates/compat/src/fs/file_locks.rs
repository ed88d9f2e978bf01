//! `FileLocks`: which files of a file system in memory are locked. Shared; who wants a lock that another has waits for it.

use std::{
    collections::BTreeSet,
    path::{Component, Path, PathBuf},
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
};

/// The locks of one file system.
#[derive(Debug, Default)]
pub(super) struct FileLocks {
    held: Mutex<BTreeSet<PathBuf>>,
    freed: Condvar,
}

/// A lock, given back when it goes.
#[derive(Debug)]
pub(super) struct FileLock {
    locks: Arc<FileLocks>,
    path: PathBuf,
}

impl FileLocks {
    /// Waits for the lock of a file and takes it.
    pub(super) fn take(self: &Arc<Self>, path: &Path) -> FileLock {
        let path: PathBuf = path.components().filter(|part| *part != Component::CurDir).collect();
        let is_held = |held: &mut BTreeSet<PathBuf>| held.contains(&path);
        let mut held = self.freed.wait_while(self.held(), is_held).unwrap_or_else(PoisonError::into_inner);
        held.insert(path.clone());
        drop(held);
        FileLock { locks: Arc::clone(self), path }
    }

    fn held(&self) -> MutexGuard<'_, BTreeSet<PathBuf>> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for FileLock {
    fn drop(&mut self) {
        self.locks.held().remove(&self.path);
        self.locks.freed.notify_all();
    }
}
