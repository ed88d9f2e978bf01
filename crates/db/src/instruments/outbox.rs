//! `Outbox`: events on their way to the listeners.
//!
//! An event happens where locks are held: a log file begins while the log is led, a table appears while maintenance runs. It is told
//! by the same thread, but only where that holds nothing that a read or a write of a listener could need: it is *posted* where it
//! happens, and *delivered* at the end of the call or the piece of background work, the oldest first. Shared; where nobody listens
//! both cost a branch.

use sediment_base::{
    EventListener, Listeners,
    event::{Event, TableCreated, TableDeleted},
};
use std::{
    collections::VecDeque,
    fmt,
    ops::Deref,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    thread::{self, ThreadId},
};

/// Events that happened and are not told yet, and who is told.
pub(crate) struct Outbox {
    listeners: Listeners,
    waiting: Mutex<VecDeque<(ThreadId, Box<dyn Event>)>>,
    /// How many wait, to be asked without the lock.
    count: AtomicUsize,
}

impl Outbox {
    pub(super) fn new(listeners: Vec<Arc<dyn EventListener>>) -> Self {
        Self { listeners: Listeners::new(listeners), waiting: Mutex::default(), count: AtomicUsize::new(0) }
    }

    /// Keeps the event that `make` gives for its delivery by this thread. Where nobody listens, it is not made.
    #[inline]
    pub(crate) fn post<E: Event + 'static>(&self, make: impl FnOnce() -> E) {
        if !self.listeners.is_empty() {
            self.put(Box::new(make()));
        }
    }

    /// Whether anybody listens.
    #[inline]
    pub(crate) fn is_heard(&self) -> bool {
        !self.listeners.is_empty()
    }

    /// Tells what this thread has posted. To be called without any lock that a read or a write needs.
    #[inline]
    pub(crate) fn deliver(&self) {
        if self.count.load(Ordering::Relaxed) > 0 {
            self.tell_those(|poster| poster == thread::current().id());
        }
    }

    /// Delivers when it is dropped. To be made first in a call, so that it is dropped when nothing is held any more.
    #[inline]
    pub(crate) fn delivery(&self) -> Delivery<&Self> {
        Delivery(self)
    }

    /// Tells what is left, whoever posted it: the threads of the database have ended.
    pub(crate) fn deliver_all(&self) {
        self.tell_those(|_| true);
    }

    /// For the trees: what they tell is posted here.
    pub(crate) fn for_trees(self: &Arc<Self>) -> Arc<Listeners> {
        let this: Arc<dyn EventListener> = Arc::<Self>::clone(self);
        Arc::new(Listeners::new(if self.listeners.is_empty() { Vec::new() } else { vec![this] }))
    }

    /// How many calls of listeners ended with a panic.
    pub(crate) fn panics(&self) -> u64 {
        self.listeners.panics()
    }

    #[cold]
    fn put(&self, event: Box<dyn Event>) {
        self.lock().push_back((thread::current().id(), event));
        self.count.fetch_add(1, Ordering::Relaxed);
    }

    /// One at a time: a listener that calls the database comes by here as well, and then the rest is told in its order.
    #[cold]
    fn tell_those(&self, is_meant: impl Fn(ThreadId) -> bool) {
        while let Some(event) = self.take_one(&is_meant) {
            self.listeners.tell_made(&*event);
        }
    }

    fn take_one(&self, is_meant: &impl Fn(ThreadId) -> bool) -> Option<Box<dyn Event>> {
        let mut waiting = self.lock();
        let first = waiting.iter().position(|(poster, _)| is_meant(*poster))?;
        let (_, event) = waiting.remove(first)?;
        self.count.fetch_sub(1, Ordering::Relaxed);
        Some(event)
    }

    fn lock(&self) -> MutexGuard<'_, VecDeque<(ThreadId, Box<dyn Event>)>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Tells what this thread has posted, at the end of a call.
#[derive(Debug)]
#[must_use = "it delivers where it is dropped"]
pub(crate) struct Delivery<O: Deref<Target = Outbox>>(O);

impl Delivery<Arc<Outbox>> {
    /// The same at the end of something that outlives the call: of a scan that goes and takes files with it.
    pub(crate) fn at_end(outbox: &Arc<Outbox>) -> Self {
        Self(Arc::clone(outbox))
    }

    /// Delivers already.
    #[inline]
    pub(crate) fn now(&self) {
        self.0.deliver();
    }
}

impl<O: Deref<Target = Outbox>> Drop for Delivery<O> {
    #[inline]
    fn drop(&mut self) {
        self.0.deliver();
    }
}

/// What trees tell.
impl EventListener for Outbox {
    fn table_created(&self, event: &TableCreated) {
        self.post(|| event.clone());
    }

    fn table_deleted(&self, event: &TableDeleted) {
        self.post(|| event.clone());
    }
}

impl fmt::Debug for Outbox {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Outbox").field("listeners", &self.listeners).field("waiting", &self.count).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use sediment_base::{WalId, event::WalFileBegun};

    /// Notes what it hears, and delivers itself, as a listener does that calls the database.
    #[derive(Default)]
    struct Meddler {
        heard: Mutex<Vec<u64>>,
        outbox: std::sync::OnceLock<Arc<Outbox>>,
    }

    impl EventListener for Meddler {
        fn wal_file_begun(&self, event: &WalFileBegun) {
            self.heard.lock().expect("no panic under it").push(event.wal.0);
            self.outbox.get().expect("set before").deliver();
        }
    }

    #[test]
    fn each_thread_tells_what_it_posted_in_order() {
        let meddler = Arc::new(Meddler::default());
        let outbox = Arc::new(Outbox::new(vec![Arc::<Meddler>::clone(&meddler)]));
        assert!(meddler.outbox.set(Arc::clone(&outbox)).is_ok());
        let post = |id| outbox.post(|| WalFileBegun { wal: WalId(id) });
        let heard = || std::mem::take(&mut *meddler.heard.lock().expect("no panic under it"));
        (1..=3).for_each(post);
        thread::scope(|scope| scope.spawn(|| outbox.deliver()).join().expect("no panic"));
        assert_eq!(heard(), [] as [u64; 0], "they are another thread's");
        outbox.deliver();
        assert_eq!(heard(), [1, 2, 3]);
        thread::scope(|scope| scope.spawn(|| post(4)).join().expect("no panic"));
        outbox.deliver();
        assert_eq!(heard(), [] as [u64; 0]);
        outbox.deliver_all();
        assert_eq!(heard(), [4]);
        assert!(!outbox.for_trees().is_empty());
        assert!(Arc::new(Outbox::new(Vec::new())).for_trees().is_empty());
    }
}
