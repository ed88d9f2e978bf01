//! `ycsb`: the six core workloads of the Yahoo! Cloud Serving Benchmark (Cooper et al., "Benchmarking Cloud Serving Systems with
//! YCSB"), over keys of which few are very popular.

use super::{KEYS, SECONDS};
use crate::{
    client::{self, Client},
    clock::{Clock, nanoseconds},
    failure::Result,
    generator::{Distribution, Random, Zipf},
    latency::Recorder,
    measure::{Measurement, Meter, Recorded, Work},
    settings::Settings,
    subject::Subject,
};
use clap::{Args, ValueEnum};
use serde::Serialize;

/// The longest scan.
const SCAN_ROWS_MAX: u64 = 100;

/// Arguments of `ycsb`. Its keys are drawn by a zipf distribution, whatever the settings say.
#[derive(Clone, Debug, Args, Serialize)]
pub(crate) struct Ycsb {
    /// Which of the six
    #[arg(value_enum)]
    mix: Mix,
    #[command(flatten)]
    #[serde(flatten)]
    pub(crate) settings: Settings,
}

/// What a workload is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ValueEnum)]
#[serde(rename_all = "lowercase")]
enum Mix {
    /// Half gets, half updates
    A,
    /// 95 % gets, 5 % updates
    B,
    /// Gets
    C,
    /// 95 % gets of what was inserted lately, 5 % inserts
    D,
    /// 95 % scans of 1 to 100 rows, 5 % inserts
    E,
    /// Half gets, half of them followed by an update
    F,
}

/// What is done; also the number of its recorder.
#[derive(Clone, Copy, Debug)]
enum Operation {
    Get,
    Update,
    Insert,
    Scan,
    ReadModifyWrite,
}

const NAMES: [&str; 5] = ["get", "update", "insert", "scan", "read-modify-write"];

impl Mix {
    /// What comes instead of the rest, and how often in a hundred.
    fn special(self) -> (Operation, u64) {
        match self {
            Self::A => (Operation::Update, 50),
            Self::B => (Operation::Update, 5),
            Self::C => (Operation::Update, 0),
            Self::D | Self::E => (Operation::Insert, 5),
            Self::F => (Operation::ReadModifyWrite, 50),
        }
    }

    fn rest(self) -> Operation {
        if self == Self::E { Operation::Scan } else { Operation::Get }
    }
}

impl Ycsb {
    /// For the time that the settings say.
    pub(super) fn run(&self) -> Result<Measurement> {
        let settings = Settings { distribution: Distribution::Zipf, ..self.settings.clone() };
        let subject = Subject::new(&settings, settings.keys_or(KEYS))?;
        client::fill(&subject)?;
        let (threads, end_ns) = (settings.threads_or(1), nanoseconds(settings.seconds_or(SECONDS)));
        let mut meter = Meter::start();
        let seen = meter.run_each(threads, |thread, clock| {
            let mut worker = Worker::new(&subject, self.mix, (thread, threads));
            worker.run(clock, end_ns)?;
            worker.client.check()?;
            Ok((worker.recorders, worker.inserted))
        })?;
        let drain_seconds = Some(meter.drain(&subject)?);
        let (recorders, inserted): (Vec<_>, Vec<_>) = seen.into_iter().unzip();
        let parts = parts(recorders);
        let writes = parts.iter().filter(|part| !["get", "scan"].contains(&part.name));
        let writes = writes.map(|part| part.recorder.operations()).sum();
        let name = format!("ycsb/{}", format!("{:?}", self.mix).to_lowercase());
        let measurement = meter.finish(&subject, Work { name, threads, writes, drain_seconds, ..Work::default() }, parts)?;
        let end = subject.keys() + inserted.iter().max().unwrap_or(&0) * threads;
        client::check_count(&subject, end, subject.keys() + inserted.iter().sum::<u64>())?;
        Ok(measurement)
    }
}

/// Operations of each kind that occurred, of all threads.
fn parts(threads: Vec<[Recorder; NAMES.len()]>) -> Vec<Recorded> {
    let mut kinds: Vec<Vec<Recorder>> = NAMES.iter().map(|_| Vec::new()).collect();
    for recorders in threads {
        kinds.iter_mut().zip(recorders).for_each(|(kind, recorder)| kind.push(recorder));
    }
    let parts = NAMES.iter().zip(kinds).map(|(name, recorders)| Recorded::part(name, recorders));
    parts.filter(|part| part.recorder.operations() > 0).collect()
}

/// A thread.
struct Worker<'a> {
    client: Client<'a>,
    mix: Mix,
    random: Random,
    /// Ranks of keys by age.
    latest: Zipf,
    keys: u64,
    number: u64,
    threads: u64,
    /// Keys that this thread has inserted; each thread has every so manieth behind those that were there.
    inserted: u64,
    recorders: [Recorder; NAMES.len()],
}

impl<'a> Worker<'a> {
    fn new(subject: &'a Subject, mix: Mix, (number, threads): (u64, u64)) -> Self {
        Self {
            client: Client::new(subject, number),
            mix,
            random: Random::of_thread(!subject.settings().seed, number),
            latest: Zipf::new(subject.keys()),
            keys: subject.keys(),
            number,
            threads,
            inserted: 0,
            recorders: std::array::from_fn(|_| Recorder::new()),
        }
    }

    fn run(&mut self, clock: Clock, end_ns: u64) -> Result<()> {
        let (special, share) = self.mix.special();
        let mut begin_ns = clock.now();
        while begin_ns < end_ns {
            let operation = if self.random.below(100) < share { special } else { self.mix.rest() };
            self.perform(operation)?;
            let now_ns = clock.now();
            self.recorders[operation as usize].record(begin_ns, now_ns, 1);
            begin_ns = now_ns;
        }
        Ok(())
    }

    fn perform(&mut self, operation: Operation) -> Result<()> {
        match operation {
            Operation::Get if self.mix == Mix::D => {
                let index = self.recent();
                self.client.get(index)
            }
            Operation::Get => self.client.get_any(),
            Operation::Update => self.client.insert_any(),
            Operation::Insert => {
                self.inserted += 1;
                let index = self.own(self.inserted - 1);
                self.client.insert(index)
            }
            Operation::Scan => {
                let rows = 1 + self.random.below(SCAN_ROWS_MAX);
                self.client.scan_any(rows)
            }
            Operation::ReadModifyWrite => {
                let index = self.client.draw();
                self.client.get(index)?;
                self.client.insert(index)
            }
        }
    }

    /// The index of a key that this thread inserts: those of the threads take turns.
    fn own(&self, number: u64) -> u64 {
        self.keys + number * self.threads + self.number
    }

    /// A key of which those are most popular that this thread inserted last.
    fn recent(&mut self) -> u64 {
        let age = self.latest.rank(&mut self.random);
        if age < self.inserted { self.own(self.inserted - 1 - age) } else { self.keys - 1 - (age - self.inserted) }
    }
}
