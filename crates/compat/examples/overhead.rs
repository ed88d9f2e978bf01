//! What the interface costs over the tree beneath it: the same work through each, side by side.
//!
//! `overhead` measures nanoseconds, a row each for `get`, `insert` and `scan`: medians of pieces of work that are done through one and the other in
//! turn, so that what else the machine does falls on both. `overhead <face|tree> <get|insert|scan> <times>` does one kind of
//! work so many times, for who counts instructions: `valgrind --tool=callgrind`, and the difference of two counts.
#![allow(clippy::disallowed_types, clippy::print_stdout, reason = "a measurement reads a clock and says what it has found")]

use lsm_tree::{AbstractTree, AnyTree, Config, Guard, Result, SequenceNumberCounter, Slice, get_tmp_folder};
use sediment_base::{FileUuid, MemoryBudget, Slice as Bytes};
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
const ROUNDS: usize = 40;
/// So many rows are got or inserted between two looks at the clock.
const PIECE_ROWS: usize = 1000;

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
        codec: sediment_codec::compress::Method::Lz4,
        ..TreeOptions::new(Arc::new(BlockCache::with_budget(64 << 20, Arc::new(MemoryBudget::unlimited()))))
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

    /// Takes rows that their caller has in hand, as the interface wants them.
    fn fill(&self, rows: Vec<(Slice, Slice)>) {
        for (seqno, (key, value)) in rows.into_iter().enumerate() {
            match self {
                Self::Face(tree) => _ = tree.insert(key, value, seqno as u64),
                Self::Tree(tree) => tree.insert(&key, &value, seqno as u64).expect("inserted"),
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
                    covered: None,
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

type Rows = Vec<(Slice, Slice)>;

fn rows(keys: &[Slice]) -> Rows {
    let value = Slice::from("v".repeat(100));
    keys.iter().map(|key| (key.clone(), value.clone())).collect()
}

/// One with all rows in tables and in memory, for reading.
fn filled(name: &str, folder: &std::path::Path, keys: &[Slice]) -> Result<Subject> {
    let subject = Subject::new(name, folder)?;
    subject.fill(rows(keys));
    subject.flush();
    black_box(subject.get(keys));
    Ok(subject)
}

/// Does one kind of work so many times; for `insert` in a new directory, for the others over tables of all rows.
fn repeat(name: &str, work: &str, keys: &[Slice], times: usize) -> Result<()> {
    let folder = get_tmp_folder();
    if work == "insert" {
        let subject = Subject::new(name, folder.path())?;
        (0..times).for_each(|_| subject.fill(rows(keys)));
        return Ok(());
    }
    let subject = filled(name, folder.path(), keys)?;
    for _ in 0..times {
        black_box(if work == "get" { subject.get(keys) } else { subject.scan() });
    }
    Ok(())
}

/// Nanoseconds of each piece of work, a row, through the tree and through the face.
fn compare(work: &str, keys: &[Slice]) -> Result<[Vec<f64>; 2]> {
    let names = ["tree", "face"];
    let mut taken = [Vec::new(), Vec::new()];
    for round in 0..if work == "insert" { ROUNDS } else { 1 } {
        let folders = [get_tmp_folder(), get_tmp_folder()];
        let subject = |at: usize| match work {
            "insert" => Subject::new(names[at], folders[at].path()),
            _ => filled(names[at], folders[at].path(), keys),
        };
        let subjects = [subject(0)?, subject(1)?];
        let piece = if work == "scan" { keys.len() } else { PIECE_ROWS };
        let times = if work == "insert" { 1 } else { ROUNDS };
        for (number, keys) in (0..times).flat_map(|_| keys.chunks(piece)).enumerate() {
            // Each comes first in turn: who comes second finds memory in another state.
            for at in [(round + number) % 2, (round + number + 1) % 2] {
                let rows = if work == "insert" { rows(keys) } else { Rows::new() };
                let start = Instant::now();
                match work {
                    "insert" => subjects[at].fill(rows),
                    "get" => _ = black_box(subjects[at].get(keys)),
                    _ => _ = black_box(subjects[at].scan()),
                }
                taken[at].push(start.elapsed().as_nanos() as f64 / keys.len() as f64);
            }
        }
    }
    Ok(taken)
}

fn median(mut taken: Vec<f64>) -> f64 {
    taken.sort_by(f64::total_cmp);
    taken[taken.len() / 2]
}

fn main() -> Result<()> {
    let keys: Vec<Slice> = (0..ROWS).map(key).collect();
    let args: Vec<String> = std::env::args().skip(1).collect();
    if let [subject, work, times] = &args[..] {
        return repeat(subject, work, &keys, times.parse().expect("a number of times"));
    }
    for work in ["insert", "get", "scan"] {
        let [tree, face] = compare(work, &keys)?.map(median);
        println!(
            "{work:6}  tree {tree:7.1} ns  face {face:7.1} ns  {:+5.1} ns  {:+5.1} %",
            face - tree,
            (face / tree - 1.0) * 100.0
        );
    }
    Ok(())
}
