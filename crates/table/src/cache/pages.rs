//! `Pages`: the slots of one owner, a value each, made page by page when they are first used.
//!
//! A value that is there is used under an epoch pin, without a lock and without a count. A missing one is loaded by whoever comes first;
//! the others wait for that load once, and then help themselves where it failed or left nothing behind. No pin is held while
//! anybody loads or waits.

use super::{
    clock::{Clock, Weigh},
    heat::Heat,
};
use sediment_base::Result;
use sediment_env::Park;
use sediment_raw::{
    epoch::{Pin, pin},
    slots::{Resident, Slots},
};
use std::{
    fmt,
    sync::{
        Arc, OnceLock,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
};

/// From so often on a value counts as wanted: once it may have been asked for by chance.
const WANTED_FREQUENCY: u8 = 2;
/// Slots that are made at once, when the first of them is used.
const PAGE_SLOTS: usize = 512;

/// The slots of one owner.
pub(crate) struct Pages<P: Weigh> {
    clock: Arc<Clock<P>>,
    /// Where those wait who want what another loads.
    park: Arc<dyn Park>,
    /// The number of its first value among those of all owners that there ever were.
    first: u64,
    count: usize,
    pages: Box<[OnceLock<Arc<Page<P>>>]>,
}

/// Some slots of one owner, and what their values take.
pub(super) struct Page<P: Weigh> {
    clock: Arc<Clock<P>>,
    charged_bytes: AtomicU64,
    /// The number of its first value.
    pub(super) first: u64,
    pub(super) slots: Slots<P>,
}

impl<P: Weigh> Pages<P> {
    /// So many slots. Who has to wait for a load does so in `park`.
    pub(crate) fn new(clock: &Arc<Clock<P>>, park: Arc<dyn Park>, count: usize) -> Self {
        let pages = (0..count.div_ceil(PAGE_SLOTS)).map(|_| OnceLock::new()).collect();
        Self { clock: Arc::clone(clock), park, first: clock.take_numbers(count), count, pages }
    }

    /// Memory that the slots take once all are in use.
    pub(crate) fn memory_bytes(&self) -> usize {
        self.count * size_of::<u64>() + self.pages.len() * (size_of::<Page<P>>() + size_of::<OnceLock<Arc<Page<P>>>>())
    }

    /// The value of this slot, to keep; made by `load` where it is not there.
    pub(crate) fn get_or_load(&self, index: usize, heat: Heat, load: impl FnOnce() -> Result<P>) -> Result<P> {
        let page = self.page(index / PAGE_SLOTS);
        match page.look(index % PAGE_SLOTS, heat, |found| P::clone(found)) {
            Some(value) => Ok(value),
            None => self.load(page, index % PAGE_SLOTS, heat, load),
        }
    }

    /// Shows `look` the value of this slot if it is there, under the caller's pin; whether it was. `look` is short, and waits for
    /// nothing.
    #[inline]
    pub(crate) fn look(&self, index: usize, heat: Heat, pin: &Pin, look: impl FnOnce(&P)) -> bool {
        let page = self.pages[index / PAGE_SLOTS].get();
        page.and_then(|page| page.look_under(pin, index % PAGE_SLOTS, heat, |found| look(found))).is_some()
    }

    /// Asks for the memory of this slot.
    #[inline]
    pub(crate) fn prefetch(&self, index: usize) {
        if let Some(page) = self.pages[index / PAGE_SLOTS].get() {
            page.slots.prefetch(index % PAGE_SLOTS);
        }
    }

    /// What `look` makes of the value of this slot, if it is there, under the caller's pin: no use of it that counts. `look` is short,
    /// and waits for nothing.
    #[inline]
    pub(crate) fn peek<R>(&self, index: usize, pin: &Pin, look: impl FnOnce(&P) -> R) -> Option<R> {
        let page = self.pages[index / PAGE_SLOTS].get()?;
        page.slots.get(index % PAGE_SLOTS, pin).map(|found| look(&found))
    }

    /// The slots whose values were asked for more than once lately, in order.
    pub(crate) fn wanted(&self) -> Vec<usize> {
        let mut wanted = Vec::new();
        for (number, page) in self.pages.iter().enumerate() {
            let Some(page) = page.get() else { continue };
            // One page at a time: a pin is not to be held for long.
            let pin = pin();
            let is_wanted =
                |slot: &usize| page.slots.get(*slot, &pin).is_some_and(|found| found.frequency() >= WANTED_FREQUENCY);
            wanted.extend((0..page.slots.len()).filter(is_wanted).map(|slot| number * PAGE_SLOTS + slot));
        }
        wanted
    }

    /// Shows `look` the value of this slot, loaded where it is not there. `look` runs under an epoch pin: it is short, and waits for
    /// nothing.
    #[inline]
    pub(crate) fn with(
        &self,
        index: usize,
        heat: Heat,
        load: impl FnOnce() -> Result<P>,
        mut look: impl FnMut(&P),
    ) -> Result<()> {
        let page = self.page(index / PAGE_SLOTS);
        if page.look(index % PAGE_SLOTS, heat, |found| look(found)).is_none() {
            look(&self.load(page, index % PAGE_SLOTS, heat, load)?);
        }
        Ok(())
    }

    #[cold]
    fn load(&self, page: &Page<P>, slot: usize, heat: Heat, load: impl FnOnce() -> Result<P>) -> Result<P> {
        let claim = || page.slots.claim(slot, || self.park.wake_all());
        let mut loader = None;
        if heat != Heat::Once {
            loader = claim();
            if loader.is_none() {
                page.slots.wait_loaded(slot, |is_over| self.park.wait_until(is_over));
                if let Some(value) = page.look(slot, heat, |found| P::clone(found)) {
                    return Ok(value);
                }
                loader = claim();
            }
        }
        self.clock.count_miss();
        let value = load()?;
        if let Some(loader) = loader
            && let Some(frequency) = self.clock.admit(page, slot, value.bytes(), heat)
        {
            loader.publish(value.clone(), frequency);
            self.clock.keep_capacity();
        }
        Ok(value)
    }

    #[inline]
    fn page(&self, number: usize) -> &Page<P> {
        self.pages[number].get_or_init(|| self.new_page(number))
    }

    fn new_page(&self, number: usize) -> Arc<Page<P>> {
        let before = number * PAGE_SLOTS;
        let slots = Slots::new((self.count - before).min(PAGE_SLOTS), Arc::clone(self.clock.limbo()));
        let (clock, first) = (Arc::clone(&self.clock), self.first + before as u64);
        let page = Arc::new(Page { clock, charged_bytes: AtomicU64::new(0), first, slots });
        self.clock.add_page(&page);
        page
    }
}

impl<P: Weigh> Page<P> {
    /// What `look` makes of the value in this slot, if there is one.
    #[inline]
    fn look<R>(&self, slot: usize, heat: Heat, look: impl FnOnce(&Resident<'_, P>) -> R) -> Option<R> {
        self.look_under(&pin(), slot, heat, look)
    }

    #[inline]
    fn look_under<R>(&self, pin: &Pin, slot: usize, heat: Heat, look: impl FnOnce(&Resident<'_, P>) -> R) -> Option<R> {
        let found = self.slots.get(slot, pin)?;
        if heat == Heat::Point {
            found.touch();
        }
        Some(look(&found))
    }

    /// Whether no value is charged to it.
    pub(super) fn is_empty(&self) -> bool {
        self.charged_bytes.load(Relaxed) == 0
    }

    pub(super) fn charge(&self, bytes: u64) {
        self.charged_bytes.fetch_add(bytes, Relaxed);
        self.clock.charge(bytes);
    }

    pub(super) fn release(&self, bytes: u64) {
        self.charged_bytes.fetch_sub(bytes, Relaxed);
        self.clock.release(bytes);
    }
}

impl<P: Weigh> Drop for Page<P> {
    fn drop(&mut self) {
        self.clock.release(*self.charged_bytes.get_mut());
    }
}

impl<P: Weigh> fmt::Debug for Pages<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let made = self.pages.iter().filter(|page| page.get().is_some()).count();
        write!(f, "Pages({} slots, {made} of {} pages made)", self.count, self.pages.len())
    }
}
