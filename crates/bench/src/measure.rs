//! Running work on threads and measuring what it took.

use crate::{
    clock::{Clock, seconds, sleep},
    failure::Result,
    generator::KeyMaker,
    latency::{Columns, Latencies, Recorder, Windows},
    machine::{Usage, anonymous_bytes},
    settings::Settings,
    subject::Subject,
};
use serde::Serialize;
use std::thread;

/// How often memory is looked at.
const GLANCE_NS: u64 = 20_000_000;

/// Work for one thread.
pub(crate) type Job<'a, T> = Box<dyn FnOnce(Clock) -> Result<T> + Send + 'a>;

/// A measured piece of work.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Measurement {
    pub(crate) name: String,
    pub(crate) keys: u64,
    pub(crate) threads: u64,
    /// From the beginning to the end of the last operation.
    pub(crate) seconds: f64,
    /// How long the database went on working afterwards; what follows includes it.
    pub(crate) drain_seconds: Option<f64>,
    /// Log that opening finds, where opening is measured.
    pub(crate) log_bytes: Option<u64>,
    /// Processor time of the whole process for each operation.
    pub(crate) cpu_ns_per_operation: Option<f64>,
    /// Processors that others on the machine kept busy, or its host took away: above a tenth or so, figures are not to be trusted.
    pub(crate) others_cores: Option<f64>,
    /// Keys and values that were inserted.
    pub(crate) user_bytes_written: u64,
    /// What went towards the disk, less what was deleted before it got there.
    pub(crate) disk_bytes_written: Option<u64>,
    /// The most memory of the process that is no file's, above what it had before it opened the database.
    pub(crate) anonymous_bytes: Option<u64>,
    /// Files of the database at the end.
    pub(crate) disk_bytes: u64,
    pub(crate) parts: Vec<Part>,
}

/// Operations of one kind in a measurement.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Part {
    /// Empty where there is one kind only.
    pub(crate) name: &'static str,
    pub(crate) operations: u64,
    pub(crate) operations_per_second: f64,
    /// How many operations one latency is the time of.
    pub(crate) operations_per_latency: u64,
    pub(crate) latency: Latencies,
    /// Of the calls alone, where latencies count from an intended start.
    pub(crate) call: Option<Latencies>,
    pub(crate) over_time: Columns,
    #[serde(skip)]
    pub(crate) windows: Windows,
}

/// What was recorded of a part.
#[derive(Debug)]
pub(crate) struct Recorded {
    pub(crate) name: &'static str,
    pub(crate) recorder: Recorder,
    pub(crate) operations_per_latency: u64,
}

impl Recorded {
    /// Of the only part: the recorders of its threads together.
    pub(crate) fn whole(recorders: Vec<Recorder>) -> Self {
        Self::part("", recorders)
    }

    /// The same, where a latency is the time of several operations.
    pub(crate) fn of_each(self, operations_per_latency: u64) -> Self {
        Self { operations_per_latency, ..self }
    }

    /// Of one part among several.
    pub(crate) fn part(name: &'static str, recorders: Vec<Recorder>) -> Self {
        let recorder = recorders.into_iter().reduce(|mut all, one| {
            all.merge(one);
            all
        });
        Self { name, recorder: recorder.unwrap_or_else(Recorder::new), operations_per_latency: 1 }
    }
}

/// What a measurement was of.
#[derive(Debug, Default)]
pub(crate) struct Work {
    pub(crate) name: String,
    pub(crate) threads: u64,
    /// Inserts among the operations.
    pub(crate) writes: u64,
    pub(crate) drain_seconds: Option<f64>,
    pub(crate) log_bytes: Option<u64>,
}

/// Measures from its making on.
#[derive(Debug)]
pub(crate) struct Meter {
    clock: Clock,
    before: Usage,
    anonymous_max: Option<u64>,
}

impl Meter {
    /// Begins.
    pub(crate) fn start() -> Self {
        Self { before: Usage::now(), anonymous_max: anonymous_bytes(), clock: Clock::start() }
    }

    /// The clock, which showed 0 at the start.
    pub(crate) fn clock(&self) -> Clock {
        self.clock
    }

