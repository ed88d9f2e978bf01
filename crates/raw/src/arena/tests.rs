use super::{Arena, FIRST_WORDS, Refused, Walk};
use crate::{pages, spares::Spares};
use std::{
    collections::BTreeSet,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::SeqCst},
    },
    thread,
};

fn append(arena: &Arena, payload: &[u8], mark: u64) -> super::RecordId {
    let mut reservation = arena.reserve(payload.len(), mark).expect("room");
    reservation.payload_mut().copy_from_slice(payload);
    let record = reservation.write();
    record.set_first();
    record.finish();
    record.id()
}

#[test]
fn records_of_all_sizes_keep_their_bytes() {
    let arena = Arena::new();
    assert!(arena.is_untouched());
    let span = FIRST_WORDS as usize * 8;
    let sizes = [0, 1, 7, 8, 9, 100, span / 4 - 16, span / 4, span / 2, span - 16, span, span * 5, 3];
    let ids: Vec<_> = (0..3)
        .flat_map(|_| sizes)
        .enumerate()
        .map(|(i, size)| (append(&arena, &vec![i as u8; size], i as u64 + 5), vec![i as u8; size]))
        .collect();
    for (id, payload) in &ids {
        assert_eq!(arena.record(*id).payload(), payload);
    }
    assert_eq!((arena.records(), arena.marks()), (ids.len() as u64, Some((5, ids.len() as u64 + 4))));
    assert!(!arena.is_untouched());
    let mut met = Vec::new();
    Walk::new().advance(&arena, |record| met.push(record.payload().to_vec()));
    met.sort();
    let mut expected: Vec<_> = ids.into_iter().map(|(_, payload)| payload).collect();
    expected.sort();
    assert_eq!(met, expected);
}

#[test]
fn walks_step_over_the_unfinished_and_return_to_it() {
    let arena = Arena::new();
    let mut walk = Walk::new();
    let mut reservation = arena.reserve(3, 0).expect("room");
    drop(arena.reserve(2000, 0).expect("room"));
    append(&arena, b"later", 0);
    let mut met = Vec::new();
    walk.advance(&arena, |record| met.push(record.payload().to_vec()));
    assert_eq!((met.len(), walk.unfinished(), walk.records()), (1, 1, 3));
    reservation.payload_mut().copy_from_slice(b"now");
    let record = reservation.write();
    record.set_first();
    record.finish();
    walk.advance(&arena, |record| met.push(record.payload().to_vec()));
    assert_eq!((met, walk.unfinished(), walk.records()), (vec![b"later".to_vec(), b"now".to_vec()], 0, 3));
}

#[test]
fn a_sealed_arena_refuses_and_a_completed_walk_has_everything() {
    let arena = Arena::new();
    let (per_thread, finished) = (if cfg!(miri) { 30 } else { 20_000 }, AtomicU64::new(0));
    thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| {
                for i in 0..per_thread {
                    let mut reservation = match arena.reserve(8, 0) {
                        Ok(reservation) => reservation,
                        Err(refused) => return assert_eq!(refused, Refused::Sealed),
                    };
                    reservation.payload_mut()[0] = i as u8;
                    finished.fetch_add(1, SeqCst);
                    let record = reservation.write();
                    record.set_first();
                    record.finish();
                }
            });
        }
        scope.spawn(|| {
            while finished.load(SeqCst) < per_thread / 2 {
                thread::yield_now();
            }
            arena.seal();
            let mut walk = Walk::new();
            let mut met = 0;
            walk.complete(&arena, |_| met += 1);
            assert_eq!((met, arena.reserve(1, 0).err()), (arena.records(), Some(Refused::Sealed)));
        });
    });
    assert_eq!(finished.load(SeqCst), arena.records());
}

#[test]
fn a_walk_beside_writers_meets_each_record_once() {
    let arena = Arena::new();
    let per_thread = if cfg!(miri) { 40 } else { 30_000_u64 };
    let done: [AtomicU64; 3] = Default::default();
    thread::scope(|scope| {
        for (writer, done) in done.iter().enumerate() {
            let arena = &arena;
            scope.spawn(move || {
                for i in 0..per_thread {
                    append(arena, &(i * 3 + writer as u64).to_le_bytes()[..3 + i as usize % 5], 0);
                    done.store(i + 1, SeqCst);
                }
            });
        }
        scope.spawn(|| {
            let (mut walk, mut met) = (Walk::new(), 0);
            while met < 3 * per_thread {
                let before: u64 = done.iter().map(|done| done.load(SeqCst)).sum();
                walk.advance(&arena, |_| met += 1);
                assert!(met >= before, "{met} {before}");
            }
            assert_eq!((met, walk.records(), walk.unfinished()), (3 * per_thread, 3 * per_thread, 0));
        });
    });
}

#[test]
#[should_panic(expected = "its own arena")]
fn a_name_of_another_arena_is_refused() {
    let id = append(&Arena::new(), b"x", 0);
    Arena::new().record(id);
}

#[test]
fn too_long_a_payload_is_refused() {
    let arena = Arena::new();
    assert_eq!(arena.reserve(Arena::PAYLOAD_BYTES_MAX + 1, 0).err(), Some(Refused::Full));
    assert_eq!(BTreeSet::from([arena.records(), arena.bytes()]), BTreeSet::from([0]));
}

#[test]
fn what_an_arena_leaves_is_not_seen_in_the_next_one() {
    let spares = Arc::new(Spares::new());
    let large = pages::LARGE_BYTES;
    let payload = |number: usize| vec![number as u8 | 1; 200 + number % 1000];
    let fill = |arena: &Arena| -> Vec<_> {
        let mut bytes = 0;
        let mut numbers = 0..;
        std::iter::from_fn(|| {
            let payload = payload(numbers.next()?);
            bytes += payload.len();
            (bytes < 3 * large).then(|| (append(arena, &payload, 1), payload))
        })
        .collect()
    };
    let arenas = || Arena::with_spares(Arc::clone(&spares));
    let (first, second) = (arenas(), arenas());
    fill(&first);
    fill(&second);
    assert_eq!(spares.bytes(), 0);
    drop(first);
    let left = spares.bytes();
    assert!(left >= 3 * large && left.is_multiple_of(large), "{left}");
    let third = arenas();
    // Lanes of two sizes: what is in order, and records with a span of their own, some of which are dropped unwritten.
    let mut written = fill(&third);
    drop(third.reserve(large / 4, 0).expect("room"));
    written.push((append(&third, &vec![9; large / 4], 1), vec![9; large / 4]));
    assert!(spares.bytes() < left);
    let mut reserved = third.reserve(5000, 0).expect("room");
    assert!(reserved.payload_mut().iter().all(|byte| *byte == 0), "zeroed at first");
    drop(reserved);
    assert!(written.iter().all(|(id, payload)| third.record(*id).payload() == payload));
    let mut met = Vec::new();
    Walk::new().advance(&third, |record| met.push(record.id().place));
    met.sort_unstable();
    let mut places: Vec<_> = written.iter().map(|(id, _)| id.place).collect();
    places.sort_unstable();
    assert_eq!(met, places);
    drop(second);
    drop(third);
    assert_eq!(spares.bytes(), 0, "nobody is left");
}
