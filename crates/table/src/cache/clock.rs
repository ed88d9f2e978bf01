//! Slots, and the clock that empties them.
//!
//! A slot holds a value, its size, and how often it was asked for lately (0 to 3). The hand goes round over the pages of all
//! owners: a slot that was asked for loses one, one that was not loses its value. A value that somebody still holds lives on
//! without being counted. A missing value is loaded under its slot's write lock, so that threads which want the same one load it once
//! and an error leaves the slot empty; the hand passes by slots that are locked.

use sediment_base::{Account, MemoryBudget, Result};
use std::{
    fmt,
    sync::{
        Arc, Mutex, MutexGuard, OnceLock, PoisonError, RwLock, TryLockError, Weak,
        atomic::{AtomicU8, AtomicU64, Ordering::Relaxed},
    },
};

/// Slots that are made at once, when the first of them is used.
const PAGE_SLOTS: usize = 512;
const FREQUENCY_MAX: u8 = 3;
/// A value above this part of the capacity would empty the cache for itself.
const LARGEST_SHARE: u64 = 4;

/// What a request says about the future of the value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Heat {
    /// It may be wanted again.
    Point,
    /// A scan passes by.
    Scan,
    /// It will not be wanted again: use what is there, leave nothing behind.
    Once,
}

/// One capacity over the slots of many owners.
pub(crate) struct Clock<V> {
    capacity_bytes: AtomicU64,
    used_bytes: AtomicU64,
    /// Is charged for the same bytes, beside whatever else it is charged for.
    budget: Arc<MemoryBudget>,
    misses: AtomicU64,
    ring: Mutex<Ring<V>>,
}

struct Ring<V> {
    pages: Vec<Weak<Page<V>>>,
    /// The hand: a page, and a slot in it.
    page: usize,
    slot: usize,
}

/// The slots of one owner.
#[derive(Debug)]
pub(crate) struct Slots<V> {
    clock: Arc<Clock<V>>,
    count: usize,
    pages: Box<[OnceLock<Arc<Page<V>>>]>,
}

struct Page<V> {
    clock: Arc<Clock<V>>,
    resident_bytes: AtomicU64,
    slots: Box<[Slot<V>]>,
}

struct Slot<V> {
    held: RwLock<Option<Held<V>>>,
    frequency: AtomicU8,
}

struct Held<V> {
    value: Arc<V>,
    bytes: u64,
}

impl<V> Clock<V> {
    pub(crate) fn new(capacity_bytes: u64, budget: Arc<MemoryBudget>) -> Self {
        let ring = Mutex::new(Ring { pages: Vec::new(), page: 0, slot: 0 });
        let capacity_bytes = AtomicU64::new(capacity_bytes);
        Self { capacity_bytes, used_bytes: AtomicU64::new(0), budget, misses: AtomicU64::new(0), ring }
    }

    pub(crate) fn capacity_bytes(&self) -> u64 {
        self.capacity_bytes.load(Relaxed)
    }

    /// Changes the capacity, and makes room until it is kept.
    pub(crate) fn set_capacity_bytes(&self, bytes: u64) {
        self.capacity_bytes.store(bytes, Relaxed);
        if self.is_over() {
            self.make_room();
        }
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

    fn is_over(&self) -> bool {
        self.used_bytes() > self.capacity_bytes()
    }

    fn charge(&self, bytes: u64) {
        self.used_bytes.fetch_add(bytes, Relaxed);
        self.budget.charge(Account::Cache, bytes);
    }

    fn release(&self, bytes: u64) {
        self.used_bytes.fetch_sub(bytes, Relaxed);
        self.budget.release(Account::Cache, bytes);
    }

    /// Moves the hand until the capacity is kept. Gives up after as many rounds as a slot can survive: what is left then is locked
    /// or in demand.
    fn make_room(&self) {
        let mut ring = lock(&self.ring);
        let mut steps = (ring.pages.len() + 1) * (usize::from(FREQUENCY_MAX) + 1);
        while self.is_over() && steps > 0 && !ring.pages.is_empty() {
            steps -= 1;
            let at = ring.page % ring.pages.len();
            let Some(page) = ring.pages[at].upgrade() else {
                ring.pages.swap_remove(at);
                ring.slot = 0;
                continue;
            };
            (ring.page, ring.slot) = match self.sweep(&page, ring.slot) {
                Some(slot) => (at, slot),
                None => (at + 1, 0),
            };
        }
    }

    /// Moves over the slots of a page from `first` on; returns where it stopped because there is room again.
    fn sweep(&self, page: &Page<V>, first: usize) -> Option<usize> {
        if page.resident_bytes.load(Relaxed) == 0 {
            return None;
        }
        for (number, slot) in page.slots.iter().enumerate().skip(first) {
            let mut held = match slot.held.try_write() {
                Ok(held) => held,
                Err(TryLockError::Poisoned(poisoned)) => poisoned.into_inner(),
                Err(TryLockError::WouldBlock) => continue,
            };
            if held.is_none() {
                continue;
            }
            match slot.frequency.load(Relaxed) {
                0 => {
                    let bytes = held.take().map_or(0, |held| held.bytes);
                    page.release(bytes);
                }
                frequency => slot.frequency.store(frequency - 1, Relaxed),
            }
            if !self.is_over() {
                return Some(number + 1);
            }
        }
        None
    }
}

impl<V> Slots<V> {
    pub(crate) fn new(clock: Arc<Clock<V>>, count: usize) -> Self {
        let pages = (0..count.div_ceil(PAGE_SLOTS)).map(|_| OnceLock::new()).collect();
        Self { clock, count, pages }
    }

