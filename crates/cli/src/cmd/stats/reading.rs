//! `Reading`: what a database said of itself at one moment, and the difference of two.

use super::histogram;
use sedimentdb::{DbStats, stats::Distribution};
use serde_json::{Value, json};

/// The statistics of a database at one moment.
#[derive(Clone, Debug)]
pub(super) struct Reading {
    value: Value,
    is_live: bool,
}

/// What was counted in a span of time.
#[derive(Debug)]
pub(super) struct Span<'a> {
    now: &'a Reading,
    before: Option<&'a Reading>,
}

impl Reading {
    /// Reads JSON; `is_live` if another process has the database open.
    pub(super) fn parse(text: &str, is_live: bool) -> Result<Self, String> {
        let mut value: Value = serde_json::from_str(text).map_err(|error| error.to_string())?;
        match value["format"].as_str() {
            Some(DbStats::JSON_FORMAT) => {}
            Some(other) => return Err(format!("their format is {other}, this program reads {}", DbStats::JSON_FORMAT)),
            None => return Err("they do not say which format they have".to_owned()),
        }
        value["is_live"] = json!(is_live);
        Ok(Self { value, is_live })
    }

    /// All of it.
    pub(super) fn value(&self) -> &Value {
        &self.value
    }

    /// Whether another process has the database open.
    pub(super) fn is_live(&self) -> bool {
        self.is_live
    }

    /// The number at the end of a path, 0 where there is none.
    pub(super) fn number(&self, path: &[&str]) -> u64 {
        self.at(path).as_u64().unwrap_or(0)
    }

    /// The value at the end of a path, null where there is none.
    pub(super) fn at(&self, path: &[&str]) -> &Value {
        path.iter().fold(&self.value, |value, name| &value[*name])
    }

    /// How long ago it was taken.
    pub(super) fn age_us(&self, now_us: u64) -> u64 {
        now_us.saturating_sub(self.number(&["taken_at_us"]))
    }

    /// Whether it was taken later, of the same opening of the database.
    pub(super) fn is_newer_than(&self, before: &Self) -> bool {
        self.number(&["open_us"]) > before.number(&["open_us"])
    }

    fn histogram(&self, name: &str) -> Distribution {
        histogram::parse(&self.value["histograms"][name])
    }
}

impl<'a> Span<'a> {
    /// From the reading before to the one now; from opening on, where there is none before, or of another opening.
    pub(super) fn new(now: &'a Reading, before: Option<&'a Reading>) -> Self {
        Self { now, before: before.filter(|before| now.is_newer_than(before)) }
    }

    /// Whether it begins with a reading, and not with the opening of the database.
    pub(super) fn has_beginning(&self) -> bool {
        self.before.is_some()
    }

    /// How long it is.
    pub(super) fn seconds(&self) -> f64 {
        self.difference(&["open_us"]) as f64 / 1e6
    }

    /// What a counter counted in it.
    pub(super) fn counter(&self, name: &str) -> u64 {
        self.difference(&["counters", name])
    }

    /// What a histogram noted in it.
    pub(super) fn histogram(&self, name: &str) -> Distribution {
        let now = self.now.histogram(name);
        match self.before {
            Some(before) => now.since(&before.histogram(name)),
            None => now,
        }
    }

    /// How often a second so many are.
    pub(super) fn per_second(&self, count: u64) -> f64 {
        let seconds = self.seconds();
        if seconds > 0.0 { count as f64 / seconds } else { 0.0 }
    }

    fn difference(&self, path: &[&str]) -> u64 {
        self.now.number(path).saturating_sub(self.before.map_or(0, |before| before.number(path)))
    }
}
