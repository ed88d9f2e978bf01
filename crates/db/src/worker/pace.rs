//! Slowing writers down in time, so that they need not be stopped.
//!
//! The backlog `x`, from 0 (nothing to worry about) to 1 (no way on), is the worst of: memory that memtables hold and no flush has
//! read, runs in level 0, bytes that compaction owes, log files that keyspaces still need. A writer pays `x² / (1 − x)` times the time
//! in which maintenance carries as many bytes: a little delay early, as much as maintenance takes when the backlog is at 0.62, and ever
//! more beyond, so the backlog settles where writers and maintenance are equally fast. What maintenance carries is measured: flushes
//! for memory and log, compactions for the rest.
//!
//! Delays are handed out as moments at which the next write is due (the generic cell rate algorithm, ITU-T I.371, 1993), so that
//! they add up over threads, and small ones are saved up until a sleep is worth its cost.

use crate::{
    instruments::Instruments,
    worker::{Machinery, Memtables},
};
use sediment_base::{event::PaceChanged, stats::Counter};
use sediment_env::Clock;
use sediment_tree::Pressure;
use std::sync::{
    Mutex, MutexGuard,
    atomic::{AtomicU64, Ordering::Relaxed},
};

/// Below this a delay is saved up: sleeping takes about as long by itself.
const SLEEP_US_MIN: u64 = 200;
/// The longest delay of one write; what is left is paid by the next ones.
const SLEEP_US_MAX: u64 = 20_000;
/// Level 0 may hold this many times its trigger before writers notice, and so many before it is the end.
const LEVEL0_SOFT: f64 = 4.0;
const LEVEL0_HARD: f64 = 8.0;
/// The same for what compaction owes, in multiples of `level_base_bytes`.
const DEBT_SOFT: f64 = 4.0;
const DEBT_HARD: f64 = 32.0;
/// The same for files of the log, in what may be needed.
const LOG_SOFT: f64 = 1.0;
const LOG_HARD: f64 = 2.0;
/// What maintenance is believed to carry before anything was measured.
const CARRIED_BYTES_PER_S: f64 = (32 << 20) as f64;
/// Weight of a new measurement.
const LEARNING: f64 = 0.2;
/// No backlog counts as worse than this.
const BACKLOG_MAX: f64 = 0.98;

/// A change of the pace by less than this part is not worth telling.
const TOLD_PART: u64 = 8;

/// How fast writers may go at one moment, and why not faster.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct PaceStats {
    /// Bytes per second that all writers together may bring; none if they are not slowed down.
    pub bytes_per_second: Option<u64>,
    /// How far maintenance is behind: from 0.0, nothing to worry about, to 1.0, no way on.
    pub backlog: f64,
    /// What is furthest behind; none without a backlog.
    pub cause: Option<SlowdownCause>,
    /// Bytes per second that compactions carry out of level 0, as measured lately.
    pub carried_bytes_per_second: u64,
    /// Bytes per second that flushes make tables of, as measured lately.
    pub flushed_bytes_per_second: u64,
    /// Writers that wait for memory at this moment.
    pub stopped_writers: u64,
    /// Whether writes are refused because the disk was full and has not been found otherwise since.
    pub is_disk_full: bool,
}

/// What writers are slowed down for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum SlowdownCause {
    /// Memtables that wait for their flush.
    Memory,
    /// Runs in level 0.
    Level0,
    /// Bytes that compaction owes.
    Debt,
    /// Log files that keyspaces still need.
    Log,
}

impl SlowdownCause {
    /// Its public name, which does not change.
    pub fn name(self) -> &'static str {
        match self {
            Self::Memory => "memory",
            Self::Level0 => "level0",
            Self::Debt => "debt",
            Self::Log => "log",
        }
    }
}

/// How much writers are slowed down. Shared.
#[derive(Debug, Default)]
pub(super) struct Pace {
    /// Nanoseconds for each KiB that is written; 0 for none.
    ns_per_kib: AtomicU64,
    /// When the next write is due, in nanoseconds of the monotonic clock.
    due_ns: AtomicU64,
    measured: Mutex<Measured>,
}

/// What the delay follows from.
#[derive(Debug)]
struct Measured {
    backlog: f64,
    cause: Option<SlowdownCause>,
    /// What compactions carry out of level 0,
    carried_bytes_per_s: f64,
    /// and flushes into it.
    flushed_bytes_per_s: f64,
    /// What listeners were told last.
    told: Option<u64>,
}

impl Default for Measured {
    fn default() -> Self {
        let [carried_bytes_per_s, flushed_bytes_per_s] = [CARRIED_BYTES_PER_S; 2];
        Self { backlog: 0.0, cause: None, carried_bytes_per_s, flushed_bytes_per_s, told: None }
    }
}

