//! Loom models of what is shared without locks.
//!
//! Readers are the spawned threads: loom remembers one last access per atomic, so a writer that looks before it stores would
//! hide a reader that came first, and nothing would be explored.
//! Run with `RUSTFLAGS="--cfg loom" cargo test -p sediment-raw --release --test loom`.

#![cfg(loom)]

mod memtable;

mod slab;

mod slots;

use loom::{
    sync::{
        Arc, Mutex,
        atomic::{
            AtomicBool,
            Ordering::{Acquire, Relaxed, Release, SeqCst},
        },
    },
    thread,
};
use sediment_raw::{
    arena::{Arena, Record, Walk},
    chain,
    epoch::{Swap, pin},
    hash_index::HashIndex,
    lead::Lead,
    ordered::{Batch, Goal, OrderedSet},
    ratchet::{Finished, Ratchet, Step, Ticket, Tickets},
};

fn model(preemptions: usize, run: impl Fn() + Send + Sync + 'static) {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = Some(preemptions);
    builder.check(run);
}

fn write(arena: &Arena, value: u64) -> Record<'_> {
    let mut reservation = arena.reserve(8, value).expect("room");
    reservation.payload_mut().copy_from_slice(&value.to_le_bytes());
    reservation.write()
}

fn read(record: Record<'_>) -> u64 {
    u64::from_le_bytes(record.payload().try_into().expect("eight bytes"))
}

/// A value that notices being read after its end.
struct Alive(AtomicBool);

impl Alive {
    fn new() -> Arc<Self> {
        Arc::new(Self(AtomicBool::new(true)))
    }

    fn check(&self) {
        assert!(self.0.load(SeqCst), "read after its end");
    }
}

impl Drop for Alive {
    fn drop(&mut self) {
        self.0.store(false, SeqCst);
    }
}

#[test]
fn a_guard_is_never_left_with_a_freed_value() {
    model(3, || {
        let swap = Arc::new(Swap::new(Alive::new()));
        let reader = {
            let swap = Arc::clone(&swap);
            thread::spawn(move || {
                swap.load().check();
                swap.load_full().check();
            })
        };
        swap.store(Alive::new());
        swap.load().check();
        reader.join().expect("no panic");
    });
}

#[test]
fn who_waits_for_readers_lets_go_of_what_none_of_them_has() {
    model(3, || {
        let (swap, first) = (Arc::new(Swap::waiting(Alive::new())), Alive::new());
        swap.store(Arc::clone(&first));
        let reader = {
            let swap = Arc::clone(&swap);
            // A guard that goes would help to free.
            thread::spawn(move || swap.load_under(&pin()).check())
        };
        swap.store(Alive::new());
        assert_eq!(Arc::strong_count(&first), 1, "nobody else has it");
        reader.join().expect("no panic");
    });
}

#[test]
fn what_is_read_under_one_pin_stays_until_it_goes() {
    model(3, || {
        let (outer, inner) = (Arc::new(Swap::new(Alive::new())), Arc::new(Swap::new(Alive::new())));
        let reader = {
            let (outer, inner) = (Arc::clone(&outer), Arc::clone(&inner));
            thread::spawn(move || {
                let pin = pin();
                let (first, second) = (outer.load_under(&pin), inner.load_under(&pin));
                first.check();
                second.check();
                let kept = second.to_arc();
                drop(pin);
                kept.check();
                if inner.has_retired() {
                    inner.collect();
                }
            })
        };
        inner.store(Alive::new());
        outer.store(Alive::new());
        reader.join().expect("no panic");
    });
}

#[test]
fn two_writers_and_a_reader_agree_on_a_swap() {
    model(2, || {
        let swap = Arc::new(Swap::new(Alive::new()));
        let threads: Vec<_> = [true, false]
            .into_iter()
            .map(|writes| {
                let swap = Arc::clone(&swap);
                thread::spawn(move || if writes { swap.store(Alive::new()) } else { swap.load().check() })
            })
            .collect();
        swap.swap(Alive::new()).check();
        for thread in threads {
            thread.join().expect("no panic");
        }
    });
}