    /// Runs jobs at the same time, and watches memory meanwhile.
    pub(crate) fn run<T: Send>(&mut self, jobs: Vec<Job<'_, T>>) -> Result<Vec<T>> {
        let clock = self.clock;
        thread::scope(|scope| {
            let running: Vec<_> = jobs.into_iter().map(|job| scope.spawn(move || job(clock))).collect();
            while !running.iter().all(thread::ScopedJoinHandle::is_finished) {
                sleep(GLANCE_NS);
                self.glance();
            }
            running.into_iter().map(|thread| thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))).collect()
        })
    }

    /// Runs the same job on several threads, given their numbers.
    pub(crate) fn run_each<T: Send>(&mut self, threads: u64, job: impl Fn(u64, Clock) -> Result<T> + Sync) -> Result<Vec<T>> {
        let job = &job;
        self.run((0..threads).map(|thread| Box::new(move |clock| job(thread, clock)) as Job<'_, T>).collect())
    }

    /// Waits until the database is drained.
    pub(crate) fn drain(&mut self, subject: &Subject) -> Result<f64> {
        let seconds = subject.drain()?;
        self.glance();
        Ok(seconds)
    }

    /// Ends.
    pub(crate) fn finish(self, subject: &Subject, work: Work, recorded: Vec<Recorded>) -> Result<Measurement> {
        let after = Usage::now();
        let used = |of: fn(&Usage) -> Option<u64>| Some(of(&after)? - of(&self.before)?);
        let operations: u64 = recorded.iter().map(|part| part.recorder.operations()).sum();
        let end_ns = recorded.iter().map(|part| part.recorder.last_end_ns()).max().unwrap_or(0);
        let cpu_ns = used(|usage| usage.cpu_ns).filter(|_| operations > 0);
        let written = used(|usage| usage.written_bytes);
        let cancelled = used(|usage| usage.cancelled_bytes);
        Ok(Measurement {
            name: work.name,
            keys: subject.keys(),
            threads: work.threads,
            seconds: seconds(end_ns),
            drain_seconds: work.drain_seconds,
            log_bytes: work.log_bytes,
            others_cores: others(used(|usage| usage.machine_ns), used(|usage| usage.cpu_ns), self.clock.now()),
            cpu_ns_per_operation: cpu_ns.map(|ns| ns as f64 / operations as f64),
            user_bytes_written: work.writes * subject.settings().row_bytes(),
            disk_bytes_written: written.zip(cancelled).map(|(written, cancelled)| written.saturating_sub(cancelled)),
            anonymous_bytes: self.anonymous_max.zip(subject.anonymous_before()).map(|(max, before)| max.saturating_sub(before)),
            disk_bytes: subject.disk_bytes()?,
            parts: recorded.into_iter().map(|part| part.into_part(seconds(end_ns))).collect(),
        })
    }

    /// Looks how much memory is used.
    pub(crate) fn glance(&mut self) {
        self.anonymous_max = self.anonymous_max.max(anonymous_bytes());
    }
}

impl Recorded {
    fn into_part(self, seconds: f64) -> Part {
        let operations = self.recorder.operations();
        Part {
            name: self.name,
            operations,
            operations_per_second: if seconds > 0.0 { operations as f64 / seconds } else { 0.0 },
            operations_per_latency: self.operations_per_latency,
            latency: self.recorder.latencies(),
            call: self.recorder.calls(),
            over_time: self.recorder.windows().clone().columns(1),
            windows: self.recorder.windows().clone(),
        }
    }
}

/// Processors that others kept busy for a time.
pub(crate) fn others(machine_ns: Option<u64>, own_ns: Option<u64>, time_ns: u64) -> Option<f64> {
    let others_ns = machine_ns?.saturating_sub(own_ns?);
    (time_ns > 0).then(|| others_ns as f64 / time_ns as f64)
}

/// When a closed loop ends.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Until {
    /// After so many calls.
    Count(u64),
    /// At a time of the clock.
    Time(u64),
}

/// Calls `work` again and again; it returns how many operations it did. The clock is read once a burst of calls: a latency reaches
/// from the end of the burst before to the end of the burst, so that nothing is left out, the loop's own time neither.
pub(crate) fn closed_loop(clock: Clock, until: Until, burst: u64, mut work: impl FnMut() -> Result<u64>) -> Result<Recorder> {
    let mut recorder = Recorder::new();
    let mut begin = clock.now();
    let (mut left, end) = match until {
        Until::Count(count) => (count, u64::MAX),
        Until::Time(end) => (u64::MAX, end),
    };
    while left > 0 {
        let calls = burst.min(left);
        let mut operations = 0;
        for _ in 0..calls {
            operations += work()?;
        }
        left -= calls;
        let now = clock.now();
        recorder.record(begin, now, operations);
        begin = now;
        if now >= end {
            break;
        }
    }
    Ok(recorder)
}

/// What the loop itself takes for each operation: making a key, reading the clock, recording. The best of several times, as nothing
/// but a disturbance makes it longer.
pub(crate) fn harness_ns(settings: &Settings) -> Result<f64> {
    const TIMES: u64 = 20;
    const OPERATIONS: u64 = 20_000;
    let size = settings.key_size.max(KeyMaker::min_size(&settings.key_prefix));
    let (mut keys, mut index) = (KeyMaker::new(&settings.key_prefix, size), 0);
    let mut best = f64::INFINITY;
    for _ in 0..TIMES {
        let recorder = closed_loop(Clock::start(), Until::Count(OPERATIONS), settings.burst(), || {
            index += 1;
            std::hint::black_box(keys.present(index));
            Ok(1)
        })?;
        best = best.min(recorder.last_end_ns() as f64 / OPERATIONS as f64);
    }
    Ok(best)
}
