//! Seeds: randomness that always says how to repeat it.
//!
//! Every random test takes its seeds from [`seeds`]; a failing one prints its seed, and `SEDIMENT_SEED=<n>` runs that one alone.

use std::env;

/// The environment variable that replays one seed.
pub const SEED_VARIABLE: &str = "SEDIMENT_SEED";

/// The seeds that a test runs: the one of the environment, or `count` of them from `first` on.
pub fn seeds(first: u64, count: u64) -> Vec<u64> {
    match env::var(SEED_VARIABLE).ok().and_then(|text| text.parse().ok()) {
        Some(seed) => vec![seed],
        None => (first..first + count).collect(),
    }
}

/// Where a row of seeds begins: 1, or what `SEDIMENT_SEED` or, for long runs, `SEDIMENT_FIRST_SEED` says.
pub fn first_seed() -> u64 {
    number(SEED_VARIABLE, number("SEDIMENT_FIRST_SEED", 1))
}

/// A number from the environment, as for the size of a long run.
pub fn number(variable: &str, default: u64) -> u64 {
    env::var(variable).ok().and_then(|text| text.replace('_', "").parse().ok()).unwrap_or(default)
}

/// A small generator (SplitMix64): the same numbers from the same seed, for ever.
#[derive(Clone, Debug)]
pub struct Rng(u64);

impl Rng {
    /// A generator for this seed.
    pub fn new(seed: u64) -> Self {
        Self(seed ^ 0x5ED1_3E17_0000_0001)
    }

    /// The next 64 bits.
    pub fn next_u64(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        mix(self.0)
    }

    /// A number below `end`, which is not 0.
    pub fn below(&mut self, end: u64) -> u64 {
        assert!(end > 0, "an empty range has no number");
        self.next_u64() % end
    }

    /// A number from `low` to `high`, both included.
    pub fn between(&mut self, low: u64, high: u64) -> u64 {
        low + self.below(high - low + 1)
    }

    /// True once in `odds` times.
    pub fn one_in(&mut self, odds: u64) -> bool {
        self.below(odds) == 0
    }

    /// One of these, which are not none.
    pub fn pick<'a, T>(&mut self, choices: &'a [T]) -> &'a T {
        &choices[self.below(choices.len() as u64) as usize]
    }
}

/// Spreads a number over 64 bits.
pub fn mix(number: u64) -> u64 {
    let number = (number ^ (number >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let number = (number ^ (number >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    number ^ (number >> 31)
}
