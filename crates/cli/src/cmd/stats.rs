//! `sediment stats`: what a database is made of, and what it does at this moment.
//!
//! A database that nobody has open is opened to be read. One that another process has open cannot be; it tells about itself in its
//! file `STATS`. Either way there is one JSON object (`reading.rs`), which is printed, or drawn (`drawing.rs`).

mod drawing;
mod histogram;
mod reading;
mod source;
#[cfg(test)]
mod tests;

use crate::{
    failure::{Exit, Failure, Result},
    output::Output,
};
use clap::Args;
use drawing::Drawing;
use reading::Reading;
use std::{path::PathBuf, thread, time::Duration};

const WATCH_SECONDS: &str = "1";
const SECONDS_MAX: f64 = 86_400.0;
/// Clears a terminal and goes to its top.
const CLEAR: &str = "\x1b[H\x1b[2J\x1b[3J";

/// Arguments of `stats`.
#[derive(Debug, Args)]
pub(crate) struct Stats {
    /// Directory of the database
    #[arg(value_name = "DB")]
    path: PathBuf,
    /// Look again every so many seconds, and show what happened in between
    #[arg(
        long,
        value_name = "SECONDS",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = WATCH_SECONDS,
        value_parser = parse_seconds
    )]
    watch: Option<Duration>,
    /// End after so many looks
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    count: Option<u64>,
}

impl Stats {
    /// Draws the database once, or again and again.
    pub(crate) fn run(self, output: &mut Output) -> Result<Exit> {
        let looks = self.count.or_else(|| self.watch.is_none().then_some(1));
        let interval = self.watch.unwrap_or(Duration::from_secs(1));
        let mut before: Option<Reading> = None;
        let mut look = 0;
        loop {
            let reading = source::take(&self.path)?;
            self.show(&reading, before.as_ref(), look == 0, output)?;
            output.flush()?;
            look += 1;
            if looks.is_some_and(|looks| look >= looks) {
                return Ok(Exit::Done);
            }
            // One that says the same again would make the time between two look empty.
            if before.as_ref().is_none_or(|before| reading.is_newer_than(before)) {
                before = Some(reading);
            }
            thread::sleep(interval);
        }
    }

    fn show(&self, reading: &Reading, before: Option<&Reading>, is_first: bool, output: &mut Output) -> Result<()> {
        if output.is_json() {
            return output.value(reading.value());
        }
        let is_redrawn = self.watch.is_some() && output.is_for_people();
        if is_redrawn {
            output.bytes(CLEAR.as_bytes())?;
        } else if !is_first {
            output.line("")?;
        }
        let drawing = Drawing {
            name: self.path.display().to_string(),
            age_us: reading.age_us(source::now_us()),
            bold: &|text| output.bold(text),
        };
        let lines = drawing.lines(reading, before);
        lines.iter().try_for_each(|line| output.line(line))
    }
}

fn parse_seconds(text: &str) -> std::result::Result<Duration, String> {
    let seconds: f64 = text.parse().map_err(|_| "not a number of seconds".to_owned())?;
    if (0.01..=SECONDS_MAX).contains(&seconds) {
        Ok(Duration::from_secs_f64(seconds))
    } else {
        Err(format!("from 0.01 to {SECONDS_MAX} seconds"))
    }
}
