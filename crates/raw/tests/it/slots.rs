//! Pointer slots, in a process where nothing else pins: these tests count what is freed when.

use crate::{alone, epoch::Counted};
use sediment_raw::{
    epoch::pin,
    slots::{Limbo, Slots},
};
use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::SeqCst},
    },
    thread,
};

fn fill<'a>(slots: &Slots<Arc<Counted<'a>>>, index: usize, drops: &'a AtomicUsize) {
    slots.claim(index, || ()).expect("empty").publish(Arc::new(Counted(index as u64, drops)), 0);
}

#[test]
fn a_pin_keeps_what_it_found_and_no_longer() {
    let _alone = alone();
    let drops = AtomicUsize::new(0);
    let limbo = Arc::new(Limbo::new());
    let slots = Slots::new(3, Arc::clone(&limbo));
    (0..3).for_each(|index| fill(&slots, index, &drops));
    let reader = pin();
    let found = slots.get(0, &reader).expect("published");
    let mut sweep = limbo.sweep();
    assert_eq!((0..2).filter(|index| slots.age(*index, &mut sweep).is_some()).count(), 2);
    drop(sweep);
    limbo.collect();
    assert_eq!((found.0, limbo.len(), drops.load(SeqCst)), (0, 2, 0));
    drop(reader);
    limbo.collect();
    assert_eq!((limbo.len(), drops.load(SeqCst)), (0, 2));
    drop(slots);
    assert_eq!(drops.load(SeqCst), 3);
}

#[test]
fn a_sweep_frees_what_it_took_out_at_its_end() {
    let _alone = alone();
    let drops = AtomicUsize::new(0);
    let limbo = Arc::new(Limbo::new());
    let slots = Slots::new(1, Arc::clone(&limbo));
    fill(&slots, 0, &drops);
    let mut sweep = limbo.sweep();
    assert!(slots.age(0, &mut sweep).is_some_and(|value| value.0 == 0));
    assert_eq!(drops.load(SeqCst), 0);
    drop(sweep);
    assert_eq!(drops.load(SeqCst), 1);
}

#[test]
fn a_counted_reference_outlives_pin_slots_and_limbo() {
    let _alone = alone();
    let drops = AtomicUsize::new(0);
    let slots = Slots::new(2, Arc::default());
    (0..2).for_each(|index| fill(&slots, index, &drops));
    let kept = Arc::clone(&slots.get(1, &pin()).expect("published"));
    drop(slots);
    assert_eq!((kept.0, drops.load(SeqCst)), (1, 1));
    drop(kept);
    assert_eq!(drops.load(SeqCst), 2);
}

#[test]
fn whatever_is_loaded_is_freed_once() {
    let _alone = alone();
    let rounds = if cfg!(miri) { 30 } else { 20_000 };
    let (drops, made) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let limbo: Arc<Limbo<Arc<Counted<'_>>>> = Arc::default();
    let slots = Slots::new(3, Arc::clone(&limbo));
    thread::scope(|scope| {
        for _ in 0..2 {
            let (slots, drops, made) = (&slots, &drops, &made);
            scope.spawn(move || {
                for index in (0..3).cycle().take(rounds) {
                    if let Some(found) = slots.get(index, &pin()) {
                        assert_eq!(found.0, index as u64);
                    } else if let Some(loader) = slots.claim(index, || ()) {
                        made.fetch_add(1, SeqCst);
                        loader.publish(Arc::new(Counted(index as u64, drops)), 0);
                    }
                }
            });
        }
        for index in (0..3).cycle().take(rounds) {
            slots.age(index, &mut limbo.sweep());
        }
    });
    limbo.collect();
    assert_eq!(limbo.len(), 0);
    let resident = (0..3).filter(|index| slots.get(*index, &pin()).is_some()).count();
    assert_eq!(drops.load(SeqCst) + resident, made.load(SeqCst));
    drop(slots);
    assert_eq!(drops.load(SeqCst), made.load(SeqCst));
}
