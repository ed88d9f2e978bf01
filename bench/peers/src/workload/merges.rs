//! Counters that are added to without being read.

use super::{Bench, Done, Job, parts::Parts};
use crate::{
    engine::{Engine, View},
    looping::Until,
    rows::{DRAWS, Digest},
};
use anyhow::{Result, ensure};

/// Additions to a counter, in the mean.
const ADDITIONS: u64 = 1_000;

/// As many additions as there are keys, each to a counter drawn at random; then all counters are read, twice as they are and once
/// from tables.
pub(super) fn run<'a, E: Engine>(bench: &'a Bench<'a, E>) -> Job<'a> {
    let Bench { engine, rows, .. } = bench;
    let (order, counters) = (rows.drawn(0), rows.keys / ADDITIONS);
    Box::new(move || {
        let counter = move |operation: u64| u64::from(order[(operation & (DRAWS - 1)) as usize]) % counters;
        let (mut keys, mut parts, mut digest) = (rows.key_maker(), Parts::new(bench), Digest::default());
        parts.time("add", Until::Count(rows.keys), 1, |operation| engine.add(keys.present(counter(operation)), operation))?;
        let mut read = |name: &str| -> Result<()> {
            let view = engine.view()?;
            let get = |counter| view.get(keys.present(counter), |value| digest.value(value)).map(|_| ());
            parts.time(name, Until::Count(counters), 1, get).map(|_| ())
        };
        read("read")?;
        read("read again")?;
        engine.flush()?;
        read("read, flushed")?;
        let check = move || {
            let mut sums = vec![0_u64; counters as usize];
            (0..rows.keys).for_each(|operation| sums[counter(operation) as usize] += operation);
            let (mut expected, thrice) = (Digest::default(), [&sums; 3]);
            thrice.into_iter().flatten().for_each(|sum| expected.value(&sum.to_le_bytes()));
            ensure!(digest == expected || !E::ANSWERS, "a counter is not the sum of what was added to it");
            Ok(())
        };
        Ok(Done { looped: parts.looped(), writes: 0, check: Box::new(check) })
    })
}
