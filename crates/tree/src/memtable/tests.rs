use super::{Memtable, MemtableCursor};
use proptest::{collection::vec, prelude::any, prop_assert_eq, proptest};
use sediment_base::{Account, Comparator, Cursor, ErrorKind, InternalKey, KeyOrder, Kind, MemoryBudget, SeqNo};
use sediment_codec::hash::key_hash;
use std::{
    cmp::{Ordering, Reverse},
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::SeqCst},
    },
    thread,
};

mod damage;

const SEED: u64 = 7;

/// A row in cursor order: key, then newest first; of rows that tie, the one inserted last comes first.
type ModelKey = (Vec<u8>, Reverse<SeqNo>, Reverse<u8>, Reverse<u64>);

struct Random(u64);

impl Random {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) % bound
    }
}

fn kind(tag: u64) -> Kind {
    Kind::from_tag(tag as u8).expect("a kind")
}

fn value(arrival: u64) -> Vec<u8> {
    arrival.to_le_bytes()[..1 + arrival as usize % 8].to_vec()
}

fn memtable_of(order: KeyOrder, is_digested: bool) -> Memtable {
    Memtable::new(order, SEED, is_digested, &Arc::new(MemoryBudget::unlimited()))
}

fn filled(random: &mut Random, rows: u64, keys: u64, seqnos: u64) -> (Arc<Memtable>, BTreeMap<ModelKey, Vec<u8>>) {
    let memtable = Arc::new(memtable_of(KeyOrder::bytewise(), random.below(2) == 0));
    let mut model = BTreeMap::new();
    for arrival in 0..rows {
        let user_key = format!("{:x}", random.below(keys).wrapping_mul(0x9E37_79B9)).into_bytes();
        let (seqno, kind) = (random.below(seqnos), kind(random.below(4)));
        memtable.insert(InternalKey::new(&user_key, seqno, kind), &value(arrival)).expect("open");
        model.insert((user_key, Reverse(seqno), Reverse(kind.tag()), Reverse(arrival)), value(arrival));
        if random.below(rows) < 3 {
            memtable.cursor().seek_to_first().expect("memory");
        }
    }
    (memtable, model)
}

fn here(cursor: &MemtableCursor) -> Option<(Vec<u8>, SeqNo, u8, Vec<u8>)> {
    cursor.is_valid().then(|| {
        let key = cursor.key();
        (key.user_key.to_vec(), key.seqno, key.kind.tag(), cursor.value().to_vec())
    })
}

fn row((key, value): (&ModelKey, &Vec<u8>)) -> (Vec<u8>, SeqNo, u8, Vec<u8>) {
    (key.0.clone(), key.1.0, key.2.0, value.clone())
}

#[test]
fn gets_and_cursor_agree_with_a_sorted_map_whatever_the_order_of_arrival() {
    for (round, (rows, keys, seqnos)) in
        [(1, 1, 1), (200, 1, 50), (300, 40, 3), (2000, 700, 100), (5000, 5000, 9999)].into_iter().enumerate()
    {
        let mut random = Random(round as u64 + 1);
        let (memtable, model) = filled(&mut random, rows, keys, seqnos);
        assert_eq!((memtable.rows(), memtable.is_empty()), (model.len(), false));
        assert_eq!(memtable.min_seqno(), model.keys().map(|key| key.1.0).min());
        assert_eq!(memtable.max_seqno(), model.keys().map(|key| key.1.0).max());
        let expected: Vec<_> = model.iter().map(row).collect();
        let mut cursor = memtable.cursor();
        cursor.seek_to_first().expect("memory");
        for row in &expected {
            assert_eq!(here(&cursor).as_ref(), Some(row));
            cursor.next().expect("memory");
        }
        assert!(!cursor.is_valid());
        cursor.seek_to_last().expect("memory");
        for row in expected.iter().rev() {
            assert_eq!(here(&cursor).as_ref(), Some(row));
            cursor.prev().expect("memory");
        }
        assert!(!cursor.is_valid());
        for _ in 0..2000 {
            probe(&mut random, &memtable, &model, keys, seqnos);
        }
    }
}

