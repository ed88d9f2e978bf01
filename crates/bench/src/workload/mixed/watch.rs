//! The second phase: a share of the sustainable rate, watched.

use super::{
    Arguments,
    judgement::Mixed,
    rate::Rate,
    threads::{Seen, Span, by_kind, read, write},
};
use crate::{
    clock::{nanoseconds, seconds},
    control::{Control, OwnMemory, Probe},
    failure::Result,
    measure::{Job, Measurement, Meter, Work},
    schedule::Schedule,
    stalls::Stall,
    subject::Subject,
};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

/// How long threads may go on with what they could not do in time, as a share of the time.
const OVERTIME: f64 = 0.5;

enum Outcome {
    Thread(Seen),
    Control(Control),
}

/// Tells the control thread to stop when the last thread ends, however it ends.
struct Presence<'a> {
    left: &'a AtomicU64,
    stop: &'a AtomicBool,
}

impl Drop for Presence<'_> {
    fn drop(&mut self) {
        if self.left.fetch_sub(1, Ordering::AcqRel) == 1 {
            self.stop.store(true, Ordering::Release);
        }
    }
}

/// Runs writers and readers on their schedules, and the control thread beside them.
pub(super) fn run(subject: &Subject, arguments: &Arguments, rate: Rate, memory: OwnMemory) -> Result<(Measurement, Mixed)> {
    let (writers, readers, duration) = (arguments.writers(), arguments.readers, arguments.seconds());
    let (end_ns, give_up_ns) = (nanoseconds(duration), nanoseconds(duration * (1.0 + OVERTIME)));
    let span = |clock| Span { clock, end_ns, give_up_ns, stall_ns: arguments.stall_ns() };
    let (writes, load) = arguments.load_of(rate.per_second);
    let (left, stop) = (AtomicU64::new(writers + readers), AtomicBool::new(false));
    let presence = || Presence { left: &left, stop: &stop };
    let probe = Probe::new(subject.dir(), memory)?;
    let watch = |clock| probe.run(clock, duration, &stop).map(Outcome::Control);
    let mut jobs: Vec<Job<'_, Outcome>> = vec![Box::new(watch)];
    for writer in 0..writers {
        let (presence, schedule) = (presence(), Schedule::new(0, writes, writer, writers));
        jobs.push(Box::new(move |clock| {
            let _presence = presence;
            write(subject, writer, schedule, span(clock)).map(Outcome::Thread)
        }));
    }
    for reader in 0..readers {
        let (presence, schedule) = (presence(), Schedule::new(0, arguments.reads, reader, readers));
        jobs.push(Box::new(move |clock| {
            let _presence = presence;
            read(subject, writers + reader, schedule, span(clock)).map(Outcome::Thread)
        }));
    }
    let mut meter = Meter::start();
    let outcomes = meter.run(jobs)?;
    let drain_seconds = Some(meter.drain(subject)?);
    let (seen, control) = sorted(outcomes);
    let stalls = named(&seen, writers);
    let missed = seen.iter().map(|thread| thread.missed).sum();
    let recorded = by_kind(seen);
    let written = &recorded[0].recorder;
    let mixed = Mixed {
        sustainable_writes_per_second: rate.per_second,
        flat_out_drain_seconds: rate.drain_seconds,
        load,
        writes_per_second: writes,
        missed_operations: missed,
        overtime_seconds: (seconds(written.last_end_ns()) - duration).max(0.0),
        ..Mixed::new(arguments, &stalls, &control)
    };
    let work = Work {
        name: "mixed".to_owned(),
        threads: writers + readers,
        writes: written.operations(),
        drain_seconds,
        ..Work::default()
    };
    Ok((meter.finish(subject, work, recorded)?, mixed))
}

fn sorted(outcomes: Vec<Outcome>) -> (Vec<Seen>, Control) {
    let (mut seen, mut control) = (Vec::new(), Control::default());
    for outcome in outcomes {
        match outcome {
            Outcome::Thread(thread) => seen.push(thread),
            Outcome::Control(found) => control = found,
        }
    }
    (seen, control)
}

/// All stalls with the names of their threads, in the order of time.
fn named(seen: &[Seen], writers: u64) -> Vec<(String, Stall)> {
    let mut stalls: Vec<(String, Stall)> = Vec::new();
    for (thread, seen) in (0..).zip(seen) {
        let name = if thread < writers { format!("writer {}", thread + 1) } else { format!("reader {}", thread + 1 - writers) };
        stalls.extend(seen.stalls.iter().map(|stall| (name.clone(), *stall)));
    }
    stalls.sort_by_key(|(_, stall)| stall.begin_ns);
    stalls
}
