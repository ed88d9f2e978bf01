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

/// Keys read at a time.
const MANY: u64 = 64;

/// In which order they come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Order {
    Drawn,
    Sorted,
    /// One after the other, from one that is drawn.
    Neighbours,
}

/// Keys that are there, many at a time. An operation is a key.
pub(super) fn many<'a, E: Engine>(bench: &'a Bench<'a, E>, order: Order) -> Job<'a> {
    let Bench { engine, rows, settings, .. } = bench;
    let mut drawn = rows.drawn(0);
    for keys in drawn.chunks_mut(MANY as usize) {
        match order {
            Order::Drawn => {}
            Order::Sorted => keys.sort_unstable(),
            Order::Neighbours => {
                let first = keys[0].min((rows.keys - MANY) as u32);
                keys.iter_mut().zip(first..).for_each(|(key, neighbour)| *key = neighbour);
            }
        }
    }
    Box::new(move || {
        let (mut maker, view, mut digest) = (rows.key_maker(), engine.view()?, Digest::default());
        let mut keys = vec![vec![0; rows.key_size()]; MANY as usize];
        let looped = closed_loop(settings.latency, bench.time(), |call| {
            let first = ((call * MANY) & (DRAWS - 1)) as usize;
            for (key, index) in keys.iter_mut().zip(&drawn[first..]) {
                key.copy_from_slice(maker.present(u64::from(*index)));
            }
            view.get_many(&keys, order != Order::Drawn, |value| digest.value(value)).map(|_| ())
        })?;
        let count = looped.operations * MANY;
        let check = move || if E::ANSWERS { check(rows, &drawn, count, digest) } else { Ok(()) };
        Ok(Done { looped: looped.of(count), writes: 0, check: Box::new(check) })
    })
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
