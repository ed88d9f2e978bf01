//! Which files of the log are still needed.

use crate::wal::files::LiveFile;
use sediment_base::{Result, SeqNo, WalId};
use std::sync::{
    Mutex, MutexGuard,
    atomic::{AtomicUsize, Ordering},
};

/// The files whose records may be needed, and the ids that were never used. Shared.
#[derive(Debug)]
pub(crate) struct FileList {
    files: Mutex<Files>,
    count: AtomicUsize,
    /// Held while files go, which takes the system some milliseconds each: not with the list locked, for whoever writes needs it.
    removing: Mutex<()>,
}

#[derive(Debug)]
struct Files {
    /// Oldest first; the last one is written, if this process has written.
    live: Vec<LiveFile>,
    next_id: WalId,
}

impl FileList {
    pub(super) fn new(live: Vec<LiveFile>, next_id: WalId) -> Self {
        let count = AtomicUsize::new(live.len());
        Self { files: Mutex::new(Files { live, next_id }), count, removing: Mutex::new(()) }
    }

    /// An id for a new file, and the oldest file that is needed.
    pub(super) fn take_id(&self) -> (WalId, WalId) {
        let mut files = self.lock();
        let id = files.next_id;
        files.next_id = id.next();
        (id, files.live.first().map_or(id, |file| file.id))
    }

    /// A new file is written from now on; every record of those before is below `seqno`. `before_bytes` is the length of the last.
    pub(super) fn begin(&self, id: WalId, seqno: SeqNo, before_bytes: Option<u64>) {
        let mut files = self.lock();
        if let Some(last) = files.live.last_mut() {
            last.end_seqno = seqno;
            last.bytes = before_bytes.unwrap_or(last.bytes);
        }
        files.live.push(LiveFile { id, end_seqno: SeqNo::MAX, bytes: 0 });
        self.count.store(files.live.len(), Ordering::Relaxed);
    }

    /// Whether any but the one that is written is needed.
    #[inline]
    pub(super) fn has_full(&self) -> bool {
        self.count.load(Ordering::Relaxed) > 1
    }

    /// The seqno after the records of the oldest file, if it is not the only one.
    pub(super) fn oldest_end(&self) -> Option<SeqNo> {
        let files = self.lock();
        (files.live.len() > 1).then(|| files.live[0].end_seqno)
    }

    /// The first file that is needed, if older ones can go.
    pub(super) fn oldest_needed(&self, needed_from: SeqNo) -> Option<WalId> {
        let files = self.lock();
        let removable = files.live.iter().take_while(|file| file.end_seqno <= needed_from).count();
        (removable > 0).then(|| files.live.get(removable).map(|file| file.id)).flatten()
    }

    /// Removes the files before `oldest`, with `remove`. The list is not locked meanwhile.
    pub(super) fn remove_before(&self, oldest: WalId, mut remove: impl FnMut(WalId) -> Result<()>) -> Result<()> {
        let _removing = self.removing();
        let first = || self.lock().live.first().map(|file| file.id).filter(|first| *first < oldest);
        while let Some(id) = first() {
            remove(id)?;
            let mut files = self.lock();
            files.live.remove(0);
            self.count.store(files.live.len(), Ordering::Relaxed);
        }
        Ok(())
    }

    /// How many there are, and bytes of all but the one that is written.
    pub(super) fn size(&self) -> (usize, u64) {
        let files = self.lock();
        (files.live.len(), files.live.iter().map(|file| file.bytes).sum())
    }

    /// Runs `work` while no file goes.
    pub(super) fn while_still<T>(&self, work: impl FnOnce() -> T) -> T {
        let _removing = self.removing();
        work()
    }

    fn removing(&self) -> MutexGuard<'_, ()> {
        self.removing.lock().expect("removing files does not panic")
    }

    fn lock(&self) -> MutexGuard<'_, Files> {
        self.files.lock().expect("no code panics under this lock")
    }
}
