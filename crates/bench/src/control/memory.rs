//! Memory of the control thread's own, to see when the machine's is slow.

use crate::{generator::Random, machine::thread_cpu_ns};
use std::hint::black_box;

/// Far more than caches hold, and as many pages as a database has in use.
const BYTES: usize = 64 << 20;
/// Few enough to be no load themselves.
const READS: usize = 32;

/// Memory that nobody else uses.
#[derive(Debug)]
pub(crate) struct OwnMemory {
    bytes: Vec<u8>,
    random: Random,
}

impl OwnMemory {
    /// Takes it, all pages of it.
    pub(crate) fn new() -> Self {
        Self { bytes: vec![1; BYTES], random: Random::new(0) }
    }

    /// Reads from places all over it, and returns how long the thread ran meanwhile: what it waited for a processor does not count.
    pub(super) fn read_ns(&mut self) -> u64 {
        let begin_ns = thread_cpu_ns();
        let read = (0..READS).map(|_| u64::from(self.bytes[self.random.below(BYTES as u64) as usize])).sum::<u64>();
        black_box(read);
        thread_cpu_ns() - begin_ns
    }
}

#[cfg(test)]
mod tests {
    use super::OwnMemory;
    use crate::machine::thread_cpu_ns;

    #[test]
    fn reading_takes_time_but_waiting_does_not_count() {
        let mut memory = OwnMemory::new();
        let begin_ns = thread_cpu_ns();
        let reads: Vec<u64> = (0..100).map(|_| memory.read_ns()).collect();
        let all_ns = thread_cpu_ns() - begin_ns;
        assert!(reads.iter().all(|ns| *ns > 0) && reads.iter().sum::<u64>() <= all_ns);
        crate::clock::sleep(200_000_000);
        assert!(thread_cpu_ns() - begin_ns - all_ns < 100_000_000);
    }
}
