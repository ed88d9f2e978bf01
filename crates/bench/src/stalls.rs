//! Stalls, and whether the control thread met them too.

use crate::{
    control::{Control, Met},
    latency::Timing,
    machine::ThreadTimes,
};

/// How far from a stall, before and after, the control thread's experience counts as the same event.
const NEARBY_NS: u64 = 100_000_000;
/// A thread asks what became of its time when this much of it has passed.
const ASK_NS: u64 = 10_000_000;

/// A time in which one thread was behind: from the first operation that took longer than the threshold, counted from its intended
/// start, until one takes no more than half of it. What is caught up in fits and starts is one stall.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Stall {
    /// Intended start of the first.
    pub(crate) begin_ns: u64,
    /// End of the last that took longer than the threshold.
    pub(crate) end_ns: u64,
    /// The longest latency.
    pub(crate) worst_ns: u64,
    /// How many took longer than the threshold.
    pub(crate) operations: u64,
    /// The operation during which most time passed: most of the others only waited for their turn.
    longest: (u64, u64),
    /// What became of the thread's time during that, give or take [`ASK_NS`]; unknown where it was shorter than that.
    pub(crate) spent: Option<ThreadTimes>,
}

impl Stall {
    /// How long the longest operation itself took.
    pub(crate) fn longest_ns(&self) -> u64 {
        self.longest.1 - self.longest.0
    }

    /// What the control thread met around the longest operation.
    pub(crate) fn around(&self, control: &Control) -> Met {
        let (begin_ns, end_ns) = self.longest;
        control.worst_within(begin_ns.saturating_sub(NEARBY_NS), end_ns + NEARBY_NS)
    }
}

/// Whether a stall is the machine's: the control thread was held up for at least half as long.
pub(crate) fn is_the_machines(worst_ns: u64, control_ns: u64) -> bool {
    control_ns >= worst_ns.div_ceil(2)
}

/// Finds the stalls of one thread.
#[derive(Clone, Debug)]
pub(crate) struct StallFinder {
    threshold_ns: u64,
    previous_end_ns: u64,
    asked_ns: u64,
    times: ThreadTimes,
    open: Option<Stall>,
    found: Vec<Stall>,
}

impl StallFinder {
    /// Finds stalls above a threshold.
    pub(crate) fn new(threshold_ns: u64) -> Self {
        let (previous_end_ns, asked_ns, times) = (0, 0, ThreadTimes::default());
        Self { threshold_ns, previous_end_ns, asked_ns, times, open: None, found: Vec::new() }
    }

    /// Notes the next operation of the calling thread, which can tell what became of its time so far.
    #[inline]
    pub(crate) fn saw(&mut self, timing: Timing, times: impl FnOnce() -> ThreadTimes) {
        let is_due = timing.end_ns.saturating_sub(self.asked_ns) >= ASK_NS;
        let spent = is_due.then(|| self.spent(timing.end_ns, times()));
        let latency_ns = timing.latency_ns();
        if latency_ns > self.threshold_ns || (latency_ns > self.threshold_ns / 2 && self.open.is_some()) {
            self.extend(timing, spent);
        } else if let Some(stall) = self.open.take() {
            self.found.push(stall);
        }
        self.previous_end_ns = timing.end_ns;
    }

    /// All stalls, in order.
    pub(crate) fn finish(mut self) -> Vec<Stall> {
        self.found.extend(self.open);
        self.found
    }

    fn spent(&mut self, now_ns: u64, times: ThreadTimes) -> ThreadTimes {
        let spent = times.since(self.times);
        (self.asked_ns, self.times) = (now_ns, times);
        spent
    }

