//! The way of a row through all that a memtable is made of: arena, index, chain, and the order that a reader fills and reads.

use crate::{model, read, write};
use loom::{sync::Arc, thread};
use sediment_raw::{
    arena::{Arena, Record, Walk},
    chain,
    epoch::pin,
    hash_index::HashIndex,
    ordered::{Batch, Goal, OrderedSet},
};

/// What a memtable has. A row is a number: its tens are the key, its ones the version.
struct Rows {
    arena: Arena,
    index: HashIndex,
    order: OrderedSet,
}

fn key(row: Record<'_>) -> u64 {
    read(row) / 10
}

fn hash(key: u64) -> u64 {
    key << 60
}

impl Rows {
    fn new() -> Self {
        let arena = Arena::new();
        let (index, order) = (HashIndex::new(&arena, 0), OrderedSet::new(&arena));
        Self { arena, index, order }
    }

    fn insert(&self, row: u64) {
        // Pinned as a writer is, and so that the fences of the pins inside do not order too much.
        let _pin = pin();
        let new = write(&self.arena, row);
        self.index.upsert(
            &self.arena,
            hash(row / 10),
            |found| key(found) == row / 10,
            |head| match head {
                Some(head) => chain::add(head, new, |there| read(there) > row),
                None => {
                    new.set_first();
                    new
                }
            },
        );
        new.finish();
    }

    /// Brings the order up to date with all rows that were finished before.
    fn fill(&self, walk: &mut Walk) {
        let mut batch = Batch::default();
        walk.advance(&self.arena, |first| batch.push(key(first), first));
        self.order.insert(&self.arena, &mut batch, |a, b| key(a).cmp(&key(b)));
    }

    /// All rows in order, as a cursor meets them.
    fn scan(&self) -> Vec<u64> {
        let mut rows = Vec::new();
        let goal = Goal { head: 0, compare: |_| std::cmp::Ordering::Greater };
        let window = self.order.window_from(&self.arena, &goal, false);
        for first in (0..window.len()).map(|index| window.record(&self.arena, index)) {
            let mut row = Some(first);
            if chain::is_superseded(first) {
                row = self.index.find(&self.arena, hash(key(first)), |found| key(found) == key(first));
                assert!(row.is_some(), "a key in the order is in the index");
            }
            while let Some(here) = row {
                rows.push(read(here));
                row = chain::previous(here);
            }
        }
        rows
    }
}

/// Keys ascend, and versions descend within a key.
fn is_in_order(rows: &[u64]) -> bool {
    rows.windows(2).all(|pair| (pair[0] / 10, 9 - pair[0] % 10) < (pair[1] / 10, 9 - pair[1] % 10))
}

/// Two writers of one key, the newer of whom may come first, and a reader who fills the order beside them.
fn two_writers_and_a_reader(rows: [u64; 2]) {
    model(2, move || {
        let shared = Arc::new(Rows::new());
        shared.insert(22);
        let reader = {
            let shared = Arc::clone(&shared);
            thread::spawn(move || {
                let _pin = pin();
                let mut walk = Walk::new();
                shared.fill(&mut walk);
                let seen = shared.scan();
                assert!(seen.contains(&22) && is_in_order(&seen), "{seen:?}");
                walk
            })
        };
        let writer = {
            let shared = Arc::clone(&shared);
            thread::spawn(move || shared.insert(rows[0]))
        };
        shared.insert(rows[1]);
        writer.join().expect("no panic");
        let mut walk = reader.join().expect("no panic");
        shared.fill(&mut walk);
        let mut expected = vec![22, rows[0], rows[1]];
        expected.sort_by_key(|row| (row / 10, 9 - row % 10));
        assert_eq!(shared.scan(), expected);
    });
}

#[test]
fn two_versions_of_a_new_key_are_one_key_in_the_order() {
    two_writers_and_a_reader([11, 13]);
}

#[test]
fn a_new_key_and_an_older_version_of_a_known_one_meet_a_reader() {
    two_writers_and_a_reader([31, 21]);
}
