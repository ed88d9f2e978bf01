//! Closed loops: the next operation begins when the one before has ended.

use crate::measurement::Part;
use anyhow::Result;
use sediment_bench::latency::{Latencies, Recorder};
use std::{
    thread,
    time::{Duration, Instant},
};

/// Operations between two looks at the clock, at most, where not each is timed. A look costs some 25 ns.
const BURST_MAX: u64 = 256;
/// A burst that takes longer is not made longer.
const BURST_TIME: Duration = Duration::from_micros(50);

/// When a loop ends.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Until {
    /// After so many operations.
    Count(u64),
    /// When so much time has passed, or after so many operations.
    Time(Duration, u64),
}

/// What a loop did.
pub(crate) struct Looped {
    pub(crate) operations: u64,
    pub(crate) seconds: f64,
    /// Where it was several loops one after the other.
    pub(crate) parts: Vec<Part>,
    recorder: Option<Recorder>,
    /// Operations that were due, and never begun.
    pub(crate) missed: u64,
}

impl Looped {
    /// Operations that had a time to start.
    pub(crate) fn on_schedule(seconds: f64, recorder: Recorder, missed: u64) -> Self {
        Self { operations: recorder.operations(), seconds, parts: Vec::new(), recorder: Some(recorder), missed }
    }

    /// Several threads that began together, as one.
    pub(crate) fn together(threads: Vec<Self>) -> Self {
        let mut all = Self { operations: 0, seconds: 0.0, parts: Vec::new(), recorder: None, missed: 0 };
        for one in threads {
            all.operations += one.operations;
            all.seconds = all.seconds.max(one.seconds);
            all.recorder = match (all.recorder, one.recorder) {
                (Some(mut left), Some(right)) => {
                    left.merge(right);
                    Some(left)
                }
                (left, right) => left.or(right),
            };
        }
        all
    }

    /// Loops one after the other.
    pub(crate) fn in_parts(parts: Vec<Part>) -> Self {
        let operations = parts.iter().map(|part| part.operations).sum();
        Self { operations, seconds: parts.iter().map(|part| part.seconds).sum(), parts, recorder: None, missed: 0 }
    }

    /// The same, where each call was so many operations.
    pub(crate) fn of(self, operations: u64) -> Self {
        Self { operations, ..self }
    }

    /// Percentiles, if each operation was timed.
    pub(crate) fn latencies(&self) -> Option<Latencies> {
        self.recorder.as_ref().map(Recorder::latencies)
    }

    /// The same of the calls alone, if they had a time to start.
    pub(crate) fn calls(&self) -> Option<Latencies> {
        self.recorder.as_ref().and_then(Recorder::calls)
    }
}

/// Calls `work` with 0, 1, 2 ...; each call is an operation.
pub(crate) fn closed_loop(timed: bool, until: Until, work: impl FnMut(u64) -> Result<()>) -> Result<Looped> {
    if timed { timed_loop(until, work) } else { bulk_loop(until, work) }
}

fn bulk_loop(until: Until, mut work: impl FnMut(u64) -> Result<()>) -> Result<Looped> {
    let begin = Instant::now();
    let (limit, count) = limits(until);
    let (mut operations, mut burst, mut now) = (0, 1, Duration::ZERO);
    while operations < count && now < limit {
        let end = (operations + burst).min(count);
        for operation in operations..end {
            work(operation)?;
        }
        operations = end;
        let last = std::mem::replace(&mut now, begin.elapsed());
        if now - last < BURST_TIME {
            burst = (burst * 2).min(BURST_MAX);
        }
    }
    Ok(Looped { operations, seconds: begin.elapsed().as_secs_f64(), parts: Vec::new(), recorder: None, missed: 0 })
}

fn timed_loop(until: Until, mut work: impl FnMut(u64) -> Result<()>) -> Result<Looped> {
    let mut recorder = Recorder::new();
    let (limit, count) = limits(until);
    let limit_ns = limit.as_nanos() as u64;
    let begin = Instant::now();
    let (mut operations, mut now_ns) = (0, 0);
    while operations < count && now_ns < limit_ns {
        let start_ns = begin.elapsed().as_nanos() as u64;
        work(operations)?;
        now_ns = begin.elapsed().as_nanos() as u64;
        recorder.record(start_ns, now_ns, 1);
        operations += 1;
    }
    Ok(Looped { operations, seconds: begin.elapsed().as_secs_f64(), parts: Vec::new(), recorder: Some(recorder), missed: 0 })
}

fn limits(until: Until) -> (Duration, u64) {
    match until {
        Until::Count(count) => (Duration::MAX, count),
        Until::Time(limit, count) => (limit, count),
    }
}

/// Runs a job on several threads, given their numbers.
pub(crate) fn on_threads<T: Send>(threads: u64, job: impl Fn(u64) -> Result<T> + Sync) -> Result<Vec<T>> {
    let job = &job;
    thread::scope(|scope| {
        let running: Vec<_> = (0..threads).map(|thread| scope.spawn(move || job(thread))).collect();
        running.into_iter().map(|thread| thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))).collect()
    })
}
