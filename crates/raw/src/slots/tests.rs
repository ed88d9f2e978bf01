use super::{Limbo, Loader, Resident, Slots, Sweep};
use crate::{epoch::pin, random::Random};
use std::{
    cell::Cell,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Arc, Condvar, Mutex,
        atomic::{
            AtomicUsize,
            Ordering::{Relaxed, SeqCst},
        },
    },
    thread,
};

const MAX: u8 = Slots::<Arc<u64>>::FREQUENCY_MAX;

fn slots(count: usize) -> Slots<Arc<u64>> {
    Slots::new(count, Arc::default())
}

fn no_wake() {}

/// The same in safe words: a value and its frequency, or nothing.
type Twin = Vec<Option<(u64, u8)>>;

fn assert_same(slots: &Slots<Arc<u64>>, twin: &Twin) {
    let pin = pin();
    for (index, expected) in twin.iter().enumerate() {
        let found = slots.get(index, &pin).map(|value| (**value, value.frequency()));
        assert_eq!(found, *expected, "slot {index}");
    }
}

#[test]
fn slots_do_what_a_vector_of_options_does() {
    let mut random = Random(7);
    let slots = slots(9);
    let mut twin: Twin = vec![None; 9];
    let mut kept: Vec<(Arc<u64>, u64)> = Vec::new();
    for step in 0..if cfg!(miri) { 600 } else { 60_000 } {
        let index = random.below(9) as usize;
        match random.below(6) {
            0 => {
                let loader = slots.claim(index, no_wake);
                assert_eq!(loader.is_some(), twin[index].is_none());
                if let Some(loader) = loader {
                    assert!(slots.claim(index, no_wake).is_none() && slots.get(index, &pin()).is_none());
                    let frequency = random.below(6) as u8;
                    loader.publish(Arc::new(step), frequency);
                    twin[index] = Some((step, frequency.min(MAX)));
                }
            }
            1 => drop(slots.claim(index, no_wake)),
            2 => {
                let limbo = Arc::clone(&slots.limbo);
                let mut sweep = limbo.sweep();
                let taken = slots.age(index, &mut sweep).map(|value| **value);
                let expected = twin[index].filter(|(_, frequency)| *frequency == 0);
                assert_eq!((taken, sweep.unlinked()), (expected.map(|(value, _)| value), usize::from(taken.is_some())));
                twin[index] =
                    twin[index].filter(|(_, frequency)| *frequency > 0).map(|(value, frequency)| (value, frequency - 1));
            }
            3 => kept.extend(slots.get(index, &pin()).map(|value| (Arc::clone(&value), **value))),
            4 => {
                kept.truncate(5);
                assert!(kept.iter().all(|(value, expected)| **value == *expected));
            }
            _ => {
                if let Some(value) = slots.get(index, &pin()) {
                    value.touch();
                    twin[index] = twin[index].map(|(value, frequency)| (value, (frequency + 1).min(MAX)));
                }
            }
        }
        assert_same(&slots, &twin);
    }
    drop(slots);
    assert!(kept.iter().all(|(value, expected)| **value == *expected));
}

#[test]
fn a_touch_that_comes_too_late_is_lost_and_brings_nothing_back() {
    let slots = slots(1);
    slots.claim(0, no_wake).expect("empty").publish(Arc::new(5), 1);
    let outer = pin();
    let found = slots.get(0, &outer).expect("published");
    assert_eq!(slots.age(0, &mut slots.limbo.sweep()), None);
    found.touch();
    assert_eq!(slots.get(0, &outer).map(|value| value.frequency()), Some(0), "aged before it was touched");
    assert_eq!(slots.age(0, &mut slots.limbo.sweep()).map(|value| **value), Some(5));
    found.touch();
    assert!(slots.get(0, &outer).is_none());
    assert_eq!((**found, slots.limbo.len()), (5, 1), "the pin keeps it");
}

#[test]
fn a_load_that_fails_or_panics_leaves_an_empty_slot_and_wakes() {
    let slots = slots(1);
    let wakes = Cell::new(0);
    let wake = || wakes.set(wakes.get() + 1);
    let asks = |expected: bool| slots.wait_loaded(0, |is_over| assert_eq!(is_over(), expected));
    asks(true);
    drop(slots.claim(0, wake));
    assert_eq!(wakes.get(), 0, "nobody waited");
    let panicked = catch_unwind(AssertUnwindSafe(|| {
        let _loader = slots.claim(0, wake).expect("empty");
        asks(false);
        asks(false);
        panic!("the load");
    }));
    assert!(panicked.is_err());
    asks(true);
    assert_eq!(wakes.get(), 1, "once for all who wait");
    let loader = slots.claim(0, wake).expect("empty again");
    asks(false);
    loader.publish(Arc::new(1), 0);
    asks(true);
    assert_eq!((wakes.get(), **slots.get(0, &pin()).expect("published")), (2, 1));
}

