//! `readrandom`, `readmissing` and `seek`: reads of a database at rest, drawn at random.

use super::{KEYS, SECONDS};
use crate::{
    client::{self, Client},
    clock::nanoseconds,
    failure::Result,
    measure::{Measurement, Meter, Recorded, Until, Work, closed_loop},
    settings::Settings,
    subject::Subject,
};

/// Rows that `seek` reads.
const SEEK_ROWS: u64 = 10;

/// What is read.
#[derive(Clone, Copy, Debug)]
pub(super) enum Kind {
    Present,
    Absent,
    Seek,
}

/// Runs for the time that the settings say, over a database that was read once before.
pub(super) fn run(settings: &Settings, kind: Kind) -> Result<Measurement> {
    let subject = Subject::new(settings, settings.keys_or(KEYS))?;
    client::fill(&subject)?;
    let (threads, end_ns) = (settings.threads_or(1), nanoseconds(settings.seconds_or(SECONDS)));
    let mut meter = Meter::start();
    let recorders = meter.run_each(threads, |thread, clock| {
        let mut client = Client::new(&subject, thread);
        let until = Until::Time(end_ns);
        let recorder = match kind {
            Kind::Present => closed_loop(clock, until, || client.get_any().map(|()| 1)),
            Kind::Absent => closed_loop(clock, until, || client.miss_any().map(|()| 1)),
            Kind::Seek => closed_loop(clock, until, || client.scan_any(SEEK_ROWS).map(|()| 1)),
        }?;
        client.check()?;
        Ok(recorder)
    })?;
    let name = match kind {
        Kind::Present => "readrandom",
        Kind::Absent => "readmissing",
        Kind::Seek => "seek",
    };
    let work = Work { name: name.to_owned(), threads, ..Work::default() };
    meter.finish(&subject, work, vec![Recorded::whole(recorders)])
}
