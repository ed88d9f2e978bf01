//! Epoch-based reclamation, and `Swap`: an atomically replaceable `Arc` that readers follow without touching its count.
//!
//! A thread that reads protected pointers *pins* itself: it stores the number of the current epoch into a slot of its own. Who
//! takes an object out of reach draws the epoch's number, raising it, and keeps the object until no slot holds that number or
//! a lower one. Pins nest and cost one exchange on a private cache line; nobody waits for anybody.
//!
//! Why no reader can hold a freed object: a reader stores its slot *before* it loads the pointer, a retirer replaces the pointer
//! *before* it reads the slots, all four `SeqCst`. If the retirer misses the reader's slot, then in their total order its
//! replacement precedes the reader's load, which sees the new pointer. If it sees a number above the object's, then the
//! reader read the epoch after it was raised, hence after the replacement. Loads of protected pointers must therefore be
//! `SeqCst`, and follow [`pin`].
//!
//! Retired objects belong to the `Swap` they were in, not to a global list, so they never outlive it. They go with the next
//! `store`, or when a [`Guard`] lets go while some are waiting and its thread is not pinned otherwise: what is freed may be large, or
//! close files. When that is depends on every thread of the process, whatever it reads: the slots do not tell. A simulated
//! world, which must not depend on others, has a `Swap` that waits for them ([`Swap::waiting`]).
//!
//! Pins must be short: never across I/O, parking or a caller's code.

use crate::sync::{
    Arc, Backoff, Mutex,
    atomic::{
        AtomicBool, AtomicPtr, AtomicU32, AtomicU64, AtomicUsize,
        Ordering::{Acquire, Relaxed, Release, SeqCst},
    },
    lock, order_for_loom,
};
use std::{fmt, marker::PhantomData, ops::Deref, ptr::NonNull};

/// An `Arc` that can be replaced while others read through it. Readers never block; replacing takes a short lock.
pub struct Swap<T> {
    /// Of `Arc::into_raw`; owns one count.
    current: AtomicPtr<T>,
    waits: bool,
    retired: Mutex<Vec<Retired<T>>>,
    /// Length of `retired`, so that a reader who lets go sees for the price of one load that nothing waits.
    retired_count: AtomicUsize,
}

/// A value read through a [`Swap`], held in place by the thread's pin.
pub struct Guard<'a, T> {
    /// Not a reference: the value may go while the guard is being dropped.
    value: NonNull<T>,
    // Dropped in this order: letting go first, then the look at what may now be freed.
    pin: Pin,
    _sweep: Sweep<'a, T>,
}

/// A value read through a [`Swap`], or reached from one, held in place by a pin that somebody else holds.
pub struct Pinned<'a, T> {
    /// Of an `Arc`. Not a reference, from which no count could be taken.
    value: NonNull<T>,
    _held: PhantomData<(&'a Swap<T>, &'a Pin)>,
}

/// While it lives, nothing that this thread could reach at its making is freed.
pub struct Pin {
    slot: &'static Slot,
    /// Whether the slot was claimed for this pin alone, because the thread's own is gone already.
    transient: bool,
    _not_send: PhantomData<*const ()>,
}

impl<T> Swap<T> {
    /// Begins with `value`.
    pub fn new(value: Arc<T>) -> Self {
        Self::begin(value, false)
    }

    /// As [`Swap::new`], but whoever replaces a value waits until no other thread is pinned from before, so that the value of before goes
    /// at once, unless a guard lets go of it at the same moment. Who is pinned itself does not wait. A thread that is pinned must not wait
    /// for one that replaces values.
    pub fn waiting(value: Arc<T>) -> Self {
        Self::begin(value, true)
    }

    fn begin(value: Arc<T>, waits: bool) -> Self {
        Self {
            current: AtomicPtr::new(Arc::into_raw(value).cast_mut()),
            waits,
            retired: Mutex::new(Vec::new()),
            retired_count: AtomicUsize::new(0),
        }
    }

