//! What is visible, and who holds on to something older.
//!
//! The visible seqno is one above the newest commit that readers may see; it only rises, in the order of commits, under the
//! log's lock. Snapshots are registered under a lock; under the same lock a flush or compaction samples what it must keep, so
//! that no snapshot is ever taken at a seqno whose versions are being dropped. Shared.

use sediment_base::SeqNo;
use sediment_tree::Retention;
use std::{
    collections::BTreeMap,
    panic::Location,
    sync::{
        Arc, Mutex, MutexGuard,
        atomic::{AtomicU64, Ordering},
    },
};

/// The visible seqno and the open snapshots.
#[derive(Debug)]
pub(crate) struct Snapshots {
    visible: AtomicU64,
    pins: Mutex<Pins>,
}

#[derive(Debug, Default)]
struct Pins {
    open: BTreeMap<(SeqNo, u64), &'static Location<'static>>,
    next: u64,
}

/// One open snapshot; closed on drop.
#[derive(Debug)]
pub(crate) struct Pin {
    snapshots: Arc<Snapshots>,
    key: (SeqNo, u64),
}

impl Snapshots {
    /// No snapshot is open, and everything below `visible` can be seen.
    pub(crate) fn new(visible: SeqNo) -> Self {
        Self { visible: AtomicU64::new(visible), pins: Mutex::default() }
    }

    /// The read seqno of a read that begins now.
    #[inline]
    pub(crate) fn visible(&self) -> SeqNo {
        self.visible.load(Ordering::Acquire)
    }

    /// Lets readers see everything below `seqno`. Called under the log's lock, in order.
    #[inline]
    pub(crate) fn publish(&self, seqno: SeqNo) {
        self.visible.store(seqno, Ordering::Release);
    }

    /// Holds what is visible now.
    #[track_caller]
    pub(crate) fn pin(self: &Arc<Self>) -> Pin {
        let mut pins = self.lock();
        let key = (self.visible(), pins.next);
        pins.next += 1;
        pins.open.insert(key, Location::caller());
        Pin { snapshots: Arc::clone(self), key }
    }

    /// What a flush or compaction that begins now must keep.
    pub(crate) fn retention(&self) -> Retention {
        let pins = self.lock();
        let mut seqnos: Vec<SeqNo> = pins.open.keys().map(|(seqno, _)| *seqno).collect();
        seqnos.dedup();
        Retention::Snapshots { pins: seqnos, horizon: self.visible(), keep_all_from: SeqNo::MAX }
    }

    /// Every read seqno in use, ascending; the last one is the visible seqno.
    pub(crate) fn in_use(&self) -> Vec<SeqNo> {
        let pins = self.lock();
        pins.open.keys().map(|(seqno, _)| *seqno).chain([self.visible()]).collect()
    }

    /// Open snapshots, oldest first, and where in the program each was made.
    pub(crate) fn open(&self) -> Vec<(SeqNo, &'static Location<'static>)> {
        self.lock().open.iter().map(|((seqno, _), location)| (*seqno, *location)).collect()
    }

    fn lock(&self) -> MutexGuard<'_, Pins> {
        self.pins.lock().expect("no code panics under this lock")
    }
}

impl Pin {
    /// The read seqno that it holds.
    pub(crate) fn seqno(&self) -> SeqNo {
        self.key.0
    }
}

impl Drop for Pin {
    fn drop(&mut self) {
        self.snapshots.lock().open.remove(&self.key);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn retention_names_each_pinned_seqno_once_and_the_horizon() {
        let snapshots = Arc::new(Snapshots::new(5));
        let (first, second) = (snapshots.pin(), snapshots.pin());
        snapshots.publish(9);
        let third = snapshots.pin();
        let expected = |pins: &[SeqNo]| Retention::Snapshots { pins: pins.to_vec(), horizon: 9, keep_all_from: SeqNo::MAX };
        assert_eq!(snapshots.retention(), expected(&[5, 9]));
        assert_eq!((first.seqno(), third.seqno(), snapshots.open().len()), (5, 9, 3));
        assert!(snapshots.open()[0].1.file().ends_with("snapshot.rs"));
        drop(first);
        assert_eq!(snapshots.retention(), expected(&[5, 9]));
        drop(second);
        assert_eq!((snapshots.retention(), snapshots.in_use()), (expected(&[9]), vec![9, 9]));
    }
}