#[test]
fn a_record_found_in_the_index_is_whole_and_a_key_has_one_chain() {
    model(2, || {
        let shared = Arc::new({
            let arena = Arena::new();
            (HashIndex::new(&arena, 0), arena)
        });
        let writer = |shared: Arc<(HashIndex, Arena)>, versions: [u64; 2]| {
            move || {
                // The fence of a pin would order too much here.
                let _pin = pin();
                let (index, arena) = &*shared;
                for version in versions {
                    let new = write(arena, version);
                    index.upsert(
                        arena,
                        7,
                        |_| true,
                        |head| head.map_or(new, |head| chain::add(head, new, |there| read(there) > version)),
                    );
                    new.finish();
                }
            }
        };
        let other = thread::spawn(writer(Arc::clone(&shared), [4, 1]));
        writer(Arc::clone(&shared), [3, 2])();
        other.join().expect("no panic");
        let (index, arena) = &*shared;
        let mut version = index.find(arena, 7, |_| true);
        for expected in (1..=4).rev() {
            let record = version.expect("four versions");
            assert_eq!(read(record), expected);
            version = chain::previous(record);
        }
        assert_eq!((version.map(read), index.keys()), (None, 1));
    });
}

#[test]
fn a_reader_beside_a_late_arrival_sees_whole_records_in_order() {
    model(2, || {
        let shared = Arc::new({
            let arena = Arena::new();
            (HashIndex::new(&arena, 0), arena)
        });
        let put = |(index, arena): &(HashIndex, Arena), version: u64| {
            let new = write(arena, version);
            let link = |head: Option<_>| head.map_or(new, |head| chain::add(head, new, |there| read(there) > version));
            index.upsert(arena, 7, |_| true, link);
        };
        put(&shared, 2);
        let reader = {
            let shared = Arc::clone(&shared);
            thread::spawn(move || {
                let _pin = pin();
                let (index, arena) = &*shared;
                let head = index.find(arena, 7, |_| true).expect("one was there");
                let older = chain::find(head, |record| read(record) < read(head));
                assert!(older.is_none_or(|older| read(older) + 1 == read(head)));
            })
        };
        // The fence of a pin would order too much here.
        let _pin = pin();
        put(&shared, 1);
        put(&shared, 3);
        reader.join().expect("no panic");
    });
}

#[test]
fn lookups_beside_a_growing_index_miss_nothing_stored_before() {
    model(2, || {
        let shared = Arc::new({
            let arena = Arena::new();
            (HashIndex::new(&arena, 0), arena)
        });
        let store = |index: &HashIndex, arena: &Arena, key: u64| {
            let record = write(arena, key);
            index.upsert(arena, key << 61, |found| read(found) == key, |_| record);
        };
        store(&shared.0, &shared.1, 1);
        let reader = {
            let shared = Arc::clone(&shared);
            thread::spawn(move || {
                let (index, arena) = &*shared;
                assert!(index.find(arena, 1 << 61, |found| read(found) == 1).is_some());
            })
        };
        let (index, arena) = &*shared;
        (2..4).for_each(|key| store(index, arena, key));
        reader.join().expect("no panic");
        assert!((1..4).all(|key| index.find(arena, key << 61, |found| read(found) == key).is_some()));
    });
}

#[test]
fn a_walk_meets_what_was_finished_before_even_behind_the_unfinished() {
    model(2, || {
        let arena = Arc::new(Arena::new());
        let writer = {
            let arena = Arc::clone(&arena);
            thread::spawn(move || {
                let record = write(&arena, 1);
                record.set_first();
                record.finish();
            })
        };
        let record = write(&arena, 2);
        record.set_first();
        record.finish();
        let (mut walk, mut met) = (Walk::new(), Vec::new());
        walk.advance(&arena, |record| met.push(read(record)));
        assert!(met.contains(&2));
        writer.join().expect("no panic");
        arena.seal();
        walk.complete(&arena, |record| met.push(read(record)));
        met.sort_unstable();
        assert_eq!(met, [1, 2]);
    });
}

#[test]
fn a_sealed_arena_has_no_reservation_that_a_walk_misses() {
    model(3, || {
        let arena = Arc::new(Arena::new());
        let writer = {
            let arena = Arc::clone(&arena);
            thread::spawn(move || {
                let Ok(reservation) = arena.reserve(8, 0) else { return 0 };
                let record = reservation.write();
                record.set_first();
                record.finish();
                1
            })
        };
        arena.seal();
        let mut met = 0;
        Walk::new().complete(&arena, |_| met += 1);
        assert_eq!(met, writer.join().expect("no panic"));
    });
}

