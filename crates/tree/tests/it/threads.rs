//! Writers, readers, scans, a flusher and a compactor at once.

use crate::model::{compaction_under, go_on, small_options};
use sediment_base::{FileUuid, KeyOrder, Result, SeqNo};
use sediment_env::{Env, fs::MemFs};
use sediment_tree::{FlushContext, Retention, Tree};
use std::{
    path::Path,
    sync::{
        RwLock,
        atomic::{AtomicBool, AtomicU64, Ordering::SeqCst},
    },
};

const KEYS: u64 = 64;
const ROUNDS: u64 = 400;

/// Every round writes the round's number to each key, under one seqno per row: a reader at the seqno of a finished round must
/// find that number everywhere.
#[test]
fn a_reader_sees_one_moment_whatever_goes_on() -> Result<()> {
    let write = |tree: &Tree, round: u64, first: SeqNo| {
        for key in 0..KEYS {
            tree.insert(&name(key), &round.to_le_bytes(), first + key).expect("inserted");
        }
    };
    beside_everything(2, KEYS, write, check)
}

/// Every round removes the range of all keys, ingests half of them, removes some of these in the weak way, and merges the round's
/// number onto all in two parts: what a reader finds is made of this round's writes alone.
#[test]
fn what_is_removed_ingested_and_merged_is_of_one_moment_too() -> Result<()> {
    const WRITES: u64 = 2 + KEYS / 4 + 2 * KEYS;
    let write = |tree: &Tree, round: u64, first: SeqNo| {
        tree.remove_range(b"key", b"kez", first).expect("removed");
        let mut ingestion = tree.ingest(1);
        for key in 0..KEYS / 2 {
            ingestion.insert(&name(key), b"base").expect("ascending");
        }
        ingestion.finish(first + 1).expect("ingested");
        let mut seqnos = first + 2..;
        let mut next = || seqnos.next().expect("without end");
        for key in 0..KEYS / 4 {
            tree.remove_weak(&name(key), next()).expect("removed");
        }
        let number = round.to_le_bytes();
        for half in [&number[..3], &number[3..]] {
            (0..KEYS).for_each(|key| tree.merge(&name(key), half, next()).expect("merged"));
        }
    };
    let check = |tree: &Tree, visible: &AtomicU64| {
        let mut seen = 0;
        let mut scan = tree.range_at::<Vec<u8>, _>(.., || {
            seen = visible.load(SeqCst);
            seen
        });
        let (mut rows, mut from_back) = (Vec::new(), Vec::new());
        while let Some(row) = scan.next() {
            rows.push(row.expect("readable"));
            from_back.extend(scan.next_back().map(|row| row.expect("readable")));
        }
        rows.extend(from_back.into_iter().rev());
        let round = ((seen - 1) / WRITES).checked_sub(1);
        assert_eq!(rows.len() as u64, if round.is_some() { KEYS } else { 0 }, "at {seen}");
        for (key, (found, value)) in rows.iter().enumerate() {
            let number = round.expect("there are rows").to_le_bytes();
            let has_base = (KEYS / 4..KEYS / 2).contains(&(key as u64));
            let expected = [if has_base { &b"base"[..] } else { b"" }, &number].concat();
            assert!(**found == *name(key as u64) && **value == *expected, "at {seen}: {found:?} holds {value:?}");
        }
    };
    beside_everything(4, WRITES, write, check)
}

fn name(key: u64) -> Vec<u8> {
    format!("key-{key:02}").into_bytes()
}

/// Lets one thread write rounds, each of so many seqnos, beside a flusher, a compactor and readers.
fn beside_everything(
    readers: usize,
    writes: u64,
    write: impl Fn(&Tree, u64, SeqNo) + Sync,
    check: impl Fn(&Tree, &AtomicU64) + Sync,
) -> Result<()> {
    let env = Env::simulated(MemFs::new(), 1);
    let tree = Tree::create(&env, Path::new("/tree"), FileUuid([1; 16]), small_options(KeyOrder::bytewise()))?;
    let visible = AtomicU64::new(1);
    let is_over = AtomicBool::new(false);
    let between_batches = RwLock::new(());
    let retention = || Retention::newest(visible.load(SeqCst));
    std::thread::scope(|scope| {
        scope.spawn(|| {
            for round in 0..ROUNDS {
                let _batch = between_batches.read().expect("no panic");
                write(&tree, round, 1 + round * writes);
                visible.store(1 + (round + 1) * writes, SeqCst);
            }
            is_over.store(true, SeqCst);
        });
        scope.spawn(|| {
            while !is_over.load(SeqCst) {
                {
                    let _no_batch = between_batches.write().expect("no panic");
                    tree.seal(visible.load(SeqCst) - 1);
                }
                let context = FlushContext {
                    retention: retention(),
                    now_us: 1,
                    through: SeqNo::MAX,
                    covered: None,
                    before_publish: &|_| Ok(()),
                    on_slice: &go_on,
                };
                tree.flush(&context).expect("flushed");
            }
        });
        scope.spawn(|| {
            while !is_over.load(SeqCst) {
                while let Some(plan) = tree.pick_compaction(9) {
                    let context = compaction_under(retention());
                    tree.compact(plan, &context).expect("compacted");
                }
                let context = compaction_under(retention());
                tree.compact_all(&context).expect("compacted");
            }
        });
        for _ in 0..readers {
            scope.spawn(|| {
                while !is_over.load(SeqCst) {
                    check(&tree, &visible);
                }
            });
        }
    });
    check(&tree, &visible);
    Ok(())
}

fn check(tree: &Tree, visible: &AtomicU64) {
    let mut seen = 0;
    let scan = tree.range_at::<Vec<u8>, _>(.., || {
        seen = visible.load(SeqCst);
        seen
    });
    let rounds: Vec<u64> =
        scan.map(|row| u64::from_le_bytes(row.expect("readable").1[..].try_into().expect("8 bytes"))).collect();
    assert_eq!(rounds, expected(seen), "at {seen}");
    let mut seen = 0;
    let found = tree.get_at(b"key-07", || {
        seen = visible.load(SeqCst);
        seen
    });
    let found = found.expect("readable").map(|value| u64::from_le_bytes(value[..].try_into().expect("8 bytes")));
    assert_eq!(found, expected(seen).first().copied(), "at {seen}");
}

fn expected(seen: SeqNo) -> Vec<u64> {
    match (seen - 1) / KEYS {
        0 => Vec::new(),
        rounds => vec![rounds - 1; KEYS as usize],
    }
}
