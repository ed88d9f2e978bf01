//! `overwrite`: inserts of keys that are there, drawn at random, into a database that holds them all.

use super::{KEYS, SECONDS};
use crate::{
    client::{self, Client},
    clock::nanoseconds,
    failure::Result,
    measure::{Measurement, Meter, Recorded, Until, Work, closed_loop},
    settings::Settings,
    subject::Subject,
};

/// Runs for the time that the settings say.
pub(super) fn run(settings: &Settings) -> Result<Measurement> {
    let subject = Subject::new(settings, settings.keys_or(KEYS))?;
    client::fill(&subject)?;
    let (threads, end_ns) = (settings.threads_or(1), nanoseconds(settings.seconds_or(SECONDS)));
    let mut meter = Meter::start();
    let recorders = meter.run_each(threads, |thread, clock| {
        let mut client = Client::new(&subject, thread);
        closed_loop(clock, Until::Time(end_ns), settings.burst(), || client.insert_any().map(|()| 1))
    })?;
    let drain_seconds = Some(meter.drain(&subject)?);
    let all = Recorded::whole(recorders).of_each(settings.burst());
    let work =
        Work { name: "overwrite".to_owned(), threads, writes: all.recorder.operations(), drain_seconds, ..Work::default() };
    let measurement = meter.finish(&subject, work, vec![all])?;
    client::check_all(&subject)?;
    Ok(measurement)
}
