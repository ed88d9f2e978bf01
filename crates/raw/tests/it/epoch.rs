//! Epoch-based reclamation, in a process where nothing else pins: these tests count what is freed when.

use crate::alone;
use sediment_raw::epoch::{Swap, oldest_pin, pin};
use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::SeqCst},
    },
    thread,
};

pub(crate) struct Counted<'a>(pub(crate) u64, pub(crate) &'a AtomicUsize);

impl Drop for Counted<'_> {
    fn drop(&mut self) {
        self.1.fetch_add(1, SeqCst);
    }
}

#[test]
fn a_guard_keeps_what_it_read_and_the_last_guard_frees_it() {
    let _alone = alone();
    let drops = AtomicUsize::new(0);
    let swap = Swap::new(Arc::new(Counted(1, &drops)));
    let guard = swap.load();
    let inner = swap.load();
    swap.store(Arc::new(Counted(2, &drops)));
    assert_eq!((guard.0, inner.0, swap.load().0, drops.load(SeqCst)), (1, 1, 2, 0));
    drop(guard);
    assert_eq!((inner.0, drops.load(SeqCst)), (1, 0));
    drop(inner);
    assert_eq!(drops.load(SeqCst), 1);
    drop(swap);
    assert_eq!(drops.load(SeqCst), 2);
}

#[test]
fn one_pin_holds_what_is_read_under_it_and_frees_nothing_when_it_goes() {
    let _alone = alone();
    let drops = AtomicUsize::new(0);
    let (outer, inner) = (Swap::new(Arc::new(1)), Swap::new(Arc::new(Counted(1, &drops))));
    let guard = outer.load();
    let seen = inner.load_under(guard.pin());
    inner.store(Arc::new(Counted(2, &drops)));
    assert_eq!((seen.0, inner.load_under(guard.pin()).0, drops.load(SeqCst)), (1, 2, 0));
    let kept = seen.to_arc();
    drop(inner.load());
    drop(guard);
    assert!(inner.has_retired(), "no guard frees anything while its thread is pinned");
    inner.collect();
    assert!(!inner.has_retired());
    assert_eq!((kept.0, drops.load(SeqCst)), (1, 0));
    drop(kept);
    assert_eq!(drops.load(SeqCst), 1);
}

#[test]
fn what_is_reached_from_a_pinned_value_stays_as_long_as_that() {
    let _alone = alone();
    let drops = AtomicUsize::new(0);
    let list = |numbers: &[u64]| numbers.iter().map(|number| Arc::new(Counted(*number, &drops))).collect::<Vec<_>>();
    let swap = Swap::new(Arc::new(list(&[1, 2])));
    let guard = pin();
    let second = swap.load_under(&guard).follow(|list| list.get(1)).expect("there");
    assert!(swap.load_under(&guard).follow(|list| list.get(2)).is_none());
    swap.store(Arc::new(list(&[3])));
    assert_eq!((second.0, drops.load(SeqCst)), (2, 0));
    let kept = second.to_arc();
    drop(guard);
    swap.collect();
    assert_eq!((kept.0, drops.load(SeqCst)), (2, 1), "its neighbour went with the list");
    drop((kept, swap));
    assert_eq!(drops.load(SeqCst), 3);
}

#[test]
fn an_arc_outlives_pin_and_swap() {
    let _alone = alone();
    let swap = Swap::new(Arc::new(7));
    let (full, of_guard) = (swap.load_full(), swap.load().to_arc());
    assert_eq!(*swap.swap(Arc::new(8)), 7);
    assert_eq!(Arc::strong_count(&full), 2);
    drop(swap);
    assert_eq!((*full, *of_guard), (7, 7));
}

#[test]
fn retired_values_go_with_their_swap() {
    let _alone = alone();
    let drops = AtomicUsize::new(0);
    let swap = Swap::new(Arc::new(Counted(1, &drops)));
    let pin = pin();
    swap.store(Arc::new(Counted(2, &drops)));
    assert_eq!(drops.load(SeqCst), 0);
    drop(swap);
    assert_eq!(drops.load(SeqCst), 2);
    assert_ne!(oldest_pin(), u64::MAX);
    drop(pin);
    assert_eq!(oldest_pin(), u64::MAX);
}

#[test]
fn who_waits_for_readers_frees_at_once() {
    let _alone = alone();
    let drops = AtomicUsize::new(0);
    let swap = Swap::waiting(Arc::new(Counted(0, &drops)));
    thread::scope(|scope| {
        // Each looks as soon as it can, so that there are pins most of the time. A guard that goes would help to free.
        let readers: Vec<_> = (0..3).map(|_| scope.spawn(|| while swap.load_under(&pin()).0 < 50 {})).collect();
        for number in 1..=50 {
            swap.store(Arc::new(Counted(number, &drops)));
            assert_eq!((drops.load(SeqCst), swap.has_retired()), (number as usize, false));
        }
        readers.into_iter().for_each(|reader| reader.join().expect("no panic"));
    });
}

#[test]
fn who_is_pinned_does_not_wait_for_readers() {
    let _alone = alone();
    let drops = AtomicUsize::new(0);
    let swap = Swap::waiting(Arc::new(Counted(1, &drops)));
    let guard = swap.load();
    swap.store(Arc::new(Counted(2, &drops)));
    assert_eq!((guard.0, drops.load(SeqCst)), (1, 0));
    drop(guard);
    assert_eq!(drops.load(SeqCst), 1);
}

#[test]
fn readers_and_writers_of_many_threads_never_meet_a_freed_value() {
    let _alone = alone();
    let rounds = if cfg!(miri) { 20 } else { 20_000 };
    let (drops, made) = (AtomicUsize::new(0), AtomicUsize::new(1));
    let swap = Swap::new(Arc::new(Counted(42, &drops)));
    thread::scope(|scope| {
        for writes in [true, false, true, false] {
            let (swap, drops, made) = (&swap, &drops, &made);
            scope.spawn(move || {
                for _ in 0..rounds {
                    if writes {
                        swap.store(Arc::new(Counted(42, drops)));
                        made.fetch_add(1, SeqCst);
                    } else {
                        let first = swap.load();
                        let second = swap.load_full();
                        assert_eq!(first.0 + second.0, 84);
                    }
                }
            });
        }
    });
    swap.collect();
    assert_eq!(drops.load(SeqCst) + 1, made.load(SeqCst));
}