    /// The value of this slot, made by `load` (which also says how many bytes it takes) where it is not there.
    pub(crate) fn get_or_load(&self, index: usize, heat: Heat, load: impl FnOnce() -> Result<(V, u64)>) -> Result<Arc<V>> {
        let page = self.page(index / PAGE_SLOTS);
        let slot = &page.slots[index % PAGE_SLOTS];
        if let Some(held) = &*slot.held.read().unwrap_or_else(PoisonError::into_inner) {
            slot.touch(heat);
            return Ok(Arc::clone(&held.value));
        }
        self.load(page, slot, heat, load)
    }

    /// What `ask` makes of the value of this slot, as [`Self::get_or_load`] gives it. A value that is there is not cloned.
    #[inline]
    pub(crate) fn with<R>(
        &self,
        index: usize,
        heat: Heat,
        load: impl FnOnce() -> Result<(V, u64)>,
        ask: impl FnOnce(&V) -> R,
    ) -> Result<R> {
        let page = self.page(index / PAGE_SLOTS);
        let slot = &page.slots[index % PAGE_SLOTS];
        if let Some(held) = &*slot.held.read().unwrap_or_else(PoisonError::into_inner) {
            slot.touch(heat);
            return Ok(ask(&held.value));
        }
        self.load(page, slot, heat, load).map(|value| ask(&value))
    }

    #[cold]
    fn load(&self, page: &Page<V>, slot: &Slot<V>, heat: Heat, load: impl FnOnce() -> Result<(V, u64)>) -> Result<Arc<V>> {
        let mut held = slot.held.write().unwrap_or_else(PoisonError::into_inner);
        if let Some(held) = &*held {
            return Ok(Arc::clone(&held.value));
        }
        self.clock.misses.fetch_add(1, Relaxed);
        let (value, bytes) = load()?;
        let value = Arc::new(value);
        if heat != Heat::Once && bytes <= self.clock.capacity_bytes() / LARGEST_SHARE {
            slot.frequency.store(u8::from(heat == Heat::Point), Relaxed);
            page.charge(bytes);
            *held = Some(Held { value: Arc::clone(&value), bytes });
            drop(held);
            if self.clock.is_over() {
                self.clock.make_room();
            }
        }
        Ok(value)
    }

    #[inline]
    fn page(&self, number: usize) -> &Page<V> {
        self.pages[number].get_or_init(|| self.new_page(number))
    }

    fn new_page(&self, number: usize) -> Arc<Page<V>> {
        let count = (self.count - number * PAGE_SLOTS).min(PAGE_SLOTS);
        let slots = (0..count).map(|_| Slot { held: RwLock::new(None), frequency: AtomicU8::new(0) }).collect();
        let page = Arc::new(Page { clock: Arc::clone(&self.clock), resident_bytes: AtomicU64::new(0), slots });
        lock(&self.clock.ring).pages.push(Arc::downgrade(&page));
        page
    }
}

impl<V> Slot<V> {
    #[inline]
    fn touch(&self, heat: Heat) {
        let frequency = self.frequency.load(Relaxed);
        if heat == Heat::Point && frequency < FREQUENCY_MAX {
            self.frequency.store(frequency + 1, Relaxed);
        }
    }
}

impl<V> Page<V> {
    fn charge(&self, bytes: u64) {
        self.resident_bytes.fetch_add(bytes, Relaxed);
        self.clock.charge(bytes);
    }

    fn release(&self, bytes: u64) {
        self.resident_bytes.fetch_sub(bytes, Relaxed);
        self.clock.release(bytes);
    }
}

impl<V> Drop for Page<V> {
    fn drop(&mut self) {
        self.clock.release(*self.resident_bytes.get_mut());
    }
}

impl<V> fmt::Debug for Clock<V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Clock({} of {} bytes)", self.used_bytes(), self.capacity_bytes())
    }
}

impl<V> fmt::Debug for Page<V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Page({} slots, {} bytes)", self.slots.len(), self.resident_bytes.load(Relaxed))
    }
}

