//! Rows that arrive late: after their memtable was sealed, and in any order, from several threads.

use crate::model::{Ends, Pair, compaction_under, go_on, small_options};
use sediment_base::{FileUuid, KeyOrder, Result, SeqNo};
use sediment_env::{Env, fs::MemFs};
use sediment_tree::{FlushContext, FlushReport, Retention, Tree};
use std::{
    collections::{BTreeMap, BTreeSet},
    ops::Bound,
    path::Path,
    sync::{
        Mutex,
        atomic::{AtomicU64, Ordering::SeqCst},
    },
};

const ALL: Ends = (Bound::Unbounded, Bound::Unbounded);

fn flush(tree: &Tree, through: SeqNo) -> Result<FlushReport> {
    let retention = Retention::newest(through.saturating_add(1));
    tree.flush(&FlushContext { retention, now_us: 1, through, covered: None, before_publish: &|_| Ok(()), on_slice: &go_on })
}

fn hold_and_write(pair: &mut Pair, held: &str, written: &str) -> Result<()> {
    pair.hold(held.as_bytes(), Some(b"held"));
    pair.write(written.as_bytes(), Some(b"written"))
}

#[test]
fn rows_between_seal_and_flush_are_flushed_up_to_the_boundary() -> Result<()> {
    let mut pair = Pair::create(KeyOrder::bytewise(), 1)?;
    hold_and_write(&mut pair, "a", "b")?;
    assert!(pair.tree.seal(2));
    pair.write(b"c", Some(b"above the boundary"))?;
    assert_eq!(pair.tree.get(b"a", 3)?, None);
    pair.deliver_all()?;
    assert_eq!(pair.scanned(&ALL, 4)?, pair.expected_range(&ALL, 4));
    let report = flush(&pair.tree, SeqNo::MAX)?;
    assert_eq!((report.memtables, report.rows, report.mark), (1, 2, Some(2)));
    assert!(!pair.tree.is_clean(), "the row above the boundary is still in memory");
    assert_eq!(pair.scanned(&ALL, 4)?, pair.expected_range(&ALL, 4));
    pair.reopen()?;
    assert_eq!((pair.tree.mark(), pair.tree.highest_seqno()), (Some(2), Some(2)));
    assert_eq!(pair.scanned(&ALL, 4)?, pair.expected_range(&ALL, 3));
    Ok(())
}

#[test]
fn each_late_row_finds_the_oldest_memtable_that_is_due_to_hold_it() -> Result<()> {
    let mut pair = Pair::create(KeyOrder::bytewise(), 1)?;
    for (held, written) in [("a", "b"), ("c", "d"), ("e", "f")] {
        hold_and_write(&mut pair, held, written)?;
        assert!(pair.seal());
    }
    hold_and_write(&mut pair, "g", "h")?;
    assert_eq!(pair.tree.sealed_count(), 3);
    assert_eq!(flush(&pair.tree, 1)?, FlushReport::default(), "the first boundary is 2");
    pair.deliver_all()?;
    for (through, mark) in [(3, 2), (4, 4), (6, 6)] {
        let report = flush(&pair.tree, through)?;
        assert_eq!((report.memtables, report.rows, report.mark), (1, 2, Some(mark)));
        assert_eq!(pair.scanned(&ALL, 9)?, pair.expected_range(&ALL, 9));
        let reopened = Tree::open(&pair.env, &pair.dir, pair.options.clone())?;
        assert_eq!((reopened.mark(), reopened.range(ALL, 9).count() as u64), (Some(mark), mark));
    }
    assert_eq!((pair.tree.sealed_count(), pair.tree.mark()), (0, Some(6)));
    Ok(())
}

#[test]
fn boundaries_do_not_descend() -> Result<()> {
    let pair = Pair::create(KeyOrder::bytewise(), 1)?;
    for (seqno, boundary) in [(1, 9), (10, 3)] {
        pair.tree.insert(b"key", b"value", seqno)?;
        assert!(pair.tree.seal(boundary));
        assert!(!pair.tree.seal(boundary), "there is nothing to seal");
    }
    assert_eq!(flush(&pair.tree, 8)?, FlushReport::default());
    assert_eq!(flush(&pair.tree, 9)?.memtables, 2);
    assert_eq!(pair.tree.mark(), Some(9));
    Ok(())
}

const WRITERS: u64 = 3;
const BATCHES: u64 = 300;
const BATCH: u64 = 16;
const KEYS: u64 = 40;

