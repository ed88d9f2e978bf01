use super::{
    Buffer, Part, Pool, Shared,
    chunk::CHUNKED_BYTES,
    classes::{CLASSES, class_bytes},
    cut::SLAB_BYTES_MAX,
};
use crate::{
    epoch::pin,
    random::Random,
    slots::{Limbo, Slots},
};
use std::{
    cell::Cell,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::SeqCst},
    },
    thread,
};

/// A header that notices its end.
#[derive(Debug)]
struct Counted<'a>(u64, &'a AtomicUsize);

impl Drop for Counted<'_> {
    fn drop(&mut self) {
        self.1.fetch_add(1, SeqCst);
    }
}

/// Bytes that tell which value they are of.
fn bytes_of(number: u64, len: usize) -> Vec<u8> {
    (0..len).map(|at| (number as usize + at * 7) as u8).collect()
}

fn share(pool: &Pool, number: u64, len: usize) -> Shared<u64> {
    Buffer::copied(pool, &bytes_of(number, len)).share(number, 0..len)
}

fn zeros(pool: &Pool, len: usize) -> Shared<u64> {
    Buffer::zeroed(pool, len).share(0, 0..len)
}

/// Bytes of the header of a `u64` and what stands before it.
const HEADER: usize = 64;

#[test]
fn values_are_theirs_alone_whatever_their_size() {
    let (pool, mut random) = (Pool::new(), Random(7));
    let mut values: Vec<Shared<u64>> = Vec::new();
    let check = |value: &Shared<u64>| assert_eq!(value.bytes(), bytes_of(**value, value.bytes().len()));
    for number in 0..if cfg!(miri) { 60 } else { 20_000 } {
        if values.len() > 40 || random.below(3) == 0 && !values.is_empty() {
            let value = values.swap_remove(random.below(values.len() as u64) as usize);
            let again = value.clone();
            drop(value);
            check(&again);
        } else {
            let bound = if cfg!(miri) { 1200 } else { 80_000 };
            let len = random.below(bound) as usize;
            values.push(share(&pool, number, len));
            let taken = values[values.len() - 1].memory_bytes();
            assert!((HEADER + len..(HEADER + len + len / 8).max(HEADER + 513)).contains(&taken), "{len}: {taken}");
            assert_eq!(values[values.len() - 1].bytes().as_ptr().addr() % 64, 0);
        }
        values.iter().skip(number as usize % 10).step_by(10).for_each(check);
    }
    drop(values);
    assert!(pool.slab_bytes() <= SLAB_BYTES_MAX, "{pool:?}");
}

#[test]
fn a_buffer_is_zero_and_what_is_kept_of_it_is_what_was_written() {
    let pool = Pool::new();
    for len in [0, 1, 100, 4096, if cfg!(miri) { 66_000 } else { 200_000 }] {
        // What was there before must not be seen.
        drop(Buffer::<u8>::copied(&pool, &vec![9; len]));
        let mut buffer = Buffer::<u8>::zeroed(&pool, len);
        assert_eq!(buffer.bytes(), vec![0; len]);
        buffer.bytes_mut().copy_from_slice(&bytes_of(3, len));
        assert_eq!(format!("{buffer:?}"), format!("Buffer({len} bytes)"));
        let kept = (len / 3).min(50_000)..len - len / 4;
        let shared = buffer.share(5, kept.clone());
        assert_eq!((*shared, shared.bytes()), (5, &bytes_of(3, len)[kept]));
        assert_eq!(format!("{shared:?}"), format!("Shared(5, {} bytes)", shared.bytes().len()));
    }
}

#[test]
#[should_panic(expected = "3..9 of 8")]
fn bytes_outside_the_buffer_cannot_be_kept() {
    Buffer::zeroed(&Pool::new(), 8).share(0_u8, 3..9);
}

#[test]
fn the_last_owner_ends_the_header_and_the_pool_may_be_gone_by_then() {
    let drops = AtomicUsize::new(0);
    let pool = Pool::new();
    for len in [10, 200_000] {
        let first = Buffer::zeroed(&pool, len).share(Counted(1, &drops), 0..len);
        let second = first.clone();
        drop(first);
        assert_eq!((second.0, drops.load(SeqCst)), (1, 0));
        drop(second);
        assert_eq!(drops.swap(0, SeqCst), 1);
    }
    let last = Buffer::copied(&pool, b"bytes").share(Counted(2, &drops), 1..4);
    drop(pool);
    assert_eq!(last.bytes(), b"yte");
    drop(last);
    assert_eq!(drops.load(SeqCst), 1);
}

