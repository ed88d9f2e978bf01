//! `reopen`: how long opening takes, and the first read after it: after a clean close, and after the process died with so much
//! of the log not yet in tables.

use super::KEYS;
use crate::{
    client::{self, Client},
    failure::Result,
    latency::Recorder,
    measure::{Measurement, Meter, Recorded, Work},
    settings::Settings,
    subject::Subject,
    text::parse_bytes,
};
use clap::Args;
use serde::Serialize;

/// Memory for each byte of log, so that the memtable takes all of it and nothing is flushed.
const MEMORY_PER_LOG: usize = 16;

/// Arguments of `reopen`.
#[derive(Clone, Debug, Args, Serialize)]
pub(crate) struct Reopen {
    #[command(flatten)]
    #[serde(flatten)]
    pub(crate) settings: Settings,
    /// Log that a process left that died
    #[arg(long, default_value = "32MiB", value_parser = parse_bytes, value_name = "BYTES")]
    log: usize,
    /// How often to open
    #[arg(long, default_value_t = 20, value_name = "COUNT")]
    rounds: u64,
}

impl Reopen {
    /// Both, over the same database.
    pub(super) fn run(&self) -> Result<Vec<Measurement>> {
        let memory = self.settings.memory.max(self.log.saturating_mul(MEMORY_PER_LOG));
        let mut subject = Subject::with_memory(&self.settings, self.settings.keys_or(KEYS), memory)?;
        client::fill(&subject)?;
        subject.close()?;
        let clean = self.measure(&mut subject, "reopen/closed", Subject::close)?;

        subject.open()?;
        self.write_log(&subject)?;
        subject.abandon();
        let died = self.measure(&mut subject, "reopen/died", |subject| {
            subject.abandon();
            Ok(())
        })?;
        subject.open()?;
        client::check_all(&subject)?;
        Ok(vec![clean, died])
    }

    fn write_log(&self, subject: &Subject) -> Result<()> {
        let rows = self.log as u64 / self.settings.row_bytes();
        let mut client = Client::new(subject, 1);
        (0..rows).try_for_each(|_| client.insert_any())
    }

    fn measure(&self, subject: &mut Subject, name: &str, end: impl Fn(&mut Subject) -> Result<()>) -> Result<Measurement> {
        let mut meter = Meter::start();
        let clock = meter.clock();
        let (mut opening, mut reading, mut log_bytes) = (Recorder::new(), Recorder::new(), None);
        for round in 0..self.rounds {
            let begin_ns = clock.now();
            subject.open()?;
            let open_ns = clock.now();
            let mut client = Client::new(subject, round);
            client.get_any()?;
            let read_ns = clock.now();
            client.check()?;
            opening.record(begin_ns, open_ns, 1);
            reading.record(open_ns, read_ns, 1);
            meter.glance();
            log_bytes = Some(subject.db().stats().wal_bytes);
            end(subject)?;
        }
        let parts = vec![Recorded::part("open", vec![opening]), Recorded::part("first read", vec![reading])];
        meter.finish(subject, Work { name: name.to_owned(), threads: 1, log_bytes, ..Work::default() }, parts)
    }
}
