//! Workloads that are several things done one after the other, each with a time of its own.

use super::Bench;
use crate::{
    engine::Engine,
    looping::{Looped, Until, closed_loop},
    measurement::Part,
    meter::cpu_ns,
};
use anyhow::Result;

/// What was timed so far.
pub(super) struct Parts<'a, E> {
    bench: &'a Bench<'a, E>,
    done: Vec<Part>,
}

impl<'a, E: Engine> Parts<'a, E> {
    /// Nothing yet.
    pub(super) fn new(bench: &'a Bench<'a, E>) -> Self {
        Self { bench, done: Vec::new() }
    }

    /// Times a loop over calls of so many operations each; returns how many calls there were.
    pub(super) fn time(&mut self, name: &str, until: Until, each: u64, work: impl FnMut(u64) -> Result<()>) -> Result<u64> {
        let before = cpu_ns();
        let looped = closed_loop(false, until, work)?;
        self.done.push(Part {
            name: name.to_owned(),
            operations: looped.operations * each,
            seconds: looped.seconds,
            cpu_seconds: (cpu_ns() - before) as f64 / 1e9,
            blocks_read: None,
        });
        Ok(looped.operations)
    }

    /// Times one operation, and counts the blocks that it looks into.
    pub(super) fn time_one(&mut self, name: &str, mut work: impl FnMut() -> Result<()>) -> Result<()> {
        let before = self.bench.engine.blocks_read();
        self.time(name, Until::Count(1), 1, |_| work())?;
        let blocks_read = self.bench.engine.blocks_read().zip(before).map(|(after, before)| (after - before) as f64);
        if let Some(part) = self.done.last_mut() {
            part.blocks_read = blocks_read;
        }
        Ok(())
    }

    /// All of it.
    pub(super) fn looped(self) -> Looped {
        Looped::in_parts(self.done)
    }
}
