//! Open loops: an operation is due at a time, whether those before it have ended or not.

use crate::looping::Looped;
use anyhow::Result;
use sediment_bench::{
    clock::{Clock, nanoseconds, seconds},
    latency::{Recorder, Timing},
    schedule::Schedule,
};
use std::cell::Cell;

/// How often in a second operations fall due, where there are as many.
const TICKS_PER_SECOND: f64 = 1000.0;
/// How long a loop may go on with what it could not do in time, as a share of the time.
const OVERTIME: f64 = 0.1;

/// How many operations fall due in a second, and for how long.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pace {
    pub(crate) per_second: f64,
    pub(crate) seconds: f64,
}

impl Pace {
    /// Operations fall due in ticks of a millisecond. All of a tick are due at its beginning, as if so many callers came at once, and
    /// the latency of each counts from there: the last one's has the time of all before it.
    ///
    /// A thread that waited for each of them by itself, some microseconds, would have to spin, and keep a processor from the threads
    /// of the engine.
    fn schedule(self) -> Schedule {
        let at_once = (self.per_second / TICKS_PER_SECOND).round().max(1.0);
        Schedule::in_bursts(0, self.per_second, at_once as u64)
    }
}

/// Calls `work` for every operation, and sleeps while none is due. Two times are taken of each: from when it was due to its end, and
/// that of the call alone.
pub(crate) fn open_loop(pace: Pace, mut work: impl FnMut() -> Result<()>) -> Result<Looped> {
    let (end_ns, give_up_ns) = (nanoseconds(pace.seconds), nanoseconds(pace.seconds * (1.0 + OVERTIME)));
    let (mut recorder, clock, begun_ns) = (Recorder::new(), Clock::start(), Cell::new(0));
    let operation = || {
        begun_ns.set(clock.now());
        work()
    };
    // The schedule's own beginning is the end of the operation before, so with the time that noting that took.
    let note = |timing: Timing| recorder.record_scheduled(Timing { begin_ns: begun_ns.get(), ..timing });
    let missed = pace.schedule().run(clock, (end_ns, give_up_ns), operation, note)?;
    Ok(Looped::on_schedule(seconds(recorder.last_end_ns().max(end_ns)), recorder, missed))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_many_are_due_as_the_rate_says_whether_or_not_it_is_a_multiple_of_the_ticks() {
        for (per_second, due) in [(200_000.0, 2_000_000), (1000.0, 10_000), (7.0, 70), (333_333.0, 3_333_330)] {
            let schedule = Pace { per_second, seconds: 10.0 }.schedule();
            let tick = per_second as u64 / 1000 + 1;
            assert!(schedule.count_before(10_000_000_000).abs_diff(due) <= tick, "{per_second}/s");
            assert_eq!(schedule.intended_ns(0), 0);
            assert!((900_000..2_000_000_000).contains(&schedule.intended_ns(tick)), "{per_second}/s");
        }
    }

    #[test]
    fn what_is_too_late_is_missed_and_the_sleep_before_a_call_is_not_the_calls() {
        let pace = Pace { per_second: 100.0, seconds: 0.1 };
        let on_time = open_loop(pace, || Ok(())).expect("it cannot fail");
        assert_eq!(on_time.operations + on_time.missed, 10);
        assert!(on_time.seconds >= 0.1);
        let late = open_loop(pace, || {
            std::thread::sleep(std::time::Duration::from_millis(60));
            Ok(())
        });
        let late = late.expect("it cannot fail");
        assert!(late.missed >= 8 && late.operations + late.missed == 10);
        let calls = late.calls().expect("they are timed");
        assert!(calls.max_ns >= 60_000_000 && late.latencies().expect("they are timed").max_ns >= calls.max_ns);
        assert!(open_loop(pace, || anyhow::bail!("no")).is_err());
    }
}
