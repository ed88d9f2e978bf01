//! The queue of files that nothing names any more: the only place that unlinks tables.
//!
//! A file comes here when the edit that removed it is durable and its last holder has let go. Nothing is unlinked where a
//! holder lets go: that may be in the middle of a read, and the file system can take tens of milliseconds for a large file. Whoever
//! next changes the version or ends a scan asks the caller's [`Reclaimer`] to have it done, or does it, where there is none. After the
//! last handle is gone nothing is unlinked at all, because the directory may belong to somebody else by then; what is left
//! then moves to `lost/` after the next open.
//!
//! Files that nothing named when the tree was opened are *orphans*: outputs of a job that a crash cut short, or what a damaged
//! log forgot. They are set aside in `lost/`, and go once a generation of the manifest is in place that was begun afterwards,
//! but only if the manifest had ended as a finished record ends. Shared.

use crate::{
    options::{Reclaimer, TreeOptions},
    version::{Garbage, TableHome},
};
use sediment_base::{Listeners, Result, Stats, event::TableDeleted, filename, stats::Counter};
use sediment_env::{Fs, fs::is_already_exists};
use std::{
    path::Path,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};

/// The files of a tree that may go. Held by the tree and by every super-version.
#[derive(Debug)]
pub(crate) struct Obsolete {
    home: Arc<TableHome>,
    listeners: Arc<Listeners>,
    reclaimer: Option<Arc<dyn Reclaimer>>,
    is_closed: AtomicBool,
    is_dropped: AtomicBool,
    orphans: Mutex<Orphans>,
}

/// Files that nothing named when the tree was opened.
#[derive(Debug, Default)]
pub(crate) struct Orphans {
    /// Path within the tree's directory, and the name that each gets in `lost/`.
    pub(crate) found: Vec<(String, String)>,
    /// Names in `lost/`.
    pub(crate) lost: Vec<String>,
    /// Whether the manifest ended as a finished record ends.
    pub(crate) is_clean: bool,
}

impl Obsolete {
    pub(crate) fn new(home: Arc<TableHome>, options: &TreeOptions, orphans: Orphans) -> Arc<Self> {
        let (is_closed, is_dropped) = (AtomicBool::new(false), AtomicBool::new(false));
        let (listeners, reclaimer) = (Arc::clone(&options.listeners), options.reclaimer.clone());
        Arc::new(Self { home, listeners, reclaimer, is_closed, is_dropped, orphans: Mutex::new(orphans) })
    }

    /// Where the tree counts.
    pub(crate) fn stats(&self) -> &Arc<Stats> {
        &self.home.context.stats
    }

    /// Whether there is anything for [`Obsolete::move_orphans`].
    pub(crate) fn has_orphans(&self) -> bool {
        !self.orphans().found.is_empty()
    }

    /// Moves orphans to `lost/`; how many.
    pub(crate) fn move_orphans(&self) -> Result<usize> {
        let mut orphans = self.orphans();
        let (fs, dir) = (&self.home.context.fs, &self.home.dir);
        if orphans.found.is_empty() {
            return Ok(0);
        }
        let lost = dir.join(filename::LOST_DIR);
        match fs.create_dir(&lost) {
            Err(error) if !is_already_exists(&error) => return Err(error),
            _ => {}
        }
        let mut count = 0;
        while let Some((from, to)) = orphans.found.pop() {
            fs.rename(&dir.join(from), &lost.join(&to))?;
            orphans.lost.push(to);
            count += 1;
        }
        fs.sync_dir(&lost)?;
        fs.sync_dir(dir)?;
        Ok(count)
    }

    /// A new generation of the manifest is in place: what was lost before it is garbage now.
    pub(crate) fn forget_lost(&self) {
        let mut orphans = self.orphans();
        if orphans.is_clean {
            let lost = self.home.dir.join(filename::LOST_DIR);
            for name in orphans.lost.drain(..) {
                let fs = &self.home.context.fs;
                let _ = fs.remove_file(&lost.join(&name)).or_else(|_| fs.remove_dir(&lost.join(name)));
            }
        }
    }

    fn orphans(&self) -> MutexGuard<'_, Orphans> {
        self.orphans.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Has what nobody holds unlinked: by the reclaimer, or at once where there is none.
    pub(crate) fn reclaim_soon(&self) {
        match &self.reclaimer {
            None => self.reclaim_all(),
            Some(reclaimer) if self.home.garbage_count() > 0 => reclaimer.wanted(),
            Some(_) => {}
        }
    }

    /// Unlinks one file that nobody holds; false if there is none. A failure leaves the file to be found as an orphan. Tells
    /// listeners: hold no lock that readers or writers need.
    pub(crate) fn reclaim_one(&self) -> bool {
        if self.is_closed.load(Ordering::Acquire) {
            return false;
        }
        let Some(Garbage { id: table, opened }) = self.home.take_garbage() else { return false };
        drop(opened);
        let path = self.home.path(table);
        if self.home.context.fs.remove_file(&path).is_ok() {
            self.stats().add(Counter::TablesDeleted, 1);
            self.listeners.tell(|| TableDeleted { path, table });
        }
        true
    }

    fn reclaim_all(&self) {
        while self.reclaim_one() {}
    }

    /// The last handle is gone: no more unlinking.
    pub(crate) fn close(&self) {
        self.reclaim_all();
        self.is_closed.store(true, Ordering::Release);
    }

    /// The whole tree may go when nobody holds any of it.
    pub(crate) fn remove_all_when_unused(&self) {
        self.is_dropped.store(true, Ordering::Release);
    }
}

impl Drop for Obsolete {
    fn drop(&mut self) {
        if self.is_dropped.load(Ordering::Acquire) {
            remove_tree(&*self.home.context.fs, &self.home.dir);
        }
    }
}

/// Removes a tree's directory and all that lies in it, as far as it can.
fn remove_tree(fs: &dyn Fs, dir: &Path) {
    for entry in fs.read_dir(dir).unwrap_or_default() {
        let path = dir.join(&entry.name);
        if entry.is_dir {
            for inner in fs.read_dir(&path).unwrap_or_default() {
                let _ = fs.remove_file(&path.join(inner.name));
            }
            let _ = fs.remove_dir(&path);
        } else {
            let _ = fs.remove_file(&path);
        }
    }
    let _ = fs.remove_dir(dir);
}
