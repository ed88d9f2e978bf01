use super::{
    Heat, Pages,
    clock::{Clock, Weigh},
};
use sediment_base::{Account, Error, MemoryBudget, Result};
use sediment_env::{Park, ThreadPark, clock::SteppedClock, stepper::Stepper};
use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst},
    },
    thread,
};

/// A number that takes so many bytes.
#[derive(Debug, PartialEq)]
struct Value(usize, u64);

impl Weigh for Arc<Value> {
    fn bytes(&self) -> u64 {
        self.1
    }
}

/// Room for ten values of a hundred bytes.
fn clock() -> Arc<Clock<Arc<Value>>> {
    Arc::new(Clock::new(1000, Arc::new(MemoryBudget::unlimited())))
}

fn pages(clock: &Arc<Clock<Arc<Value>>>, count: usize) -> Pages<Arc<Value>> {
    Pages::new(clock, Arc::new(ThreadPark::new()), count)
}

fn load(number: usize) -> impl FnOnce() -> Result<Arc<Value>> {
    move || Ok(Arc::new(Value(number, 100)))
}

fn ask(pages: &Pages<Arc<Value>>, number: usize, heat: Heat) {
    pages.with(number, heat, load(number), |value| assert_eq!(value.0, number)).unwrap();
}

/// Whether the value is in its slot. Leaves nothing behind.
fn is_there(pages: &Pages<Arc<Value>>, number: usize) -> bool {
    let mut is_there = false;
    pages.with(number, Heat::Once, || Ok(Arc::new(Value(usize::MAX, 0))), |value| is_there = value.0 == number).unwrap();
    is_there
}

#[test]
fn the_capacity_holds_and_what_is_asked_for_stays() {
    let clock = clock();
    let pages = pages(&clock, 2000);
    for round in 0..2000 {
        ask(&pages, 7, Heat::Point);
        ask(&pages, 7, Heat::Point);
        assert_eq!(pages.get_or_load(round, Heat::Scan, load(round)).unwrap().0, round);
        assert!(clock.used_bytes() <= 1000, "{clock:?}");
    }
    assert_eq!(clock.misses(), 2000);
    assert!(clock.used_bytes() >= 900);
    drop(pages);
    assert_eq!(clock.used_bytes(), 0);
}

#[test]
fn the_hand_goes_on_where_it_stopped() {
    let clock = clock();
    let pages = pages(&clock, 900);
    (0..900).chain(0..900).for_each(|number| ask(&pages, number, Heat::Scan));
    assert!((892..900).all(|number| is_there(&pages, number)), "what came last is what is left");
    assert!(!(0..800).any(|number| is_there(&pages, number)));
}

#[test]
fn errors_large_values_and_single_passes_leave_nothing_behind() {
    let clock = clock();
    let pages = pages(&clock, 3);
    assert!(pages.get_or_load(0, Heat::Point, || Err(Error::corruption("damaged"))).is_err());
    assert_eq!(pages.get_or_load(1, Heat::Point, || Ok(Arc::new(Value(1, 251)))).unwrap().0, 1);
    ask(&pages, 2, Heat::Once);
    assert_eq!(clock.used_bytes(), 0);
    assert_eq!(pages.get_or_load(0, Heat::Point, load(5)).unwrap().0, 5);
    assert_eq!(pages.get_or_load(0, Heat::Once, load(6)).unwrap().0, 5);
    assert_eq!(pages.get_or_load(1, Heat::Point, || Ok(Arc::new(Value(1, 250)))).unwrap().1, 250);
    assert_eq!((clock.used_bytes(), clock.misses()), (350, 5));
}

#[test]
fn what_comes_back_soon_is_kept_longer_unless_a_scan_brings_it() {
    for (heat, survives) in [(Heat::Point, true), (Heat::Scan, false)] {
        let clock = clock();
        let pages = pages(&clock, 11);
        (0..11).for_each(|number| ask(&pages, number, Heat::Scan));
        assert!(!is_there(&pages, 0), "the first to go");
        ask(&pages, 0, heat);
        // One value too many: each takes the place of the one that is asked for next, and so the hand goes round.
        (1..11).for_each(|number| ask(&pages, number, Heat::Scan));
        assert_eq!(is_there(&pages, 0), survives, "{heat:?}");
        (1..11).for_each(|number| ask(&pages, number, Heat::Scan));
        assert!(!is_there(&pages, 0), "but not for ever");
    }
}

#[test]
fn what_points_ask_for_survives_a_long_scan() {
    let clock = Arc::new(Clock::new(20_000, Arc::new(MemoryBudget::unlimited())));
    let pages = pages(&clock, 10_000);
    let hot = |round: usize| round * 37 % 100;
    (0..1000).for_each(|round| ask(&pages, hot(round), Heat::Point));
    let before = clock.misses();
    for number in 100..10_000 {
        ask(&pages, number, Heat::Scan);
        ask(&pages, hot(number), Heat::Point);
    }
    assert_eq!(clock.misses() - before, 9900, "only the scan missed");
}

#[test]
fn a_dead_owner_is_forgotten() {
    let clock = clock();
    for _ in 0..50 {
        let pages = pages(&clock, 600);
        (0..600).for_each(|number| ask(&pages, number, Heat::Point));
        assert!(clock.used_bytes() <= 1000);
    }
    assert_eq!(clock.used_bytes(), 0);
    assert!(clock.pages_in_ring() <= 32);
    // Also where there is room for everything, so that the hand never moves.
    clock.set_capacity_bytes(u64::MAX);
    for _ in 0..500 {
        ask(&pages(&clock, 1), 0, Heat::Point);
    }
    assert!(clock.pages_in_ring() <= 32);
    assert_eq!(clock.used_bytes(), 0);
}

