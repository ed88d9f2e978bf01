//! What the interface costs over the tree beneath it: the same work through each, side by side.
//!
//! `overhead` measures nanoseconds, a row each for `get`, `insert` and `scan`. `overhead <face|tree> <get|insert|scan>` does one kind of work
//! once, for who counts instructions: `valgrind --tool=callgrind`.
#![allow(clippy::disallowed_types, clippy::print_stdout, reason = "a measurement reads a clock and says what it has found")]

use lsm_tree::{AbstractTree, AnyTree, Config, Guard, Result, SequenceNumberCounter, Slice, get_tmp_folder};
use sediment_base::{FileUuid, Slice as Bytes};
use sediment_env::Env;
use sediment_table::BlockCache;
use sediment_tree::{Retention, SeqnoSource, Tree, TreeOptions};
use std::{
    hint::black_box,
    ops::ControlFlow,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Instant,
};

const ROWS: u64 = 100_000;
const ROUNDS: usize = 15;

/// Either of the two.
enum Subject {
    Face(AnyTree),
    Tree(Tree),
}

#[derive(Debug, Default)]
struct Numbers(AtomicU64);

impl SeqnoSource for Numbers {
    fn next(&self) -> u64 {
        self.0.fetch_add(1, Ordering::AcqRel)
    }

    fn show(&self, _seqno: u64) {}
}

fn key(n: u64) -> Slice {
    Slice::from(format!("key{:012}", n.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 24))
}

/// As the face configures it.
fn options() -> TreeOptions {
    TreeOptions {
        table_bytes: 64 << 20,
        reads_raw_operands: true,
        seqno_source: Some(Arc::new(Numbers::default())),
        codec: sediment_codec::compress::Codec::Lz4,
        ..TreeOptions::new(Arc::new(BlockCache::new(64 << 20)))
    }
}

impl Subject {
    fn new(name: &str, folder: &std::path::Path) -> Result<Self> {
        if name == "face" {
            let counter = SequenceNumberCounter::default();
            let cache = Arc::new(lsm_tree::Cache::with_capacity_bytes(64 << 20));
            return Ok(Self::Face(Config::new(folder, counter.clone(), counter).use_cache(cache).open()?));
        }
        let tree = Tree::create(&Env::system(), folder, FileUuid::default(), options());
        Ok(Self::Tree(tree.expect("created")))
    }

    fn fill(&self, keys: &[Slice], value: &Slice) {
        for (seqno, key) in keys.iter().enumerate() {
            match self {
                Self::Face(tree) => _ = tree.insert(key.clone(), value.clone(), seqno as u64),
                Self::Tree(tree) => tree.insert(key, value, seqno as u64).expect("inserted"),
            }
        }
    }

    fn flush(&self) {
        match self {
            Self::Face(tree) => tree.flush_active_memtable(0).expect("flushed"),
            Self::Tree(tree) => {
                tree.seal(0);
                let context = sediment_tree::FlushContext {
                    retention: Retention::Watermark(0),
                    now_us: 1,
                    through: u64::MAX,
                    before_publish: &|_| Ok(()),
                    on_slice: &|_| ControlFlow::Continue(()),
                };
                _ = tree.flush(&context).expect("flushed");
            }
        }
    }

    fn get(&self, keys: &[Slice]) -> usize {
        match self {
            Self::Face(tree) => {
                keys.iter().filter_map(|key| tree.get(key, u64::MAX).expect("read")).map(|value| value.len()).sum()
            }
            Self::Tree(tree) => {
                keys.iter().filter_map(|key| tree.get(key, u64::MAX).expect("read")).map(|value| value.len()).sum()
            }
        }
    }

    fn scan(&self) -> usize {
        let bytes = |key: &[u8], value: &[u8]| key.len() + value.len();
        match self {
            Self::Face(tree) => {
                let rows = tree.iter(u64::MAX, None).map(|row| row.into_inner().expect("read"));
                rows.map(|(key, value)| bytes(&key, &value)).sum()
            }
            Self::Tree(tree) => {
                let rows = tree.range::<Bytes, _>(.., u64::MAX).map(|row| row.expect("read"));
                rows.map(|(key, value)| bytes(&key, &value)).sum()
            }
        }
    }
}

/// Nanoseconds of one piece of work, a row; for `insert` in a new directory, for the others over tables of all rows.
fn measure(subject: &str, work: &str, keys: &[Slice], value: &Slice) -> Result<f64> {
    let folder = get_tmp_folder();
    let subject = Subject::new(subject, folder.path())?;
    if work != "insert" {
        subject.fill(keys, value);
        subject.flush();
        black_box(subject.get(keys));
    }
    let start = Instant::now();
    match work {
        "insert" => subject.fill(keys, value),
        "get" => _ = black_box(subject.get(keys)),
        _ => _ = black_box(subject.scan()),
    }
    Ok(start.elapsed().as_nanos() as f64 / keys.len() as f64)
}

fn main() -> Result<()> {
    let keys: Vec<Slice> = (0..ROWS).map(key).collect();
    let value = Slice::from("v".repeat(100));
    let args: Vec<String> = std::env::args().skip(1).collect();
    if let [subject, work] = &args[..] {
        measure(subject, work, &keys, &value)?;
        return Ok(());
    }
    for work in ["insert", "get", "scan"] {
        let mut best = [f64::MAX; 2];
        for _ in 0..ROUNDS {
            for (at, subject) in ["tree", "face"].into_iter().enumerate() {
                best[at] = best[at].min(measure(subject, work, &keys, &value)?);
            }
        }
        let [tree, face] = best;
        println!(
            "{work:6}  tree {tree:7.1} ns  face {face:7.1} ns  {:+5.1} ns  {:+5.1} %",
            face - tree,
            (face / tree - 1.0) * 100.0
        );
    }
    Ok(())
}
