//! `scan`: all rows in order, from the front and from the back, again and again.

use super::{KEYS, SECONDS};
use crate::{
    client::{self, Client},
    clock::nanoseconds,
    failure::{Failure, Result},
    measure::{Measurement, Meter, Recorded, Until, Work, closed_loop},
    settings::Settings,
    subject::Subject,
};
use sedimentdb::Iter;

/// Rows that one latency is the time of: reading the clock for each would cost as much as the row.
const ROWS_TOGETHER: u64 = 1000;

/// Half of the time forward, half in reverse.
pub(super) fn run(settings: &Settings) -> Result<Vec<Measurement>> {
    let subject = Subject::new(settings, settings.keys_or(KEYS))?;
    client::fill(&subject)?;
    let forward = direction(&subject, "scan/forward", |pass| pass.forward())?;
    let reverse = direction(&subject, "scan/reverse", |pass| pass.reverse())?;
    Ok(vec![forward, reverse])
}

fn direction(subject: &Subject, name: &str, step: fn(&mut Pass<'_>) -> Result<()>) -> Result<Measurement> {
    let settings = subject.settings();
    let (threads, end_ns) = (settings.threads_or(1), nanoseconds(settings.seconds_or(SECONDS) / 2.0));
    let mut meter = Meter::start();
    let recorders = meter.run_each(threads, |thread, clock| {
        let mut pass = Pass::new(subject, thread);
        let recorder = closed_loop(clock, Until::Time(end_ns), 1, || {
            let rows = pass.rows_left().min(ROWS_TOGETHER);
            (0..rows).try_for_each(|_| step(&mut pass))?;
            Ok(rows)
        })?;
        pass.client.check()?;
        Ok(recorder)
    })?;
    let recorded = Recorded::whole(recorders).of_each(ROWS_TOGETHER.min(subject.keys()));
    meter.finish(subject, Work { name: name.to_owned(), threads, ..Work::default() }, vec![recorded])
}

/// A way through all rows, begun anew when it is over.
struct Pass<'a> {
    subject: &'a Subject,
    client: Client<'a>,
    iter: Iter,
    rows_read: u64,
}

impl<'a> Pass<'a> {
    fn new(subject: &'a Subject, thread: u64) -> Self {
        Self { subject, client: Client::new(subject, thread), iter: subject.keyspace().iter(), rows_read: 0 }
    }

    /// Rows to the end of this pass.
    fn rows_left(&mut self) -> u64 {
        if self.rows_read == self.subject.keys() {
            self.iter = self.subject.keyspace().iter();
            self.rows_read = 0;
        }
        self.subject.keys() - self.rows_read
    }

    #[inline]
    fn forward(&mut self) -> Result<()> {
        let row = self.iter.next().ok_or_else(ended)??;
        self.rows_read += 1;
        self.client.saw(self.rows_read - 1, row)
    }

    #[inline]
    fn reverse(&mut self) -> Result<()> {
        let row = self.iter.next_back().ok_or_else(ended)??;
        self.rows_read += 1;
        self.client.saw(self.subject.keys() - self.rows_read, row)
    }
}

#[cold]
fn ended() -> Failure {
    Failure::Wrong("a scan ended before the last row".to_owned())
}
