use super::{Batch, Goal, OrderedSet, Window};
use crate::arena::{Arena, Record};
use std::{
    cmp::Ordering,
    sync::atomic::{AtomicU64, Ordering::SeqCst},
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

fn by_key(a: Record<'_>, b: Record<'_>) -> Ordering {
    key(a).cmp(&key(b))
}

/// Coarse heads, so that ties are common; at 64 all of them tie.
fn head(key: u64, coarse: u32) -> u64 {
    key.checked_shr(coarse).unwrap_or(0)
}

fn goal<'a>(wanted: u64, coarse: u32) -> Goal<impl Fn(Record<'a>) -> Ordering> {
    Goal { head: head(wanted, coarse), compare: move |record| key(record).cmp(&wanted) }
}

fn keys(window: &Window, arena: &Arena) -> Vec<u64> {
    (0..window.len()).map(|i| key(window.record(arena, i))).collect()
}

fn forwards(set: &OrderedSet, arena: &Arena, coarse: u32) -> Vec<u64> {
    let mut found = keys(&set.window_from(arena, &goal(0, coarse), false), arena);
    while let Some(last) = found.last() {
        let more = keys(&set.window_from(arena, &goal(*last, coarse), true), arena);
        if more.is_empty() {
            break;
        }
        found.extend(more);
    }
    found
}

fn backwards(set: &OrderedSet, arena: &Arena, coarse: u32) -> Vec<u64> {
    let mut found: Vec<u64> = Vec::new();
    loop {
        let goal = goal(found.last().copied().unwrap_or(u64::MAX), coarse);
        let window = keys(&set.window_before(arena, &goal), arena);
        if window.is_empty() {
            found.reverse();
            return found;
        }
        found.extend(window.iter().rev());
    }
}

#[test]
fn windows_agree_with_a_sorted_list() {
    let count = if cfg!(miri) { 15 } else { 10_000_u64 };
    let scrambled = |i: u64| i.wrapping_mul(0x9E37_79B9_7F4A_7C15) % (4 * count);
    let orders: [Vec<u64>; 3] = [(0..count).collect(), (0..count).rev().collect(), (0..count).map(scrambled).collect()];
    for (order, coarse, step) in orders.iter().flat_map(|order| [(order, 0, 1), (order, 7, 3), (order, 64, 1000)]) {
        let arena = Arena::new();
        let set = OrderedSet::new(&arena);
        let (mut sorted, mut batch) = (order.clone(), Batch::default());
        sorted.sort_unstable();
        sorted.dedup();
        let mut seen = std::collections::HashSet::new();
        for keys in order.chunks(step) {
            for key in keys.iter().filter(|key| seen.insert(**key)) {
                batch.push(head(*key, coarse), record(&arena, *key));
            }
            set.insert(&arena, &mut batch, by_key);
            assert!(batch.is_empty());
        }
        assert!(forwards(&set, &arena, coarse) == sorted && backwards(&set, &arena, coarse) == sorted);
        for wanted in (0..4 * count + 2).step_by(7) {
            let from = sorted.partition_point(|key| *key < wanted);
            let past = sorted.partition_point(|key| *key <= wanted);
            let first = |past| keys(&set.window_from(&arena, &goal(wanted, coarse), past), &arena).first().copied();
            assert_eq!((first(false), first(true)), (sorted.get(from).copied(), sorted.get(past).copied()));
            let before = keys(&set.window_before(&arena, &goal(wanted, coarse)), &arena);
            assert!(sorted[..from].ends_with(&before) && (from == 0 || !before.is_empty()));
        }
    }
}

#[test]
fn readers_beside_a_writer_see_an_ordered_set_that_only_grows() {
    let count = if cfg!(miri) { 12 } else { 100_000_u64 };
    let arena = Arena::new();
    let set = OrderedSet::new(&arena);
    let done = AtomicU64::new(0);
    let scrambled = |i: u64| i.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 20;
    thread::scope(|scope| {
        scope.spawn(|| {
            let mut batch = Batch::default();
            for i in 0..count {
                batch.push(head(scrambled(i), 20), record(&arena, scrambled(i)));
                set.insert(&arena, &mut batch, by_key);
                done.store(i + 1, SeqCst);
            }
        });
        for scan in [forwards, backwards] {
            let (set, arena, done) = (&set, &arena, &done);
            scope.spawn(move || {
                loop {
                    let before = done.load(SeqCst);
                    let found = scan(set, arena, 20);
                    assert!(found.is_sorted_by(|a, b| a < b));
                    assert!((0..before).all(|i| found.binary_search(&scrambled(i)).is_ok()));
                    if before == count {
                        return;
                    }
                }
            });
        }
    });
}
