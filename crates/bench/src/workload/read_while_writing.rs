//! `readwhilewriting`: reads drawn at random while one more thread overwrites as fast as it can.

use super::{KEYS, SECONDS};
use crate::{
    client::{self, Client},
    clock::nanoseconds,
    failure::Result,
    measure::{Measurement, Meter, Recorded, Until, Work, closed_loop},
    settings::Settings,
    subject::Subject,
};

/// Runs for the time that the settings say; their threads are the readers.
pub(super) fn run(settings: &Settings) -> Result<Measurement> {
    let subject = Subject::new(settings, settings.keys_or(KEYS))?;
    client::fill(&subject)?;
    let (readers, end_ns) = (settings.threads_or(1), nanoseconds(settings.seconds_or(SECONDS)));
    let until = Until::Time(end_ns);
    let mut meter = Meter::start();
    let mut recorders = meter.run_each(readers + 1, |thread, clock| {
        let mut client = Client::new(&subject, thread);
        let recorder = if thread < readers {
            closed_loop(clock, until, settings.burst(), || client.get_any().map(|()| 1))
        } else {
            closed_loop(clock, until, settings.burst(), || client.insert_any().map(|()| 1))
        }?;
        client.check()?;
        Ok(recorder)
    })?;
    let drain_seconds = Some(meter.drain(&subject)?);
    let writer = recorders.split_off(readers as usize);
    let parts = vec![
        Recorded::part("read", recorders).of_each(settings.burst()),
        Recorded::part("write", writer).of_each(settings.burst()),
    ];
    let writes = parts[1].recorder.operations();
    let work = Work { name: "readwhilewriting".to_owned(), threads: readers + 1, writes, drain_seconds, ..Work::default() };
    let measurement = meter.finish(&subject, work, parts)?;
    client::check_all(&subject)?;
    Ok(measurement)
}