#[test]
fn a_large_header_pushes_the_bytes_back() {
    let shared = Buffer::copied(&Pool::new(), b"bytes").share([7_u64; 30], 0..5);
    assert_eq!((shared[29], shared.bytes(), shared.memory_bytes()), (7, b"bytes".as_slice(), HEADER + 512));
    #[derive(Debug)]
    #[repr(align(64))]
    struct Aligned(u8);
    let shared = Buffer::copied(&Pool::new(), b"bytes").share(Aligned(3), 0..5);
    assert_eq!((shared.0, shared.bytes()), (3, b"bytes".as_slice()));
}

#[test]
fn a_small_store_stays_small_and_a_large_one_is_of_huge_pages() {
    let pool = Pool::new();
    let len = 4096;
    let mut values = Vec::new();
    let mut largest = 0;
    for _ in 0..if cfg!(miri) { 60 } else { 2000 } {
        values.push(zeros(&pool, len));
        let used = values.len() * (len + HEADER);
        let (least, most) = (used, (used * 2).max(4 * (len + HEADER)) + SLAB_BYTES_MAX / 4);
        assert!((least..=most).contains(&pool.slab_bytes()), "{used}: {pool:?}");
        largest = pool.slab_bytes();
    }
    // From the newest on they go, and their slabs with them, but for one.
    while let Some(value) = values.pop() {
        drop(value);
        let used = values.len() * (len + HEADER);
        assert!(pool.slab_bytes() <= (used * 2).max(4 * (len + HEADER)) + 2 * SLAB_BYTES_MAX, "{used}: {pool:?}");
    }
    let spare = if largest > SLAB_BYTES_MAX { SLAB_BYTES_MAX } else { 0 };
    assert_eq!(pool.slab_bytes(), spare);
    let one_each: Vec<_> = (0..CLASSES).map(|class| zeros(&pool, class_bytes(class) - HEADER)).collect();
    let used: usize = one_each.iter().map(Shared::memory_bytes).sum();
    assert_eq!(pool.slab_bytes(), 4 * used + spare);
}

#[test]
#[cfg_attr(miri, ignore = "many rounds, and nothing unsafe that others do not do")]
fn a_slab_that_is_empty_is_used_by_every_class() {
    let pool = Pool::new();
    let fill = |len: usize| (0..(8 << 20) / len as u64).map(|_| zeros(&pool, len)).collect::<Vec<_>>();
    drop(fill(4000));
    let values = fill(60_000);
    let before = pool.slab_bytes();
    drop(values);
    drop(fill(30_000));
    assert!(before <= 10 << 20 && pool.slab_bytes() == SLAB_BYTES_MAX, "{before}, {pool:?}");
}

#[test]
#[cfg_attr(miri, ignore = "many rounds, and nothing unsafe that others do not do")]
fn the_oldest_slabs_stay_full_and_the_others_run_empty() {
    let (pool, mut random) = (Pool::new(), Random(11));
    let mut values: Vec<_> = (0..8000).map(|number| share(&pool, number, 4000)).collect();
    // Half of them go, here and there; the others are replaced by and by.
    for _ in 0..4000 {
        values.swap_remove(random.below(values.len() as u64) as usize);
    }
    for number in 0..40_000 {
        values.swap_remove(random.below(values.len() as u64) as usize);
        values.push(share(&pool, number, 4000));
    }
    let used: usize = values.iter().map(Shared::memory_bytes).sum();
    // But for the spare one, and two that are not quite full.
    assert!(pool.slab_bytes() <= used + 3 * SLAB_BYTES_MAX, "{used} used, {pool:?}");
}

#[test]
fn long_pieces_lie_side_by_side_and_leave_nothing_behind() {
    let (pool, mut random) = (Pool::new(), Random(5));
    let mut values: Vec<Shared<u64>> = Vec::new();
    let (mut used, mut most) = (0, 0);
    for number in 0..if cfg!(miri) { 12 } else { 600 } {
        if values.len() > 10 || random.below(3) == 0 && !values.is_empty() {
            let value = values.swap_remove(random.below(values.len() as u64) as usize);
            used -= value.memory_bytes();
        } else {
            let len = CHUNKED_BYTES + random.below(1 << 20) as usize;
            // What others left behind must not be seen.
            let mut buffer = Buffer::zeroed(&pool, len);
            assert!(buffer.bytes().iter().step_by(if cfg!(miri) { 4093 } else { 1 }).all(|byte| *byte == 0), "{number}");
            buffer.bytes_mut().fill(number as u8);
            values.push(buffer.share(number, 0..len));
            used += values[values.len() - 1].memory_bytes();
            assert!((len..len + 3 * HEADER).contains(&values[values.len() - 1].memory_bytes()));
        }
        most = most.max(used);
        let step = if cfg!(miri) { 65_537 } else { 997 };
        let is_whole = |value: &Shared<u64>| value.bytes().iter().step_by(step).all(|byte| *byte == **value as u8);
        assert!(values.iter().all(is_whole), "{number}");
        assert!(values.iter().all(|value| value.bytes().as_ptr().addr() % 64 == 0));
        assert!((used..=2 * most + 4 * SLAB_BYTES_MAX).contains(&pool.slab_bytes()), "{used} of {most}: {pool:?}");
    }
    drop(values);
    assert_eq!(pool.slab_bytes(), 0);
    let longest = zeros(&pool, 5 * SLAB_BYTES_MAX);
    assert_eq!(pool.slab_bytes(), 6 * SLAB_BYTES_MAX);
    drop(longest);
    assert_eq!(pool.slab_bytes(), 0);
}

