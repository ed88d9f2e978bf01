//! Slowing writers down in time, so that they need not be stopped.
//!
//! The backlog `x`, from 0 (nothing to worry about) to 1 (no way on), is the worst of: memory that sealed memtables hold, runs in
//! level 0, bytes that compaction owes, log files that keyspaces still need. A writer pays `x² / (1 − x)` times the time in which maintenance carries as many bytes: a
//! little delay early, as much as maintenance takes when the backlog is at 0.62, and ever more beyond, so the backlog settles where
//! writers and maintenance are equally fast. What maintenance carries is measured.
//!
//! Delays are handed out as moments at which the next write is due (the generic cell rate algorithm, ITU-T I.371, 1993), so that
//! they add up over threads, and small ones are saved up until a sleep is worth its cost.

use crate::worker::{Machinery, Memtables};
use sediment_env::Clock;
use sediment_tree::Pressure;
use std::sync::{
    Mutex,
    atomic::{AtomicU64, Ordering::Relaxed},
};

/// Below this a delay is saved up: sleeping takes about as long by itself.
const SLEEP_US_MIN: u64 = 200;
/// The longest delay of one write; what is left is paid by the next ones.
const SLEEP_US_MAX: u64 = 20_000;
/// Level 0 may hold this many times its trigger before writers notice, and so many before it is the end.
const LEVEL0_SOFT: f64 = 2.0;
const LEVEL0_HARD: f64 = 8.0;
/// The same for what compaction owes, in sizes of level 1.
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

/// How much writers are slowed down. Shared.
#[derive(Debug)]
pub(super) struct Pace {
    /// Nanoseconds for each KiB that is written; 0 for none.
    ns_per_kib: AtomicU64,
    /// When the next write is due, in nanoseconds of the monotonic clock.
    due_ns: AtomicU64,
    delays: AtomicU64,
    delay_us: AtomicU64,
    carried_bytes_per_s: Mutex<f64>,
}

impl Default for Pace {
    fn default() -> Self {
        let [ns_per_kib, due_ns, delays, delay_us] = std::array::from_fn(|_| AtomicU64::new(0));
        Self { ns_per_kib, due_ns, delays, delay_us, carried_bytes_per_s: Mutex::new(CARRIED_BYTES_PER_S) }
    }
}

impl Pace {
    /// Delays a write of so many bytes, if writers have to be slowed down.
    #[inline]
    pub(super) fn wait(&self, clock: &dyn Clock, bytes: usize) {
        let ns_per_kib = self.ns_per_kib.load(Relaxed);
        if ns_per_kib > 0 {
            self.delay(clock, (bytes as u64).saturating_mul(ns_per_kib) / 1024);
        }
    }

    /// Compares the backlog with what can be borne.
    pub(super) fn update(&self, machinery: &Machinery, memtables: &Memtables, wal_files: usize) {
        let files = machinery.log.size().0 as f64 / wal_files.max(1) as f64;
        let mut backlog = memtables.backlog().max(part(files, LOG_SOFT, LOG_HARD));
        for keyspace in machinery.keyspaces.all() {
            backlog = backlog.max(keyspace.with_newest(|tree| tree_backlog(&tree.pressure())));
        }
        self.ns_per_kib.store(delay_ns_per_kib(backlog, *self.carried()), Relaxed);
    }

    /// Maintenance has carried so many bytes of rows out of the way, and was busy for so long.
    pub(super) fn learn(&self, bytes: u64, busy_us: u64) {
        if bytes > 0 && busy_us > 0 {
            let measured = bytes as f64 * 1e6 / busy_us as f64;
            let mut carried = self.carried();
            *carried += (measured - *carried) * LEARNING;
        }
    }

    fn delay(&self, clock: &dyn Clock, cost_ns: u64) {
        let now_ns = clock.monotonic_us().saturating_mul(1000);
        let due = self.due_ns.fetch_update(Relaxed, Relaxed, |due| Some(due.max(now_ns) + cost_ns));
        let due = due.unwrap_or_else(|due| due).max(now_ns) + cost_ns;
        let wait_us = (due - now_ns) / 1000;
        if wait_us >= SLEEP_US_MIN {
            let wait_us = wait_us.min(SLEEP_US_MAX);
            self.delays.fetch_add(1, Relaxed);
            self.delay_us.fetch_add(wait_us, Relaxed);
            clock.sleep_us(wait_us);
        }
    }

    fn carried(&self) -> std::sync::MutexGuard<'_, f64> {
        self.carried_bytes_per_s.lock().expect("no code panics under this lock")
    }
}

fn tree_backlog(pressure: &Pressure) -> f64 {
    let depth = pressure.level0_sublevels as f64 / pressure.level0_trigger.max(1) as f64;
    let debt = pressure.debt_bytes as f64 / pressure.level_base_bytes.max(1) as f64;
    part(depth, LEVEL0_SOFT, LEVEL0_HARD).max(part(debt, DEBT_SOFT, DEBT_HARD))
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
        let (pace, clock) = (Pace::default(), SteppedClock::new(0));
        pace.ns_per_kib.store(1024 * 100, Relaxed);
        let slept = |bytes| {
            let before = clock.monotonic_us();
            pace.wait(&clock, bytes);
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
        assert_eq!(pace.delay_us.load(Relaxed), clock.monotonic_us());
    }

    #[test]
    fn what_is_carried_is_learned() {
        let pace = Pace::default();
        (0..100).for_each(|_| pace.learn(1 << 20, 1_000_000));
        assert!((*pace.carried() / f64::from(1 << 20) - 1.0).abs() < 0.01);
    }
}
