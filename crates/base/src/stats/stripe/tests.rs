//! Counting in stripes: who owns which, and that nothing is lost.

use super::{Counter, OWNED, Stripes, number};
use std::sync::Barrier;

const COUNTER: Counter = Counter::GetCount;

#[test]
fn more_threads_than_stripes_lose_nothing() {
    const THREADS: usize = OWNED + 12;
    const ROUNDS: u64 = 10_000;
    let stripes = Stripes::new();
    let barrier = Barrier::new(THREADS);
    std::thread::scope(|scope| {
        for thread in 0..THREADS {
            let (stripes, barrier) = (&stripes, &barrier);
            scope.spawn(move || {
                stripes.local().add(COUNTER, 1);
                barrier.wait();
                for _ in 0..ROUNDS {
                    stripes.local().add(COUNTER, thread as u64);
                }
                barrier.wait();
            });
        }
    });
    let sum: usize = (0..THREADS).sum();
    assert_eq!(stripes.total(COUNTER), THREADS as u64 + ROUNDS * sum as u64);
    assert_eq!(stripes.total(Counter::GetTableHits), 0);
}

#[test]
fn no_two_live_threads_own_one_number() {
    const THREADS: usize = OWNED / 4;
    let barrier = Barrier::new(THREADS);
    let mut numbers: Vec<usize> = std::thread::scope(|scope| {
        let ask = || {
            let number = number();
            barrier.wait();
            assert_eq!(number, super::number(), "a thread keeps its number");
            number
        };
        let threads: Vec<_> = (0..THREADS).map(|_| scope.spawn(ask)).collect();
        threads.into_iter().map(|thread| thread.join().expect("no panic")).collect()
    });
    numbers.retain(|number| *number < OWNED);
    numbers.sort_unstable();
    assert!(numbers.windows(2).all(|pair| pair[0] < pair[1]), "{numbers:?}");
}

#[test]
fn numbers_of_ended_threads_are_given_again() {
    let stripes = Stripes::new();
    for _ in 0..OWNED * 3 {
        std::thread::scope(|scope| scope.spawn(|| stripes.local().add(COUNTER, 1)).join().expect("no panic"));
    }
    assert_eq!(stripes.total(COUNTER), OWNED as u64 * 3);
}

#[test]
fn who_samples_sees_its_own_count() {
    let stripes = Stripes::new();
    let local = stripes.local();
    let before = local.own_count(COUNTER);
    local.add(COUNTER, 5);
    local.add_some(COUNTER, 0);
    assert_eq!(local.own_count(COUNTER) - before, 5);
}