impl Pace {
    /// Delays a write of so many bytes, if writers have to be slowed down.
    #[inline]
    pub(super) fn wait(&self, instruments: &Instruments, clock: &dyn Clock, bytes: usize) {
        let ns_per_kib = self.ns_per_kib.load(Relaxed);
        if ns_per_kib > 0 {
            self.delay(instruments, clock, (bytes as u64).saturating_mul(ns_per_kib) / 1024);
        }
    }

    /// Compares the backlog with what can be borne.
    pub(super) fn update(&self, machinery: &Machinery, memtables: &Memtables, wal_files: usize) {
        let files = machinery.log.files_worth() as f64 / wal_files.max(1) as f64;
        let mut backlogs =
            vec![(memtables.backlog(), SlowdownCause::Memory), (part(files, LOG_SOFT, LOG_HARD), SlowdownCause::Log)];
        for keyspace in machinery.keyspaces.all() {
            backlogs.extend(keyspace.with_newest(|tree| tree_backlogs(&tree.pressure())));
        }
        let (backlog, cause) = backlogs
            .into_iter()
            .fold((0.0, None), |worst, (backlog, cause)| if backlog > worst.0 { (backlog, Some(cause)) } else { worst });
        self.set(&machinery.instruments, backlog, cause);
    }

    /// A compaction has rewritten so many bytes out of level 0, and was busy for so long.
    pub(super) fn learn(&self, bytes: u64, busy_us: u64) {
        learn(&mut self.measured().carried_bytes_per_s, bytes, busy_us);
    }

    /// A flush has made tables of so many bytes, and was busy for so long.
    pub(super) fn learn_flush(&self, bytes: u64, busy_us: u64) {
        learn(&mut self.measured().flushed_bytes_per_s, bytes, busy_us);
    }

    /// What holds now; the worker knows the rest.
    pub(super) fn stats(&self) -> PaceStats {
        let measured = self.measured();
        PaceStats {
            bytes_per_second: bytes_per_second(self.ns_per_kib.load(Relaxed)),
            backlog: measured.backlog,
            cause: measured.cause,
            carried_bytes_per_second: measured.carried_bytes_per_s as u64,
            flushed_bytes_per_second: measured.flushed_bytes_per_s as u64,
            ..PaceStats::default()
        }
    }

    fn set(&self, instruments: &Instruments, backlog: f64, cause: Option<SlowdownCause>) {
        let mut measured = self.measured();
        (measured.backlog, measured.cause) = (backlog, cause);
        let ns_per_kib = delay_ns_per_kib(backlog, measured.bytes_per_s_against(cause));
        self.ns_per_kib.store(ns_per_kib, Relaxed);
        let (before, now) = (measured.told, bytes_per_second(ns_per_kib));
        if is_news(before, now) {
            measured.told = now;
            instruments.events.post(|| PaceChanged { bytes_per_second: now, before });
        }
    }

    fn delay(&self, instruments: &Instruments, clock: &dyn Clock, cost_ns: u64) {
        let now_ns = clock.monotonic_us().saturating_mul(1000);
        let due = self.due_ns.fetch_update(Relaxed, Relaxed, |due| Some(due.max(now_ns) + cost_ns));
        let due = due.unwrap_or_else(|due| due).max(now_ns) + cost_ns;
        let wait_us = (due - now_ns) / 1000;
        if wait_us >= SLEEP_US_MIN {
            let wait_us = wait_us.min(SLEEP_US_MAX);
            instruments.count(Counter::WriteDelays, 1);
            instruments.count(Counter::WriteDelayUs, wait_us);
            clock.sleep_us(wait_us);
        }
    }

    fn measured(&self) -> MutexGuard<'_, Measured> {
        self.measured.lock().expect("no code panics under this lock")
    }
}

impl Measured {
    /// How fast what causes a backlog is made less.
    fn bytes_per_s_against(&self, cause: Option<SlowdownCause>) -> f64 {
        match cause {
            Some(SlowdownCause::Memory | SlowdownCause::Log) => self.flushed_bytes_per_s,
            Some(SlowdownCause::Level0 | SlowdownCause::Debt) | None => self.carried_bytes_per_s,
        }
    }
}

fn learn(bytes_per_s: &mut f64, bytes: u64, busy_us: u64) {
    if bytes > 0 && busy_us > 0 {
        let measured = bytes as f64 * 1e6 / busy_us as f64;
        *bytes_per_s += (measured - *bytes_per_s) * LEARNING;
    }
}

/// How fast writers are who pay so much.
fn bytes_per_second(ns_per_kib: u64) -> Option<u64> {
    (1024 * 1_000_000_000_u64).checked_div(ns_per_kib)
}

fn is_news(before: Option<u64>, now: Option<u64>) -> bool {
    match (before, now) {
        (Some(before), Some(now)) => before.abs_diff(now) > before / TOLD_PART,
        _ => before != now,
    }
}

/// How far a tree is on the way from where writers notice to no way on, for what compactions can do about it.
pub(super) fn compaction_backlog(pressure: &Pressure) -> f64 {
    tree_backlogs(pressure).into_iter().fold(0.0, |worst, (backlog, _)| worst.max(backlog))
}

