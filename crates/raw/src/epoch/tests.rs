use super::{Swap, pin};
use std::{
    sync::{Arc, Barrier},
    thread,
};

#[test]
fn slots_of_ended_threads_are_used_again() {
    for _ in 0..if cfg!(miri) { 34 } else { 200 } {
        thread::scope(|scope| drop(scope.spawn(|| drop(pin()))));
    }
    let mut slots = 0;
    super::domain().for_each_slot(|_| slots += 1);
    assert_eq!(slots, super::SLOTS_PER_BLOCK);
}

#[test]
fn whoever_owns_a_swap_alone_frees_its_values_while_others_are_pinned() {
    let (mut swap, first) = (Swap::new(Arc::new(1)), Arc::new(2));
    swap.store(Arc::clone(&first));
    let pinned = Barrier::new(2);
    thread::scope(|scope| {
        scope.spawn(|| {
            let _pin = pin();
            pinned.wait();
            pinned.wait();
        });
        pinned.wait();
        swap.store(Arc::new(3));
        assert_eq!(Arc::strong_count(&first), 2, "it waits for the pin");
        swap.collect_all();
        assert_eq!((Arc::strong_count(&first), swap.has_retired()), (1, false));
        pinned.wait();
    });
}
