//! Every index once, in random order.

use super::random::mix;

const ROUNDS: u64 = 3;

/// A random order of `0..count`, computed instead of stored.
///
/// Multiplying by an odd number and folding the upper half of the bits into the lower one are both one to one over a power of
/// two; where the outcome is not below `count`, it goes in again.
#[derive(Clone, Debug)]
pub struct Permutation {
    count: u64,
    mask: u64,
    shift: u32,
    factors: [u64; ROUNDS as usize],
}

impl Permutation {
    /// The order of this seed.
    pub fn new(count: u64, seed: u64) -> Self {
        let bits = u64::BITS - count.saturating_sub(1).leading_zeros();
        let mask = if bits == 0 { 0 } else { u64::MAX >> (u64::BITS - bits) };
        let factors = std::array::from_fn(|round| mix(seed.wrapping_mul(ROUNDS) + round as u64) | 1);
        Self { count, mask, shift: (bits / 2).max(1), factors }
    }

    /// The index at a position below `count`.
    #[inline]
    pub fn at(&self, position: u64) -> u64 {
        let mut index = position;
        loop {
            for factor in self.factors {
                index = index.wrapping_mul(factor).wrapping_add(factor >> 32) & self.mask;
                index ^= index >> self.shift;
            }
            if index < self.count {
                return index;
            }
        }
    }
}
