//! The first phase: which rate of writes can be kept up.

use super::{
    Arguments,
    threads::{Span, by_kind, read, write_flat_out},
};
use crate::{
    clock::seconds,
    failure::{Failure, Result},
    latency::Recorder,
    measure::{Job, Measurement, Meter, Work},
    schedule::Schedule,
    subject::Subject,
};

/// A rate of writes, and how long the database worked on after they ended.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rate {
    pub(super) per_second: f64,
    pub(super) drain_seconds: f64,
}

/// Runs writers flat out beside readers on their schedule.
pub(super) fn find(subject: &Subject, arguments: &Arguments) -> Result<(Measurement, Rate)> {
    let (writers, readers, end_ns) = (arguments.writers(), arguments.readers, arguments.warmup_ns());
    let span = |clock| Span { clock, end_ns, give_up_ns: end_ns, stall_ns: u64::MAX };
    let write = |thread| -> Job<'_, _> { Box::new(move |clock| write_flat_out(subject, thread, span(clock))) };
    let read = |reader| -> Job<'_, _> {
        let schedule = Schedule::new(0, arguments.reads, reader, readers);
        Box::new(move |clock| read(subject, writers + reader, schedule, span(clock)))
    };
    let mut meter = Meter::start();
    let seen = meter.run((0..writers).map(write).chain((0..readers).map(read)).collect())?;
    let drain_seconds = meter.drain(subject)?;
    let recorded = by_kind(seen);
    let rate = sustainable(&recorded[0].recorder, end_ns / 2, drain_seconds)?;
    let work = Work {
        name: "mixed/flat out".to_owned(),
        threads: writers + readers,
        writes: recorded[0].recorder.operations(),
        drain_seconds: Some(drain_seconds),
        ..Work::default()
    };
    Ok((meter.finish(subject, work, recorded)?, rate))
}

/// What was written from a time on, divided by the time that it took until nothing of it was left to do.
fn sustainable(written: &Recorder, from_ns: u64, drain_seconds: f64) -> Result<Rate> {
    let (count, begin_ns) = written.windows().completed_since(from_ns);
    let took = seconds(written.last_end_ns().saturating_sub(begin_ns)) + drain_seconds;
    if count == 0 || took <= 0.0 {
        return Err(Failure::Usage("no write ended in the second half of the warm-up; make it longer".to_owned()));
    }
    Ok(Rate { per_second: count as f64 / took, drain_seconds })
}

#[cfg(test)]
mod tests {
    use super::sustainable;
    use crate::latency::Recorder;

    const MS: u64 = 1_000_000;

    #[test]
    fn the_time_to_drain_counts_and_the_first_half_does_not() {
        let mut written = Recorder::new();
        // A thousand in the first second, then one every ten milliseconds for another.
        (0..1000).for_each(|number| written.record(number * MS, number * MS + 1, 1));
        (0..100).for_each(|number| written.record((1000 + number * 10) * MS, (1010 + number * 10) * MS, 1));
        let rate = sustainable(&written, 1000 * MS, 3.0).expect("there are writes");
        assert_eq!((rate.per_second, rate.drain_seconds), (25.0, 3.0));
        assert!(sustainable(&Recorder::new(), 0, 1.0).is_err());
    }
}