#[test]
fn a_reader_beside_a_split_sees_every_record() {
    model(2, || {
        let arena = Arena::new();
        let set = OrderedSet::new(&arena);
        let shared = Arc::new((arena, set));
        let insert = |shared: &(Arena, OrderedSet), key: u64| {
            let mut batch = Batch::default();
            batch.push(key, write(&shared.0, key));
            shared.1.insert(&shared.0, &mut batch, |a, b| read(a).cmp(&read(b)));
        };
        for key in [10, 20, 30, 40] {
            insert(&shared, key);
        }
        let reader = {
            let shared = Arc::clone(&shared);
            thread::spawn(move || {
                let (arena, set) = &*shared;
                let goal = Goal { head: 30, compare: |record| read(record).cmp(&30) };
                let from = set.window_from(arena, &goal, false);
                assert_eq!(read(from.record(arena, 0)), 30);
                let before = set.window_before(arena, &goal);
                assert_eq!(read(before.record(arena, before.len() - 1)), 20);
            })
        };
        insert(&shared, 15);
        reader.join().expect("no panic");
    });
}

#[test]
fn a_ratchet_passes_all_that_is_finished_and_nothing_else() {
    model(3, || {
        let mut tickets = Tickets::new(0, 2);
        let ratchet = Arc::clone(tickets.ratchet());
        let done = Arc::new([AtomicBool::new(false), AtomicBool::new(false)]);
        let threads = {
            let (first, second) = (tickets.take(1, Step::One).expect("room"), tickets.take(2, Step::One).expect("room"));
            let threads = [(0, first), (1, second)].map(|(index, ticket)| {
                let (ratchet, done) = (Arc::clone(&ratchet), Arc::clone(&done));
                thread::spawn(move || {
                    done[index].store(true, Relaxed);
                    ratchet.finish(ticket);
                })
            });
            let level = ratchet.level();
            assert!((0..level as usize).all(|index| done[index].load(Relaxed)), "passed too early");
            threads
        };
        threads.into_iter().for_each(|thread| thread.join().expect("no panic"));
        assert_eq!(ratchet.level(), 2);
        let third = tickets.take(5, Step::One).expect("both slots are free");
        ratchet.finish(third);
        assert_eq!(ratchet.level(), 5);
    });
}

#[test]
fn a_slot_of_a_ratchet_is_taken_again_while_others_pass() {
    model(2, || {
        let mut tickets = Tickets::new(0, 2);
        let ratchet = Arc::clone(tickets.ratchet());
        let both = [tickets.take(1, Step::One), tickets.take(2, Step::One)].map(|ticket| ticket.expect("room"));
        let threads = both.map(|ticket| {
            let ratchet = Arc::clone(&ratchet);
            thread::spawn(move || {
                ratchet.finish(ticket);
            })
        });
        let third = tickets.take(3, Step::One);
        let is_taken = third.is_some();
        third.into_iter().for_each(|ticket| {
            ratchet.finish(ticket);
        });
        threads.into_iter().for_each(|thread| thread.join().expect("no panic"));
        assert_eq!(ratchet.level(), if is_taken { 3 } else { 2 });
    });
}

#[test]
fn what_was_promised_is_there_for_whoever_was_told() {
    model(3, || {
        let mut tickets = Tickets::new(0, 4);
        let ratchet = Arc::clone(tickets.ratchet());
        let done = Arc::new([AtomicBool::new(false), AtomicBool::new(false)]);
        let told = Arc::new(AtomicBool::new(false));
        let [first, second] = [1, 2].map(|value| tickets.take(value, Step::One).expect("room"));
        let slow = {
            let (ratchet, done) = (Arc::clone(&ratchet), Arc::clone(&done));
            thread::spawn(move || {
                done[0].store(true, Relaxed);
                ratchet.finish(first);
            })
        };
        let quick = {
            let (ratchet, done, told) = (Arc::clone(&ratchet), Arc::clone(&done), Arc::clone(&told));
            thread::spawn(move || {
                done[1].store(true, Relaxed);
                assert_ne!(ratchet.finish(second), Finished::Early);
                told.store(true, Release);
            })
        };
        let was_told = told.load(Acquire);
        let newest = ratchet.newest();
        assert!(!was_told || newest == 2, "a promise was forgotten");
        assert!(newest < 2 || done[1].load(Relaxed), "promised too early");
        let level = ratchet.level();
        assert!((0..level as usize).all(|index| done[index].load(Relaxed)), "passed too early");
        [slow, quick].into_iter().for_each(|thread| thread.join().expect("no panic"));
        assert_eq!((ratchet.level(), ratchet.newest()), (2, 2));
    });
}

