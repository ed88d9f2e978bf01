//! What a run came to: as JSON for programs, as a table and pictures for people.

mod figures;
mod markdown;
mod plots;

pub(crate) use figures::figures;
pub(crate) use markdown::{findings, heading, table};
pub(crate) use plots::plots;

use crate::{
    machine::Host,
    measure::Measurement,
    workload::{Figure, Mixed, Workload},
};
use serde::Serialize;

/// Everything about a run. Times end in their units: `_ns`, `_ms`, `_seconds`; sizes are in bytes.
#[derive(Debug, Serialize)]
pub(crate) struct Report<'a> {
    pub(crate) host: Host,
    /// What the measuring loop takes for each operation of a closed loop, included in latencies and rates.
    pub(crate) harness_ns: f64,
    #[serde(flatten)]
    pub(crate) workload: &'a Workload,
    pub(crate) measurements: Vec<Measurement>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) mixed: Option<Mixed>,
    /// What parts cost by themselves.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) figures: Vec<Figure>,
}