#[test]
#[should_panic(expected = "one limbo")]
fn a_sweep_of_another_limbo_is_refused() {
    slots(1).age(0, &mut Limbo::new().sweep());
}

#[test]
fn all_of_it_shows_itself() {
    let slots = slots(3);
    slots.claim(1, no_wake).expect("empty").publish(Arc::new(5), 0);
    let pin = pin();
    let found = slots.get(1, &pin);
    assert_eq!(format!("{slots:?} {found:?}"), "Slots(1 of 3 resident) Some(Resident(5))");
    assert_eq!(format!("{:?} {:?}", slots.limbo, slots.limbo.sweep()), "Limbo(0 values) Sweep(0 unlinked)");
    assert_eq!((slots.len(), slots.is_empty(), slots.limbo.is_empty()), (3, false, true));
}

/// Threads share slots whose values may be shared, but keep pins, and what hangs on them, to themselves.
#[test]
fn slots_are_shared_as_their_values_are() {
    trait Shared {
        const IS: bool = false;
    }
    impl<T> Shared for T {}
    struct Is<T>(std::marker::PhantomData<T>);
    impl<T: Send + Sync> Is<T> {
        const IS: bool = true;
    }
    assert_eq!([Is::<Slots<Arc<u64>>>::IS, Is::<Limbo<Arc<u64>>>::IS], [true; 2]);
    assert_eq!([Is::<Slots<Arc<Cell<u64>>>>::IS, Is::<Limbo<Arc<Cell<u64>>>>::IS], [false; 2]);
    assert_eq!(
        [Is::<Resident<'_, Arc<u64>>>::IS, Is::<Sweep<'_, Arc<u64>>>::IS, Is::<Loader<'_, Arc<u64>, fn()>>::IS],
        [false; 3]
    );
}

/// Waiting as a thread of the operating system does.
#[derive(Default)]
struct Park {
    wakes: Mutex<u64>,
    woken: Condvar,
}

impl Park {
    fn wait(&self, is_over: &mut dyn FnMut() -> bool) {
        let mut wakes = self.wakes.lock().expect("no panic");
        while !is_over() {
            wakes = self.woken.wait(wakes).expect("no panic");
        }
    }

    fn wake(&self) {
        *self.wakes.lock().expect("no panic") += 1;
        self.woken.notify_all();
    }
}

#[test]
fn readers_loaders_and_a_clock_of_many_threads_agree() {
    const SLOTS: usize = 7;
    let rounds = if cfg!(miri) { 100 } else { 20_000 };
    let limbo: Arc<Limbo<Arc<u64>>> = Arc::default();
    let (slots, park) = (Slots::new(SLOTS, Arc::clone(&limbo)), Park::default());
    let (loads, fails) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let read = |index: usize| {
        let pin = pin();
        let value = slots.get(index, &pin)?;
        value.touch();
        assert_eq!(**value as usize % SLOTS, index);
        Some(Arc::clone(&value))
    };
    let get = |index: usize, round: usize| loop {
        if let Some(value) = read(index) {
            return *value;
        }
        let Some(loader) = slots.claim(index, || park.wake()) else {
            slots.wait_loaded(index, |is_over| park.wait(is_over));
            continue;
        };
        if round.is_multiple_of(11) {
            fails.fetch_add(1, Relaxed);
            drop(loader);
            return index as u64;
        }
        let value = (loads.fetch_add(1, Relaxed) * SLOTS + index) as u64;
        loader.publish(Arc::new(value), u8::from(round.is_multiple_of(2)));
    };
    let age = |first: usize| {
        let mut sweep = limbo.sweep();
        for index in [first, (first + 1) % SLOTS] {
            assert!(slots.age(index, &mut sweep).is_none_or(|value| **value as usize % SLOTS == index));
        }
    };
    thread::scope(|scope| {
        for seed in 1..4 {
            let (get, age) = (&get, &age);
            scope.spawn(move || {
                let mut random = Random(seed);
                for round in 0..rounds {
                    let index = random.below(SLOTS as u64) as usize;
                    assert_eq!(get(index, round) as usize % SLOTS, index);
                    // A hand in each thread: one of its own might come when all readers are through.
                    if random.below(4) == 0 {
                        age(index);
                    }
                }
            });
        }
    });
    assert!(loads.load(SeqCst) > SLOTS && fails.load(SeqCst) > 0);
}
