//! Latencies and completions over time.
//!
//! A latency belongs to the window in which its operation was meant to start: that is when somebody began to wait. A completion
//! belongs to the window in which it came.

use super::buckets::{BUCKETS, Counts, bucket};
use serde::Serialize;

/// What happened in each window of time. The windows follow each other without a gap from 0 on.
#[derive(Clone, Debug)]
pub struct Windows {
    width_ns: u64,
    past: Vec<Counts>,
    current: Box<[u32; BUCKETS]>,
    current_max_ns: u64,
    completed: Vec<u64>,
}

impl Windows {
    /// Windows of this width.
    pub fn new(width_ns: u64) -> Self {
        Self { width_ns, past: Vec::new(), current: Box::new([0; BUCKETS]), current_max_ns: 0, completed: Vec::new() }
    }

    /// Notes operations that were meant to start at one time and ended at another. Starts come in order.
    #[inline]
    pub fn record(&mut self, start_ns: u64, end_ns: u64, operations: u64) {
        let window = (start_ns / self.width_ns) as usize;
        while self.past.len() < window {
            self.close();
        }
        let latency = end_ns.saturating_sub(start_ns);
        self.current[bucket(latency)] += 1;
        self.current_max_ns = self.current_max_ns.max(latency);
        let completed = (end_ns / self.width_ns) as usize;
        if self.completed.len() <= completed {
            self.completed.resize(completed + 1, 0);
        }
        self.completed[completed] += operations;
    }

    /// How many operations were completed from the first window on that begins at or after a time, and when that window begins.
    pub fn completed_since(&self, ns: u64) -> (u64, u64) {
        let first = ns.div_ceil(self.width_ns);
        (self.completed.iter().skip(first as usize).sum(), first * self.width_ns)
    }

    /// Adds what another thread saw.
    pub fn merge(&mut self, mut other: Self) {
        let count = self.past.len().max(other.past.len()) + 1;
        [&mut *self, &mut other].into_iter().for_each(|windows| windows.close_until(count));
        self.past.iter_mut().zip(&other.past).for_each(|(ours, theirs)| *ours = ours.merged(theirs));
        self.completed.resize(self.completed.len().max(other.completed.len()), 0);
        self.completed.iter_mut().zip(&other.completed).for_each(|(ours, theirs)| *ours += theirs);
    }

    /// As columns, with so many windows taken together.
    pub fn columns(mut self, together: usize) -> Columns {
        let last = self.past.len() + usize::from(self.current.iter().any(|count| *count > 0));
        let count = last.max(self.completed.len()).next_multiple_of(together);
        self.close_until(count);
        self.completed.resize(count, 0);
        let latencies: Vec<Counts> =
            self.past.chunks(together).map(|part| part.iter().fold(Counts::default(), |all, one| all.merged(one))).collect();
        let percentile = |share: f64| latencies.iter().map(|counts| counts.percentile(share)).collect();
        Columns {
            window_ms: self.width_ns * together as u64 / 1_000_000,
            completed: self.completed.chunks(together).map(|part| part.iter().sum()).collect(),
            p50_ns: percentile(0.5),
            p99_ns: percentile(0.99),
            max_ns: latencies.iter().map(Counts::max_ns).collect(),
        }
    }

    fn close_until(&mut self, count: usize) {
        while self.past.len() < count {
            self.close();
        }
    }

    fn close(&mut self) {
        self.past.push(Counts::new(&self.current, self.current_max_ns));
        self.current.fill(0);
        self.current_max_ns = 0;
    }
}

/// Windows as columns of a report: the first entry of each is the first window.
#[derive(Clone, Debug, Serialize)]
pub struct Columns {
    /// Width of a window.
    pub window_ms: u64,
    /// Operations completed in it.
    pub completed: Vec<u64>,
    /// Median of the latencies of the operations meant to start in it; none where there were none, as of the others.
    pub p50_ns: Vec<Option<u64>>,
    /// 99 of 100 are not above.
    pub p99_ns: Vec<Option<u64>>,
    /// The longest.
    pub max_ns: Vec<Option<u64>>,
}
