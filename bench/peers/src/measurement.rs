//! What one run came to.

use crate::{
    engine::Name,
    settings::{Durability, Settings},
    workload::Workload,
};
use sediment_bench::{
    latency::Latencies,
    text::{count_text, time_text},
};
use serde::{Deserialize, Serialize};
use std::fmt;

/// A workload on an engine, once. Times end in their units; sizes are in bytes.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Measurement {
    pub(crate) engine: Name,
    pub(crate) workload: Workload,
    /// In which round of a comparison; 0 otherwise.
    pub(crate) round: u64,
    pub(crate) settings: Settings,
    pub(crate) durability: Durability,
    pub(crate) threads: u64,
    pub(crate) operations: u64,
    /// From the beginning to the end of the last operation.
    pub(crate) seconds: f64,
    /// How long the engine went on working afterwards.
    pub(crate) drain_seconds: f64,
    /// Of the process, until it was drained.
    pub(crate) cpu_seconds: f64,
    /// Rows that were inserted meanwhile.
    pub(crate) writes: u64,
    pub(crate) user_bytes_written: u64,
    /// Towards the disk, less what was deleted before it got there; until drained.
    pub(crate) disk_bytes_written: Option<u64>,
    /// Blocks of the database's files at the end.
    pub(crate) disk_bytes: u64,
    /// The most memory that is no file's, above what there was before the engine was opened.
    pub(crate) anonymous_bytes: Option<u64>,
    /// Processors that everything else on the machine kept busy.
    pub(crate) others_cores: Option<f64>,
    /// From when an operation was due, where it was due at a time; otherwise its own time.
    pub(crate) latency: Option<Percentiles>,
    /// Of the call alone, where operations were due at times.
    #[serde(default)]
    pub(crate) call: Option<Percentiles>,
    /// Operations that were due and never begun, because the engine was too far behind. They are in no percentile.
    #[serde(default)]
    pub(crate) missed: u64,
    /// Where a workload is several things done one after the other.
    #[serde(default)]
    pub(crate) parts: Vec<Part>,
}

/// A stretch of a workload that has a time of its own.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Part {
    pub(crate) name: String,
    pub(crate) operations: u64,
    pub(crate) seconds: f64,
    /// Of the process, meanwhile.
    pub(crate) cpu_seconds: f64,
    /// Blocks that were looked into for an operation, in the cache or in a file, where they are counted and the engine tells.
    pub(crate) blocks_read: Option<f64>,
}

impl Part {
    /// Time of an operation.
    pub(crate) fn ns_per_operation(&self) -> f64 {
        self.seconds * 1e9 / self.operations as f64
    }

    /// Processor time of an operation, on all threads.
    pub(crate) fn cpu_ns_per_operation(&self) -> f64 {
        self.cpu_seconds * 1e9 / self.operations as f64
    }
}

/// Of latencies, where each operation was timed.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(crate) struct Percentiles {
    pub(crate) p50_ns: u64,
    pub(crate) p99_ns: u64,
    pub(crate) p999_ns: u64,
    /// Where there are as many.
    #[serde(default)]
    pub(crate) p9999_ns: Option<u64>,
    pub(crate) max_ns: u64,
}

impl From<Latencies> for Percentiles {
    fn from(latencies: Latencies) -> Self {
        let Latencies { count, p50_ns, p99_ns, p999_ns, p9999_ns, max_ns, .. } = latencies;
        Self { p50_ns, p99_ns, p999_ns, p9999_ns: (count >= 10_000).then_some(p9999_ns), max_ns }
    }
}

impl fmt::Display for Percentiles {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = |ns: u64| time_text(ns as f64);
        write!(to, "p50 {}, p99 {}, p99.9 {}", text(self.p50_ns), text(self.p99_ns), text(self.p999_ns))?;
        self.p9999_ns.map_or(Ok(()), |ns| write!(to, ", p99.99 {}", text(ns)))?;
        write!(to, ", max {}", text(self.max_ns))
    }
}

impl Measurement {
    /// Time of an operation; of a load, with what it left to be done.
    pub(crate) fn ns_per_operation(&self) -> f64 {
        let drain_seconds = if self.workload.is_load() { self.drain_seconds } else { 0.0 };
        (self.seconds + drain_seconds) * 1e9 / self.operations as f64
    }

    /// Time of an operation as the caller sees it.
    pub(crate) fn foreground_ns_per_operation(&self) -> f64 {
        self.seconds * 1e9 / self.operations as f64
    }

    /// Processor time of an operation, on all threads, with what it left to be done.
    pub(crate) fn cpu_ns_per_operation(&self) -> f64 {
        self.cpu_seconds * 1e9 / self.operations as f64
    }

    /// In a line.
    pub(crate) fn summary(&self) -> String {
        if let Some((latency, call)) = self.latency.zip(self.call) {
            let rate = count_text(self.operations as f64 / self.seconds);
            return format!("{rate}/s, {} missed; since due {latency}; call {call}", self.missed);
        }
        if self.parts.is_empty() {
            return format!("{:.0} ns, {:.0} ns of processor", self.ns_per_operation(), self.cpu_ns_per_operation());
        }
        let parts = self.parts.iter().map(|part| format!("{} {:.0} ns", part.name, part.ns_per_operation()));
        parts.collect::<Vec<_>>().join(", ")
    }

    /// Bytes written for each byte inserted.
    pub(crate) fn write_amplification(&self) -> Option<f64> {
        let written = self.disk_bytes_written? as f64;
        (self.user_bytes_written > 0).then(|| written / self.user_bytes_written as f64)
    }
}