fn tree_backlogs(pressure: &Pressure) -> [(f64, SlowdownCause); 2] {
    let backlog = pressure.backlog;
    let depth = backlog.runs as f64 / backlog.runs_due.max(1) as f64;
    let debt = backlog.debt_bytes as f64 / pressure.level_base_bytes.max(1) as f64;
    [(part(depth, LEVEL0_SOFT, LEVEL0_HARD), SlowdownCause::Level0), (part(debt, DEBT_SOFT, DEBT_HARD), SlowdownCause::Debt)]
}

/// How far `value` is on the way from `soft` to `hard`.
fn part(value: f64, soft: f64, hard: f64) -> f64 {
    ((value - soft) / (hard - soft)).max(0.0)
}

fn delay_ns_per_kib(backlog: f64, carried_bytes_per_s: f64) -> u64 {
    let x = backlog.clamp(0.0, BACKLOG_MAX);
    let carried_ns_per_kib = 1024.0 * 1e9 / carried_bytes_per_s.max(1.0);
    (carried_ns_per_kib * x * x / (1.0 - x)) as u64
}

#[cfg(test)]
mod tests {
    use super::*;
    use sediment_env::SteppedClock;

    #[test]
    fn the_delay_grows_with_the_backlog_and_meets_what_is_carried() {
        let delays: Vec<u64> = (0..=10).map(|tenth| delay_ns_per_kib(f64::from(tenth) / 10.0, 1024.0 * 1e6)).collect();
        assert_eq!((delays[0], delays[10]), (0, delay_ns_per_kib(2.0, 1024.0 * 1e6)));
        assert!(delays.is_sorted() && delays[1] > 0, "{delays:?}");
        let even = delay_ns_per_kib(0.618_034, 1024.0 * 1e6);
        assert!((990..=1010).contains(&even), "as long as maintenance takes: {even}");
    }

    #[test]
    fn small_delays_are_saved_up_and_long_ones_cut() {
        let (pace, clock, instruments) = (Pace::default(), SteppedClock::new(0), Instruments::for_tests());
        pace.ns_per_kib.store(1024 * 100, Relaxed);
        let slept = |bytes| {
            let before = clock.monotonic_us();
            pace.wait(&instruments, &clock, bytes);
            clock.monotonic_us() - before
        };
        assert_eq!(slept(1000), 0);
        assert_eq!(slept(1000), 200);
        assert_eq!(slept(1_000_000), SLEEP_US_MAX);
        assert_eq!(slept(0), SLEEP_US_MAX);
        let total = 200 + 100_000;
        while clock.monotonic_us() < total {
            slept(0);
        }
        assert_eq!(slept(0), 0);
        assert_eq!(instruments.stats.get(Counter::WriteDelayUs), clock.monotonic_us());
        assert!(instruments.stats.get(Counter::WriteDelays) > 4);
    }

    #[test]
    fn what_is_carried_is_learned() {
        let pace = Pace::default();
        (0..100).for_each(|_| pace.learn(1 << 20, 1_000_000));
        assert!((pace.stats().carried_bytes_per_second as f64 / f64::from(1 << 20) - 1.0).abs() < 0.01);
    }

    #[test]
    fn writers_are_as_fast_as_what_they_wait_for() {
        let (pace, instruments) = (Pace::default(), Instruments::for_tests());
        (0..100).for_each(|_| pace.learn(10 << 20, 1_000_000));
        (0..100).for_each(|_| pace.learn_flush(50 << 20, 1_000_000));
        let even = |cause| {
            pace.set(&instruments, 0.618_034, Some(cause));
            pace.stats().bytes_per_second.expect("slowed down") as f64 / f64::from(1 << 20)
        };
        let rates = [SlowdownCause::Memory, SlowdownCause::Log, SlowdownCause::Level0, SlowdownCause::Debt].map(even);
        for (rate, expected) in rates.into_iter().zip([50.0, 50.0, 10.0, 10.0]) {
            assert!((rate / expected - 1.0_f64).abs() < 0.01, "{rates:?}");
        }
    }

    #[test]
    fn what_holds_is_told_and_small_changes_are_not() {
        let (pace, instruments) = (Pace::default(), Instruments::for_tests());
        pace.set(&instruments, 0.5, Some(SlowdownCause::Debt));
        let stats = pace.stats();
        assert_eq!((stats.backlog, stats.cause), (0.5, Some(SlowdownCause::Debt)));
        let allowed = stats.bytes_per_second.expect("slowed down") as f64;
        assert!((allowed / (2.0 * CARRIED_BYTES_PER_S) - 1.0).abs() < 0.01, "twice what is carried: {allowed}");
        pace.set(&instruments, 0.0, None);
        assert_eq!((pace.stats().bytes_per_second, pace.stats().cause), (None, None));
        assert!(is_news(None, Some(1)) && is_news(Some(1), None) && is_news(Some(100), Some(87)));
        assert!(!is_news(None, None) && !is_news(Some(100), Some(112)));
    }
}
