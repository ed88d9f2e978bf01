//! The control thread: what the machine itself does to a thread that has nothing to do with the database.
//!
//! Every millisecond it sleeps for one, then writes a few bytes to a file of its own in the directory of the database, and reads from
//! memory of its own. If it wakes late, the processors were taken away; if its write is slow, the file system was busy. Neither asks
//! who was the cause: the database's own load is on the same machine. Memory is different. A virtual machine whose host takes its pages
//! away, to give them back at the next touch, goes on, but every read of memory takes a hundred times as long, so next to nothing is done;
//! no database beside it does that to the control thread's reads. So what counts of memory is the time that was lost so.

mod memory;

pub(crate) use memory::OwnMemory;

use crate::{
    clock::{Clock, sleep},
    failure::{Failure, Result},
};
use std::{
    fs::File,
    io::{self, Seek, SeekFrom, Write},
    path::Path,
    sync::atomic::{AtomicBool, Ordering},
};
use tempfile::NamedTempFile;

const NAP_NS: u64 = 1_000_000;
/// Each write goes to the next block of the file, so that also pages which the system just wrote back are touched.
const FILE_BYTES: u64 = 1 << 20;
const STEP_BYTES: u64 = 4096;
const WRITE_BYTES: usize = 64;
/// Reads that take so many times as long as usual tell of the machine: beside a load that fills all processors, ninety-nine of a hundred
/// take less than half as long again.
const SLOW: u64 = 10;

/// One round: from falling asleep to the end of the write.
#[derive(Clone, Copy, Debug)]
struct Sample {
    begin_ns: u64,
    end_ns: u64,
    late_ns: u64,
    write_ns: u64,
    read_ns: u64,
}

/// The worst that the control thread met in a stretch of time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Met {
    /// How late it woke.
    pub(crate) late_ns: u64,
    /// How long its write took.
    pub(crate) write_ns: u64,
    /// How much of the time was lost, all rounds together, because memory was slow.
    pub(crate) lost_ns: u64,
}

impl Met {
    /// The worst of these.
    pub(crate) fn worst_ns(self) -> u64 {
        self.late_ns.max(self.write_ns).max(self.lost_ns)
    }

    fn with(self, sample: &Sample, usual_read_ns: u64) -> Self {
        Self {
            late_ns: self.late_ns.max(sample.late_ns),
            write_ns: self.write_ns.max(sample.write_ns),
            lost_ns: self.lost_ns + sample.lost_ns(usual_read_ns),
        }
    }
}

impl Sample {
    /// What of the round was lost: had all been as slow as its reads, so much less would have been done in it.
    fn lost_ns(&self, usual_read_ns: u64) -> u64 {
        let length_ns = self.end_ns - self.begin_ns;
        let is_slow = self.read_ns > SLOW * usual_read_ns;
        if is_slow { length_ns - length_ns * usual_read_ns / self.read_ns } else { 0 }
    }
}

/// All that the control thread met, in order.
#[derive(Clone, Debug, Default)]
pub(crate) struct Control {
    samples: Vec<Sample>,
    /// The median.
    usual_read_ns: u64,
}

/// The control thread's file and memory, ready to be used.
#[derive(Debug)]
pub(crate) struct Probe {
    file: NamedTempFile,
    memory: OwnMemory,
}

impl Probe {
    /// Makes the file in `dir`. It goes with the probe.
    pub(crate) fn new(dir: &Path, memory: OwnMemory) -> Result<Self> {
        let file = preallocated(dir).map_err(|error| Failure::io("write a file in", dir, &error))?;
        Ok(Self { file, memory })
    }

    /// Runs until told to stop, one round at least; `seconds` is about how long that will be.
    pub(crate) fn run(mut self, clock: Clock, seconds: f64, stop: &AtomicBool) -> Result<Control> {
        let samples = watch(self.file.as_file_mut(), &mut self.memory, clock, (seconds * 1000.0) as usize, stop);
        samples.map(Control::new).map_err(|error| Failure::io("write", self.file.path(), &error))
    }
}

impl Control {
    fn new(samples: Vec<Sample>) -> Self {
        let mut reads: Vec<u64> = samples.iter().map(|sample| sample.read_ns).collect();
        reads.sort_unstable();
        Self { samples, usual_read_ns: reads.get(reads.len() / 2).copied().unwrap_or(0) }
    }

    /// How many rounds there were.
    pub(crate) fn rounds(&self) -> usize {
        self.samples.len()
    }

    /// The worst over all, and what was lost of it.
    pub(crate) fn worst(&self) -> Met {
        self.met(&self.samples)
    }

    /// The worst of the rounds that touch a stretch of time.
    pub(crate) fn worst_within(&self, begin_ns: u64, end_ns: u64) -> Met {
        let first = self.samples.partition_point(|sample| sample.end_ns < begin_ns);
        let count = self.samples[first..].partition_point(|sample| sample.begin_ns <= end_ns);
        self.met(&self.samples[first..first + count])
    }

    /// The worst of the rounds that began in each window.
    pub(crate) fn by_window(&self, width_ns: u64) -> Vec<Met> {
        let mut windows = Vec::new();
        for sample in &self.samples {
            let window = (sample.begin_ns / width_ns) as usize;
            if windows.len() <= window {
                windows.resize(window + 1, Met::default());
            }
            windows[window] = windows[window].with(sample, self.usual_read_ns);
        }
        windows
    }