    /// The current value, for a short look: the thread is pinned until the guard goes.
    #[inline]
    pub fn load(&self) -> Guard<'_, T> {
        let pin = pin();
        let value = self.load_under(&pin).value;
        Guard { value, pin, _sweep: Sweep(self) }
    }

    /// The current value, for whoever is pinned already: nothing is written. Nothing is freed when the pin goes, either: readers who
    /// come by no other way see to it where [`Swap::has_retired`].
    #[inline]
    pub fn load_under<'a>(&'a self, _pin: &'a Pin) -> Pinned<'a, T> {
        // SAFETY: the pointer came from `Arc::into_raw`.
        let value = unsafe { NonNull::new_unchecked(self.current.load(SeqCst)) };
        Pinned { value, _held: PhantomData }
    }

    /// The current value, to keep.
    #[inline]
    pub fn load_full(&self) -> Arc<T> {
        self.load().to_arc()
    }

    /// Whether values wait for [`Swap::collect`].
    #[inline]
    pub fn has_retired(&self) -> bool {
        self.retired_count.load(Relaxed) != 0
    }

    /// Replaces the value.
    pub fn store(&self, value: Arc<T>) {
        drop(self.swap(value));
    }

    /// Replaces the value and returns the one before. Readers may go on using that one for a while.
    pub fn swap(&self, value: Arc<T>) -> Arc<T> {
        let before = self.current.swap(Arc::into_raw(value).cast_mut(), SeqCst);
        // SAFETY: `before` came from `Arc::into_raw`, and the exchange handed its count to this thread alone.
        let before = unsafe { Arc::from_raw(before.cast_const()) };
        let epoch = retire();
        {
            let mut retired = lock(&self.retired);
            retired.push(Retired { epoch, _value: before.clone() });
            self.retired_count.store(retired.len(), Relaxed);
        }
        if self.waits && !is_pinned() {
            wait_for_pins(epoch);
            // Without another look: who reads the epoch's number before it is raised may pin itself now, and cannot have the value.
            self.free(|| epoch + 1);
        } else {
            self.collect();
        }
        before
    }

    /// Frees what no reader can hold any more. Called by itself; public for those who want to know that it happened.
    #[cold]
    pub fn collect(&self) {
        self.free(oldest_pin);
    }

    /// Frees what was retired under a number below that one, which is asked for when no more can be added.
    fn free(&self, below: impl FnOnce() -> u64) {
        let free: Vec<Retired<T>> = {
            let mut retired = lock(&self.retired);
            let below = below();
            let (free, kept) = retired.drain(..).partition(|object| object.epoch < below);
            *retired = kept;
            self.retired_count.store(retired.len(), Relaxed);
            free
        };
        // Outside the lock: dropping the last count may run anything.
        drop(free);
    }

    /// Frees all values of before, whoever is pinned: guards borrow the swap, so none is left.
    pub fn collect_all(&mut self) {
        let free = std::mem::take(&mut *lock(&self.retired));
        self.retired_count.store(0, Relaxed);
        drop(free);
    }
}

impl<T> Drop for Swap<T> {
    fn drop(&mut self) {
        // SAFETY: the pointer came from `Arc::into_raw`; guards borrow the swap, so none is left.
        drop(unsafe { Arc::from_raw(self.current.load(Relaxed).cast_const()) });
    }
}

impl<T: fmt::Debug> fmt::Debug for Swap<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Swap").field(&*self.load()).finish()
    }
}

impl<T> Guard<'_, T> {
    /// The guarded value, to keep.
    pub fn to_arc(&self) -> Arc<T> {
        Pinned { value: self.value, _held: PhantomData }.to_arc()
    }

    /// The pin that guards it, for more reads under the same one.
    #[inline]
    pub fn pin(&self) -> &Pin {
        &self.pin
    }
}

impl<'a, T> Pinned<'a, T> {
    /// A value that this one keeps alive, held in place by the same pin; `None` if `choose` finds none.
    pub fn follow<U>(&self, choose: impl FnOnce(&T) -> Option<&Arc<U>>) -> Option<Pinned<'a, U>> {
        let chosen = Arc::as_ptr(choose(self)?);
        // SAFETY: an `Arc` points somewhere. It was borrowed from the value for as long as that is shared, whatever that time is:
        // so it stays what it is until the value goes, which the pin prevents.
        let value = unsafe { NonNull::new_unchecked(chosen.cast_mut()) };
        Some(Pinned { value, _held: PhantomData })
    }

    /// The value, to keep for longer than the pin.
    pub fn to_arc(&self) -> Arc<T> {
        let value = self.value.as_ptr().cast_const();
        // SAFETY: `value` is the pointer of an `Arc`, in the swap or in a value of it, and the pin keeps its count above zero.
        unsafe {
            Arc::increment_strong_count(value);
            Arc::from_raw(value)
        }
    }
}