#[test]
fn a_smaller_capacity_holds_at_once_and_a_larger_one_is_used() {
    let clock = clock();
    let pages = pages(&clock, 2000);
    let ask_all = |heat| (0..2000).for_each(|number| ask(&pages, number, heat));
    clock.set_capacity_bytes(150_000);
    // Each of the first is wanted as much as a slot can remember.
    (0..5).for_each(|_| ask_all(Heat::Point));
    assert!((149_900..=150_000).contains(&clock.used_bytes()), "{clock:?}");
    for capacity in [120_000, 119_950, 500, 99, 0] {
        clock.set_capacity_bytes(capacity);
        assert!(clock.used_bytes() <= capacity, "{clock:?}");
        assert!(clock.used_bytes() + 100 > capacity.min(119_950), "no more goes than must: {clock:?}");
        assert_eq!(clock.budget().used(Account::Cache), clock.used_bytes());
    }
    ask_all(Heat::Point);
    assert_eq!((clock.used_bytes(), clock.capacity_bytes()), (0, 0));
    clock.set_capacity_bytes(u64::MAX);
    ask_all(Heat::Scan);
    assert_eq!((clock.used_bytes(), clock.budget().used(Account::Cache)), (200_000, 200_000));
    drop(pages);
    assert_eq!(clock.budget().used(Account::Cache), 0);
}

#[test]
fn capacities_change_under_readers() {
    let clock = clock();
    let pages = pages(&clock, 1500);
    thread::scope(|scope| {
        for thread in 0..3 {
            let pages = &pages;
            scope.spawn(move || {
                for round in 0..30_000 {
                    let number = (round * 7 + thread * 501 + round / 100) % 1500;
                    ask(pages, number, Heat::Point);
                }
            });
        }
        for capacity in (0..200).map(|round| round * 7919 % 100_000) {
            clock.set_capacity_bytes(capacity);
            thread::yield_now();
        }
    });
    clock.set_capacity_bytes(5000);
    assert!(clock.used_bytes() <= 5000, "{clock:?}");
    assert_eq!(clock.budget().used(Account::Cache), clock.used_bytes());
}

/// A park that tells whether somebody is in it.
#[derive(Debug)]
struct Watched {
    park: Arc<dyn Park>,
    waits: AtomicUsize,
}

impl Watched {
    fn new(park: impl Park + 'static) -> Arc<Self> {
        Arc::new(Self { park: Arc::new(park), waits: AtomicUsize::new(0) })
    }
}

impl Park for Watched {
    fn wait_until(&self, is_done: &mut dyn FnMut() -> bool) {
        self.park.wait_until(&mut || {
            let is_done = is_done();
            self.waits.fetch_add(usize::from(!is_done), SeqCst);
            is_done
        });
    }

    fn wait_at_most(&self, _: u64, _: &mut dyn FnMut() -> bool) -> bool {
        unreachable!("a load takes as long as it takes")
    }

    fn wake_all(&self) {
        self.park.wake_all();
    }

    fn another(&self) -> Arc<dyn Park> {
        unreachable!("one place is enough")
    }
}

/// Three threads want one value, and the first to come loads it until another waits.
fn many_want_one_value(park: &Arc<Watched>, fails: bool) {
    let clock = clock();
    let pages = Pages::new(&clock, Arc::clone(park) as Arc<dyn Park>, 1);
    let (is_loading, loads) = (AtomicBool::new(false), AtomicUsize::new(0));
    let first = || {
        is_loading.store(true, SeqCst);
        loads.fetch_add(1, SeqCst);
        while park.waits.load(SeqCst) == 0 {
            thread::yield_now();
        }
        if fails { Err(Error::corruption("damaged")) } else { Ok(Arc::new(Value(0, 100))) }
    };
    let later = || {
        loads.fetch_add(1, SeqCst);
        Ok(Arc::new(Value(0, 100)))
    };
    thread::scope(|scope| {
        scope.spawn(|| assert_eq!(pages.get_or_load(0, Heat::Point, first).is_err(), fails));
        while !is_loading.load(SeqCst) {
            thread::yield_now();
        }
        for _ in 0..2 {
            scope.spawn(|| assert_eq!(pages.get_or_load(0, Heat::Point, later).unwrap().0, 0));
        }
    });
    let expected = if fails { 2..=3 } else { 1..=1 };
    assert!(expected.contains(&loads.load(SeqCst)), "{loads:?}");
    assert_eq!((clock.misses(), clock.used_bytes()), (loads.load(SeqCst) as u64, 100));
}

#[test]
fn a_value_that_many_want_is_loaded_once_and_after_a_failure_again() {
    for fails in [false, true] {
        many_want_one_value(&Watched::new(ThreadPark::new()), fails);
        many_want_one_value(&Watched::new(Stepper::new(1, SteppedClock::new(0))), fails);
    }
}

#[test]
fn a_panic_while_loading_leaves_an_empty_slot() {
    let clock = clock();
    let pages = pages(&clock, 1);
    let panicked = thread::scope(|scope| {
        scope.spawn(|| pages.get_or_load(0, Heat::Point, || -> Result<Arc<Value>> { panic!("the load") })).join()
    });
    assert!(panicked.is_err());
    assert!(!is_there(&pages, 0));
    ask(&pages, 0, Heat::Point);
    assert_eq!(clock.used_bytes(), 100);
}
