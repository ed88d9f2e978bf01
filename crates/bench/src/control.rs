//! The control thread: what the machine itself does to a thread that has nothing to do with the database.
//!
//! Every millisecond it sleeps for one and then writes a few bytes to a file of its own in the directory of the database. If it
//! wakes late, the processors were taken away; if its write is slow, the file system was busy. Neither asks who was the cause: the
//! database's own load is on the same machine.

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

/// One round: from falling asleep to the end of the write.
#[derive(Clone, Copy, Debug)]
struct Sample {
    begin_ns: u64,
    end_ns: u64,
    late_ns: u64,
    write_ns: u64,
}

/// The worst that the control thread met in a stretch of time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Met {
    /// How late it woke.
    pub(crate) late_ns: u64,
    /// How long its write took.
    pub(crate) write_ns: u64,
}

impl Met {
    /// The worse of both.
    pub(crate) fn worst_ns(self) -> u64 {
        self.late_ns.max(self.write_ns)
    }

    fn with(self, sample: &Sample) -> Self {
        Self { late_ns: self.late_ns.max(sample.late_ns), write_ns: self.write_ns.max(sample.write_ns) }
    }
}

/// All that the control thread met, in order.
#[derive(Clone, Debug, Default)]
pub(crate) struct Control {
    samples: Vec<Sample>,
}

/// The control thread's file, ready to be written.
#[derive(Debug)]
pub(crate) struct Probe {
    file: NamedTempFile,
}

impl Probe {
    /// Makes the file in `dir`. It goes with the probe.
    pub(crate) fn new(dir: &Path) -> Result<Self> {
        let file = preallocated(dir).map_err(|error| Failure::io("write a file in", dir, &error))?;
        Ok(Self { file })
    }

    /// Runs until told to stop, one round at least; `seconds` is about how long that will be.
    pub(crate) fn run(mut self, clock: Clock, seconds: f64, stop: &AtomicBool) -> Result<Control> {
        let control = watch(self.file.as_file_mut(), clock, (seconds * 1000.0) as usize, stop);
        control.map_err(|error| Failure::io("write", self.file.path(), &error))
    }
}

impl Control {
    /// How many rounds there were.
    pub(crate) fn rounds(&self) -> usize {
        self.samples.len()
    }

    /// The worst over all.
    pub(crate) fn worst(&self) -> Met {
        self.samples.iter().fold(Met::default(), Met::with)
    }

    /// The worst of the rounds that touch a stretch of time.
    pub(crate) fn worst_within(&self, begin_ns: u64, end_ns: u64) -> Met {
        let first = self.samples.partition_point(|sample| sample.end_ns < begin_ns);
        self.samples[first..].iter().take_while(|sample| sample.begin_ns <= end_ns).fold(Met::default(), Met::with)
    }

    /// The worst of the rounds that began in each window.
    pub(crate) fn by_window(&self, width_ns: u64) -> Vec<Met> {
        let mut windows = Vec::new();
        for sample in &self.samples {
            let window = (sample.begin_ns / width_ns) as usize;
            if windows.len() <= window {
                windows.resize(window + 1, Met::default());
            }
            windows[window] = windows[window].with(sample);
        }
        windows
    }

    /// A control thread that met these: begin, lateness, time of the write.
    #[cfg(test)]
    pub(crate) fn of(met: &[(u64, u64, u64)]) -> Self {
        let sample = |&(begin_ns, late_ns, write_ns): &(u64, u64, u64)| Sample {
            begin_ns,
            end_ns: begin_ns + NAP_NS + late_ns + write_ns,
            late_ns,
            write_ns,
        };
        Self { samples: met.iter().map(sample).collect() }
    }
}

fn preallocated(dir: &Path) -> io::Result<NamedTempFile> {
    let mut file = tempfile::Builder::new().prefix("control-").tempfile_in(dir)?;
    file.write_all(&vec![0; FILE_BYTES as usize])?;
    file.as_file().sync_all()?;
    Ok(file)
}

fn watch(file: &mut File, clock: Clock, rounds: usize, stop: &AtomicBool) -> io::Result<Control> {
    let mut samples = Vec::with_capacity(rounds);
    let mut place = 0;
    loop {
        let begin_ns = clock.now();
        sleep(NAP_NS);
        let woke_ns = clock.now();
        file.seek(SeekFrom::Start(place))?;
        file.write_all(&[1; WRITE_BYTES])?;
        let end_ns = clock.now();
        place = (place + STEP_BYTES) % FILE_BYTES;
        let late_ns = (woke_ns - begin_ns).saturating_sub(NAP_NS);
        samples.push(Sample { begin_ns, end_ns, late_ns, write_ns: end_ns - woke_ns });
        if stop.load(Ordering::Relaxed) {
            return Ok(Control { samples });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Control;
    use super::{Met, NAP_NS, Probe};
    use crate::clock::Clock;
    use std::sync::atomic::{AtomicBool, Ordering};

    #[test]
    fn rounds_follow_each_other_until_told_to_stop_and_leave_no_file() {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let stop = AtomicBool::new(false);
        let control = std::thread::scope(|scope| {
            let probe = Probe::new(dir.path()).expect("the directory can be written");
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
        let met = |late_ns, write_ns| Met { late_ns, write_ns };
        assert_eq!(control.worst(), met(70_000_000, 40));
        assert_eq!(control.worst_within(0, 1_000_000), met(10, 20));
        // The second round slept until 73 ms.
        assert_eq!(control.worst_within(50_000_000, 60_000_000), met(70_000_000, 5));
        assert_eq!(control.worst_within(73_500_000, 79_000_000), met(0, 0));
        assert_eq!(control.worst_within(0, u64::MAX).worst_ns(), 70_000_000);
        let windows = control.by_window(40_000_000);
        assert_eq!(windows, [met(70_000_000, 20), met(0, 0), met(3, 40)]);
    }
}