    fn extend(&mut self, timing: Timing, spent: Option<ThreadTimes>) {
        // From here on the thread had nothing else to do, also where it was not given a processor to begin.
        let own = (timing.intended_ns.max(self.previous_end_ns), timing.end_ns);
        let begin_ns = timing.intended_ns;
        let first = Stall { begin_ns, end_ns: begin_ns, worst_ns: 0, operations: 0, longest: own, spent };
        let stall = self.open.get_or_insert(first);
        if own.1 - own.0 > stall.longest_ns() {
            (stall.longest, stall.spent) = (own, spent);
        }
        if timing.latency_ns() > self.threshold_ns {
            stall.end_ns = timing.end_ns;
            stall.worst_ns = stall.worst_ns.max(timing.latency_ns());
            stall.operations += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Stall, StallFinder, is_the_machines};
    use crate::{
        control::{Control, Met},
        latency::Timing,
        machine::ThreadTimes,
    };

    const MS: u64 = 1_000_000;

    /// A thread with an operation due each millisecond; some take long, in milliseconds, the others nothing.
    fn stalls(count: u64, slow: &[(u64, u64)]) -> Vec<Stall> {
        let mut finder = StallFinder::new(50 * MS);
        let mut now = 0;
        for number in 0..count {
            let intended_ns = number * MS;
            let begin_ns = intended_ns.max(now);
            now = begin_ns + slow.iter().filter(|(at, _)| *at == number).map(|(_, ms)| ms * MS).sum::<u64>();
            // Half of the time that passes it runs.
            finder.saw(Timing { intended_ns, begin_ns, end_ns: now }, || ThreadTimes { ran_ns: now / 2, waited_ns: now / 4 });
        }
        finder.finish()
    }

    #[test]
    fn a_stall_is_one_however_many_operations_it_delays() {
        assert_eq!(stalls(1000, &[(10, 50)]), []);
        let found = stalls(1000, &[(100, 60), (500, 200)]);
        assert_eq!(found.len(), 2);
        assert_eq!((found[0].begin_ns, found[0].end_ns), (100 * MS, 160 * MS));
        assert_eq!((found[0].worst_ns, found[0].operations, found[0].longest), (60 * MS, 10, (100 * MS, 160 * MS)));
        assert_eq!((found[1].worst_ns, found[1].operations), (200 * MS, 150));
    }

    #[test]
    fn the_longest_operation_is_told_from_those_that_waited() {
        let found = stalls(1000, &[(100, 60), (110, 300)]);
        assert_eq!(found.len(), 1);
        assert_eq!((found[0].longest, found[0].longest_ns()), ((160 * MS, 460 * MS), 300 * MS));
        assert_eq!(found[0].worst_ns, 350 * MS);
    }

    #[test]
    fn a_stall_tells_what_became_of_the_threads_time() {
        // It was asked at 160 ms, and before that at 90 ms.
        let spent = stalls(1000, &[(100, 60)])[0].spent;
        assert_eq!(spent, Some(ThreadTimes { ran_ns: 35 * MS, waited_ns: 35 * MS / 2 }));
    }

    #[test]
    fn a_stall_goes_on_until_half_of_the_threshold_is_reached_again() {
        // Caught up to 40 ms by number 120, then behind by 60 again; caught up to 20 by number 240, then behind by 60 once more.
        let found = stalls(1000, &[(100, 60), (120, 20), (160, 5), (200, 60)]);
        assert_eq!(found.iter().map(|stall| stall.begin_ns / MS).collect::<Vec<_>>(), [100, 200]);
        assert_eq!((found[0].worst_ns, found[0].operations, found[0].end_ns), (60 * MS, 20, 180 * MS));
    }

    #[test]
    fn a_stall_that_does_not_end_is_found_too() {
        assert_eq!(stalls(11, &[(10, 70)]).len(), 1);
    }

    #[test]
    fn a_thread_that_was_not_running_when_its_operation_fell_due_was_stalled_from_then_on() {
        let mut finder = StallFinder::new(50 * MS);
        finder.saw(Timing { intended_ns: 1000 * MS, begin_ns: 1080 * MS, end_ns: 1080 * MS }, ThreadTimes::default);
        assert_eq!(finder.finish()[0].longest_ns(), 80 * MS);
    }

    #[test]
    fn the_control_thread_is_asked_about_the_time_of_the_stall_and_a_little_around_it() {
        let stall = stalls(1000, &[(500, 200)])[0];
        for (begin_ms, is_met) in [(300, false), (402, true), (600, true), (790, true), (850, false)] {
            // It sleeps for one millisecond, and wakes and writes without delay but for two.
            let control = Control::of(&[(begin_ms * MS, MS, 2 * MS)]);
            let met = if is_met { Met { late_ns: MS, write_ns: 2 * MS, lost_ns: 0 } } else { Met::default() };
            assert_eq!(stall.around(&control), met, "{begin_ms} ms");
        }
    }

    #[test]
    fn a_stall_is_the_machines_if_the_control_thread_was_held_up_for_half_of_it() {
        assert!(is_the_machines(100, 50) && is_the_machines(100, 500) && is_the_machines(99, 50));
        assert!(!is_the_machines(100, 49) && !is_the_machines(99, 49));
    }
}
