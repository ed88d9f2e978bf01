//! What is visible, and who holds on to something older.
//!
//! The visible seqno is one above the newest commit below which all are applied. It only rises, in the order of commits: a ratchet that
//! each commit moves when it is applied, past all that are applied before it in the order.
//!
//! A commit that is applied before an older one of another thread need not wait for that, which may have lost its processor: it is
//! *promised*. A read of one key is made at the newest promise. It may miss the older commit, which has not returned, and which is one
//! write: had it come a moment later, the read would have missed it, too. Reads of several keys wait until all that was promised is
//! visible. Where the older commit is one of several writes, the newer one waits, for no read may find a part of it.
//!
//! Snapshots are registered under a lock; under the same lock a flush or compaction samples what it must keep, so that no snapshot is
//! ever taken at a seqno whose versions are being dropped. Shared.

use crate::wal::{Fatal, Lots, Placed, wait_briefly};
use sediment_base::{Error, ErrorKind, Result, SeqNo};
use sediment_raw::ratchet::{Finished, Ratchet, Ticket, Tickets};
use sediment_tree::Retention;
use std::{
    collections::BTreeMap,
    panic::Location,
    sync::{
        Arc, Mutex, MutexGuard,
        atomic::{AtomicBool, Ordering},
    },
};

/// Commits that may be applied at the same time.
const COMMITS_MAX: usize = 4096;

/// The visible seqno and the open snapshots.
#[derive(Debug)]
pub(crate) struct Snapshots {
    visible: Arc<Ratchet>,
    /// A commit was not applied: nothing behind it ever becomes visible.
    is_stuck: AtomicBool,
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

/// A commit that has its place in the order. Others wait until it is applied; if it is dropped before, they are told that they wait in
/// vain.
#[derive(Debug)]
#[must_use = "others wait until it is applied"]
pub(crate) struct Coming<'a> {
    snapshots: &'a Snapshots,
    ticket: Option<Ticket>,
    end: SeqNo,
}

/// The places of commits to come in the order of visibility; everything below `visible` can be seen.
pub(crate) fn tickets(visible: SeqNo) -> Tickets {
    Tickets::new(visible, COMMITS_MAX)
}

impl Snapshots {
    /// No snapshot is open; what can be seen follows the commits that have these tickets.
    pub(crate) fn new(tickets: &Tickets, fatal: Arc<Fatal>, lots: Arc<Lots>) -> Self {
        let (is_stuck, pins) = (AtomicBool::new(false), Mutex::default());
        Self { visible: Arc::clone(tickets.ratchet()), is_stuck, fatal, lots, pins }
    }