impl<T> Deref for Pinned<'_, T> {
    type Target = T;
    #[inline]
    fn deref(&self) -> &T {
        // SAFETY: the pointer came from `Arc::into_raw`; the swap is borrowed, and gives up the count behind a pointer that it no
        // longer has only once no pin of before its replacement is left, while this one was there before the load. What was
        // reached from such a value lives as long as that.
        unsafe { self.value.as_ref() }
    }
}

impl<T: fmt::Debug> fmt::Debug for Pinned<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Pinned").field(&**self).finish()
    }
}

impl<T> Deref for Guard<'_, T> {
    type Target = T;
    #[inline]
    fn deref(&self) -> &T {
        // SAFETY: the pointer came from `Arc::into_raw`; the count behind it is given up only once no pin of before its
        // replacement is left, and this thread pinned itself before it loaded the pointer.
        unsafe { self.value.as_ref() }
    }
}

/// Pins the thread.
#[inline]
pub fn pin() -> Pin {
    LOCAL.try_with(|local| local.slot().enter(false)).unwrap_or_else(|_| claim().enter(true))
}

/// Whether the thread is pinned.
fn is_pinned() -> bool {
    LOCAL.try_with(|local| local.slot.get().is_some_and(|slot| slot.depth.load(Relaxed) > 0)).unwrap_or(false)
}

impl Drop for Pin {
    #[inline]
    fn drop(&mut self) {
        let depth = self.slot.depth.load(Relaxed) - 1;
        self.slot.depth.store(depth, Relaxed);
        if depth == 0 {
            self.slot.epoch.store(IDLE, Release);
        }
        if self.transient {
            self.slot.claimed.store(false, Release);
        }
    }
}

impl fmt::Debug for Pin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Pin({})", self.slot.epoch.load(Relaxed))
    }
}

/// Draws the number under which an object that was just taken out of reach is kept: it may be freed when it is below
/// [`oldest_pin`].
pub fn retire() -> u64 {
    order_for_loom();
    domain().epoch.fetch_add(1, SeqCst)
}

/// The lowest number under which a thread is pinned.
pub fn oldest_pin() -> u64 {
    order_for_loom();
    let mut oldest = u64::MAX;
    domain().for_each_slot(|slot| {
        let epoch = slot.epoch.load(SeqCst);
        if epoch != IDLE {
            oldest = oldest.min(epoch);
        }
    });
    oldest
}

/// Waits until no thread is pinned under this number or a lower one. Those who pin themselves meanwhile get higher ones, and pins are
/// short: so it ends.
#[cold]
fn wait_for_pins(epoch: u64) {
    let mut backoff = Backoff::default();
    while oldest_pin() <= epoch {
        backoff.wait();
    }
}

/// The epoch of a slot whose thread is not pinned.
const IDLE: u64 = 0;

struct Retired<T> {
    epoch: u64,
    _value: Arc<T>,
}

// SAFETY: a guard is a shared borrow of a `T` (and is not `Send`: the pin is its thread's).
unsafe impl<T: Sync> Sync for Guard<'_, T> {}

struct Sweep<'a, T>(&'a Swap<T>);

impl<T> Drop for Sweep<'_, T> {
    #[inline]
    fn drop(&mut self) {
        if self.0.has_retired() && !is_pinned() {
            self.0.collect();
        }
    }
}

/// One thread's place. Alone on its cache lines, so that pinning shares nothing.
#[repr(align(128))]
struct Slot {
    epoch: AtomicU64,
    /// How many pins of the owner are alive. Touched by the owner only.
    depth: AtomicU32,
    claimed: AtomicBool,
}

impl Slot {
    #[cfg(not(loom))]
    const fn new() -> Self {
        Self { epoch: AtomicU64::new(IDLE), depth: AtomicU32::new(0), claimed: AtomicBool::new(false) }
    }

    #[cfg(loom)]
    fn new() -> Self {
        Self { epoch: AtomicU64::new(IDLE), depth: AtomicU32::new(0), claimed: AtomicBool::new(false) }
    }

