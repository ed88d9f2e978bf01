//! Numbers for tests, the same for the same seed.

/// An xorshift generator (Marsaglia, 2003) whose output is multiplied, so that its low bits can be used too.
pub(crate) struct Random(pub(crate) u64);

impl Random {
    /// One below `bound`.
    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) % bound
    }
}
