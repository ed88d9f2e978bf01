//! Gets while another thread writes.

use super::{Bench, Done, Job};
use crate::{
    check,
    engine::{Engine, View},
    looping::{Looped, Until, closed_loop},
    rows::{DRAWS, Digest},
};
use anyhow::{Result, ensure};
use std::{
    sync::atomic::{AtomicBool, Ordering::Relaxed},
    thread,
};

/// One thread reads, and its gets are what counts; one overwrites as fast as it can, each key with the value that it has.
pub(super) fn read_while_writing<'a, E: Engine>(bench: &'a Bench<'a, E>) -> Job<'a> {
    let Bench { engine, rows, settings, .. } = bench;
    let (order, written) = (rows.drawn(0), rows.drawn(1));
    let drawn = |order: &[u32], operation: u64| u64::from(order[(operation & (DRAWS - 1)) as usize]);
    Box::new(move || {
        let over = AtomicBool::new(false);
        let write = || -> Result<u64> {
            let (mut keys, mut writes) = (rows.key_maker(), 0);
            while !over.load(Relaxed) {
                let index = drawn(&written, writes);
                engine.insert((keys.present(index), rows.value(index)))?;
                writes += 1;
            }
            Ok(writes)
        };
        let mut digest = Digest::default();
        let read = |digest: &mut Digest| -> Result<Looped> {
            let mut keys = rows.key_maker();
            closed_loop(settings.latency, bench.time(), |operation| {
                let index = drawn(&order, operation);
                engine.view()?.get(keys.present(index), |value| digest.value(value)).map(|_| ())
            })
        };
        let (looped, writes) = thread::scope(|scope| {
            let writer = scope.spawn(write);
            let looped = read(&mut digest);
            over.store(true, Relaxed);
            (looped, writer.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
        });
        let (looped, writes) = (looped?, writes?);
        let count = looped.operations;
        let check = move || {
            let mut expected = Digest::default();
            (0..count).for_each(|operation| expected.value(rows.value(drawn(&order, operation))));
            ensure!(digest == expected || !E::ANSWERS, "what was read is not what was written");
            check::all(*engine, rows, rows.keys, |index| rows.value(index))
        };
        Ok(Done { looped, writes, check: Box::new(check) })
    })
}

/// Until so many operations are done, or the time is over.
pub(super) fn at_most<E: Engine>(bench: &Bench<'_, E>, count: u64) -> Until {
    match bench.time() {
        Until::Time(limit, _) => Until::Time(limit, count),
        Until::Count(_) => Until::Count(count),
    }
}
