use super::HashIndex;
use crate::{
    arena::{Arena, Record},
    pages,
    spares::Spares,
};
use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::SeqCst},
    },
    thread,
};

fn record(arena: &Arena, key: u64) -> Record<'_> {
    let mut reservation = arena.reserve(8, 0).expect("room");
    reservation.payload_mut().copy_from_slice(&key.to_le_bytes());
    reservation.write()
}

fn key(record: Record<'_>) -> u64 {
    u64::from_le_bytes(record.payload().try_into().expect("eight bytes"))
}

/// Good hashes, and bad ones: all in one shard, many with one tag.
fn hash(key: u64, bits: u32) -> u64 {
    (key.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> bits) << (bits / 2)
}

#[test]
fn every_key_is_found_while_the_index_grows() {
    for bits in if cfg!(miri) { vec![58] } else { vec![0, 8, 40, 58] } {
        let keys = if cfg!(miri) {
            20
        } else if bits > 40 {
            400
        } else {
            30_000
        };
        let arena = Arena::new();
        let index = HashIndex::new(&arena, 0);
        for i in 0..keys {
            index.upsert(&arena, hash(i, bits), |found| key(found) == i, |none| none.unwrap_or(record(&arena, i)));
            let older = i / 2;
            assert_eq!(index.find(&arena, hash(older, bits), |found| key(found) == older).map(key), Some(older));
        }
        for i in 0..keys * 2 {
            let found = index.find(&arena, hash(i, bits), |found| key(found) == i);
            assert_eq!(found.map(key), (i < keys).then_some(i));
        }
        assert_eq!(index.keys(), keys as usize);
        assert!(index.bytes() * 6 / 10 >= index.keys() * 8);
    }
}

#[test]
fn what_an_index_leaves_is_not_seen_in_the_next_one() {
    let keys = if cfg!(miri) { 2_000 } else { 100_000 };
    let spares = Arc::new(Spares::new());
    let new = || {
        let arena = Arena::with_spares(Arc::clone(&spares));
        let index = HashIndex::new(&arena, keys);
        (arena, index)
    };
    let busy = Arena::with_spares(Arc::clone(&spares));
    drop(busy.reserve(pages::LARGE_BYTES, 0).expect("room"));
    let (arena, index) = new();
    for i in 0..20 {
        index.upsert(&arena, hash(i, 0), |found| key(found) == i, |_| record(&arena, i));
    }
    let bytes = index.bytes();
    drop((arena, index));
    assert_eq!(spares.bytes(), bytes, "the index is kept");
    let (arena, index) = new();
    assert_eq!(spares.bytes(), 0, "and taken");
    for i in 0..20 {
        assert!(index.find(&arena, hash(i, 0), |_| true).is_none());
        index.upsert(&arena, hash(i, 0), |found| key(found) == i, |_| record(&arena, i));
        assert_eq!(index.find(&arena, hash(i, 0), |found| key(found) == i).map(key), Some(i));
    }
    drop(busy);
    drop((index, arena));
    assert_eq!(spares.bytes(), 0, "nobody needs it any more");
}

#[test]
fn a_presized_index_does_not_grow() {
    let arena = Arena::new();
    let keys = if cfg!(miri) { 20 } else { 100_000 };
    let index = HashIndex::new(&arena, keys as usize);
    let before = index.bytes();
    for i in 0..keys * 9 / 10 {
        index.upsert(&arena, hash(i, 0), |found| key(found) == i, |_| record(&arena, i));
    }
    assert!(cfg!(miri) || index.bytes() == before);
}

#[test]
fn writers_of_the_same_keys_never_give_one_two_places() {
    let keys = if cfg!(miri) { 15 } else { 20_000_u64 };
    let arena = Arena::new();
    let index = HashIndex::new(&arena, 0);
    let (made, done) = (AtomicU64::new(0), AtomicU64::new(0));
    thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| {
                for i in 0..keys {
                    let link = |found: Option<Record<'_>>| match found {
                        Some(found) => arena.at(found.place()),
                        None => {
                            made.fetch_add(1, SeqCst);
                            record(&arena, i)
                        }
                    };
                    index.upsert(&arena, hash(i, 4), |found| key(found) == i, link);
                    done.fetch_max(i + 1, SeqCst);
                }
            });
        }
        scope.spawn(|| {
            let mut probe = 0;
            loop {
                let done = done.load(SeqCst);
                for i in done.saturating_sub(50)..done {
                    assert!(index.find(&arena, hash(i, 4), |found| key(found) == i).is_some(), "{i}");
                }
                probe = (probe + 7) % keys;
                assert!(index.find(&arena, hash(probe, 4), |found| key(found) == probe).is_some() || probe >= done);
                if done == keys {
                    break;
                }
            }
        });
    });
    assert_eq!((made.load(SeqCst), index.keys()), (keys, keys as usize));
}
