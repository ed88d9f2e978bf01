//! Writes by themselves.

use super::{Bench, Done, Job};
use crate::{
    check,
    engine::Engine,
    looping::{Looped, Until, closed_loop, on_threads},
    rows::DRAWS,
};
use anyhow::Result;
use std::collections::HashSet;

/// Rows that go in at once.
const BATCH: u64 = 1_000;

/// Every key once, in this order.
pub(super) fn fill<'a, E: Engine>(bench: &'a Bench<'a, E>, order: Vec<u32>) -> Job<'a> {
    let Bench { engine, rows, settings, .. } = bench;
    Box::new(move || {
        let mut keys = rows.key_maker();
        let looped = closed_loop(settings.latency, Until::Count(rows.keys), |position| {
            let index = u64::from(order[position as usize]);
            engine.insert((keys.present(index), rows.value(index)))
        })?;
        let check = || check::all(*engine, rows, rows.keys, |index| rows.value(index));
        Ok(Done { looped, writes: rows.keys, check: Box::new(check) })
    })
}

/// Every key once, in random order, many at a time. An operation is a row, a latency that of a batch.
pub(super) fn batches<'a, E: Engine>(bench: &'a Bench<'a, E>) -> Job<'a> {
    let Bench { engine, rows, settings, .. } = bench;
    let order = rows.shuffled();
    Box::new(move || {
        let (mut maker, mut keys) = (rows.key_maker(), Vec::new());
        let looped = closed_loop(settings.latency, Until::Count(rows.keys.div_ceil(BATCH)), |batch| {
            let end = ((batch + 1) * BATCH).min(rows.keys);
            let indexes = &order[(batch * BATCH) as usize..end as usize];
            keys.clear();
            indexes.iter().for_each(|index| keys.extend_from_slice(maker.present(u64::from(*index))));
            let values = indexes.iter().map(|index| rows.value(u64::from(*index)));
            engine.insert_batch(keys.chunks_exact(rows.key_size()).zip(values))
        })?;
        let looped = looped.of(rows.keys);
        let check = || check::all(*engine, rows, rows.keys, |index| rows.value(index));
        Ok(Done { looped, writes: rows.keys, check: Box::new(check) })
    })
}

/// As many keys as there are, drawn at random, each with a new value.
pub(super) fn overwrite<'a, E: Engine>(bench: &'a Bench<'a, E>) -> Job<'a> {
    let Bench { engine, rows, settings, .. } = bench;
    let order = rows.drawn(0);
    Box::new(move || {
        let mut keys = rows.key_maker();
        let drawn = |operation: u64| u64::from(order[(operation % DRAWS) as usize]);
        let looped = closed_loop(settings.latency, Until::Count(rows.keys), |operation| {
            let index = drawn(operation);
            engine.insert((keys.present(index), rows.new_value(index)))
        })?;
        let check = move || {
            let written: HashSet<u32> = order.iter().copied().take(rows.keys as usize).collect();
            let value = |index: u64| if written.contains(&(index as u32)) { rows.new_value(index) } else { rows.value(index) };
            check::all(*engine, rows, rows.keys, value)
        };
        Ok(Done { looped, writes: rows.keys, check: Box::new(check) })
    })
}

/// Keys drawn at random, on as many threads as the workload has.
pub(super) fn synced<'a, E: Engine>(bench: &'a Bench<'a, E>) -> Job<'a> {
    let Bench { engine, rows, settings, workload } = bench;
    let orders: Vec<_> = (0..workload.threads()).map(|thread| rows.drawn(thread)).collect();
    Box::new(move || {
        let looped = Looped::together(on_threads(workload.threads(), |thread| {
            let (order, mut keys) = (&orders[thread as usize], rows.key_maker());
            closed_loop(settings.latency, bench.time(), |operation| {
                let index = u64::from(order[(operation % DRAWS) as usize]);
                engine.insert((keys.present(index), rows.value(index)))
            })
        })?);
        let writes = looped.operations;
        // Each thread has written at least its first key, so as many are there as are different among these.
        let check = move || -> Result<()> {
            let firsts: HashSet<u32> = orders.iter().map(|order| order[0]).collect();
            check::some(*engine, rows, firsts.len() as u64)
        };
        Ok(Done { looped, writes, check: Box::new(check) })
    })
}
