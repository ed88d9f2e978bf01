//! What is visible, and who holds on to something older.
//!
//! The visible seqno is one above the newest commit that readers may see. It only rises, in the order of commits: a ratchet that
//! each commit moves when it is applied, past all that are applied before it in the order. Snapshots are registered under a lock; under the same lock a flush or compaction samples what it must keep, so
//! that no snapshot is ever taken at a seqno whose versions are being dropped. Shared.

use crate::wal::{Fatal, Lots, wait_briefly};
use sediment_base::{Result, SeqNo};
use sediment_raw::ratchet::{Ratchet, Ticket, Tickets};
use sediment_tree::Retention;
use std::{
    collections::BTreeMap,
    panic::Location,
    sync::{Arc, Mutex, MutexGuard},
};

/// Commits that may be applied at the same time.
const COMMITS_MAX: usize = 4096;

/// The visible seqno and the open snapshots.
#[derive(Debug)]
pub(crate) struct Snapshots {
    visible: Arc<Ratchet>,
    fatal: Arc<Fatal>,
    lots: Arc<Lots>,
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

/// The places of commits to come in the order of visibility; everything below `visible` can be seen.
pub(crate) fn tickets(visible: SeqNo) -> Tickets {
    Tickets::new(visible, COMMITS_MAX)
}

impl Snapshots {
    /// No snapshot is open; what can be seen follows the commits that have these tickets.
    pub(crate) fn new(tickets: &Tickets, fatal: Arc<Fatal>, lots: Arc<Lots>) -> Self {
        Self { visible: Arc::clone(tickets.ratchet()), fatal, lots, pins: Mutex::default() }
    }

    /// The read seqno of a read that begins now.
    #[inline]
    pub(crate) fn visible(&self) -> SeqNo {
        self.visible.level()
    }

    /// A commit is applied. Returns once it is visible, and with it all before it.
    pub(crate) fn pass(&self, ticket: Ticket, end: SeqNo) -> Result<()> {
        self.visible.finish(ticket);
        self.lots.visible.wake_all();
        self.wait_visible(end)
    }

    /// Returns once every commit below `end` is visible.
    pub(crate) fn wait_visible(&self, end: SeqNo) -> Result<()> {
        if self.visible() >= end {
            return Ok(());
        }
        wait_briefly(&*self.lots.visible, &mut || self.visible() >= end || self.fatal.is_set());
        if self.visible() >= end { Ok(()) } else { self.fatal.check() }
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
    use crate::instruments::Instruments;

    #[test]
    fn retention_names_each_pinned_seqno_once_and_the_horizon() {
        let lots = Arc::new(Lots::new(&sediment_env::ThreadPark::new()));
        let fatal = Fatal::new(Arc::clone(&lots), Arc::clone(&Instruments::for_tests().events));
        let mut tickets = tickets(5);
        let snapshots = Arc::new(Snapshots::new(&tickets, Arc::new(fatal), lots));
        let (first, second) = (snapshots.pin(), snapshots.pin());
        let ticket = tickets.take(9).expect("room");
        snapshots.pass(ticket, 9).expect("nothing is before it");
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
