//! Randomness.

use sediment_base::{Error, ErrorKind, FileUuid, Result};
use std::{
    fmt,
    sync::atomic::{AtomicU64, Ordering},
};

/// A source of random bytes.
pub trait Random: Send + Sync + fmt::Debug {
    /// Fills `bytes`. Fails only where the system's source does.
    fn fill(&self, bytes: &mut [u8]) -> Result<()>;

    /// A random number.
    fn next_u64(&self) -> Result<u64> {
        let mut bytes = [0; 8];
        self.fill(&mut bytes)?;
        Ok(u64::from_le_bytes(bytes))
    }

    /// A fresh identity for a file or a database.
    fn uuid(&self) -> Result<FileUuid> {
        let mut uuid = FileUuid::default();
        self.fill(&mut uuid.0)?;
        Ok(uuid)
    }
}

/// The random source of the operating system.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemRandom;

impl Random for SystemRandom {
    fn fill(&self, bytes: &mut [u8]) -> Result<()> {
        getrandom::fill(bytes).map_err(|e| Error::new(ErrorKind::Io, format!("cannot get random bytes: {e}")))
    }
}

/// The same numbers for the same seed (SplitMix64). Not secret. Shared: threads that race for numbers race for their order.
#[derive(Debug)]
pub struct SeededRandom {
    state: AtomicU64,
}

impl SeededRandom {
    /// The sequence of this seed.
    pub fn new(seed: u64) -> Self {
        Self { state: AtomicU64::new(seed) }
    }

    /// The next number.
    pub fn next(&self) -> u64 {
        let before = self.state.fetch_add(STEP, Ordering::Relaxed);
        mix(before.wrapping_add(STEP))
    }

    /// A number below `end`, which is not 0; good enough for tests, slightly uneven near 2^64.
    pub fn below(&self, end: u64) -> u64 {
        self.next() % end
    }
}

impl Random for SeededRandom {
    fn fill(&self, bytes: &mut [u8]) -> Result<()> {
        for chunk in bytes.chunks_mut(8) {
            chunk.copy_from_slice(&self.next().to_le_bytes()[..chunk.len()]);
        }
        Ok(())
    }
}

const STEP: u64 = 0x9E37_79B9_7F4A_7C15;

/// Scatters a number over all others, one to one.
pub(crate) fn mix(state: u64) -> u64 {
    let state = (state ^ (state >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let state = (state ^ (state >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    state ^ (state >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_gives_the_published_sequence() {
        let random = SeededRandom::new(1_234_567);
        let numbers: Vec<u64> = (0..3).map(|_| random.next()).collect();
        assert_eq!(numbers, [6_457_827_717_110_365_317, 3_203_168_211_198_807_973, 9_817_491_932_198_370_423]);
    }

    #[test]
    fn uuids_differ() {
        let random = SystemRandom;
        assert_ne!(random.uuid().expect("the system has randomness"), random.uuid().expect("the system has randomness"));
        assert_eq!(SeededRandom::new(7).uuid().ok(), SeededRandom::new(7).uuid().ok());
    }
}
