//! `readrandom`, `multiget`, `readmissing` and `seek`: reads of a database at rest, drawn at random.

use super::{KEYS, SECONDS};
use crate::{
    client::{self, Client},
    clock::nanoseconds,
    failure::Result,
    measure::{Measurement, Meter, Recorded, Until, Work, closed_loop},
    settings::Settings,
    subject::Subject,
    text::parse_bytes,
};
use clap::Args;
use serde::Serialize;

/// Rows that `seek` reads.
const SEEK_ROWS: u64 = 10;
/// Keys that `multiget` reads at a time.
const MANY: u64 = 64;

/// What is read.
#[derive(Clone, Copy, Debug)]
pub(super) enum Kind {
    Present,
    Many,
    Absent,
    Seek,
}

/// Arguments of a workload that only reads.
#[derive(Clone, Debug, Args, Serialize)]
pub(crate) struct Read {
    #[command(flatten)]
    #[serde(flatten)]
    pub(crate) settings: Settings,
    /// Memory of the database when it was opened anew for reading [default: as for filling]
    #[arg(long, value_parser = parse_bytes, value_name = "BYTES")]
    read_memory: Option<usize>,
    /// Begin with nothing of the database in memory, neither the database's nor the system's
    #[arg(long)]
    cold: bool,
}

impl Read {
    /// With the memory that the settings say, and warm.
    pub(super) fn over(settings: &Settings) -> Self {
        Self { settings: settings.clone(), read_memory: None, cold: false }
    }

    /// Reads for the time that the settings say, over a database that was read once before unless it is to be cold.
    pub(super) fn run(&self, kind: Kind) -> Result<Measurement> {
        let settings = &self.settings;
        let subject = self.filled()?;
        let (threads, end_ns) = (settings.threads_or(1), nanoseconds(settings.seconds_or(SECONDS)));
        let (until, burst) = (Until::Time(end_ns), settings.burst());
        let mut meter = Meter::start();
        let recorders = meter.run_each(threads, |thread, clock| {
            let mut client = Client::new(&subject, thread);
            let recorder = match kind {
                Kind::Present => closed_loop(clock, until, burst, || client.get_any().map(|()| 1)),
                Kind::Many => closed_loop(clock, until, burst, || client.get_many(MANY).map(|()| MANY)),
                Kind::Absent => closed_loop(clock, until, burst, || client.miss_any().map(|()| 1)),
                Kind::Seek => closed_loop(clock, until, burst, || client.scan_any(SEEK_ROWS).map(|()| 1)),
            }?;
            client.check()?;
            Ok(recorder)
        })?;
        let name = match kind {
            Kind::Present => "readrandom",
            Kind::Many => "multiget",
            Kind::Absent => "readmissing",
            Kind::Seek => "seek",
        };
        let each = if matches!(kind, Kind::Many) { MANY } else { 1 };
        let work = Work { name: name.to_owned(), threads, ..Work::default() };
        meter.finish(&subject, work, vec![Recorded::whole(recorders).of_each(burst * each)])
    }

    fn filled(&self) -> Result<Subject> {
        let mut subject = Subject::new(&self.settings, self.settings.keys_or(KEYS))?;
        client::fill(&subject)?;
        if self.cold || self.read_memory.is_some() {
            subject.reopen(self.read_memory.unwrap_or(self.settings.memory), self.cold)?;
        }
        if self.read_memory.is_some() && !self.cold {
            client::check_all(&subject)?;
        }
        Ok(subject)
    }
}
