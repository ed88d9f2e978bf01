//! Counted pointers to pieces of a pool: owners that let go, and slots that hold them.

use crate::{Alive, model};
use loom::{sync::Arc, thread};
use sediment_raw::{
    epoch::pin,
    slab::{Buffer, Pool, Shared},
    slots::{Limbo, Slots},
};

/// A header that notices being looked at after its end, before eight bytes.
fn share(pool: &Pool, bytes: [u8; 8]) -> Shared<Arc<Alive>> {
    Buffer::copied(pool, &bytes).share(Alive::new(), 0..8)
}

#[test]
fn the_last_of_two_owners_ends_the_value_once() {
    model(3, || {
        let pool = Pool::new();
        let mine = share(&pool, [3; 8]);
        // Outlives the value, to see what becomes of it.
        let header = Arc::clone(&mine);
        let others = mine.clone();
        let other = thread::spawn(move || {
            others.check();
            let again = others.clone();
            drop(others);
            assert_eq!(again.bytes(), [3; 8]);
        });
        mine.check();
        drop(mine);
        other.join().expect("no panic");
        assert_eq!((Arc::strong_count(&header), pool.slab_bytes()), (1, 0));
    });
}

#[test]
fn what_one_gave_back_another_takes() {
    model(2, || {
        let pool = Pool::new();
        let mine = share(&pool, [1; 8]);
        let other = {
            let pool = pool.clone();
            thread::spawn(move || assert_eq!(share(&pool, [2; 8]).bytes(), [2; 8]))
        };
        assert_eq!(mine.bytes(), [1; 8]);
        drop(mine);
        assert_eq!(share(&pool, [3; 8]).bytes(), [3; 8]);
        other.join().expect("no panic");
    });
}

#[test]
fn a_reader_beside_a_clock_keeps_a_value_of_a_pool() {
    model(3, || {
        let pool = Pool::new();
        let limbo = Arc::new(Limbo::new());
        let slots = Arc::new(Slots::new(1, Arc::clone(&limbo)));
        let fill = |byte: u8| {
            if let Some(loader) = slots.claim(0, || ()) {
                loader.publish(share(&pool, [byte; 8]), 0);
            }
        };
        fill(1);
        let reader = {
            let slots = Arc::clone(&slots);
            thread::spawn(move || {
                let pin = pin();
                let Some(found) = slots.get(0, &pin) else { return };
                found.check();
                let kept = Shared::clone(&found);
                drop(pin);
                kept.check();
                assert!([1, 2].map(|byte| [byte; 8]).iter().any(|bytes| kept.bytes() == bytes));
            })
        };
        if let Some(taken) = slots.age(0, &mut limbo.sweep()) {
            taken.check();
        }
        fill(2);
        reader.join().expect("no panic");
    });
}
