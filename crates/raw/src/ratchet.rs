//! A ratchet: tickets are taken in order and finished in any order, and a level follows them in order.
//!
//! Each ticket stands for a value, ascending. The level is the value of the newest ticket that is finished together with all
//! before it. Whoever finishes the oldest open ticket moves the level, past everything that was waiting for that one; whoever finishes
//! another leaves a mark in a ring. Nobody waits for anybody and nothing is locked. Most finish in the order in which they took, and
//! leave no mark: all that threads then pass from one to the other is one cache line. (The idea is the commit queue of Pebble,
//! `commit.go`, 2018, which marks every ticket.)
//!
//! Sequential consistency matters in one place: who finishes a ticket too early stores its mark and then looks how far the ring is passed;
//! who passes the ticket before stores that and then looks for the mark. One of the two sees the other.

use crate::sync::{
    Arc, OwnLines,
    atomic::{
        AtomicU64,
        Ordering::{Acquire, Relaxed, Release, SeqCst},
    },
    order_for_loom,
};

/// The level, and who finishes. Shared; whoever takes has the [`Tickets`].
#[derive(Debug)]
pub struct Ratchet {
    slots: Box<[Slot]>,
    /// Many read it, and need not wait for what else is written.
    front: OwnLines<Front>,
}

/// How far it is.
#[derive(Debug)]
struct Front {
    level: AtomicU64,
    /// Tickets that are finished together with all before them.
    passed: AtomicU64,
}

/// The mark of a ticket that was finished before one that is older.
#[derive(Debug)]
struct Slot {
    value: AtomicU64,
    /// One more than the number of the ticket that was marked last in this slot.
    finished: AtomicU64,
}

/// The tickets of a ratchet that nobody has yet: whoever has this decides on the order.
#[derive(Debug)]
pub struct Tickets {
    ratchet: Arc<Ratchet>,
    taken: u64,
    /// How far the ratchet was when it was asked last.
    passed: u64,
}

/// A place in the order. Whoever took it has to finish it: until then the level stays below.
#[derive(Debug, PartialEq, Eq)]
#[must_use = "the level waits for every ticket"]
pub struct Ticket {
    number: u64,
    value: u64,
}

impl Tickets {
    /// The tickets of a new ratchet at `level`, of which up to `capacity` (a power of two) may be open.
    pub fn new(level: u64, capacity: usize) -> Self {
        assert!(capacity.is_power_of_two(), "a ring of {capacity} slots");
        let slot = |_| Slot { value: AtomicU64::new(0), finished: AtomicU64::new(0) };
        let front = OwnLines::new(Front { level: AtomicU64::new(level), passed: AtomicU64::new(0) });
        Self { ratchet: Arc::new(Ratchet { slots: (0..capacity).map(slot).collect(), front }), taken: 0, passed: 0 }
    }

    /// What they are finished at.
    pub fn ratchet(&self) -> &Arc<Ratchet> {
        &self.ratchet
    }

    /// Takes the next ticket, for `value`, which is no lower than that of any before; `None` while too many are open.
    #[inline]
    pub fn take(&mut self, value: u64) -> Option<Ticket> {
        if !self.has_room() {
            self.passed = self.ratchet.front.passed.load(Acquire);
        }
        self.has_room().then(|| {
            self.taken += 1;
            Ticket { number: self.taken - 1, value }
        })
    }

    /// Whether another ticket may be open, as far as is known.
    fn has_room(&self) -> bool {
        self.taken - self.passed < self.ratchet.slots.len() as u64
    }
}

impl Ratchet {
    /// The value of the newest ticket that is finished together with all before it.
    #[inline]
    pub fn level(&self) -> u64 {
        self.front.level.load(Acquire)
    }

    /// Finishes a ticket. What its holder did before is seen by whoever then reads a level that includes it.
    #[inline]
    pub fn finish(&self, ticket: Ticket) {
        let Ticket { number, value } = ticket;
        if self.front.passed.load(Acquire) == number {
            // It is the oldest, and has no mark, so that nobody else can pass it: no later value has become the level yet. Some who passed
            // earlier ones may still be about to raise the level to theirs, which are lower.
            self.front.level.store(value, Release);
            self.front.passed.store(number + 1, SeqCst);
            order_for_loom();
            self.pass_marked(number + 1);
        } else {
            self.mark(number, value);
        }
    }

    /// Marks a ticket that others are older than, or were until now.
    #[cold]
    fn mark(&self, number: u64, value: u64) {
        let slot = self.slot(number);
        slot.value.store(value, Relaxed);
        slot.finished.store(number + 1, SeqCst);
        order_for_loom();
        self.pass_marked(self.front.passed.load(SeqCst));
    }

    /// Passes what is marked from `passed` on, which is how far it was.
    #[inline]
    fn pass_marked(&self, mut passed: u64) {
        while self.slot(passed).finished.load(SeqCst) == passed + 1 {
            // If the slot has been taken again meanwhile, it was passed, and the exchange fails.
            let value = self.slot(passed).value.load(Relaxed);
            if self.front.passed.compare_exchange(passed, passed + 1, SeqCst, Relaxed).is_ok() {
                self.front.level.fetch_max(value, Release);
            }
            order_for_loom();
            passed = self.front.passed.load(SeqCst);
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
        let mut tickets = Tickets::new(5, 4);
        let ratchet = Arc::clone(tickets.ratchet());
        let [a, b, c, d] = [7, 9, 9, 12].map(|value| tickets.take(value).expect("room"));
        assert_eq!(tickets.take(13), None);
        ratchet.finish(b);
        ratchet.finish(d);
        assert_eq!(ratchet.level(), 5);
        ratchet.finish(a);
        assert_eq!(ratchet.level(), 9);
        let e = tickets.take(20).expect("two were passed");
        ratchet.finish(e);
        assert_eq!(ratchet.level(), 9);
        ratchet.finish(c);
        assert_eq!(ratchet.level(), 20);
    }

    #[test]
    fn many_threads_pass_everything_and_never_too_early() {
        const EACH: u64 = if cfg!(miri) { 20 } else { 20_000 };
        let tickets = Tickets::new(0, 16);
        let ratchet = Arc::clone(tickets.ratchet());
        let next = Mutex::new((0_u64, tickets));
        let done: Vec<AtomicU64> = (0..4 * EACH).map(|_| AtomicU64::new(0)).collect();
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    for _ in 0..EACH {
                        let (number, ticket) = {
                            let (next, tickets) = &mut *next.lock().expect("no panic");
                            let Some(ticket) = tickets.take(*next + 1) else { unreachable!("four are open at most") };
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
