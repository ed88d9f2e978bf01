//! A ratchet: tickets are taken in order and finished in any order, and a level follows them in order.
//!
//! Each ticket stands for a value, ascending. The level is the value of the newest ticket that is finished together with all
//! before it; whoever finishes the oldest open ticket moves it, past everything that was waiting for that one. Nobody waits for
//! anybody and nothing is locked: a ring of slots, one store to finish, one exchange for each ticket passed. (The idea is the
//! commit queue of Pebble, `commit.go`, 2018.)
//!
//! Sequential consistency matters in one place: who finishes a ticket stores its mark and then looks how far the ring is passed;
//! who passes the ticket before stores that and then looks for the mark. One of the two sees the other.

use crate::sync::{
    atomic::{
        AtomicU64,
        Ordering::{Acquire, Relaxed, Release, SeqCst},
    },
    order_for_loom,
};

/// Tickets, and the level that follows them. Shared.
#[derive(Debug)]
pub struct Ratchet {
    slots: Box<[Slot]>,
    taken: AtomicU64,
    /// Tickets that are finished together with all before them.
    passed: AtomicU64,
    level: Level,
}

/// Alone on its cache lines: many read it, and need not wait for what else is written here.
#[derive(Debug)]
#[repr(align(128))]
struct Level(AtomicU64);

#[derive(Debug)]
struct Slot {
    value: AtomicU64,
    /// One more than the number of the ticket that was finished last in this slot.
    finished: AtomicU64,
}

/// A place in the order. Whoever took it has to finish it: until then the level stays below.
#[derive(Debug, PartialEq, Eq)]
#[must_use = "the level waits for every ticket"]
pub struct Ticket(u64);

impl Ratchet {
    /// A ratchet at `level`, for up to `capacity` (a power of two) open tickets.
    pub fn new(level: u64, capacity: usize) -> Self {
        assert!(capacity.is_power_of_two(), "a ring of {capacity} slots");
        let slot = |_| Slot { value: AtomicU64::new(0), finished: AtomicU64::new(0) };
        let (taken, passed) = (AtomicU64::new(0), AtomicU64::new(0));
        Self { slots: (0..capacity).map(slot).collect(), taken, passed, level: Level(AtomicU64::new(level)) }
    }

    /// The value of the newest ticket that is finished together with all before it.
    #[inline]
    pub fn level(&self) -> u64 {
        self.level.0.load(Acquire)
    }

    /// Takes the next ticket, for `value`, which is no lower than that of any before; `None` while too many are open. One caller
    /// at a time.
    pub fn take(&self, value: u64) -> Option<Ticket> {
        let number = self.taken.load(Relaxed);
        if number - self.passed.load(Acquire) == self.slots.len() as u64 {
            return None;
        }
        self.slot(number).value.store(value, Relaxed);
        self.taken.store(number + 1, Relaxed);
        Some(Ticket(number))
    }

    /// Finishes a ticket. What its holder did before is seen by whoever then reads a level that includes it.
    pub fn finish(&self, ticket: Ticket) {
        let slot = self.slot(ticket.0);
        slot.finished.store(ticket.0 + 1, SeqCst);
        order_for_loom();
        loop {
            let passed = self.passed.load(SeqCst);
            let next = self.slot(passed);
            order_for_loom();
            if next.finished.load(SeqCst) != passed + 1 {
                return;
            }
            // If the slot has been taken again meanwhile, it was passed, and the exchange fails.
            let value = next.value.load(Relaxed);
            if self.passed.compare_exchange(passed, passed + 1, SeqCst, Relaxed).is_ok() {
                self.level.0.fetch_max(value, Release);
            }
            order_for_loom();
        }
    }

    fn slot(&self, number: u64) -> &Slot {
        &self.slots[(number & (self.slots.len() as u64 - 1)) as usize]
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;
    use std::sync::Mutex;

    #[test]
    fn the_level_follows_the_oldest_open_ticket() {
        let ratchet = Ratchet::new(5, 4);
        let [a, b, c, d] = [7, 9, 9, 12].map(|value| ratchet.take(value).expect("room"));
        assert_eq!(ratchet.take(13), None);
        ratchet.finish(b);
        ratchet.finish(d);
        assert_eq!(ratchet.level(), 5);
        ratchet.finish(a);
        assert_eq!(ratchet.level(), 9);
        let e = ratchet.take(20).expect("two were passed");
        ratchet.finish(e);
        assert_eq!(ratchet.level(), 9);
        ratchet.finish(c);
        assert_eq!(ratchet.level(), 20);
    }

    #[test]
    fn many_threads_pass_everything_and_never_too_early() {
        const EACH: u64 = if cfg!(miri) { 20 } else { 20_000 };
        let ratchet = Ratchet::new(0, 16);
        let next = Mutex::new(0_u64);
        let done: Vec<AtomicU64> = (0..4 * EACH).map(|_| AtomicU64::new(0)).collect();
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    for _ in 0..EACH {
                        let (number, ticket) = {
                            let mut next = next.lock().expect("no panic");
                            let Some(ticket) = ratchet.take(*next + 1) else { unreachable!("four are open at most") };
                            *next += 1;
                            (*next - 1, ticket)
                        };
                        done[number as usize].store(1, Relaxed);
                        ratchet.finish(ticket);
                        // As long as each waits for its own, no more are open than there are threads.
                        while ratchet.level() <= number {
                            std::thread::yield_now();
                        }
                        let level = ratchet.level();
                        let below = &done[level.saturating_sub(8) as usize..level as usize];
                        assert!(below.iter().all(|done| done.load(Relaxed) == 1), "{level}");
                    }
                });
            }
        });
        assert_eq!(ratchet.level(), 4 * EACH);
    }
}
