//! Work at a fixed rate, whatever happens to it: an open loop.
//!
//! Each operation has a time at which it is meant to start, and its latency counts from there. If one takes a second, those that
//! should have begun meanwhile were late by up to a second too, and the record says so; a loop that waits for each answer before
//! it asks again would have noted one slow operation (coordinated omission).

use crate::{
    clock::{Clock, sleep},
    latency::Timing,
};

/// The shortest sleep between operations: operations that fall due meanwhile are done back to back when it ends. Shorter ones
/// would keep a core busy with nothing but waking up.
const NAP_NS: u64 = 100_000;

/// When the operations of one thread are meant to start: evenly spaced, in turn with those of the other threads, each by itself or
/// some at once.
#[derive(Clone, Copy, Debug)]
pub struct Schedule {
    begin_ns: u64,
    first: f64,
    interval_ns: f64,
    /// Operations at the beginning of each interval.
    at_once: u64,
}

impl Schedule {
    /// For thread number `member` of `members`, which together do so many operations a second, from `begin_ns` on.
    pub fn new(begin_ns: u64, per_second: f64, member: u64, members: u64) -> Self {
        let between = 1e9 / per_second;
        Self { begin_ns, first: between * member as f64, interval_ns: between * members as f64, at_once: 1 }
    }

    /// For the only thread: the same rate, but so many operations at a time are all meant to start at once.
    pub fn in_bursts(begin_ns: u64, per_second: f64, at_once: u64) -> Self {
        Self { at_once, ..Self::new(begin_ns, per_second / at_once as f64, 0, 1) }
    }

    /// When operation number `number`, counted from 0, is meant to start.
    #[inline]
    pub fn intended_ns(&self, number: u64) -> u64 {
        self.begin_ns + (self.interval_ns.mul_add((number / self.at_once) as f64, self.first)) as u64
    }

    /// How many are meant to start before a time.
    pub fn count_before(&self, ns: u64) -> u64 {
        let room = ns.saturating_sub(self.begin_ns) as f64 - self.first;
        let mut count = (room / self.interval_ns).max(0.0) as u64 * self.at_once;
        while self.intended_ns(count) < ns {
            count += self.at_once;
        }
        count
    }

    /// Runs every operation meant to start before `end_ns` and notes each. Returns how many were never begun, because it was
    /// `give_up_ns` already.
    pub fn run<E>(
        &self,
        clock: Clock,
        (end_ns, give_up_ns): (u64, u64),
        mut operation: impl FnMut() -> Result<(), E>,
        mut note: impl FnMut(Timing),
    ) -> Result<u64, E> {
        let count = self.count_before(end_ns);
        let mut now = clock.now();
        for number in 0..count {
            let intended_ns = self.intended_ns(number);
            while now < intended_ns {
                sleep((intended_ns - now).max(NAP_NS));
                now = clock.now();
            }
            if now > give_up_ns {
                return Ok(count - number);
            }
            let begin_ns = now;
            operation()?;
            now = clock.now();
            note(Timing { intended_ns, begin_ns, end_ns: now });
        }
        Ok(0)
    }
}

#[cfg(test)]
mod tests {
    use super::Schedule;
    use crate::{
        clock::{Clock, sleep},
        failure::Failure,
    };

    const SECOND: u64 = 1_000_000_000;

    #[test]
    fn operations_of_all_threads_are_evenly_spaced() {
        let mut starts: Vec<u64> = (0..3)
            .flat_map(|member| {
                let schedule = Schedule::new(500, 1000.0, member, 3);
                (0..100).map(move |number| schedule.intended_ns(number))
            })
            .collect();
        starts.sort_unstable();
        let spaced: Vec<u64> = (0..300).map(|number| 500 + number * 1_000_000).collect();
        assert!(starts.iter().zip(&spaced).all(|(start, even)| start.abs_diff(*even) <= 1), "{starts:?}");
    }

    #[test]
    fn a_burst_starts_at_once_and_bursts_keep_the_rate() {
        let schedule = Schedule::in_bursts(500, 200_000.0, 200);
        let starts: Vec<u64> = [0, 199, 200, 399, 400].map(|number| schedule.intended_ns(number) - 500).to_vec();
        assert_eq!(starts, [0, 0, 1_000_000, 1_000_000, 2_000_000]);
        assert_eq!(schedule.count_before(500 + SECOND), 200_000);
    }

    #[test]
    fn counting_agrees_with_the_starts() {
        for per_second in [0.5, 3.0, 1000.0, 123_456.7] {
            let of_two = [0, 1].map(|member| Schedule::new(77, per_second, member, 2));
            for schedule in of_two.into_iter().chain([Schedule::in_bursts(77, per_second, 7)]) {
                for end in [0, 77, 78, SECOND, 10 * SECOND + 1] {
                    let count = schedule.count_before(end);
                    assert!(schedule.intended_ns(count) >= end);
                    assert!(count == 0 || schedule.intended_ns(count - 1) < end, "{per_second}/s, {end}");
                }
            }
        }
    }

    #[test]
    fn a_slow_operation_makes_those_behind_it_late_but_drops_none() {
        let (clock, mut calls, mut noted) = (Clock::start(), 0, Vec::new());
        let schedule = Schedule::new(0, 1000.0, 0, 1);
        let operation = || {
            calls += 1;
            if calls == 10 {
                sleep(30_000_000);
            }
            Ok::<_, Failure>(())
        };
        let missed =
            schedule.run(clock, (50_000_000, u64::MAX), operation, |timing| noted.push(timing)).expect("it cannot fail");
        assert_eq!((missed, noted.len(), calls), (0, 50, 50));
        assert!(noted.iter().all(|timing| timing.intended_ns <= timing.begin_ns && timing.begin_ns <= timing.end_ns));
        // Number 10 was due one millisecond after the slow one, so it had to wait for at least 29.
        assert!(noted[10].latency_ns() >= 29_000_000);
        assert!(noted[20].latency_ns() >= 19_000_000);
    }

    #[test]
    fn what_is_not_begun_in_time_is_counted_and_an_error_ends_it() {
        let schedule = Schedule::new(0, 1000.0, 0, 1);
        let slow = || {
            sleep(20_000_000);
            Ok::<_, Failure>(())
        };
        let mut noted = 0;
        let missed = schedule.run(Clock::start(), (SECOND, 1), slow, |_| noted += 1).expect("it cannot fail");
        assert_eq!(missed + noted, 1000);
        assert!(missed >= 999);
        let failed = schedule.run(Clock::start(), (SECOND, SECOND), || Err(Failure::Wrong("x".to_owned())), |_| {});
        assert!(failed.is_err());
    }
}
