//! The range tombstones of a memtable.
//!
//! Few where there are any, and asked by every read: so writers take a lock and publish a new list, and readers take none. The newest
//! ones lie in a short *tail*, looked at one by one; a longer one goes into the set that is quick to ask, which is then made
//! anew, so that each is moved a few times at most.

use sediment_base::{Error, ErrorKind, KeyOrder, RangeTombstone, RangeTombstones, Result, SeqNo};
use sediment_raw::epoch::Swap;
use std::sync::{
    Arc, Mutex, MutexGuard, PoisonError,
    atomic::{AtomicU64, AtomicUsize, Ordering},
};

/// Range tombstones, added and asked by any thread.
pub(super) struct Tombstones {
    order: KeyOrder,
    /// How many: what most readers ask, and no more.
    count: AtomicUsize,
    bytes: AtomicUsize,
    min_seqno: AtomicU64,
    max_seqno: AtomicU64,
    current: Swap<Listed>,
    /// Whether no more are taken. Held while one is added.
    is_closed: Mutex<bool>,
}

#[derive(Debug, Default)]
struct Listed {
    set: Arc<RangeTombstones>,
    tail: Vec<RangeTombstone>,
}

/// A tail of this length, and of one part in [`TAIL_SHARE`] of the set, goes into it.
const TAIL_MIN: usize = 16;
const TAIL_SHARE: usize = 8;

impl Tombstones {
    pub(super) fn new(order: KeyOrder) -> Self {
        let (count, bytes) = (AtomicUsize::new(0), AtomicUsize::new(0));
        let (min_seqno, max_seqno) = (AtomicU64::new(SeqNo::MAX), AtomicU64::new(0));
        Self { order, count, bytes, min_seqno, max_seqno, current: Swap::new(Arc::default()), is_closed: Mutex::new(false) }
    }

    /// None yet, for the memtable that follows.
    pub(super) fn successor(&self) -> Self {
        Self::new(self.order.clone())
    }

    /// Adds one. Fails with `Closed` once the memtable is closed.
    pub(super) fn add(&self, tombstone: RangeTombstone) -> Result<()> {
        let is_closed = self.lock();
        if *is_closed {
            return Err(Error::new(ErrorKind::Closed, "the flush of the memtable has begun"));
        }
        self.min_seqno.fetch_min(tombstone.seqno, Ordering::Relaxed);
        self.max_seqno.fetch_max(tombstone.seqno, Ordering::Relaxed);
        self.bytes.fetch_add(Self::bytes_of(&tombstone), Ordering::Relaxed);
        let before = self.current.load_full();
        let mut tail = before.tail.clone();
        tail.push(tombstone);
        let is_long = tail.len() >= TAIL_MIN.max(before.set.len() / TAIL_SHARE);
        let listed = Listed { set: Arc::clone(&before.set), tail };
        self.current.store(Arc::new(if is_long { self.settled(&listed) } else { listed }));
        self.count.fetch_add(1, Ordering::Release);
        Ok(())
    }

    /// The newest that covers a key and is visible at `read_seqno`; 0 if none is.
    #[inline]
    pub(super) fn cover(&self, key: &[u8], read_seqno: SeqNo) -> SeqNo {
        if self.is_empty() { 0 } else { self.cover_listed(key, read_seqno) }
    }

    #[cold]
    fn cover_listed(&self, key: &[u8], read_seqno: SeqNo) -> SeqNo {
        let listed = self.current.load();
        let covers = |t: &&RangeTombstone| t.seqno < read_seqno && t.contains(key, &self.order);
        let in_tail = listed.tail.iter().filter(covers).map(|tombstone| tombstone.seqno).max();
        listed.set.cover(key, read_seqno, &self.order).max(in_tail.unwrap_or(0))
    }

    /// All of them; `None` if there are none. O(n log n) after a change, else O(1).
    pub(super) fn all(&self) -> Option<Arc<RangeTombstones>> {
        if self.is_empty() {
            return None;
        }
        let listed = self.current.load_full();
        if listed.tail.is_empty() {
            return Some(Arc::clone(&listed.set));
        }
        let _no_other = self.lock();
        let settled = self.settled(&self.current.load_full());
        let set = Arc::clone(&settled.set);
        self.current.store(Arc::new(settled));
        Some(set)
    }

    #[inline]
    pub(super) fn is_empty(&self) -> bool {
        self.count.load(Ordering::Acquire) == 0
    }

    pub(super) fn len(&self) -> usize {
        self.count.load(Ordering::Acquire)
    }

    /// The lowest and the highest seqno.
    pub(super) fn marks(&self) -> Option<(SeqNo, SeqNo)> {
        let marks = || (self.min_seqno.load(Ordering::Relaxed), self.max_seqno.load(Ordering::Relaxed));
        (!self.is_empty()).then(marks)
    }

    /// Memory in use, about.
    pub(super) fn bytes(&self) -> usize {
        self.bytes.load(Ordering::Relaxed)
    }

    /// Takes no more.
    pub(super) fn close(&self) {
        *self.lock() = true;
    }

    /// The same with everything in the set.
    fn settled(&self, listed: &Listed) -> Listed {
        let all = listed.set.iter().chain(&listed.tail).cloned().collect();
        Listed { set: Arc::new(RangeTombstones::new(all, &self.order)), tail: Vec::new() }
    }

    /// What one takes, with its share of the set.
    fn bytes_of(tombstone: &RangeTombstone) -> usize {
        const SHARE_OF_SET: usize = 256;
        size_of::<RangeTombstone>() + tombstone.start.len() + tombstone.end.len() + SHARE_OF_SET
    }

    fn lock(&self) -> MutexGuard<'_, bool> {
        self.is_closed.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(index: u64) -> Vec<u8> {
        format!("{index:08}").into_bytes()
    }

    fn tombstone(index: u64) -> RangeTombstone {
        let key = |index: u64| key(index).as_slice().into();
        RangeTombstone { start: key(index), end: key(index + 3), seqno: index + 1 }
    }

    #[test]
    fn every_one_counts_from_when_it_was_added() {
        let tombstones = Tombstones::new(KeyOrder::bytewise());
        assert!(tombstones.all().is_none() && tombstones.marks().is_none());
        for index in 0..500 {
            tombstones.add(tombstone(index)).unwrap();
            assert_eq!(tombstones.cover(&key(index), 1000), index + 1);
            assert_eq!(tombstones.cover(&key(index), index + 1), index, "the one before reaches here as well");
            if index % 50 == 7 {
                assert_eq!(tombstones.all().unwrap().len() as u64, index + 1);
            }
        }
        assert_eq!((tombstones.len(), tombstones.marks()), (500, Some((1, 500))));
        tombstones.close();
        assert_eq!(tombstones.add(tombstone(9)).unwrap_err().kind(), ErrorKind::Closed);
    }
}
