//! Pointer slots: readers, a loader and a clock.

use crate::{Alive, model};
use loom::{
    sync::{Arc, Condvar, Mutex},
    thread,
};
use sediment_raw::{
    epoch::pin,
    slots::{Limbo, Slots},
};

fn slots() -> (Arc<Slots<Arc<Alive>>>, Arc<Limbo<Arc<Alive>>>) {
    let limbo = Arc::new(Limbo::new());
    (Arc::new(Slots::new(1, Arc::clone(&limbo))), limbo)
}

/// Loads the slot, if nobody else does.
fn fill(slots: &Slots<Arc<Alive>>, frequency: u8) {
    if let Some(loader) = slots.claim(0, || ()) {
        loader.publish(Alive::new(), frequency);
    }
}

/// Asks for the slot, and keeps the value for longer than the pin.
fn read(slots: &Slots<Arc<Alive>>) {
    let pin = pin();
    let Some(found) = slots.get(0, &pin) else { return };
    found.touch();
    found.check();
    let kept = Arc::clone(&found);
    drop(pin);
    kept.check();
}

fn age(slots: &Slots<Arc<Alive>>, limbo: &Limbo<Arc<Alive>>) {
    if let Some(taken) = slots.age(0, &mut limbo.sweep()) {
        taken.check();
    }
}

#[test]
fn a_reader_beside_a_clock_never_meets_a_freed_value() {
    model(3, || {
        let (slots, limbo) = slots();
        fill(&slots, 0);
        let reader = {
            let slots = Arc::clone(&slots);
            thread::spawn(move || read(&slots))
        };
        age(&slots, &limbo);
        age(&slots, &limbo);
        fill(&slots, 0);
        reader.join().expect("no panic");
    });
}

#[test]
fn a_reader_a_loader_and_a_clock_agree_on_a_slot() {
    model(2, || {
        let (slots, limbo) = slots();
        fill(&slots, 0);
        let threads: Vec<_> = [true, false]
            .into_iter()
            .map(|loads| {
                let slots = Arc::clone(&slots);
                thread::spawn(move || if loads { fill(&slots, 1) } else { read(&slots) })
            })
            .collect();
        age(&slots, &limbo);
        age(&slots, &limbo);
        for thread in threads {
            thread.join().expect("no panic");
        }
    });
}

#[test]
fn two_clocks_take_a_value_out_once() {
    model(2, || {
        let (slots, limbo) = slots();
        fill(&slots, 0);
        let (other, others_limbo) = (Arc::clone(&slots), Arc::clone(&limbo));
        let other = thread::spawn(move || other.age(0, &mut others_limbo.sweep()).is_some());
        let mine = slots.age(0, &mut limbo.sweep()).is_some();
        assert!(mine ^ other.join().expect("no panic"));
        limbo.collect();
        assert!(limbo.is_empty());
    });
}

/// Waiting that a missed wake would turn into a deadlock.
struct Park {
    gate: Mutex<()>,
    woken: Condvar,
}

impl Park {
    fn wait(&self, is_over: &mut dyn FnMut() -> bool) {
        let mut gate = self.gate.lock().expect("no panic");
        while !is_over() {
            gate = self.woken.wait(gate).expect("no panic");
        }
    }

    fn wake(&self) {
        drop(self.gate.lock().expect("no panic"));
        self.woken.notify_all();
    }
}

#[test]
fn whoever_waits_for_a_load_is_woken_also_by_one_that_fails() {
    for fails in [false, true] {
        model(3, move || {
            let (slots, _) = slots();
            let park = Arc::new(Park { gate: Mutex::new(()), woken: Condvar::new() });
            let loader = slots.claim(0, || park.wake()).expect("empty");
            let waiters = [(); 2].map(|()| {
                let (slots, park) = (Arc::clone(&slots), Arc::clone(&park));
                thread::spawn(move || {
                    slots.wait_loaded(0, |is_over| park.wait(is_over));
                    assert_eq!(slots.get(0, &pin()).is_some(), !fails);
                })
            });
            if fails {
                drop(loader);
            } else {
                loader.publish(Alive::new(), 0);
            }
            for waiter in waiters {
                waiter.join().expect("no panic");
            }
        });
    }
}