/// A get, a seek and a seek-before of one random place.
fn probe(random: &mut Random, memtable: &Arc<Memtable>, model: &BTreeMap<ModelKey, Vec<u8>>, keys: u64, seqnos: u64) {
    let user_key = format!("{:x}", random.below(keys + 2).wrapping_mul(0x9E37_79B9)).into_bytes();
    let seqno = random.below(seqnos + 2);
    let kind = kind(random.below(4));
    let from = |seqno, tag| (user_key.clone(), Reverse(seqno), Reverse(tag), Reverse(u64::MAX));
    let visible = seqno.checked_sub(1).and_then(|seqno| model.range(from(seqno, u8::MAX)..).next());
    let expected = visible.filter(|(key, _)| key.0 == user_key).map(row);
    let found = memtable.get(&user_key, key_hash(SEED, &user_key), seqno).expect("memory");
    let found = found.map(|row| (user_key.clone(), row.seqno, row.kind.tag(), row.value.to_vec()));
    assert_eq!(found, expected);
    let target = InternalKey::new(&user_key, seqno, kind);
    let mut cursor = memtable.cursor();
    cursor.seek(target).expect("memory");
    assert_eq!(here(&cursor), model.range(from(seqno, kind.tag())..).next().map(row));
    cursor.seek_before(target).expect("memory");
    assert_eq!(here(&cursor), model.range(..from(seqno, kind.tag())).next_back().map(row));
}

proptest! {
    /// Few keys, few seqnos: ties and late arrivals everywhere, seeks in between.
    #[test]
    fn any_order_of_arrival_is_read_in_order(
        rows in vec((0..6_u8, 0..12_u64, 0..4_u64, any::<bool>()), 1..300),
        is_digested in any::<bool>(),
    ) {
        let memtable = Arc::new(memtable_of(KeyOrder::bytewise(), is_digested));
        let mut model = BTreeMap::new();
        let mut cursor = memtable.cursor();
        for (arrival, (key, seqno, tag, seeks)) in rows.into_iter().enumerate() {
            let (key, value) = (vec![b'k'; usize::from(key) + 1], value(arrival as u64));
            memtable.insert(InternalKey::new(&key, seqno, kind(tag)), &value).expect("open");
            model.insert((key.clone(), Reverse(seqno), Reverse(tag as u8), Reverse(arrival as u64)), value);
            if seeks {
                cursor.seek_before(InternalKey::new(&key, seqno, kind(tag))).expect("memory");
                let target = (key.clone(), Reverse(seqno), Reverse(tag as u8), Reverse(u64::MAX));
                prop_assert_eq!(here(&cursor), model.range(..target).next_back().map(row));
            }
        }
        cursor.seek_to_last().expect("memory");
        for expected in model.iter().rev() {
            prop_assert_eq!(here(&cursor), Some(row(expected)));
            cursor.prev().expect("memory");
        }
        cursor.seek_to_first().expect("memory");
        for expected in &model {
            prop_assert_eq!(here(&cursor), Some(row(expected)));
            let newest = memtable.get(&expected.0.0, key_hash(SEED, &expected.0.0), expected.0.1.0 + 1);
            let newest = newest.expect("memory");
            prop_assert_eq!(newest.map(|row| row.seqno), Some(expected.0.1.0));
            cursor.next().expect("memory");
        }
        prop_assert_eq!(here(&cursor), None);
    }
}

#[derive(Debug)]
struct Backwards;

impl Comparator for Backwards {
    fn name(&self) -> &'static str {
        "backwards"
    }

    fn compare(&self, a: &[u8], b: &[u8]) -> Ordering {
        b.cmp(a)
    }
}

#[test]
fn a_custom_order_without_heads_is_followed() {
    let memtable = Arc::new(memtable_of(KeyOrder::custom(Arc::new(Backwards)), true));
    let mut keys: Vec<Vec<u8>> = (0..3000_u32).map(|i| format!("{}", i.wrapping_mul(0x9E37_79B9)).into_bytes()).collect();
    for (i, key) in keys.iter().enumerate() {
        memtable.insert(InternalKey::new(key, i as u64, Kind::Value), b"v").expect("open");
        if i == 1000 {
            memtable.cursor().seek_to_first().expect("memory");
        }
    }
    keys.sort_by(|a, b| b.cmp(a));
    let mut cursor = memtable.cursor();
    cursor.seek_to_first().expect("memory");
    for key in &keys {
        assert_eq!(cursor.key().user_key, key);
        cursor.next().expect("memory");
    }
    cursor.seek(InternalKey::before(&keys[7])).expect("memory");
    assert_eq!(cursor.key().user_key, keys[7]);
    cursor.seek_before(InternalKey::before(&keys[7])).expect("memory");
    assert_eq!(cursor.key().user_key, keys[6]);
}