    #[inline]
    fn enter(&'static self, transient: bool) -> Pin {
        let depth = self.depth.load(Relaxed);
        self.depth.store(depth + 1, Relaxed);
        if depth == 0 {
            self.epoch.store(domain().epoch.load(Acquire), SeqCst);
            order_for_loom();
        }
        Pin { slot: self, transient, _not_send: PhantomData }
    }
}

/// The slots of all threads, and the current epoch's number.
struct Domain {
    epoch: AtomicU64,
    slots: Slots,
}

#[cfg(not(loom))]
const SLOTS_PER_BLOCK: usize = 32;

/// A list of blocks that only grows; slots of ended threads are used again.
#[cfg(not(loom))]
struct Slots {
    slots: [Slot; SLOTS_PER_BLOCK],
    more: std::sync::OnceLock<Box<Slots>>,
}

#[cfg(not(loom))]
impl Slots {
    const fn new() -> Self {
        Self { slots: [const { Slot::new() }; SLOTS_PER_BLOCK], more: std::sync::OnceLock::new() }
    }

    fn claim(&self) -> &Slot {
        let mut block = self;
        loop {
            for slot in &block.slots {
                if !slot.claimed.load(Relaxed) && slot.claimed.compare_exchange(false, true, Acquire, Relaxed).is_ok() {
                    return slot;
                }
            }
            block = block.more.get_or_init(|| Box::new(Self::new()));
        }
    }

    fn for_each(&self, mut visit: impl FnMut(&Slot)) {
        let mut block = Some(self);
        while let Some(slots) = block {
            slots.slots.iter().for_each(&mut visit);
            block = slots.more.get().map(|more| &**more);
        }
    }
}

#[cfg(loom)]
struct Slots(Vec<Slot>);

#[cfg(loom)]
impl Slots {
    fn new() -> Self {
        Self((0..loom::MAX_THREADS).map(|_| Slot::new()).collect())
    }

    fn claim(&self) -> &Slot {
        let free = |slot: &&Slot| slot.claimed.compare_exchange(false, true, Acquire, Relaxed).is_ok();
        self.0.iter().find(free).expect("a model has at most so many threads")
    }

    fn for_each(&self, visit: impl FnMut(&Slot)) {
        self.0.iter().for_each(visit);
    }
}

impl Domain {
    fn for_each_slot(&self, visit: impl FnMut(&Slot)) {
        self.slots.for_each(visit);
    }
}

#[cfg(not(loom))]
static DOMAIN: Domain = Domain { epoch: AtomicU64::new(IDLE + 1), slots: Slots::new() };
#[cfg(loom)]
loom::lazy_static! {
    static ref DOMAIN: Domain = Domain { epoch: AtomicU64::new(IDLE + 1), slots: Slots::new() };
}

#[inline]
fn domain() -> &'static Domain {
    #[cfg(not(loom))]
    return &DOMAIN;
    #[cfg(loom)]
    return &DOMAIN;
}

#[cold]
fn claim() -> &'static Slot {
    domain().slots.claim()
}

/// The slot of this thread, from its first pin to its end.
struct Local {
    slot: std::cell::Cell<Option<&'static Slot>>,
}

impl Local {
    const fn new() -> Self {
        Self { slot: std::cell::Cell::new(None) }
    }

    #[inline]
    fn slot(&self) -> &'static Slot {
        self.slot.get().unwrap_or_else(|| {
            let slot = claim();
            self.slot.set(Some(slot));
            slot
        })
    }
}

// A model's statics go before its threads' locals do, and a model never runs out of slots.
#[cfg(not(loom))]
impl Drop for Local {
    fn drop(&mut self) {
        // A pin in another thread-local may outlive this one: its slot then stays claimed for good.
        if let Some(slot) = self.slot.get()
            && slot.depth.load(Relaxed) == 0
        {
            slot.claimed.store(false, Release);
        }
    }
}

#[cfg(not(loom))]
thread_local! {
    static LOCAL: Local = const { Local::new() };
}
#[cfg(loom)]
loom::thread_local! {
    static LOCAL: Local = Local::new();
}

#[cfg(all(test, not(loom)))]
mod tests;
