//! Stripes: each thread counts in memory of its own, and who reads adds up.
//!
//! A thread *leases* a number from its first count to its end, and owns the stripes of this number in every [`Stats`]. Its alone are
//! their writes, so that raising a counter is a load and a store, no locked instruction. Threads that come when all numbers are
//! leased count in a few shared stripes, with atomic additions. The next owner of a number sees what the last one wrote: giving
//! back releases, leasing acquires.
//!
//! [`Stats`]: super::Stats

use super::{Counter, Histogram};
use sediment_raw::sync::OwnLines;
use std::{
    cell::Cell,
    marker::PhantomData,
    sync::atomic::{
        AtomicU64, AtomicUsize,
        Ordering::{Acquire, Relaxed, Release},
    },
};

/// Stripes that one thread each may own; a bit each in [`LEASED`].
const OWNED: usize = 32;
/// Stripes for the threads that own none.
const SHARED: usize = 8;
/// The counters, then the sums of the histograms.
const WIDTH: usize = Counter::ALL.len() + Histogram::ALL.len();

/// One thread's counters, alone on its cache lines.
type Stripe = OwnLines<[AtomicU64; WIDTH]>;

/// All counters of one `Stats`.
pub(super) struct Stripes(Box<[Stripe]>);

impl Stripes {
    pub(super) fn new() -> Self {
        Self((0..OWNED + SHARED).map(|_| Stripe::new([const { AtomicU64::new(0) }; WIDTH])).collect())
    }

    #[inline]
    pub(super) fn local(&self) -> LocalStats<'_> {
        let number = number();
        LocalStats { number, counts: &self.0[number], _not_send: PhantomData }
    }

    pub(super) fn total(&self, counter: Counter) -> u64 {
        self.add_up(counter as usize)
    }

    pub(super) fn sum(&self, histogram: Histogram) -> u64 {
        self.add_up(sum_index(histogram))
    }

    fn add_up(&self, index: usize) -> u64 {
        self.0.iter().fold(0, |sum, stripe| sum.wrapping_add(stripe[index].load(Relaxed)))
    }
}

#[inline]
fn sum_index(histogram: Histogram) -> usize {
    Counter::ALL.len() + histogram as usize
}

/// The counters as the calling thread raises them.
#[derive(Clone, Copy)]
pub struct LocalStats<'a> {
    number: usize,
    counts: &'a [AtomicU64; WIDTH],
    /// On another thread it would write what that one does not own.
    _not_send: PhantomData<*const ()>,
}

impl LocalStats<'_> {
    /// Raises a counter by `count`.
    #[inline]
    pub fn add(self, counter: Counter, count: u64) {
        self.add_at(counter as usize, count);
    }

    /// As [`LocalStats::add`], for what is often nothing.
    #[inline]
    pub fn add_some(self, counter: Counter, count: u64) {
        if count > 0 {
            self.add(counter, count);
        }
    }

    /// What this thread has counted (or those that share its stripe, or had it before): for taking every so manieth as a
    /// sample without counting again.
    #[inline]
    pub fn own_count(self, counter: Counter) -> u64 {
        self.counts[counter as usize].load(Relaxed)
    }

    /// The number of its stripe: most threads that count at the same time have different ones.
    #[inline]
    pub(super) fn number(self) -> usize {
        self.number
    }

    /// Whether nobody else writes to it.
    #[inline]
    fn is_owned(self) -> bool {
        self.number < OWNED
    }

    #[inline]
    pub(super) fn add_to_sum(self, histogram: Histogram, value: u64) {
        self.add_at(sum_index(histogram), value);
    }

    #[inline]
    fn add_at(self, index: usize, count: u64) {
        let total = &self.counts[index];
        if self.is_owned() {
            total.store(total.load(Relaxed).wrapping_add(count), Relaxed);
        } else {
            total.fetch_add(count, Relaxed);
        }
    }
}

impl std::fmt::Debug for LocalStats<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("LocalStats").field("is_owned", &self.is_owned()).finish_non_exhaustive()
    }
}

/// A bit for each number below [`OWNED`] that a live thread has.
static LEASED: AtomicUsize = AtomicUsize::new(0);
/// Deals shared stripes out in turn.
static NEXT_SHARED: AtomicUsize = AtomicUsize::new(0);

const NONE: usize = usize::MAX;

thread_local! {
    /// The stripe of this thread. Has no destructor, so that it may be asked to the very end of the thread.
    static NUMBER: Cell<usize> = const { Cell::new(NONE) };
    static LEASE: Lease = const { Lease(Cell::new(None)) };
}

/// A number that this thread has to give back.
struct Lease(Cell<Option<usize>>);

impl Drop for Lease {
    fn drop(&mut self) {
        if let Some(number) = self.0.get() {
            // What is dropped after this may count, too.
            NUMBER.set(shared_number());
            LEASED.fetch_and(!(1 << number), Release);
        }
    }
}

#[inline]
fn number() -> usize {
    match NUMBER.get() {
        NONE => begin(),
        number => number,
    }
}

#[cold]
fn begin() -> usize {
    // Fails in a thread that is ending: it will not give anything back.
    let leased = LEASE.try_with(|lease| {
        lease.0.set(take_number());
        lease.0.get()
    });
    let number = leased.ok().flatten().unwrap_or_else(shared_number);
    NUMBER.set(number);
    number
}

fn take_number() -> Option<usize> {
    loop {
        let free = LEASED.load(Relaxed).trailing_ones() as usize;
        if free >= OWNED {
            return None;
        }
        if LEASED.fetch_or(1 << free, Acquire) & (1 << free) == 0 {
            return Some(free);
        }
    }
}

fn shared_number() -> usize {
    OWNED + NEXT_SHARED.fetch_add(1, Relaxed) % SHARED
}

#[cfg(test)]
mod tests;
