//! What a piece of work takes: time, processor time, bytes written, memory.

use rustix::time::{ClockId, clock_gettime};
use sediment_bench::machine::{Usage, anonymous_bytes};
use std::{
    sync::{
        Mutex,
        mpsc::{self, RecvTimeoutError},
    },
    thread,
    time::{Duration, Instant},
};

/// How often memory is looked at.
const GLANCE: Duration = Duration::from_millis(50);

/// Processor time of all threads of the process so far.
pub(crate) fn cpu_ns() -> u64 {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    time.tv_sec as u64 * 1_000_000_000 + time.tv_nsec as u64
}

/// Measures from its making on.
pub(crate) struct Meter {
    begin: Instant,
    cpu_ns: u64,
    usage: Usage,
    anonymous_max: Mutex<Option<u64>>,
}

/// What was taken.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Taken {
    pub(crate) cpu_ns: u64,
    /// Towards the disk, less what was deleted before it got there.
    pub(crate) written_bytes: Option<u64>,
    /// The most memory that is no file's.
    pub(crate) anonymous_bytes: Option<u64>,
    /// Processors that everything else on the machine kept busy.
    pub(crate) others_cores: Option<f64>,
}

impl Meter {
    /// Begins.
    pub(crate) fn start() -> Self {
        let anonymous_max = Mutex::new(anonymous_bytes());
        Self { usage: Usage::now(), anonymous_max, cpu_ns: cpu_ns(), begin: Instant::now() }
    }

    /// Watches memory while something runs.
    pub(crate) fn watch<T>(&self, run: impl FnOnce() -> T) -> T {
        let (stop, stopped) = mpsc::channel::<()>();
        thread::scope(|scope| {
            scope.spawn(move || {
                while stopped.recv_timeout(GLANCE) == Err(RecvTimeoutError::Timeout) {
                    self.glance();
                }
            });
            let result = run();
            drop(stop);
            self.glance();
            result
        })
    }

    /// Ends.
    pub(crate) fn finish(self) -> Taken {
        let cpu_ns = cpu_ns() - self.cpu_ns;
        let seconds = self.begin.elapsed().as_secs_f64();
        let after = Usage::now();
        let used = |of: fn(&Usage) -> Option<u64>| Some(of(&after)?.saturating_sub(of(&self.usage)?));
        let written = used(|usage| usage.written_bytes).zip(used(|usage| usage.cancelled_bytes));
        let others_ns = used(|usage| usage.machine_ns).map(|ns| ns.saturating_sub(cpu_ns));
        Taken {
            cpu_ns,
            written_bytes: written.map(|(written, cancelled)| written.saturating_sub(cancelled)),
            anonymous_bytes: *self.anonymous_max.lock().expect("no thread panics with it"),
            others_cores: others_ns.map(|ns| ns as f64 / 1e9 / seconds),
        }
    }

    /// Looks how much memory is used.
    pub(crate) fn glance(&self) {
        let mut max = self.anonymous_max.lock().expect("no thread panics with it");
        *max = (*max).max(anonymous_bytes());
    }
}
