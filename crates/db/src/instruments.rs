//! What a database measures itself with: one set for all its keyspaces, its log and its maintenance.
//!
//! [`Instruments`] holds the counters and histograms, the listeners, the memory budget and the block cache under it, and the clock
//! that durations are taken from. The trees get theirs from here, so that everything is counted in one place. Shared.

mod outbox;

pub(crate) use outbox::{Delivery, Outbox};

use sediment_base::{
    Account, EventListener, MemoryBudget, Stats,
    stats::{Counter, Histogram},
};
use sediment_env::Clock;
use sediment_table::BlockCache;
use std::sync::Arc;

/// However little the others leave, the cache keeps this part of the memory.
const CACHE_SHARE_MIN: u64 = 16;
/// What the cache may have again is given back to it in so many parts, so that it is not emptied and filled with every memtable.
const CACHE_GROWTH_PARTS: u64 = 8;

/// Counters, listeners, memory and time of one database.
#[derive(Debug)]
pub(crate) struct Instruments {
    pub(crate) stats: Arc<Stats>,
    pub(crate) events: Arc<Outbox>,
    pub(crate) budget: Arc<MemoryBudget>,
    pub(crate) cache: Arc<BlockCache>,
    clock: Arc<dyn Clock>,
    opened_us: u64,
}

impl Instruments {
    /// Everything at zero, and nothing in memory.
    pub(crate) fn new(memory_bytes: u64, clock: Arc<dyn Clock>, listeners: Vec<Arc<dyn EventListener>>) -> Self {
        let budget = Arc::new(MemoryBudget::new(memory_bytes));
        let cache = Arc::new(BlockCache::with_budget(memory_bytes, Arc::clone(&budget)));
        Self {
            stats: Arc::default(),
            events: Arc::new(Outbox::new(listeners)),
            budget,
            cache,
            opened_us: clock.monotonic_us(),
            clock,
        }
    }

    /// Raises a counter.
    #[inline]
    pub(crate) fn count(&self, counter: Counter, count: u64) {
        self.stats.add(counter, count);
    }

    /// Has the calling thread sleep.
    pub(crate) fn sleep_us(&self, us: u64) {
        self.clock.sleep_us(us);
    }

    /// Microseconds of the monotonic clock.
    #[inline]
    pub(crate) fn now_us(&self) -> u64 {
        self.clock.monotonic_us()
    }

    /// How long the database has been open.
    pub(crate) fn open_us(&self) -> u64 {
        self.since_us(self.opened_us)
    }

    /// How long something took that began then.
    pub(crate) fn since_us(&self, start_us: u64) -> u64 {
        self.now_us().saturating_sub(start_us)
    }

    /// Notes how long something took, and returns that too.
    pub(crate) fn record_since(&self, histogram: Histogram, start_us: u64) -> u64 {
        let took_us = self.since_us(start_us);
        self.stats.record(histogram, took_us);
        took_us
    }

    /// Notes a point read that began then.
    #[cold]
    pub(crate) fn sampled_get(&self, start_us: u64) {
        self.record_since(Histogram::GetLatencyUs, start_us);
        // Reads open tables, and what is kept of those is more and more.
        self.fit_cache(Growth::None);
    }

    /// Lets the block cache have what the other accounts leave. It gives way at once; what it may have again comes as
    /// `growth` says.
    pub(crate) fn fit_cache(&self, growth: Growth) {
        let least = self.budget.total_bytes() / CACHE_SHARE_MIN;
        let wanted = self.budget.left_for(Account::Cache).max(least);
        let now = self.cache.capacity_bytes();
        let next = match growth {
            Growth::Slow if wanted > now => now + (wanted - now).div_ceil(CACHE_GROWTH_PARTS),
            Growth::None => wanted.min(now),
            _ => wanted,
        };
        if next != now {
            self.cache.set_capacity_bytes(next);
        }
    }

    #[cfg(test)]
    pub(crate) fn for_tests() -> Arc<Self> {
        Arc::new(Self::new(1 << 20, Arc::new(sediment_env::SteppedClock::new(0)), Vec::new()))
    }
}

/// How fast the cache takes what the others leave.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Growth {
    /// It only gives way.
    None,
    /// A part of it.
    Slow,
    /// All of it.
    Whole,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cache_gives_way_at_once_and_comes_back_slowly() {
        let instruments = Instruments::for_tests();
        let (cache, budget) = (&instruments.cache, &instruments.budget);
        assert_eq!(cache.capacity_bytes(), 1 << 20);
        budget.charge(Account::Memtables, 512 << 10);
        budget.charge(Account::Metadata, 256 << 10);
        instruments.fit_cache(Growth::Slow);
        assert_eq!(cache.capacity_bytes(), 256 << 10);
        budget.charge(Account::Pinned, 10 << 20);
        instruments.fit_cache(Growth::Slow);
        assert_eq!(cache.capacity_bytes(), 64 << 10, "a sixteenth is left to it");
        budget.release(Account::Pinned, 10 << 20);
        budget.release(Account::Memtables, 512 << 10);
        instruments.fit_cache(Growth::None);
        assert_eq!(cache.capacity_bytes(), 64 << 10);
        instruments.fit_cache(Growth::Slow);
        assert_eq!(cache.capacity_bytes(), (64 << 10) + (704 << 10) / 8);
        (0..200).for_each(|_| instruments.fit_cache(Growth::Slow));
        assert_eq!(cache.capacity_bytes(), 768 << 10);
        budget.release(Account::Metadata, 256 << 10);
        instruments.fit_cache(Growth::Whole);
        assert_eq!(cache.capacity_bytes(), 1 << 20);
    }
}