/// What the write of this seqno is: known to everybody, so that the state at any seqno is as well.
fn row(seqno: SeqNo) -> (Vec<u8>, Option<[u8; 8]>) {
    let mixed = seqno.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 20;
    (format!("key-{:02}", mixed % KEYS).into_bytes(), (!mixed.is_multiple_of(5)).then_some(seqno.to_le_bytes()))
}

fn expected(read_seqno: SeqNo) -> Vec<(Vec<u8>, Vec<u8>)> {
    let newest: BTreeMap<_, _> = (1..read_seqno).map(row).collect();
    newest.into_iter().filter_map(|(key, value)| Some((key, value?.to_vec()))).collect()
}

fn insert(tree: &Tree, seqno: SeqNo) {
    let (key, value) = row(seqno);
    let inserted = match value {
        Some(value) => tree.insert(&key, &value, seqno),
        None => tree.remove(&key, seqno),
    };
    inserted.expect("inserted");
}

/// Who has which seqno, and up to where all are in the tree.
#[derive(Default)]
struct Seqnos {
    allotted: AtomicU64,
    visible: AtomicU64,
    early: Mutex<BTreeSet<SeqNo>>,
}

impl Seqnos {
    fn finish(&self, seqno: SeqNo) {
        let mut early = self.early.lock().expect("no panic");
        early.insert(seqno);
        while early.remove(&(self.inserted() + 1)) {
            self.visible.fetch_add(1, SeqCst);
        }
    }

    /// Every row up to here is in the tree.
    fn inserted(&self) -> SeqNo {
        self.visible.load(SeqCst)
    }

    fn is_over(&self) -> bool {
        self.inserted() == WRITERS * BATCHES * BATCH
    }
}

#[test]
fn writers_in_any_order_never_wait_for_a_seal_and_every_moment_is_whole() -> Result<()> {
    let env = Env::simulated(MemFs::new(), 1);
    let options = small_options(KeyOrder::bytewise());
    let tree = Tree::create(&env, Path::new("/tree"), FileUuid([1; 16]), options.clone())?;
    let seqnos = Seqnos::default();
    let retention = || Retention::newest(seqnos.inserted() + 1);
    std::thread::scope(|scope| {
        for writer in 0..WRITERS {
            let (tree, seqnos) = (&tree, &seqnos);
            scope.spawn(move || {
                for batch in 0..BATCHES {
                    let first = 1 + seqnos.allotted.fetch_add(BATCH, SeqCst);
                    for i in 0..BATCH {
                        // An odd factor: every row of the batch once, in another order each time.
                        let seqno = first + (i * (2 * (batch + writer) + 1) + batch) % BATCH;
                        insert(tree, seqno);
                        seqnos.finish(seqno);
                    }
                    std::thread::yield_now();
                }
            });
        }
        scope.spawn(|| {
            while !seqnos.is_over() {
                let boundary = seqnos.allotted.load(SeqCst);
                tree.seal(boundary);
                while seqnos.inserted() < boundary {
                    std::thread::yield_now();
                }
                let through = seqnos.inserted();
                let context = FlushContext {
                    retention: retention(),
                    now_us: 1,
                    through,
                    covered: None,
                    before_publish: &|_| Ok(()),
                    on_slice: &go_on,
                };
                tree.flush(&context).expect("flushed");
                assert!(tree.mark() <= Some(through));
            }
        });
        for _ in 0..2 {
            scope.spawn(|| {
                while !seqnos.is_over() {
                    while let Some(plan) = tree.pick_compaction(9) {
                        let context = compaction_under(retention());
                        tree.compact(plan, &context).expect("compacted");
                    }
                }
            });
        }
        scope.spawn(|| {
            while !seqnos.is_over() {
                check(&tree, || seqnos.inserted() + 1);
            }
        });
    });
    let end = seqnos.inserted() + 1;
    check(&tree, || end);
    drop(tree);
    let tree = Tree::open(&env, Path::new("/tree"), options)?;
    let mark = tree.mark().expect("it was flushed");
    // A log would bring back what the mark does not cover; part of it may be in tables already.
    (mark + 1..end).for_each(|seqno| insert(&tree, seqno));
    check(&tree, || end);
    assert!(tree.verify()?.faults.is_empty());
    Ok(())
}

fn check(tree: &Tree, mut visible: impl FnMut() -> SeqNo) {
    let mut seen = 0;
    let scan = tree.range_at::<Vec<u8>, _>(.., || {
        seen = visible();
        seen
    });
    let found: Vec<_> = scan.map(|row| row.map(|(key, value)| (key.to_vec(), value.to_vec())).expect("readable")).collect();
    assert_eq!(found, expected(seen), "at {seen}");
}
