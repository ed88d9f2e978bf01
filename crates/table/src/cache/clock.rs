//! The clock: which values go when there are too many.
//!
//! The hand goes round over the pages of all owners. A slot that was asked for lately loses one of its frequency, one that was not
//! loses its value. A value is admitted with frequency 0, on probation: it goes when the hand comes by, unless it was asked for
//! again until then. One that comes back soon after it went begins with 1 ([`Ghost`]), unless it is only a scan that passes by.
//!
//! Room is made before a value is put into its slot, so what is in slots never exceeds the capacity. Pages are held weakly: those of an
//! owner that is gone take their values with them, and leave the ring when the hand meets them or the ring has to grow.

use super::{ghost::Ghost, heat::Heat, pages::Page};
use sediment_base::{Account, MemoryBudget};
use sediment_raw::slots::{Limbo, Pointer, Slots};
use std::{
    fmt,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError, Weak,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
};

/// A value above this part of the capacity would empty the cache for itself.
const LARGEST_SHARE: u64 = 4;

/// What the values of a clock must tell. They are behind counted pointers.
pub(crate) trait Weigh: Pointer + Send + Sync {
    /// Memory that the value takes; never changes.
    fn bytes(&self) -> u64;
}

/// One capacity over the slots of many owners.
pub(crate) struct Clock<P: Weigh> {
    capacity_bytes: AtomicU64,
    used_bytes: AtomicU64,
    /// Is charged for the same bytes, beside whatever else it is charged for.
    budget: Arc<MemoryBudget>,
    misses: AtomicU64,
    /// How many numbers were given to values.
    numbers: AtomicU64,
    limbo: Arc<Limbo<P>>,
    ring: Mutex<Ring<P>>,
}

struct Ring<P: Weigh> {
    pages: Vec<Weak<Page<P>>>,
    /// The hand: a page, and a slot in it.
    page: usize,
    slot: usize,
    ghost: Ghost,
}

impl<P: Weigh> Clock<P> {
    pub(crate) fn new(capacity_bytes: u64, budget: Arc<MemoryBudget>) -> Self {
        let ring = Ring { pages: Vec::new(), page: 0, slot: 0, ghost: Ghost::new(capacity_bytes) };
        Self {
            capacity_bytes: AtomicU64::new(capacity_bytes),
            used_bytes: AtomicU64::new(0),
            budget,
            misses: AtomicU64::new(0),
            numbers: AtomicU64::new(0),
            limbo: Arc::new(Limbo::new()),
            ring: Mutex::new(ring),
        }
    }

    pub(crate) fn capacity_bytes(&self) -> u64 {
        self.capacity_bytes.load(Relaxed)
    }

    /// Changes the capacity, and makes room until it is kept.
    pub(crate) fn set_capacity_bytes(&self, bytes: u64) {
        let mut ring = self.ring();
        self.capacity_bytes.store(bytes, Relaxed);
        ring.ghost.resize(bytes);
        self.make_room(&mut ring);
        drop(ring);
        self.limbo.collect();
    }

    pub(crate) fn budget(&self) -> &Arc<MemoryBudget> {
        &self.budget
    }

    pub(crate) fn used_bytes(&self) -> u64 {
        self.used_bytes.load(Relaxed)
    }

    pub(crate) fn misses(&self) -> u64 {
        self.misses.load(Relaxed)
    }

    pub(super) fn count_miss(&self) {
        self.misses.fetch_add(1, Relaxed);
    }

    /// Numbers for so many values of one owner, which no others have; returns the first.
    pub(super) fn take_numbers(&self, count: usize) -> u64 {
        self.numbers.fetch_add(count as u64, Relaxed)
    }

    /// Where values go that are taken out.
    pub(super) fn limbo(&self) -> &Arc<Limbo<P>> {
        &self.limbo
    }

    /// Lets the hand pass over a page.
    pub(super) fn add_page(&self, page: &Arc<Page<P>>) {
        let mut ring = self.ring();
        if ring.pages.len() == ring.pages.capacity() {
            let before = ring.pages.len();
            ring.pages.retain(|page| page.strong_count() > 0);
            let live = ring.pages.len();
            // Another page may be under the hand now.
            ring.slot = if live < before { 0 } else { ring.slot };
            // As many again before the next such round.
            ring.pages.reserve(live.max(16));
        }
        ring.pages.push(Arc::downgrade(page));
    }

    /// Charges a value that was loaded for this slot, and makes room for it. Returns the frequency that it begins with; none if
    /// it is not to be kept, and nothing is charged.
    pub(super) fn admit(&self, page: &Page<P>, slot: usize, bytes: u64, heat: Heat) -> Option<u8> {
        if bytes > self.capacity_bytes() / LARGEST_SHARE {
            return None;
        }
        let mut ring = self.ring();
        let returns = heat == Heat::Point && ring.ghost.remove(page.first + slot as u64);
        page.charge(bytes);
        self.make_room(&mut ring);
        if self.is_over() {
            page.release(bytes);
            return None;
        }
        Some(u8::from(returns))
    }

    /// Makes up for a capacity that has become smaller while a value was on its way into its slot.
    pub(super) fn keep_capacity(&self) {
        if self.is_over() {
            self.make_room(&mut self.ring());
        }
    }

    pub(super) fn charge(&self, bytes: u64) {
        self.used_bytes.fetch_add(bytes, Relaxed);
        self.budget.charge(Account::Cache, bytes);
    }

    pub(super) fn release(&self, bytes: u64) {
        self.used_bytes.fetch_sub(bytes, Relaxed);
        self.budget.release(Account::Cache, bytes);
    }

    fn is_over(&self) -> bool {
        self.used_bytes() > self.capacity_bytes()
    }

    /// Moves the hand until the capacity is kept. Gives up after as many rounds as a value can survive: what is left then is being
    /// loaded, or in demand.
    fn make_room(&self, ring: &mut Ring<P>) {
        let rounds = usize::from(Slots::<P>::FREQUENCY_MAX) + 1;
        let mut steps = (ring.pages.len() + 1) * rounds;
        while self.is_over() && steps > 0 && !ring.pages.is_empty() {
            steps -= 1;
            let at = ring.page % ring.pages.len();
            let Some(page) = ring.pages[at].upgrade() else {
                ring.pages.swap_remove(at);
                ring.slot = 0;
                continue;
            };
            (ring.page, ring.slot) = match self.sweep(&page, ring.slot, &mut ring.ghost) {
                Some(slot) => (at, slot),
                None => (at + 1, 0),
            };
        }
    }

    /// Moves over the slots of a page from `first` on; returns where it stopped because there is room again.
    fn sweep(&self, page: &Page<P>, first: usize, ghost: &mut Ghost) -> Option<usize> {
        if page.is_empty() {
            return None;
        }
        let mut sweep = self.limbo.sweep();
        for slot in first..page.slots.len() {
            let Some(evicted) = page.slots.age(slot, &mut sweep) else { continue };
            page.release(evicted.bytes());
            ghost.insert(page.first + slot as u64);
            if !self.is_over() {
                return Some(slot + 1);
            }
        }
        None
    }

    /// A thread that panicked while it held the lock left a whole ring.
    fn ring(&self) -> MutexGuard<'_, Ring<P>> {
        self.ring.lock().unwrap_or_else(PoisonError::into_inner)
    }

    #[cfg(test)]
    pub(super) fn pages_in_ring(&self) -> usize {
        self.ring().pages.len()
    }
}

impl<P: Weigh> fmt::Debug for Clock<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Clock({} of {} bytes)", self.used_bytes(), self.capacity_bytes())
    }
}
