//! `syncwrites`: every insert is on the disk before the next of its thread begins.

use super::{KEYS, SECONDS};
use crate::{
    client::{self, Client},
    clock::nanoseconds,
    failure::{Failure, Result},
    measure::{Measurement, Meter, Recorded, Until, Work, closed_loop},
    settings::{Durability, Settings},
    subject::Subject,
};

/// Threads of the second measurement, where the settings do not say it.
const MANY: u64 = 8;

/// With one thread, then with many; each in half of the time.
pub(super) fn run(settings: &Settings) -> Result<Vec<Measurement>> {
    let settings = Settings { durability: Durability::Sync, ..settings.clone() };
    [1, settings.threads_or(MANY)].into_iter().map(|threads| with(&settings, threads)).collect()
}

fn with(settings: &Settings, threads: u64) -> Result<Measurement> {
    let subject = Subject::new(settings, settings.keys_or(KEYS))?;
    let end_ns = nanoseconds(settings.seconds_or(SECONDS) / 2.0);
    let mut meter = Meter::start();
    let recorders = meter.run_each(threads, |thread, clock| {
        let mut client = Client::new(&subject, thread);
        closed_loop(clock, Until::Time(end_ns), 1, || client.insert_any().map(|()| 1))
    })?;
    let all = Recorded::whole(recorders);
    let writes = all.recorder.operations();
    let work = Work { name: format!("syncwrites/{threads}"), threads, writes, ..Work::default() };
    let measurement = meter.finish(&subject, work, vec![all])?;
    let rows = client::check_any(&subject, subject.keys())?;
    if rows > writes {
        return Err(Failure::Wrong(format!("{rows} rows are there after {writes} inserts")));
    }
    Ok(measurement)
}