    fn met(&self, samples: &[Sample]) -> Met {
        samples.iter().fold(Met::default(), |met, sample| met.with(sample, self.usual_read_ns))
    }

    /// A control thread that met these: begin, lateness, time of the write. Reads take no time.
    #[cfg(test)]
    pub(crate) fn of(met: &[(u64, u64, u64)]) -> Self {
        Self::new(met.iter().map(|&(begin_ns, late_ns, write_ns)| sample(begin_ns, late_ns, write_ns, 0)).collect())
    }
}

fn preallocated(dir: &Path) -> io::Result<NamedTempFile> {
    let mut file = tempfile::Builder::new().prefix("control-").tempfile_in(dir)?;
    file.write_all(&vec![0; FILE_BYTES as usize])?;
    file.as_file().sync_all()?;
    Ok(file)
}

fn watch(file: &mut File, memory: &mut OwnMemory, clock: Clock, rounds: usize, stop: &AtomicBool) -> io::Result<Vec<Sample>> {
    let mut samples = Vec::with_capacity(rounds);
    let mut place = 0;
    loop {
        let begin_ns = clock.now();
        sleep(NAP_NS);
        let woke_ns = clock.now();
        file.seek(SeekFrom::Start(place))?;
        file.write_all(&[1; WRITE_BYTES])?;
        let wrote_ns = clock.now();
        let read_ns = memory.read_ns();
        let end_ns = clock.now();
        place = (place + STEP_BYTES) % FILE_BYTES;
        let late_ns = (woke_ns - begin_ns).saturating_sub(NAP_NS);
        samples.push(Sample { begin_ns, end_ns, late_ns, write_ns: wrote_ns - woke_ns, read_ns });
        if stop.load(Ordering::Relaxed) {
            return Ok(samples);
        }
    }
}

#[cfg(test)]
fn sample(begin_ns: u64, late_ns: u64, write_ns: u64, read_ns: u64) -> Sample {
    let end_ns = begin_ns + NAP_NS + late_ns + write_ns + read_ns;
    Sample { begin_ns, end_ns, late_ns, write_ns, read_ns }
}

#[cfg(test)]
mod tests {
    use super::{Control, Met, NAP_NS, OwnMemory, Probe, sample};
    use crate::clock::Clock;
    use std::sync::atomic::{AtomicBool, Ordering};

    #[test]
    fn rounds_follow_each_other_until_told_to_stop_and_leave_no_file() {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let stop = AtomicBool::new(false);
        let control = std::thread::scope(|scope| {
            let probe = Probe::new(dir.path(), OwnMemory::new()).expect("the directory can be written");
            let running = scope.spawn(|| probe.run(Clock::start(), 0.1, &stop));
            crate::clock::sleep(30 * NAP_NS);
            stop.store(true, Ordering::Relaxed);
            running.join().expect("it does not panic").expect("the file can be written")
        });
        assert!(control.rounds() > 0);
        assert!(control.samples.windows(2).all(|pair| pair[0].end_ns <= pair[1].begin_ns));
        assert!(control.samples.iter().all(|sample| sample.end_ns - sample.begin_ns >= NAP_NS));
        assert_eq!(dir.path().read_dir().expect("it is there").count(), 0);
    }

    #[test]
    fn the_worst_is_looked_for_in_rounds_that_touch_the_stretch() {
        let control = Control::of(&[(0, 10, 20), (2_000_000, 70_000_000, 5), (80_000_000, 3, 40)]);
        let met = |late_ns, write_ns| Met { late_ns, write_ns, lost_ns: 0 };
        assert_eq!(control.worst(), met(70_000_000, 40));
        assert_eq!(control.worst_within(0, 1_000_000), met(10, 20));
        // The second round slept until 73 ms.
        assert_eq!(control.worst_within(50_000_000, 60_000_000), met(70_000_000, 5));
        assert_eq!(control.worst_within(73_500_000, 79_000_000), met(0, 0));
        assert_eq!(control.worst_within(0, u64::MAX).worst_ns(), 70_000_000);
        let windows = control.by_window(40_000_000);
        assert_eq!(windows, [met(70_000_000, 20), met(0, 0), met(3, 40)]);
    }

    #[test]
    fn time_is_lost_while_memory_is_far_slower_than_usual() {
        let us = 1000;
        let round = |number: u64, read_ns| sample(number * 2_000_000, 0, 0, read_ns);
        let reads = [4 * us, 3 * us, 4 * us, 40 * us, 41 * us, 400 * us, 5 * us];
        let control = Control::new((0..).zip(reads).map(|(number, read_ns)| round(number, read_ns)).collect());
        assert_eq!(control.usual_read_ns, 5 * us);
        let lost = |first: u64, last: u64| control.worst_within(first * 2_000_000, last * 2_000_000).lost_ns;
        assert_eq!((lost(0, 4), lost(6, 6)), (0, 0), "up to ten times as slow");
        // The whole round of 1.4 ms but an eightieth.
        assert_eq!(lost(5, 5), 1400 * us - 1400 * us / 80);
        let slower =
            Control::new([5 * us, 5 * us, 400 * us, 400 * us, 5 * us].iter().map(|read_ns| round(1, *read_ns)).collect());
        assert_eq!((slower.worst().lost_ns, slower.worst().worst_ns()), (2 * lost(5, 5), 2 * lost(5, 5)), "added up");
    }
}