#[test]
fn a_part_is_some_of_the_bytes_and_keeps_them() {
    let drops = AtomicUsize::new(0);
    let shared = Buffer::copied(&Pool::new(), b"some bytes").share(Counted(1, &drops), 0..10);
    let part = shared.part(5..10);
    let inner = part.part(1..3);
    drop(shared);
    drop(part);
    assert_eq!((&*inner, drops.load(SeqCst)), (b"yt".as_slice(), 0));
    assert_eq!(format!("{inner:?}"), "Part(2 bytes)");
    assert!(inner.part(2..2).is_empty() && Part::<u64>::default().part(0..0).is_empty());
    drop(inner);
    assert_eq!(drops.load(SeqCst), 1);
}

#[test]
#[should_panic(expected = "range")]
fn a_part_ends_where_its_part_ends() {
    Buffer::copied(&Pool::new(), b"bytes").share(0_u8, 0..5).part(0..3).part(1..4);
}

#[test]
fn slots_hold_values_of_a_pool() {
    let drops = AtomicUsize::new(0);
    let pool = Pool::new();
    let limbo = Arc::new(Limbo::new());
    let slots = Slots::new(2, Arc::clone(&limbo));
    let put = |index: usize, number: u64| {
        let value = Buffer::copied(&pool, &bytes_of(number, 600)).share(Counted(number, &drops), 0..600);
        slots.claim(index, || ()).expect("empty").publish(value, 0);
    };
    put(0, 4);
    put(1, 5);
    let kept = {
        let pin = pin();
        let found = slots.get(1, &pin).expect("published");
        assert_eq!((found.0, found.bytes()), (5, &bytes_of(5, 600)[..]));
        Shared::clone(&found)
    };
    for index in 0..2 {
        let mut sweep = limbo.sweep();
        assert_eq!(slots.age(index, &mut sweep).map(|value| value.0), Some(4 + index as u64));
    }
    put(0, 6);
    drop(slots);
    drop(limbo);
    assert_eq!((kept.bytes(), kept.0), (&bytes_of(5, 600)[..], 5));
    drop(kept);
    assert_eq!(drops.load(SeqCst), 3);
}

#[test]
fn threads_that_take_and_give_back_do_not_meet() {
    let rounds = if cfg!(miri) { 20 } else { 20_000 };
    let pool = Pool::new();
    let seen = share(&pool, 77, 900);
    thread::scope(|scope| {
        for seed in 1..4 {
            let (pool, seen) = (&pool, &seen);
            scope.spawn(move || {
                let mut random = Random(seed);
                let mut values = Vec::new();
                for number in 0..rounds {
                    values.push(share(pool, number, 500 + random.below(300) as usize));
                    values.push(seen.clone());
                    let value = values.swap_remove(random.below(values.len() as u64) as usize);
                    assert_eq!(value.bytes(), bytes_of(*value, value.bytes().len()));
                    values.truncate(20);
                }
            });
        }
    });
    assert_eq!(seen.bytes(), bytes_of(77, 900));
}

/// As an `Arc` is.
#[test]
fn pointers_are_shared_as_their_headers_are_and_as_thin() {
    trait SharedOf {
        const IS: bool = false;
    }
    impl<T> SharedOf for T {}
    struct Is<T>(std::marker::PhantomData<T>);
    impl<T: Send> Is<T> {
        const IS: bool = true;
    }
    struct IsSync<T>(std::marker::PhantomData<T>);
    impl<T: Sync> IsSync<T> {
        const IS: bool = true;
    }
    assert_eq!([Is::<Shared<u64>>::IS, IsSync::<Shared<u64>>::IS, Is::<Pool>::IS, IsSync::<Pool>::IS], [true; 4]);
    assert_eq!([Is::<Shared<Cell<u64>>>::IS, IsSync::<Shared<Cell<u64>>>::IS], [false; 2]);
    assert_eq!([Is::<Part<u64>>::IS, IsSync::<Part<u64>>::IS], [true; 2]);
    assert_eq!([Is::<Part<Cell<u64>>>::IS, IsSync::<Part<Cell<u64>>>::IS], [false; 2]);
    assert_eq!(size_of::<Option<Shared<[u64; 9]>>>(), 8);
    assert_eq!(size_of::<super::shared::Inner<[u64; 5]>>(), 64);
}
