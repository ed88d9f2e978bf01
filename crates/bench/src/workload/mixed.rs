//! `mixed`: latencies of writes and reads at a rate that the database can keep up, over a long time.
//!
//! First the rate is found: writers go flat out until flushes and compactions are in a steady state, and what they wrote in the
//! second half of that time, divided by that half and the time to drain what it left behind, is sustainable. Then writers keep a
//! share of that rate, on a schedule, while readers go on at theirs, and a control thread that does not touch the database tells
//! what the machine alone does. What counts is the stalls that the control thread did not meet.

mod judgement;
mod rate;
mod threads;
mod watch;

pub(crate) use judgement::{ControlReport, JudgedStall, Mixed};

use super::Findings;
use crate::{
    client,
    clock::nanoseconds,
    control::OwnMemory,
    failure::{Failure, Result},
    settings::Settings,
    subject::Subject,
    text::parse_seconds,
};
use clap::Args;
use serde::Serialize;

const KEYS: u64 = 5_000_000;
const SECONDS: f64 = 600.0;

/// Arguments of `mixed`. The threads of the settings are the writers.
#[derive(Clone, Debug, Args, Serialize)]
pub(crate) struct Arguments {
    #[command(flatten)]
    #[serde(flatten)]
    pub(crate) settings: Settings,
    /// How long writers go flat out to find the rate, in seconds
    #[arg(long, default_value = "60", value_parser = parse_seconds, value_name = "SECONDS")]
    warmup: f64,
    /// Share of the sustainable rate that writers keep
    #[arg(long, default_value_t = 0.8)]
    load: f64,
    /// Writes a second, of all writers, in place of that share: to compare runs
    #[arg(long, value_name = "COUNT")]
    rate: Option<f64>,
    /// Threads that read
    #[arg(long, default_value_t = 1, value_name = "COUNT", value_parser = clap::value_parser!(u64).range(1..=1024))]
    readers: u64,
    /// Reads a second, of all readers; every tenth is a scan of 20 rows
    #[arg(long, default_value_t = 5000.0, value_name = "COUNT")]
    reads: f64,
    /// From which latency on an operation is stalled, in milliseconds
    #[arg(long, default_value_t = 50, value_name = "MILLISECONDS")]
    stall: u64,
}

impl Arguments {
    /// Both phases.
    pub(super) fn run(&self) -> Result<Findings> {
        self.check()?;
        // Before the database, whose memory is what the process has more than now.
        let memory = OwnMemory::new();
        let subject = Subject::new(&self.settings, self.settings.keys_or(KEYS))?;
        client::fill(&subject)?;
        let (flat_out, rate) = rate::find(&subject, self)?;
        let (watched, mixed) = watch::run(&subject, self, rate, memory)?;
        client::check_all(&subject)?;
        Ok(Findings { measurements: vec![flat_out, watched], mixed: Some(mixed), figures: Vec::new() })
    }

    fn check(&self) -> Result<()> {
        let is_rate = |number: f64| number > 0.0 && number.is_finite();
        if is_rate(self.load) && is_rate(self.reads) && self.rate.is_none_or(is_rate) {
            return Ok(());
        }
        Err(Failure::Usage("load, rate and reads must be more than 0".to_owned()))
    }

    fn writers(&self) -> u64 {
        self.settings.threads_or(1)
    }

    fn seconds(&self) -> f64 {
        self.settings.seconds_or(SECONDS)
    }

    /// Writes a second that writers are to keep, and which share of the sustainable rate that is.
    fn load_of(&self, sustainable: f64) -> (f64, f64) {
        self.rate.map_or((self.load * sustainable, self.load), |rate| (rate, rate / sustainable))
    }

    fn stall_ns(&self) -> u64 {
        self.stall * 1_000_000
    }

    fn warmup_ns(&self) -> u64 {
        nanoseconds(self.warmup)
    }
}