#[test]
fn a_closed_memtable_refuses_and_keeps_all_that_was_inserted() {
    let memtable = Arc::new(memtable_of(KeyOrder::bytewise(), false));
    let inserted = AtomicU64::new(0);
    thread::scope(|scope| {
        for writer in 0..3_u64 {
            let (memtable, inserted) = (&memtable, &inserted);
            scope.spawn(move || {
                for i in 0..100_000_u64 {
                    let key = (i * 3 + writer).to_le_bytes();
                    match memtable.insert(InternalKey::new(&key, i, Kind::Value), b"v") {
                        Ok(()) => inserted.fetch_add(1, SeqCst),
                        Err(error) => return assert_eq!(error.kind(), ErrorKind::Closed),
                    };
                }
            });
        }
        scope.spawn(|| {
            while inserted.load(SeqCst) < 1000 {
                thread::yield_now();
            }
            memtable.close();
            assert!(memtable.is_closed());
            let mut cursor = memtable.cursor();
            cursor.seek_to_first().expect("memory");
            let mut rows = 0;
            while cursor.is_valid() {
                rows += 1;
                cursor.next().expect("memory");
            }
            assert_eq!(rows, memtable.rows());
        });
    });
    assert_eq!(inserted.load(SeqCst), memtable.rows() as u64);
}

/// Writers of disjoint keys, each of which counts what it has finished, beside scanners in both directions.
#[test]
fn scans_beside_writers_are_in_order_and_miss_nothing_finished() {
    const PER_WRITER: u64 = 20_000;
    for (key_space, is_digested) in [(1 << 40, false), (3000, true)] {
        let memtable = Arc::new(memtable_of(KeyOrder::bytewise(), is_digested));
        let done: [AtomicU64; 2] = Default::default();
        let key = |writer: usize, i: u64| {
            let scrambled = (i * 2 + writer as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15) % key_space;
            (scrambled.swap_bytes() | writer as u64 | i << 8 & 0xFF00).to_le_bytes()
        };
        thread::scope(|scope| {
            for (writer, done) in done.iter().enumerate() {
                let memtable = &memtable;
                scope.spawn(move || {
                    for i in 0..PER_WRITER {
                        memtable.insert(InternalKey::new(&key(writer, i), i, Kind::Value), &i.to_le_bytes()).expect("open");
                        done.store(i + 1, SeqCst);
                    }
                });
            }
            for backwards in [false, true] {
                let (memtable, done) = (&memtable, &done);
                scope.spawn(move || {
                    loop {
                        let before: Vec<u64> = done.iter().map(|done| done.load(SeqCst)).collect();
                        let rows = scan(memtable, backwards);
                        for (writer, before) in before.iter().enumerate() {
                            for i in 0..*before {
                                let row = (key(writer, i), Reverse(i));
                                assert!(rows.binary_search(&row).is_ok(), "{row:?} of {before} is missing");
                            }
                        }
                        if before.iter().all(|before| *before == PER_WRITER) {
                            return;
                        }
                    }
                });
            }
        });
    }
}

/// All rows, ascending; checks order and values on the way.
fn scan(memtable: &Arc<Memtable>, backwards: bool) -> Vec<([u8; 8], Reverse<u64>)> {
    let mut rows: Vec<([u8; 8], Reverse<u64>)> = Vec::new();
    let mut cursor = memtable.cursor();
    if backwards { cursor.seek_to_last() } else { cursor.seek_to_first() }.expect("memory");
    while cursor.is_valid() {
        let key = cursor.key();
        assert_eq!(cursor.value(), key.seqno.to_le_bytes());
        rows.push((key.user_key.try_into().expect("eight bytes"), Reverse(key.seqno)));
        if backwards { cursor.prev() } else { cursor.next() }.expect("memory");
    }
    if backwards {
        rows.reverse();
    }
    assert!(rows.windows(2).all(|pair| pair[0] < pair[1]), "out of order, or twice");
    rows
}