/// What waits in a commit queue.
struct Waiting {
    is_decided: AtomicBool,
    ticket: Mutex<Option<Ticket>>,
}

/// A commit queue: a record that finds nobody is written at once, under the lock that orders them. Else it waits, whoever leads writes
/// all that waits and gives each its place, and each passes by itself.
struct Queue {
    lead: Lead,
    order: Mutex<Order>,
    /// Held while something is written; how much was.
    writer: Mutex<u64>,
    is_still: AtomicBool,
    ratchet: Arc<Ratchet>,
}

struct Order {
    tickets: Tickets,
    settled: u64,
    undecided: u64,
    waiting: Vec<Arc<Waiting>>,
}

impl Queue {
    fn new() -> Self {
        let tickets = Tickets::new(0, 4);
        let ratchet = Arc::clone(tickets.ratchet());
        let order = Mutex::new(Order { tickets, settled: 0, undecided: 0, waiting: Vec::new() });
        Self { lead: Lead::new(), order, writer: Mutex::new(0), is_still: AtomicBool::new(false), ratchet }
    }

    fn commit(&self) {
        let mine = Arc::new(Waiting { is_decided: AtomicBool::new(false), ticket: Mutex::new(None) });
        self.submit(&mine);
        if !mine.is_decided.load(Acquire) && self.lead.turn(|| mine.is_decided.load(Acquire), yielding) {
            self.lead_group();
            self.lead.give();
        }
        let ticket = mine.ticket.lock().expect("no panic").take();
        self.ratchet.finish(ticket.expect("somebody has decided it"));
    }

    fn submit(&self, mine: &Arc<Waiting>) {
        let mut order = self.order.lock().expect("no panic");
        let is_idle = order.undecided == 0 && !self.lead.is_taken();
        if let Some(mut writer) = is_idle.then(|| self.writer.try_lock().ok()).flatten() {
            self.write(&mut writer, 1);
            self.settle(&mut order, mine);
        } else {
            order.undecided += 1;
            order.waiting.push(Arc::clone(mine));
        }
    }

    fn lead_group(&self) {
        let mut writer = self.writer.lock().expect("no panic");
        let batch = std::mem::take(&mut self.order.lock().expect("no panic").waiting);
        self.write(&mut writer, batch.len() as u64);
        drop(writer);
        for waiting in batch {
            let mut order = self.order.lock().expect("no panic");
            order.undecided -= 1;
            self.settle(&mut order, &waiting);
        }
    }

    fn write(&self, writer: &mut u64, records: u64) {
        assert!(!self.is_still.load(Relaxed), "it was promised that nobody writes");
        *writer += records;
    }

    fn settle(&self, order: &mut Order, waiting: &Waiting) {
        order.settled += 1;
        *waiting.ticket.lock().expect("no panic") = order.tickets.take(order.settled, Step::Several);
        waiting.is_decided.store(true, Release);
    }

    fn be_still(&self) {
        yielding(&mut || self.lead.take());
        drop(self.order.lock().expect("no panic"));
        self.is_still.store(true, Relaxed);
        self.is_still.store(false, Relaxed);
        self.lead.give();
    }
}

fn yielding(is_over: &mut dyn FnMut() -> bool) {
    while !is_over() {
        thread::yield_now();
    }
}

#[test]
fn everybody_who_waits_is_decided_by_somebody_and_passes() {
    model(2, || {
        let queue = Arc::new(Queue::new());
        let other = Arc::clone(&queue);
        let other = thread::spawn(move || other.commit());
        queue.commit();
        other.join().expect("no panic");
        assert_eq!((queue.order.lock().expect("no panic").settled, *queue.writer.lock().expect("no panic")), (2, 2));
        assert!(queue.lead.take(), "the lead is free in the end");
        assert_eq!(queue.ratchet.level(), 2);
    });
}

#[test]
fn nobody_writes_while_the_lead_is_held_for_stillness() {
    model(2, || {
        let queue = Arc::new(Queue::new());
        let other = Arc::clone(&queue);
        let other = thread::spawn(move || other.commit());
        queue.be_still();
        other.join().expect("no panic");
        assert_eq!((*queue.writer.lock().expect("no panic"), queue.ratchet.level()), (1, 1));
    });
}
