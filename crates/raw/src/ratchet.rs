//! A ratchet: tickets are taken in order and finished in any order, and a level follows them in order.
//!
//! Each ticket stands for a value, ascending. The level is the value of the newest ticket that is finished together with all
//! before it. Whoever finishes the oldest open ticket moves the level, past everything that was waiting for that one; whoever finishes
//! another leaves a mark in a ring. Nothing is locked. Most finish in the order in which they took, and leave no mark: all that threads
//! then pass from one to the other is one cache line. (The idea is the commit queue of Pebble, `commit.go`, 2018, which marks every
//! ticket.)
//!
//! Who finishes too early need not wait for the level, either: he *promises* his value. Whoever must see all that is finished then goes
//! by the highest promise ([`Ratchet::newest`]), and knows that some below may be on their way; who must see everything below as well
//! waits for the level to get there. A ticket that stands for several things which are to be seen together ([`Step::Several`]) is not
//! passed over like that. (Promises are our own.)
//!
//! Sequential consistency matters in one place: who finishes a ticket too early stores its mark and then looks how far the ring is passed;
//! who passes the ticket before stores that and then looks for the mark. One of the two sees the other.

use crate::sync::{
    Arc, OwnLines,
    atomic::{
        AtomicU64,
        Ordering::{AcqRel, Acquire, Relaxed, Release, SeqCst},
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
    /// The highest value that was promised.
    promised: AtomicU64,
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
    /// How many were taken up to the last that stands for several things.
    whole: u64,
}

/// What a ticket stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// One thing: it is there or not.
    One,
    /// Several that are to be seen together.
    Several,
}

/// A place in the order. Whoever took it has to finish it: until then the level stays below.
#[derive(Debug, PartialEq, Eq)]
#[must_use = "the level waits for every ticket"]
pub struct Ticket {
    number: u64,
    value: u64,
    /// Tickets that must be passed before this one is promised.
    whole: u64,
}

/// What became of a ticket that was finished.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Finished {
    /// The level has reached its value.
    Passed,
    /// [`Ratchet::newest`] has.
    Promised,
    /// Neither.
    Early,
}

impl Tickets {
    /// The tickets of a new ratchet at `level`, of which up to `capacity` (a power of two) may be open.
    pub fn new(level: u64, capacity: usize) -> Self {
        assert!(capacity.is_power_of_two(), "a ring of {capacity} slots");
        let slot = |_| Slot { value: AtomicU64::new(0), finished: AtomicU64::new(0) };
        let front =
            OwnLines::new(Front { level: AtomicU64::new(level), passed: AtomicU64::new(0), promised: AtomicU64::new(level) });
        Self { ratchet: Arc::new(Ratchet { slots: (0..capacity).map(slot).collect(), front }), taken: 0, passed: 0, whole: 0 }
    }

    /// What they are finished at.
    pub fn ratchet(&self) -> &Arc<Ratchet> {
        &self.ratchet
    }

