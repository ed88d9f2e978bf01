//! One figure: batches, timed one by one, and how they spread.

use super::Parts;
use crate::{
    clock::{Clock, nanoseconds},
    failure::Result,
    machine::Usage,
    measure::others,
};
use serde::Serialize;

/// What an operation takes, over batches that are each the mean of many.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Figure {
    pub(crate) name: &'static str,
    /// Rows that it is over.
    pub(crate) rows: u64,
    /// Their keys and values.
    pub(crate) data_bytes: u64,
    /// What it may be; none where it is there to compare with.
    pub(crate) gate_ns: Option<f64>,
    pub(crate) p10_ns: f64,
    pub(crate) p50_ns: f64,
    pub(crate) p90_ns: f64,
    pub(crate) batches: u64,
    pub(crate) operations: u64,
    /// Processors that others on the machine kept busy meanwhile.
    pub(crate) others_cores: Option<f64>,
}

/// What is measured, and what it may take.
#[derive(Clone, Copy, Debug)]
pub(super) struct Aim {
    pub(super) name: &'static str,
    pub(super) rows: u64,
    pub(super) gate_ns: Option<f64>,
}

/// Times batches from its making on.
#[derive(Debug)]
pub(super) struct Stopwatch {
    clock: Clock,
    before: Usage,
    end_ns: u64,
    /// Of an operation, batch by batch.
    batches_ns: Vec<f64>,
    operations: u64,
}

impl Stopwatch {
    /// For the time that the settings say.
    pub(super) fn start(parts: &Parts) -> Self {
        let (before, end_ns) = (Usage::now(), nanoseconds(parts.seconds()));
        Self { before, end_ns, batches_ns: Vec::new(), operations: 0, clock: Clock::start() }
    }

    /// Whether it is time to end; never before the first batch.
    pub(super) fn is_over(&self) -> bool {
        !self.batches_ns.is_empty() && self.clock.now() >= self.end_ns
    }

    /// Times a batch of so many operations, which are some.
    #[inline]
    pub(super) fn time<T>(&mut self, operations: u64, batch: impl FnOnce() -> Result<T>) -> Result<T> {
        let begin_ns = self.clock.now();
        let done = batch()?;
        let ns = self.clock.now() - begin_ns;
        self.batches_ns.push(ns as f64 / operations as f64);
        self.operations += operations;
        Ok(done)
    }

    /// What came out.
    pub(super) fn figure(mut self, parts: &Parts, of: Aim) -> Figure {
        let after = Usage::now();
        let used = |field: fn(Usage) -> Option<u64>| field(after).zip(field(self.before)).map(|(after, before)| after - before);
        let others_cores = others(used(|usage| usage.machine_ns), used(|usage| usage.cpu_ns), self.clock.now());
        self.batches_ns.sort_by(f64::total_cmp);
        Figure {
            name: of.name,
            rows: of.rows,
            data_bytes: of.rows * parts.settings.row_bytes(),
            gate_ns: of.gate_ns,
            p10_ns: percentile(&self.batches_ns, 0.1),
            p50_ns: percentile(&self.batches_ns, 0.5),
            p90_ns: percentile(&self.batches_ns, 0.9),
            batches: self.batches_ns.len() as u64,
            operations: self.operations,
            others_cores,
        }
    }
}

/// The number that such a share of the others, which ascend, is not above.
fn percentile(sorted: &[f64], share: f64) -> f64 {
    let at = (sorted.len() as f64 * share).ceil() as usize;
    sorted[at.clamp(1, sorted.len()) - 1]
}

#[cfg(test)]
mod tests {
    use super::percentile;

    #[test]
    fn a_percentile_is_one_of_the_numbers() {
        let numbers: Vec<f64> = (1..=10).map(f64::from).collect();
        assert_eq!([0.1, 0.5, 0.9, 1.0].map(|share| percentile(&numbers, share)), [1.0, 5.0, 9.0, 10.0]);
        assert_eq!([0.1, 0.9].map(|share| percentile(&[7.0], share)), [7.0, 7.0]);
    }
}
