//! The six core workloads of the Yahoo! Cloud Serving Benchmark, on one thread. Operations are drawn beforehand.

use super::{Bench, Done, Job, mixed::at_most};
use crate::{
    check,
    engine::{Engine, View},
    looping::closed_loop,
    rows::{Digest, Rows},
};
use anyhow::{Result, ensure};
use sediment_bench::generator::{Random, Zipf};

/// Operations drawn: sixteen MiB of them, read in order. What inserts ends with them.
const OPERATIONS: u64 = 1 << 22;
/// The longest scan.
const SCAN_ROWS_MAX: u64 = 100;

/// What a mix is made of, in per cent of all operations; the rest are gets.
#[derive(Clone, Copy)]
pub(super) struct Mix {
    updates: u64,
    inserts: u64,
    scans: u64,
    read_modify_writes: u64,
    /// Whether what was inserted last is read most; otherwise the popular keys are scattered.
    latest: bool,
}

const GETS: Mix = Mix { updates: 0, inserts: 0, scans: 0, read_modify_writes: 0, latest: false };
pub(super) const A: Mix = Mix { updates: 50, ..GETS };
pub(super) const B: Mix = Mix { updates: 5, ..GETS };
pub(super) const C: Mix = GETS;
pub(super) const D: Mix = Mix { inserts: 5, latest: true, ..GETS };
pub(super) const E: Mix = Mix { inserts: 5, scans: 95, ..GETS };
pub(super) const F: Mix = Mix { read_modify_writes: 50, ..GETS };

#[derive(Clone, Copy)]
enum Operation {
    Get(u64),
    Write(u64),
    Scan(u64),
    ReadModifyWrite(u64),
}

impl Operation {
    /// In one word: two bits say which.
    fn packed(self) -> u32 {
        let (kind, index) = match self {
            Self::Get(index) => (0, index),
            Self::Write(index) => (1, index),
            Self::Scan(index) => (2, index),
            Self::ReadModifyWrite(index) => (3, index),
        };
        kind << 30 | index as u32
    }

    #[inline]
    fn unpacked(word: u32) -> Self {
        let index = u64::from(word & (u32::MAX >> 2));
        match word >> 30 {
            0 => Self::Get(index),
            1 => Self::Write(index),
            2 => Self::Scan(index),
            _ => Self::ReadModifyWrite(index),
        }
    }
}

/// How many rows a scan from this index reads: the same each time.
#[inline]
fn scan_rows(index: u64) -> u64 {
    1 + (((index.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 32) * SCAN_ROWS_MAX) >> 32)
}

fn draw(rows: &Rows, mix: Mix) -> Vec<u32> {
    let (popular, zipf) = (rows.popular(0, OPERATIONS), Zipf::new(rows.keys));
    let (mut random, mut keys) = (Random::of_thread(rows.seed, 1), rows.keys);
    let operations = popular.into_iter().map(|popular| {
        let index = if mix.latest { keys - 1 - zipf.rank(&mut random) } else { u64::from(popular) };
        let mut share = random.below(100);
        let mut is = |per_cent: u64| {
            let is = share < per_cent;
            share = share.wrapping_sub(per_cent);
            is
        };
        if is(mix.updates) {
            Operation::Write(index)
        } else if is(mix.inserts) {
            keys += 1;
            Operation::Write(keys - 1)
        } else if is(mix.scans) {
            Operation::Scan(index)
        } else if is(mix.read_modify_writes) {
            Operation::ReadModifyWrite(index)
        } else {
            Operation::Get(index)
        }
    });
    operations.map(Operation::packed).collect()
}

/// Until the time is over, or what there is to insert.
pub(super) fn run<'a, T: Engine>(bench: &'a Bench<'a, T>, mix: Mix) -> Job<'a> {
    let Bench { engine, rows, settings, .. } = bench;
    let (operations, number_at) = (draw(rows, mix), settings.key_prefix.len());
    let count = if mix.inserts > 0 { OPERATIONS } else { u64::MAX };
    let at = |operations: &[u32], operation: u64| Operation::unpacked(operations[(operation & (OPERATIONS - 1)) as usize]);
    Box::new(move || {
        let (mut keys, mut digest, mut writes) = (rows.key_maker(), Digest::default(), 0);
        let looped = closed_loop(settings.latency, at_most(bench, count), |operation| {
            let operation = at(&operations, operation);
            if let Operation::Get(index) | Operation::ReadModifyWrite(index) = operation {
                engine.view()?.get(keys.present(index), |value| digest.value(value))?;
            }
            match operation {
                Operation::Get(_) => {}
                Operation::Write(index) | Operation::ReadModifyWrite(index) => {
                    writes += 1;
                    engine.insert((keys.present(index), rows.value(index)))?;
                }
                Operation::Scan(index) => {
                    engine.view()?.scan(Some(keys.present(index)), scan_rows(index), |row| digest.row(number_at, row))?;
                }
            }
            Ok(())
        })?;
        let done = looped.operations;
        let check = move || -> Result<()> {
            let operations = (0..done).map(|operation| at(&operations, operation));
            let (expected, rows_now) = replay(rows, number_at, operations);
            ensure!(digest == expected || !T::ANSWERS, "what was read is not what was written");
            check::all(*engine, rows, rows_now, |index| rows.value(index))
        };
        Ok(Done { looped, writes, check: Box::new(check) })
    })
}

/// What these operations must read, and how many rows there are behind them.
fn replay(rows: &Rows, number_at: usize, operations: impl Iterator<Item = Operation>) -> (Digest, u64) {
    let (mut digest, mut keys, mut maker) = (Digest::default(), rows.keys, rows.key_maker());
    for operation in operations {
        match operation {
            Operation::Get(index) | Operation::ReadModifyWrite(index) => digest.value(rows.value(index)),
            Operation::Write(index) => keys = keys.max(index + 1),
            Operation::Scan(first) => {
                let indexes = first..(first + scan_rows(first)).min(keys);
                indexes.for_each(|index| digest.row(number_at, (maker.present(index), rows.value(index))));
            }
        }
    }
    (digest, keys)
}