    /// Takes the next ticket, for `value`, which is no lower than that of any before; `None` while too many are open.
    #[inline]
    pub fn take(&mut self, value: u64, step: Step) -> Option<Ticket> {
        if !self.has_room() {
            self.passed = self.ratchet.front.passed.load(Acquire);
        }
        self.has_room().then(|| {
            let ticket = Ticket { number: self.taken, value, whole: self.whole };
            self.taken += 1;
            if step == Step::Several {
                self.whole = self.taken;
            }
            ticket
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

    /// The highest value of a ticket that is finished and passed, or promised. Some below may not be finished, of one thing each.
    #[inline]
    pub fn newest(&self) -> u64 {
        self.level().max(self.front.promised.load(Acquire))
    }

    /// Finishes a ticket. What its holder did before is seen by whoever then reads a level that includes it.
    #[inline]
    pub fn finish(&self, ticket: Ticket) -> Finished {
        let Ticket { number, value, .. } = ticket;
        if self.front.passed.load(Acquire) != number {
            return self.finish_early(ticket);
        }
        // It is the oldest, and has no mark, so that nobody else can pass it: no later value has become the level yet. Some who passed
        // earlier ones may still be about to raise the level to theirs, which are lower.
        self.front.level.store(value, Release);
        self.front.passed.store(number + 1, SeqCst);
        order_for_loom();
        self.pass_marked(number + 1);
        Finished::Passed
    }

    /// Finishes a ticket that others are older than, or were until now.
    #[cold]
    fn finish_early(&self, ticket: Ticket) -> Finished {
        let Ticket { number, value, whole } = ticket;
        let slot = self.slot(number);
        slot.value.store(value, Relaxed);
        slot.finished.store(number + 1, SeqCst);
        order_for_loom();
        self.pass_marked(self.front.passed.load(SeqCst));
        if self.level() >= value {
            return Finished::Passed;
        }
        let passed = self.front.passed.load(Acquire);
        // Some places in the ring are left to those who do not go on.
        let is_far = number.saturating_sub(passed) >= self.slots.len() as u64 / 2;
        if is_far || passed < whole {
            return Finished::Early;
        }
        self.front.promised.fetch_max(value, AcqRel);
        Finished::Promised
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
        let [a, b, c, d] = [7, 9, 9, 12].map(|value| tickets.take(value, Step::One).expect("room"));
        assert_eq!(tickets.take(13, Step::One), None);
        ratchet.finish(b);
        ratchet.finish(d);
        assert_eq!(ratchet.level(), 5);
        assert_eq!(ratchet.finish(a), Finished::Passed);
        assert_eq!(ratchet.level(), 9);
        let e = tickets.take(20, Step::One).expect("two were passed");
        ratchet.finish(e);
        assert_eq!(ratchet.level(), 9);
        assert_eq!(ratchet.finish(c), Finished::Passed);
        assert_eq!((ratchet.level(), ratchet.newest()), (20, 20));
    }

    #[test]
    fn who_finishes_early_promises_unless_several_things_are_open_before() {
        let mut tickets = Tickets::new(0, 8);
        let ratchet = Arc::clone(tickets.ratchet());
        let mut take = |value, step| tickets.take(value, step).expect("room");
        let [one, other, several] = [(1, Step::One), (2, Step::One), (5, Step::Several)].map(|(value, step)| take(value, step));
        let [behind, last] = [6, 7].map(|value| take(value, Step::One));
        assert_eq!((ratchet.finish(other), ratchet.newest(), ratchet.level()), (Finished::Promised, 2, 0));
        assert_eq!((ratchet.finish(behind), ratchet.newest()), (Finished::Early, 2), "five are not to be seen in part");
        assert_eq!((ratchet.finish(several), ratchet.newest()), (Finished::Promised, 5), "all of them are there");
        assert_eq!((ratchet.finish(one), ratchet.newest(), ratchet.level()), (Finished::Passed, 6, 6));
        assert_eq!((ratchet.finish(last), ratchet.newest(), ratchet.level()), (Finished::Passed, 7, 7));
    }

    #[test]
    fn half_of_the_ring_is_left_to_those_who_wait() {
        let mut tickets = Tickets::new(0, 8);
        let ratchet = Arc::clone(tickets.ratchet());
        let first = tickets.take(1, Step::One).expect("room");
        let mut finish = |value| ratchet.finish(tickets.take(value, Step::One).expect("room"));
        assert_eq!([2, 3, 4].map(&mut finish), [Finished::Promised; 3]);
        assert_eq!([5, 6].map(&mut finish), [Finished::Early; 2]);
        assert_eq!((ratchet.finish(first), ratchet.level()), (Finished::Passed, 6));
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
                            let Some(ticket) = tickets.take(*next + 1, Step::One) else {
                                unreachable!("four are open at most")
                            };
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
