use super::pin;
use std::thread;

#[test]
fn slots_of_ended_threads_are_used_again() {
    for _ in 0..if cfg!(miri) { 34 } else { 200 } {
        thread::scope(|scope| drop(scope.spawn(|| drop(pin()))));
    }
    let mut slots = 0;
    super::domain().for_each_slot(|_| slots += 1);
    assert_eq!(slots, super::SLOTS_PER_BLOCK);
}
