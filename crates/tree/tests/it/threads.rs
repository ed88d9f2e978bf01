//! Writers, readers, scans, a flusher and a compactor at once.

use crate::model::{go_on, small_options};
use sediment_base::{FileUuid, KeyOrder, Result, SeqNo};
use sediment_env::{Env, fs::MemFs};
use sediment_tree::{CompactionContext, FlushContext, Retention, Tree};
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
                for key in 0..KEYS {
                    let seqno = 1 + round * KEYS + key;
                    tree.insert(format!("key-{key:02}").as_bytes(), &round.to_le_bytes(), seqno).expect("inserted");
                }
                visible.store(1 + (round + 1) * KEYS, SeqCst);
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
                    before_publish: &|_| Ok(()),
                    on_slice: &go_on,
                };
                tree.flush(&context).expect("flushed");
            }
        });
        scope.spawn(|| {
            while !is_over.load(SeqCst) {
                while let Some(plan) = tree.pick_compaction() {
                    let context = CompactionContext { retention: retention(), now_us: 1, on_slice: &go_on };
                    tree.compact(plan, &context).expect("compacted");
                }
                let context = CompactionContext { retention: retention(), now_us: 1, on_slice: &go_on };
                tree.compact_all(&context).expect("compacted");
            }
        });
        for _ in 0..2 {
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
