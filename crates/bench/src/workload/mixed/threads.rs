//! What the reading and the writing threads do.

use crate::{
    client::Client,
    clock::Clock,
    failure::Result,
    latency::{Recorder, Timing},
    machine::ThreadTimes,
    measure::{Recorded, Until, closed_loop},
    schedule::Schedule,
    stalls::{Stall, StallFinder},
    subject::Subject,
};

/// Every so many reads one is a scan.
const SCAN_EVERY: u64 = 10;
/// Rows of such a scan.
const SCAN_ROWS: u64 = 20;

/// When a thread works, and by which clock.
#[derive(Clone, Copy, Debug)]
pub(super) struct Span {
    pub(super) clock: Clock,
    /// Operations meant to start before this are done,
    pub(super) end_ns: u64,
    /// unless it is this late already.
    pub(super) give_up_ns: u64,
    /// Longer latencies are stalls.
    pub(super) stall_ns: u64,
}

/// What a thread did.
#[derive(Debug)]
pub(super) struct Seen {
    /// Each kind of operation, with its recorder.
    pub(super) kinds: Vec<(&'static str, Recorder)>,
    pub(super) stalls: Vec<Stall>,
    /// Operations never begun.
    pub(super) missed: u64,
}

/// Overwrites as fast as it goes.
pub(super) fn write_flat_out(subject: &Subject, thread: u64, span: Span) -> Result<Seen> {
    let mut client = Client::new(subject, thread);
    let recorder = closed_loop(span.clock, Until::Time(span.end_ns), 1, || client.insert_any().map(|()| 1))?;
    Ok(Seen { kinds: vec![("write", recorder)], stalls: Vec::new(), missed: 0 })
}

/// Overwrites on a schedule.
pub(super) fn write(subject: &Subject, thread: u64, schedule: Schedule, span: Span) -> Result<Seen> {
    let mut client = Client::new(subject, thread);
    let (mut recorder, mut stalls) = (Recorder::new(), StallFinder::new(span.stall_ns));
    let note = |timing: Timing| {
        recorder.record_scheduled(timing);
        stalls.saw(timing, ThreadTimes::now);
    };
    let missed = schedule.run(span.clock, (span.end_ns, span.give_up_ns), || client.insert_any(), note)?;
    Ok(Seen { kinds: vec![("write", recorder)], stalls: stalls.finish(), missed })
}

/// Gets and short scans on a schedule.
pub(super) fn read(subject: &Subject, thread: u64, schedule: Schedule, span: Span) -> Result<Seen> {
    let mut client = Client::new(subject, thread);
    let (mut gets, mut scans, mut stalls) = (Recorder::new(), Recorder::new(), StallFinder::new(span.stall_ns));
    let (mut begun, mut done) = (0, 0);
    let operation = || {
        begun += 1;
        if is_scan(begun) { client.scan_any(SCAN_ROWS) } else { client.get_any() }
    };
    let note = |timing: Timing| {
        done += 1;
        let recorder = if is_scan(done) { &mut scans } else { &mut gets };
        recorder.record_scheduled(timing);
        stalls.saw(timing, ThreadTimes::now);
    };
    let missed = schedule.run(span.clock, (span.end_ns, span.give_up_ns), operation, note)?;
    client.check()?;
    Ok(Seen { kinds: vec![("get", gets), ("scan", scans)], stalls: stalls.finish(), missed })
}

/// The kinds of operations of all threads, each taken together.
pub(super) fn by_kind(seen: Vec<Seen>) -> Vec<Recorded> {
    let mut kinds: Vec<(&'static str, Vec<Recorder>)> = Vec::new();
    for (name, recorder) in seen.into_iter().flat_map(|thread| thread.kinds) {
        match kinds.iter_mut().find(|(known, _)| *known == name) {
            Some((_, recorders)) => recorders.push(recorder),
            None => kinds.push((name, vec![recorder])),
        }
    }
    kinds.into_iter().map(|(name, recorders)| Recorded::part(name, recorders)).collect()
}

/// Whether the read of this number, counted from 1, is a scan.
fn is_scan(number: u64) -> bool {
    number.is_multiple_of(SCAN_EVERY)
}
