//! Short scans of what begins with the same bytes.

use super::{Bench, Done, Job, parts::Parts};
use crate::{
    drain::drain,
    engine::{Engine, View},
    rows::{DRAWS, Digest, Rows},
};
use anyhow::{Result, ensure};

/// Bytes of a prefix, and of what follows it in a key.
pub(super) const PREFIX_BYTES: usize = 8;
/// Keys that have a prefix.
const GROUP: u64 = 100;
/// Sorted runs that the rows are written as. Each has some rows of every prefix, and of as many no engine begins to compact.
const RUNS: usize = 3;
/// The most rows that a scan reads.
const SCAN_ROWS: u64 = 10;

/// A key: the number of its prefix and that of its row, in big-endian bytes.
type Key = [u8; 2 * PREFIX_BYTES];

/// Prefixes that are there have even numbers, prefixes that are not are between them.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Prefix {
    Present(u64),
    Absent(u64),
}

impl Prefix {
    #[inline]
    fn bytes(self) -> [u8; PREFIX_BYTES] {
        let number = match self {
            Self::Present(group) => 2 * group,
            Self::Absent(group) => 2 * group + 1,
        };
        number.swap_bytes().to_le_bytes()
    }
}

fn key(index: u64) -> Key {
    let (group, row) = (index / GROUP, index % GROUP);
    let mut key = [0; 2 * PREFIX_BYTES];
    key[..PREFIX_BYTES].copy_from_slice(&Prefix::Present(group).bytes());
    key[PREFIX_BYTES..].copy_from_slice(&row.swap_bytes().to_le_bytes());
    key
}

/// Every row once, in random order and several runs, and everything read once.
fn fill<E: Engine>(bench: &Bench<'_, E>) -> Result<()> {
    let Bench { engine, rows, settings, .. } = bench;
    let order = rows.shuffled();
    for run in order.chunks(order.len().div_ceil(RUNS)) {
        for index in run {
            let index = u64::from(*index);
            engine.insert((&key(index), rows.value(index)))?;
        }
        engine.flush()?;
    }
    drain(*engine, settings.quiet)?;
    let view = engine.view()?;
    (0..rows.keys / GROUP).try_for_each(|group| view.scan_prefix(&Prefix::Present(group).bytes(), GROUP, |_| ()).map(|_| ()))
}

/// The prefix that an operation asks for, of the group that was drawn for it.
type Choice = fn(u64, u64) -> Prefix;

/// Which prefixes are asked for: half of them there and half not, then only the ones, then only the others.
const PARTS: [(&str, Choice); 3] = [
    (
        "half of each",
        |group, operation| {
            if operation.is_multiple_of(2) { Prefix::Present(group) } else { Prefix::Absent(group) }
        },
    ),
    ("there", |group, _| Prefix::Present(group)),
    ("not there", |group, _| Prefix::Absent(group)),
];

/// Scans of prefixes drawn at random.
pub(super) fn scan<'a, E: Engine>(bench: &'a Bench<'a, E>) -> Job<'a> {
    let Bench { engine, rows, .. } = bench;
    let (order, groups) = (rows.drawn(0), rows.keys / GROUP);
    Box::new(move || {
        fill(bench)?;
        let group = move |operation: u64| u64::from(order[(operation & (DRAWS - 1)) as usize]) % groups;
        let (view, mut digest, mut parts, mut counts) = (engine.view()?, Digest::default(), Parts::new(bench), Vec::new());
        for (name, prefix) in PARTS {
            counts.push(parts.time(name, bench.time(), 1, |operation| {
                let prefix = prefix(group(operation), operation).bytes();
                view.scan_prefix(&prefix, SCAN_ROWS, |row| digest.row(PREFIX_BYTES, row)).map(|_| ())
            })?);
        }
        let check = move || {
            let asked = PARTS.iter().zip(counts);
            let asked = asked.flat_map(|((_, prefix), count)| (0..count).map(|one| prefix(group(one), one)));
            check::<E>(rows, digest, asked)
        };
        Ok(Done { looped: parts.looped(), writes: rows.keys, check: Box::new(check) })
    })
}

fn check<E: Engine>(rows: &Rows, found: Digest, asked: impl Iterator<Item = Prefix>) -> Result<()> {
    let mut expected = Digest::default();
    for prefix in asked {
        if let Prefix::Present(group) = prefix {
            let indexes = group * GROUP..group * GROUP + SCAN_ROWS;
            indexes.for_each(|index| expected.row(PREFIX_BYTES, (&key(index), rows.value(index))));
        }
    }
    ensure!(found == expected || !E::ANSWERS, "what was read is not what was written");
    Ok(())
}