/// A thread that panicked while it held a lock left an empty slot or a whole one.
#[inline]
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;
    use sediment_base::Error;

    fn clock() -> Arc<Clock<usize>> {
        Arc::new(Clock::new(1000, Arc::new(MemoryBudget::unlimited())))
    }

    fn load(value: usize) -> impl FnOnce() -> Result<(usize, u64)> {
        move || Ok((value, 100))
    }

    #[test]
    fn the_capacity_holds_and_what_is_asked_for_stays() {
        let clock = clock();
        let slots = Slots::new(Arc::clone(&clock), 2000);
        for round in 0..2000 {
            assert_eq!(*slots.get_or_load(7, Heat::Point, load(7)).unwrap(), 7);
            assert_eq!(*slots.get_or_load(7, Heat::Point, load(7)).unwrap(), 7);
            assert_eq!(*slots.get_or_load(round, Heat::Scan, load(round)).unwrap(), round);
            assert!(clock.used_bytes() <= 1000, "{clock:?}");
        }
        assert_eq!(clock.misses(), 2000);
        assert!(clock.used_bytes() >= 900);
        drop(slots);
        assert_eq!(clock.used_bytes(), 0);
    }

    #[test]
    fn the_hand_goes_on_where_it_stopped() {
        let clock = clock();
        let slots = Slots::new(Arc::clone(&clock), 900);
        for i in (0..900).chain(0..900) {
            drop(slots.get_or_load(i, Heat::Scan, load(i)).unwrap());
        }
        let missed = clock.misses();
        for i in 892..900 {
            drop(slots.get_or_load(i, Heat::Scan, load(i)).unwrap());
        }
        assert_eq!(clock.misses(), missed, "what came last is what is left");
    }

    #[test]
    fn errors_large_values_and_single_passes_leave_nothing_behind() {
        let clock = clock();
        let slots = Slots::new(Arc::clone(&clock), 3);
        assert!(slots.get_or_load(0, Heat::Point, || Err(Error::corruption("damaged"))).is_err());
        slots.get_or_load(1, Heat::Point, || Ok((1, 251))).unwrap();
        slots.get_or_load(2, Heat::Once, load(2)).unwrap();
        assert_eq!(clock.used_bytes(), 0);
        assert_eq!(*slots.get_or_load(0, Heat::Point, load(5)).unwrap(), 5);
        assert_eq!(*slots.get_or_load(0, Heat::Once, load(6)).unwrap(), 5);
    }

    #[test]
    fn a_dead_owner_is_forgotten() {
        let clock = clock();
        for _ in 0..50 {
            let slots = Slots::new(Arc::clone(&clock), 600);
            (0..600).for_each(|i| drop(slots.get_or_load(i, Heat::Point, load(i)).unwrap()));
            assert!(clock.used_bytes() <= 1000);
        }
        assert_eq!(clock.used_bytes(), 0);
        assert!(lock(&clock.ring).pages.len() <= 4);
    }

    #[test]
    fn a_smaller_capacity_holds_at_once_and_a_larger_one_is_used() {
        let clock = clock();
        let slots = Slots::new(Arc::clone(&clock), 2000);
        let ask = |heat| (0..2000).for_each(|i| drop(slots.get_or_load(i, heat, load(i)).unwrap()));
        clock.set_capacity_bytes(150_000);
        // Each of the first is wanted as much as a slot can remember.
        (0..5).for_each(|_| ask(Heat::Point));
        assert!((149_900..=150_000).contains(&clock.used_bytes()), "{clock:?}");
        for capacity in [120_000, 119_950, 500, 99, 0] {
            clock.set_capacity_bytes(capacity);
            assert!(clock.used_bytes() <= capacity, "{clock:?}");
            assert!(clock.used_bytes() + 100 > capacity.min(119_950), "no more goes than must: {clock:?}");
            assert_eq!(clock.budget().used(Account::Cache), clock.used_bytes());
        }
        ask(Heat::Point);
        assert_eq!((clock.used_bytes(), clock.capacity_bytes()), (0, 0));
        clock.set_capacity_bytes(u64::MAX);
        ask(Heat::Scan);
        assert_eq!((clock.used_bytes(), clock.budget().used(Account::Cache)), (200_000, 200_000));
        drop(slots);
        assert_eq!(clock.budget().used(Account::Cache), 0);
    }

    #[test]
    fn capacities_change_under_readers() {
        let clock = clock();
        let slots = Slots::new(Arc::clone(&clock), 1500);
        std::thread::scope(|scope| {
            for thread in 0..3 {
                let slots = &slots;
                scope.spawn(move || {
                    for round in 0..30_000 {
                        let index = (round * 7 + thread * 501 + round / 100) % 1500;
                        assert_eq!(*slots.get_or_load(index, Heat::Point, load(index)).unwrap(), index);
                    }
                });
            }
            for capacity in (0..200).map(|round| round * 7919 % 100_000) {
                clock.set_capacity_bytes(capacity);
                std::thread::yield_now();
            }
        });
        clock.set_capacity_bytes(5000);
        assert!(clock.used_bytes() <= 5000, "{clock:?}");
        assert_eq!(clock.budget().used(Account::Cache), clock.used_bytes());
    }
}
