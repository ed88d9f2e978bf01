//! Processor time, memory and bytes written, of this process; and how busy it found the machine.

use rustix::time::{ClockId, clock_gettime};
use std::fs::read_to_string;

/// A clock tick in `/proc/self/stat`. The kernel shows a hundred a second to programs on every architecture.
const TICK_NS: u64 = 10_000_000;

/// What the process has used up so far.
#[derive(Clone, Copy, Debug, Default)]
pub struct Usage {
    /// Processor time of all threads, user and system.
    pub cpu_ns: Option<u64>,
    /// Bytes that went towards the disk, counted when pages are dirtied.
    pub written_bytes: Option<u64>,
    /// Of those, bytes that were deleted before they went to the disk.
    pub cancelled_bytes: Option<u64>,
    /// Processor time of everything on the machine, this process too, and what the machine's own host took away.
    pub machine_ns: Option<u64>,
}

impl Usage {
    /// Up to now.
    pub fn now() -> Self {
        let io = read_to_string("/proc/self/io").unwrap_or_default();
        Self {
            cpu_ns: cpu_ns(),
            written_bytes: field(&io, "write_bytes:"),
            cancelled_bytes: field(&io, "cancelled_write_bytes:"),
            machine_ns: read_to_string("/proc/stat").ok().and_then(|stat| machine_of(&stat)),
        }
    }
}

/// Processor time of all threads so far, in steps of 10 ms.
pub fn cpu_ns() -> Option<u64> {
    cpu_of(&read_to_string("/proc/self/stat").ok()?)
}

/// Processor time of the calling thread so far, to the nanosecond: [`ThreadTimes`] are as old as the system's last tick.
pub fn thread_cpu_ns() -> u64 {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    time.tv_sec as u64 * 1_000_000_000 + time.tv_nsec as u64
}

/// What became of a thread's time; the rest of it the thread slept, or waited for a lock or a disk.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ThreadTimes {
    /// It ran.
    pub ran_ns: u64,
    /// It could have run, but was given no processor.
    pub waited_ns: u64,
}

impl ThreadTimes {
    /// Of the calling thread, up to now; zeros where the system does not tell.
    pub fn now() -> Self {
        read_to_string("/proc/thread-self/schedstat").map_or_else(|_| Self::default(), |text| times_of(&text))
    }

    /// What came after an earlier reading.
    pub fn since(self, earlier: Self) -> Self {
        Self { ran_ns: self.ran_ns.saturating_sub(earlier.ran_ns), waited_ns: self.waited_ns.saturating_sub(earlier.waited_ns) }
    }
}

/// Memory of the process that is no file's.
pub fn anonymous_bytes() -> Option<u64> {
    let status = read_to_string("/proc/self/status").ok()?;
    field(&status, "RssAnon:").map(|kib| kib * 1024)
}

/// The number behind a name at the beginning of a line.
pub(super) fn field(text: &str, name: &str) -> Option<u64> {
    text.lines().find_map(|line| line.strip_prefix(name))?.split_whitespace().next()?.parse().ok()
}

fn cpu_of(stat: &str) -> Option<u64> {
    // The name of the program may hold anything, parentheses too.
    let (_, behind_name) = stat.rsplit_once(')')?;
    let mut times = behind_name.split_whitespace().skip(11);
    let mut ticks = || times.next()?.parse::<u64>().ok();
    Some((ticks()? + ticks()?) * TICK_NS)
}

fn times_of(schedstat: &str) -> ThreadTimes {
    let mut numbers = schedstat.split_whitespace().map(|number| number.parse().unwrap_or(0));
    let mut next = || numbers.next().unwrap_or(0);
    ThreadTimes { ran_ns: next(), waited_ns: next() }
}

/// User, nice, system, then (behind idle and waiting for disks) interrupts, soft interrupts and stolen time.
fn machine_of(stat: &str) -> Option<u64> {
    let line = stat.lines().find_map(|line| line.strip_prefix("cpu "))?;
    let ticks: Vec<u64> = line.split_whitespace().map_while(|ticks| ticks.parse().ok()).collect();
    let busy = ticks.get(..3)?.iter().chain(ticks.get(5..8)?);
    Some(busy.sum::<u64>() * TICK_NS)
}

#[cfg(test)]
mod tests {
    use super::{ThreadTimes, cpu_of, field, machine_of, times_of};

    #[test]
    fn the_texts_of_the_kernel_are_read() {
        let stat = "4711 (a (b) c) R 1 2 3 4 5 6 7 8 9 10 250 50 0 0 20 0 3 0 100";
        assert_eq!(cpu_of(stat), Some(3_000_000_000));
        assert_eq!((cpu_of(""), cpu_of("1 (x) R 1")), (None, None));
        assert_eq!(machine_of("cpu  1 20 300 7777 888 4000 50000 600000 9 9\ncpu0 5\n"), Some(6_543_210_000_000));
        assert_eq!((machine_of("cpu  1 2 3\n"), machine_of("")), (None, None));
        let times = times_of("700 30 9\n").since(times_of("500 10 2\n"));
        assert_eq!(times, ThreadTimes { ran_ns: 200, waited_ns: 20 });
        assert_eq!(times_of(""), ThreadTimes::default());
        let io = "rchar: 7\nwrite_bytes: 4096\ncancelled_write_bytes: 12\n";
        assert_eq!((field(io, "write_bytes:"), field(io, "cancelled_write_bytes:")), (Some(4096), Some(12)));
        assert_eq!(field("RssAnon:\t    1234 kB\n", "RssAnon:"), Some(1234));
        assert_eq!((field(io, "read_bytes:"), field("write_bytes: many\n", "write_bytes:")), (None, None));
    }
}