    /// A commit that takes seqnos has its place, and is about to be applied. Once for each.
    pub(crate) fn expect(&self, placed: &mut Placed<'_>) -> Coming<'_> {
        let ticket = placed.ticket.take().expect("it takes seqnos, and was not expected before");
        Coming { snapshots: self, ticket: Some(ticket), end: placed.end_seqno() }
    }

    /// Every commit below is applied.
    #[inline]
    pub(crate) fn visible(&self) -> SeqNo {
        self.visible.level()
    }

    /// The read seqno of a read of one key that begins now: every commit that has returned is below.
    #[inline]
    pub(crate) fn newest(&self) -> SeqNo {
        self.visible.newest()
    }

    /// Returns once every commit is visible that has returned, so that a read of many keys may begin at what is visible.
    #[inline]
    pub(crate) fn settle(&self) {
        let promised = self.newest();
        if self.visible() < promised {
            wait_briefly(&*self.lots.visible, &mut || self.visible() >= promised || self.is_stuck.load(Ordering::Acquire));
        }
    }

    /// Returns once every commit below `end` is visible.
    pub(crate) fn wait_visible(&self, end: SeqNo) -> Result<()> {
        if self.visible() >= end {
            return Ok(());
        }
        wait_briefly(&*self.lots.visible, &mut || self.visible() >= end || self.fatal.is_set());
        if self.visible() >= end { Ok(()) } else { self.fatal.check() }
    }

    /// Nothing becomes visible any more.
    #[cold]
    fn stick(&self) {
        self.is_stuck.store(true, Ordering::Release);
        self.fatal.set(Error::new(ErrorKind::Poisoned, "a thread panicked while it applied a commit that is in the log"));
        self.lots.visible.wake_all();
    }

    /// Holds what is visible now.
    #[track_caller]
    pub(crate) fn pin(self: &Arc<Self>) -> Pin {
        self.settle();
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

impl Coming<'_> {
    /// It is applied. Returns once reads that begin then find it.
    pub(crate) fn pass(mut self) -> Result<()> {
        let snapshots = self.snapshots;
        let ticket = self.ticket.take().expect("it is passed once");
        match snapshots.visible.finish(ticket) {
            Finished::Passed => {
                snapshots.lots.visible.wake_all();
                Ok(())
            }
            // Whoever finishes what this waits for finds it, and wakes those who wait.
            Finished::Promised => snapshots.fatal.check(),
            Finished::Early => snapshots.wait_visible(self.end),
        }
    }
}

impl Drop for Coming<'_> {
    #[inline]
    fn drop(&mut self) {
        if self.ticket.is_some() {
            self.snapshots.stick();
        }
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
    use sediment_raw::ratchet::Step;

    fn snapshots(visible: SeqNo) -> (Arc<Snapshots>, Tickets) {
        let lots = Arc::new(Lots::new(&sediment_env::ThreadPark::new()));
        let fatal = Fatal::new(Arc::clone(&lots), Arc::clone(&Instruments::for_tests().events));
        let tickets = tickets(visible);
        (Arc::new(Snapshots::new(&tickets, Arc::new(fatal), lots)), tickets)
    }

    /// A commit up to `end`, of one write or several.
    fn coming<'a>(snapshots: &'a Snapshots, tickets: &mut Tickets, end: SeqNo, step: Step) -> Coming<'a> {
        Coming { snapshots, ticket: tickets.take(end, step), end }
    }

    #[test]
    fn a_commit_waits_for_an_older_one_of_several_writes_and_reads_of_many_keys_for_both() {
        let (snapshots, mut tickets) = snapshots(5);
        let mut commit = |end, step| coming(&snapshots, &mut tickets, end, step);
        let (one, next) = (commit(6, Step::One), commit(7, Step::One));
        next.pass().expect("nothing has failed");
        assert_eq!((snapshots.visible(), snapshots.newest()), (5, 7));
        let (several, last) = (commit(9, Step::Several), commit(10, Step::One));
        std::thread::scope(|scope| {
            let pinned = scope.spawn(|| snapshots.pin().seqno());
            let passed = scope.spawn(|| last.pass().map(|()| snapshots.visible()));
            // Neither comes through, however long it has.
            (0..1000).for_each(|_| std::thread::yield_now());
            assert!(!pinned.is_finished() && !passed.is_finished());
            one.pass().expect("nothing is before it");
            assert!(pinned.join().expect("no panic") >= 7);
            assert!(!passed.is_finished());
            several.pass().expect("nothing is before it");
            assert_eq!(passed.join().expect("no panic").expect("nothing has failed"), 10);
        });
        assert_eq!((snapshots.visible(), snapshots.newest()), (10, 10));
    }

    #[test]
    fn nobody_waits_for_a_commit_that_is_never_applied() {
        let (snapshots, mut tickets) = snapshots(5);
        let mut commit = |end, step| coming(&snapshots, &mut tickets, end, step);
        let (lost, next, last) = (commit(6, Step::One), commit(7, Step::Several), commit(8, Step::One));
        next.pass().expect("nothing has failed");
        drop(lost);
        assert_eq!(last.pass().map_err(|error| error.kind()), Err(ErrorKind::Poisoned));
        assert_eq!((snapshots.pin().seqno(), snapshots.newest()), (5, 7));
    }

    #[test]
    fn retention_names_each_pinned_seqno_once_and_the_horizon() {
        let (snapshots, mut tickets) = snapshots(5);
        let (first, second) = (snapshots.pin(), snapshots.pin());
        coming(&snapshots, &mut tickets, 9, Step::Several).pass().expect("nothing is before it");
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
