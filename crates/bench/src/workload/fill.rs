//! `fillseq` and `fillrandom`: every key once into an empty database.

use super::KEYS;
use crate::{
    client::{self, Client},
    failure::Result,
    measure::{Measurement, Meter, Recorded, Until, Work, closed_loop},
    settings::Settings,
    subject::Subject,
};

/// In which order keys come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Order {
    Sorted,
    Random,
}

/// Each thread inserts its share: a stretch of the keys, or of the random order.
pub(super) fn run(settings: &Settings, order: Order) -> Result<Measurement> {
    let subject = Subject::new(settings, settings.keys_or(KEYS))?;
    let threads = settings.threads_or(1);
    let shuffled = client::order(&subject);
    let mut meter = Meter::start();
    let recorders = meter.run_each(threads, |thread, clock| {
        let mut client = Client::new(&subject, thread);
        let (first, end) = (share(subject.keys(), thread, threads), share(subject.keys(), thread + 1, threads));
        let mut positions = first..end;
        closed_loop(clock, Until::Count(end - first), || {
            let position = positions.next().expect("the loop counts them");
            client.insert(if order == Order::Sorted { position } else { shuffled.at(position) })?;
            Ok(1)
        })
    })?;
    let drain_seconds = Some(meter.drain(&subject)?);
    let name = if order == Order::Sorted { "fillseq" } else { "fillrandom" }.to_owned();
    let work = Work { name, threads, writes: subject.keys(), drain_seconds, ..Work::default() };
    let measurement = meter.finish(&subject, work, vec![Recorded::whole(recorders)])?;
    client::check_all(&subject)?;
    Ok(measurement)
}

/// Where the share of a thread begins.
fn share(keys: u64, thread: u64, threads: u64) -> u64 {
    (u128::from(keys) * u128::from(thread) / u128::from(threads)) as u64
}
