//! `fillseq`, `fillrandom` and `fillbatch`: every key once into an empty database.

use super::KEYS;
use crate::{
    client::{self, Client},
    failure::Result,
    measure::{Measurement, Meter, Recorded, Until, Work, closed_loop},
    settings::Settings,
    subject::Subject,
};
use std::ops::Range;

/// Rows that `fillbatch` inserts at once.
const BATCH: u64 = 1_000;

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
        let mut positions = share(subject.keys(), thread, threads);
        closed_loop(clock, Until::Count(positions.end - positions.start), settings.burst(), || {
            let position = positions.next().expect("the loop counts them");
            client.insert(if order == Order::Sorted { position } else { shuffled.at(position) })?;
            Ok(1)
        })
    })?;
    let name = if order == Order::Sorted { "fillseq" } else { "fillrandom" };
    finish(&subject, meter, name, Recorded::whole(recorders).of_each(settings.burst()))
}

/// Each thread inserts its share of the random order, a thousand rows at a time. An operation is a row.
pub(super) fn batched(settings: &Settings) -> Result<Measurement> {
    let subject = Subject::new(settings, settings.keys_or(KEYS))?;
    let threads = settings.threads_or(1);
    let shuffled = client::order(&subject);
    let mut meter = Meter::start();
    let recorders = meter.run_each(threads, |thread, clock| {
        let mut client = Client::new(&subject, thread);
        let mut left = share(subject.keys(), thread, threads);
        closed_loop(clock, Until::Count((left.end - left.start).div_ceil(BATCH)), 1, || {
            let batch = left.start..left.end.min(left.start + BATCH);
            left.start = batch.end;
            client.insert_batch(batch.clone().map(|position| shuffled.at(position)))?;
            Ok(batch.end - batch.start)
        })
    })?;
    finish(&subject, meter, "fillbatch", Recorded::whole(recorders).of_each(BATCH))
}

/// Drains, measures to there, and verifies everything.
fn finish(subject: &Subject, mut meter: Meter, name: &str, recorded: Recorded) -> Result<Measurement> {
    let threads = subject.settings().threads_or(1);
    let drain_seconds = Some(meter.drain(subject)?);
    let work = Work { name: name.to_owned(), threads, writes: subject.keys(), drain_seconds, ..Work::default() };
    let measurement = meter.finish(subject, work, vec![recorded])?;
    client::check_all(subject)?;
    Ok(measurement)
}

/// Which part of the keys is a thread's.
fn share(keys: u64, thread: u64, threads: u64) -> Range<u64> {
    let begin = |thread: u64| (u128::from(keys) * u128::from(thread) / u128::from(threads)) as u64;
    begin(thread)..begin(thread + 1)
}