#[test]
fn a_successor_orders_keys_with_and_without_the_common_prefix() {
    let memtable = Arc::new(memtable_of(KeyOrder::bytewise(), false));
    let key = |i: u64| format!("user:profile:{:x}", i.wrapping_mul(0x9E37_79B9_7F4A)).into_bytes();
    for i in 0..3000 {
        memtable.insert(InternalKey::new(&key(i), i, Kind::Value), b"v").expect("open");
    }
    memtable.cursor().seek_to_first().expect("memory");
    for memtable in [Arc::new(memtable.successor(true)), memtable] {
        let strangers: [&[u8]; 8] =
            [b"a", b"user:profile:", b"user:profile", b"user:profile;", b"user:profild", b"z", b"user:profile:zz", b"\xff"];
        for (i, stranger) in strangers.iter().enumerate() {
            memtable.insert(InternalKey::new(stranger, i as u64, Kind::Value), b"v").expect("open");
        }
        let mut keys: Vec<Vec<u8>> = strangers.iter().map(|key| key.to_vec()).collect();
        keys.extend((0..3000).map(key));
        for i in 0..3000 {
            memtable.insert(InternalKey::new(&key(i), 9000 + i, Kind::Value), b"v").expect("open");
        }
        keys.sort();
        let mut cursor = memtable.cursor();
        cursor.seek_to_first().expect("memory");
        for key in &keys {
            assert_eq!(cursor.key().user_key, key);
            cursor.seek_before(InternalKey::before(key)).expect("memory");
            cursor.seek(InternalKey::new(key, 0, Kind::Value)).expect("memory");
            while cursor.is_valid() && cursor.key().user_key == key {
                cursor.next().expect("memory");
            }
        }
        assert!(!cursor.is_valid());
    }
}

#[test]
fn the_budget_is_charged_for_what_a_memtable_takes() {
    let budget = Arc::new(MemoryBudget::unlimited());
    let used = || budget.used(Account::Memtables) as usize;
    let first = Arc::new(Memtable::new(KeyOrder::bytewise(), SEED, false, &budget));
    assert_eq!(used(), first.bytes());
    for number in 0..5000_u64 {
        let key = format!("key {number:05}").into_bytes();
        first.insert(InternalKey::new(&key, number, Kind::Value), &value(number)).expect("open");
        assert!(used() <= first.bytes() && first.bytes() < used() + (16 << 10), "{} of {}", used(), first.bytes());
    }
    first.insert(InternalKey::new(b"large", 9, Kind::Value), &[7; 100_000]).expect("open");
    assert_eq!(used(), first.bytes(), "a large row is counted at once");
    first.insert(InternalKey::new(b"small", 9, Kind::Value), b"").expect("open");
    let second = first.successor(false);
    first.close();
    assert_eq!(used(), first.bytes() + second.bytes());
    let unsorted = first.bytes();
    first.cursor().seek_to_first().expect("memory");
    assert!(first.bytes() > unsorted, "the order takes memory, too");
    assert_eq!(used(), first.bytes() + second.bytes());
    first.retire();
    assert_eq!((used(), budget.used(Account::Pinned) as usize), (second.bytes(), first.bytes()));
    drop((first, second));
    assert_eq!(budget.total_used(), 0);
}

#[test]
fn what_a_memtable_leaves_to_the_next_ones_is_charged_and_used() {
    let budget = Arc::new(MemoryBudget::unlimited());
    let fill = |memtable: &Memtable| {
        for number in 0..4_u64 {
            let key = format!("{number}").into_bytes();
            memtable.insert(InternalKey::new(&key, number, Kind::Value), &[number as u8; 1 << 20]).expect("open");
        }
    };
    let used = || budget.used(Account::Memtables) as usize;
    let first = Memtable::new(KeyOrder::bytewise(), SEED, false, &budget);
    let second = first.successor(false);
    fill(&first);
    fill(&second);
    assert_eq!(used(), first.bytes() + second.bytes());
    drop(first);
    let spare = budget.spares().bytes();
    assert!(spare >= 4 << 20 && used() == second.bytes() + spare, "{spare} of {}", used());
    let third = second.successor(false);
    fill(&third);
    assert!(budget.spares().bytes() < spare, "the next one uses it");
    assert_eq!(used(), second.bytes() + third.bytes() + budget.spares().bytes());
    for number in 0..4_u64 {
        let key = format!("{number}").into_bytes();
        let found = third.get(&key, key_hash(SEED, &key), u64::MAX).expect("memory").expect("there");
        assert!(found.value.len() == 1 << 20 && found.value.iter().all(|byte| *byte == number as u8));
    }
    drop((second, third));
    assert_eq!(budget.total_used(), 0, "nothing is kept for nobody");
}
