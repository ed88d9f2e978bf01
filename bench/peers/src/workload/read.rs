//! Gets from a database at rest.

use super::{Bench, Done, Job};
use crate::{
    engine::{Engine, View},
    looping::{Looped, Until, closed_loop, on_threads},
    rows::{DRAWS, Digest, Rows},
};
use anyhow::{Result, ensure};

/// Keys that are there.
pub(super) fn present<'a, E: Engine>(bench: &'a Bench<'a, E>, until: Until) -> Job<'a> {
    let Bench { engine, rows, settings, workload } = bench;
    let orders: Vec<_> = (0..workload.threads()).map(|thread| rows.drawn(thread)).collect();
    Box::new(move || {
        let done = on_threads(workload.threads(), |thread| {
            let (order, mut keys, view) = (&orders[thread as usize], rows.key_maker(), engine.view()?);
            let mut digest = Digest::default();
            let looped = closed_loop(settings.latency, until, |operation| {
                let index = u64::from(order[(operation & (DRAWS - 1)) as usize]);
                view.get(keys.present(index), |value| digest.value(value)).map(|_| ())
            })?;
            Ok((looped, digest))
        })?;
        let (looped, digests): (Vec<_>, Vec<_>) = done.into_iter().unzip();
        let counts: Vec<u64> = looped.iter().map(|looped| looped.operations).collect();
        let check = move || {
            let threads = orders.iter().zip(counts).zip(digests);
            threads.filter(|_| E::ANSWERS).try_for_each(|((order, count), digest)| check(rows, order, count, digest))
        };
        Ok(Done { looped: Looped::together(looped), writes: 0, check: Box::new(check) })
    })
}

fn check(rows: &Rows, order: &[u32], count: u64, found: Digest) -> Result<()> {
    let mut expected = Digest::default();
    (0..count).for_each(|operation| expected.value(rows.value(u64::from(order[(operation % DRAWS) as usize]))));
    ensure!(found.rows() == count, "{} of {count} keys were found", found.rows());
    ensure!(found == expected, "what was read is not what was written");
    Ok(())
}

/// Keys that are not there.
pub(super) fn absent<'a, E: Engine>(bench: &'a Bench<'a, E>) -> Job<'a> {
    let Bench { engine, rows, settings, .. } = bench;
    let order = rows.drawn(0);
    Box::new(move || {
        let (mut keys, view, mut found) = (rows.key_maker(), engine.view()?, 0_u64);
        let looped = closed_loop(settings.latency, bench.time(), |operation| {
            let index = u64::from(order[(operation & (DRAWS - 1)) as usize]);
            found += u64::from(view.get(keys.absent(index), |_| ())?);
            Ok(())
        })?;
        let check = move || {
            ensure!(found == 0 || !E::ANSWERS, "{found} keys were found that nobody wrote");
            Ok(())
        };
        Ok(Done { looped, writes: 0, check: Box::new(check) })
    })
}
