//! Latencies counted in few buckets: eight to the octave, so a percentile is at most an eighth too high.

/// Buckets to the octave, as a power of two.
const STEPS_LOG2: u32 = 3;
const STEPS: u64 = 1 << STEPS_LOG2;
/// The last bucket takes everything above an hour.
pub(super) const BUCKETS: usize = 320;

/// The bucket of a latency.
#[inline]
pub(super) fn bucket(ns: u64) -> usize {
    if ns < STEPS {
        return ns as usize;
    }
    let octave = ns.ilog2() - STEPS_LOG2;
    let step = (ns >> octave) - STEPS;
    (((u64::from(octave) + 1) * STEPS + step) as usize).min(BUCKETS - 1)
}

/// The highest latency in a bucket.
fn highest(bucket: usize) -> u64 {
    let bucket = bucket as u64;
    if bucket < STEPS {
        return bucket;
    }
    let octave = bucket / STEPS - 1;
    ((STEPS + bucket % STEPS + 1) << octave) - 1
}

/// Latencies of one window: the buckets that are not empty, in order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Counts {
    buckets: Box<[(u16, u32)]>,
    max_ns: u64,
}

impl Counts {
    /// Takes over the counts of all buckets.
    pub(super) fn new(all: &[u32; BUCKETS], max_ns: u64) -> Self {
        let filled = all.iter().enumerate().filter(|(_, count)| **count > 0);
        Self { buckets: filled.map(|(bucket, count)| (bucket as u16, *count)).collect(), max_ns }
    }

    /// Both together.
    pub(super) fn merged(&self, other: &Self) -> Self {
        let mut all = [0; BUCKETS];
        for (bucket, count) in self.buckets.iter().chain(&other.buckets) {
            all[usize::from(*bucket)] += count;
        }
        Self::new(&all, self.max_ns.max(other.max_ns))
    }

    /// The longest; `None` where there are none.
    pub(super) fn max_ns(&self) -> Option<u64> {
        (!self.buckets.is_empty()).then_some(self.max_ns)
    }

    /// The latency that this share of all does not exceed; `None` where there are none.
    pub(super) fn percentile(&self, share: f64) -> Option<u64> {
        let total: u64 = self.buckets.iter().map(|(_, count)| u64::from(*count)).sum();
        let wanted = ((total as f64 * share).ceil() as u64).max(1);
        let mut seen = 0;
        for (bucket, count) in &self.buckets {
            seen += u64::from(*count);
            if seen >= wanted {
                return Some(highest(usize::from(*bucket)).min(self.max_ns));
            }
        }
        None
    }
}
