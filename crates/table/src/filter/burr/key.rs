//! What a layer takes of a hash.
//!
//! Everything here is part of the format: filters on disk were built with it. Sums and products are modulo 2 to the power of 64. Each
//! step maps different numbers to different ones, so that no two hashes become the same key.

/// A hash as one layer sees it. The order of keys is that of their starts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Key(u64);

/// What tells a layer from the one before. DO NOT CHANGE, like the factors.
const STEP: u64 = 0x9E37_79B9_7F4A_7C15;
const FACTORS: [u64; 2] = [0xFF51_AFD7_ED55_8CCD, 0xC4CE_B9FE_1A85_EC53];
const COEFFICIENTS: [u64; 2] = [0xD6E8_FEB8_6659_FD93, 0xA076_1D64_78BD_642F];
const VALUE: u64 = 0xE703_7ED1_A0B4_28DB;

impl Key {
    /// In the first layer.
    #[inline]
    pub(super) fn of(hash: u64) -> Self {
        let x = (hash ^ (hash >> 32)).wrapping_mul(FACTORS[0]);
        Self((x ^ (x >> 29)).wrapping_mul(FACTORS[1]))
    }

    /// In the layer after this.
    #[inline]
    pub(super) fn bumped(self) -> Self {
        Self::of(self.0.wrapping_add(STEP))
    }

    /// The row in which its band begins, of so many.
    #[inline]
    pub(super) fn start(self, starts: u32) -> u32 {
        (u128::from(self.0).wrapping_mul(u128::from(starts)) >> 64) as u32
    }

    /// 64 coefficients. The first, which is the lowest, is 1.
    #[inline]
    pub(super) fn coefficients(self) -> u64 {
        let y = (self.0 ^ (self.0 >> 32)).wrapping_mul(COEFFICIENTS[0]);
        (y ^ (y >> 32)) | 1
    }

    /// 64 that follow those.
    #[inline]
    pub(super) fn more_coefficients(self) -> u64 {
        let y = (self.0.rotate_left(32) ^ STEP).wrapping_mul(COEFFICIENTS[1]);
        y ^ (y >> 32)
    }

    /// What the columns must give, the first in the lowest bit; of those beyond `bits` nothing.
    #[inline]
    pub(super) fn value(self, bits: u8) -> u32 {
        let value = self.0.wrapping_mul(VALUE) >> 32;
        value as u32 & lowest(usize::from(bits))
    }

    /// What the list has of it.
    #[inline]
    pub(super) fn listed(self) -> u32 {
        (self.0 >> 32) as u32
    }
}

/// So many ones, at most 32, in the lowest bits.
#[inline]
pub(super) fn lowest(ones: usize) -> u32 {
    u32::MAX.unbounded_shr(32_u32.saturating_sub(ones as u32))
}
