//! What one run came to.

use crate::{
    engine::Name,
    settings::{Durability, Settings},
    workload::Workload,
};
use sediment_bench::latency::Latencies;
use serde::{Deserialize, Serialize};

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
    pub(crate) latency: Option<Percentiles>,
}

/// Of latencies, where each operation was timed.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(crate) struct Percentiles {
    pub(crate) p50_ns: u64,
    pub(crate) p99_ns: u64,
    pub(crate) p999_ns: u64,
    pub(crate) max_ns: u64,
}

impl From<Latencies> for Percentiles {
    fn from(latencies: Latencies) -> Self {
        let Latencies { p50_ns, p99_ns, p999_ns, max_ns, .. } = latencies;
        Self { p50_ns, p99_ns, p999_ns, max_ns }
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

    /// Bytes written for each byte inserted.
    pub(crate) fn write_amplification(&self) -> Option<f64> {
        let written = self.disk_bytes_written? as f64;
        (self.user_bytes_written > 0).then(|| written / self.user_bytes_written as f64)
    }
}
