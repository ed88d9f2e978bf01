//! Bands: how many rows an equation chooses from, how a layer is cut into buckets, and how much of one can be bumped.
//!
//! | band | rows in a bucket | of layers with few starts | thresholds by their codes |
//! |---|---|---|---|
//! | 64 | 256 | 128 | 0, 12, 24, 36, 48, 72, 112, all |
//! | 128 | 1024 | 256 | 0, 24, 48, 72, 96, 128, 192, all |
//!
//! Few are less than 16,384. Wider bands have equations that move further, so that there can be fewer thresholds to a row; but they take
//! twice as long to solve.

#![allow(
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "rows are 32 bits, and indices within arrays of their size"
)]

use super::key::Key;
use sediment_raw::simd;

/// How wide the bands of a filter are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Width {
    /// Quick to build and to ask.
    Rows64,
    /// Takes fewer thresholds, which count where columns are few.
    Rows128,
}

/// Where keys start in fewer rows, buckets are smaller: a bucket that is bumped whole would be too much of the layer.
const FEW_STARTS: u32 = 1 << 14;
/// Thresholds to choose from, and bits of their codes.
const CODES: usize = 8;
const CODE_BITS: usize = 3;

impl Width {
    /// By the number on disk.
    pub(super) fn from_rows(rows: u8) -> Option<Self> {
        [Self::Rows64, Self::Rows128].into_iter().find(|width| width.rows() == u32::from(rows))
    }

    /// Rows in a band.
    #[inline]
    pub(super) const fn rows(self) -> u32 {
        match self {
            Self::Rows64 => 64,
            Self::Rows128 => 128,
        }
    }

    /// Blocks of rows that a band may touch.
    #[inline]
    pub(super) const fn blocks(self) -> usize {
        match self {
            Self::Rows64 => 9,
            Self::Rows128 => 17,
        }
    }

    /// Of a bucket, the keys bumped that start less than so many rows behind its begin, by the code of its threshold.
    #[inline]
    pub(super) const fn thresholds(self) -> [u32; CODES] {
        match self {
            Self::Rows64 => [0, 12, 24, 36, 48, 72, 112, u32::MAX],
            Self::Rows128 => [0, 24, 48, 72, 96, 128, 192, u32::MAX],
        }
    }

    /// How a layer is cut that has so many rows to start in.
    pub(super) fn buckets(self, starts: u32) -> Buckets {
        let shift = match (self, starts < FEW_STARTS) {
            (Self::Rows64, true) => 7,
            (Self::Rows64, false) | (Self::Rows128, true) => 8,
            (Self::Rows128, false) => 10,
        };
        Buckets { shift }
    }
}

/// How the rows of a layer are cut into buckets.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Buckets {
    /// A bucket has 2 to the power of this many rows.
    shift: u32,
}

impl Buckets {
    /// Rows in a bucket.
    #[inline]
    pub(super) fn rows(self) -> u32 {
        1 << self.shift
    }

    /// How far behind the begin of its bucket a row is.
    #[inline]
    pub(super) fn offset(self, row: u32) -> u32 {
        row & (self.rows() - 1)
    }

    /// Bytes of the codes of a layer with so many rows to start in.
    pub(super) fn codes_bytes(self, starts: u32) -> usize {
        (starts.div_ceil(self.rows()) as usize * CODE_BITS).div_ceil(8)
    }

    /// Which two bytes have the code of the bucket in which a row is, and how far up.
    #[inline]
    pub(super) fn code_place(self, row: u32) -> (usize, u32) {
        let bit = (row >> self.shift) as usize * CODE_BITS;
        (bit / 8, bit as u32 % 8)
    }
}

/// The threshold with the code that is in the lowest bits.
#[inline]
pub(super) fn threshold<B: Band>(code: u16) -> u32 {
    let thresholds = const { B::WIDTH.thresholds() };
    thresholds[usize::from(code) % CODES]
}

/// The coefficients of an equation, as wide as a band: the lowest is that of the first row, and is 1 unless there is no equation.
pub(super) trait Band: Copy + Default + PartialEq {
    /// How wide.
    const WIDTH: Width;
    /// One byte for each block of rows that a band may touch.
    type Bytes: Copy;

    /// Those of a key.
    fn of(key: Key) -> Self;

    /// The sum of two equations that begin in the same row, and how many rows later it begins. `None` if no row is left.
    fn plus(self, other: Self) -> Option<(Self, usize)>;

    /// By blocks, if it begins `rows` rows behind the begin of the first, less than eight.
    fn by_blocks(self, rows: usize) -> Self::Bytes;

    /// By blocks from the one on that begins `rows` rows behind its own begin: one to eight.
    fn later_blocks(self, rows: usize) -> Self::Bytes;

    /// The rows of eight columns that they choose, added up but for the bits of each byte. `None` where `columns` is too short.
    fn sum(columns: &[u8], stride: usize, chosen: Self::Bytes) -> Option<u64>;

    /// Its lowest eight.
    fn lowest(self) -> u8;
}

impl Band for u64 {
    const WIDTH: Width = Width::Rows64;
    type Bytes = [u8; 9];

    #[inline]
    fn of(key: Key) -> Self {
        key.coefficients()
    }

    #[inline]
    fn plus(self, other: Self) -> Option<(Self, usize)> {
        let sum = self ^ other;
        let rows = sum.trailing_zeros();
        Some((sum.checked_shr(rows)?, rows as usize))
    }

    #[inline]
    fn by_blocks(self, rows: usize) -> [u8; 9] {
        bytes_of([self << rows, (self >> 1) >> (63 - rows), 0])
    }

    #[inline]
    fn sum(columns: &[u8], stride: usize, chosen: [u8; 9]) -> Option<u64> {
        simd::sum_chosen(columns, stride, chosen)
    }

    #[inline]
    fn later_blocks(self, rows: usize) -> [u8; 9] {
        bytes_of([self >> rows, 0, 0])
    }

    #[inline]
    fn lowest(self) -> u8 {
        self as u8
    }
}

impl Band for u128 {
    const WIDTH: Width = Width::Rows128;
    type Bytes = [u8; 17];

    #[inline]
    fn of(key: Key) -> Self {
        u128::from(key.coefficients()) | u128::from(key.more_coefficients()) << 64
    }

    #[inline]
    fn plus(self, other: Self) -> Option<(Self, usize)> {
        let sum = self ^ other;
        let (low, high) = (sum as u64, (sum >> 64) as u64);
        if low == 0 {
            let rows = high.trailing_zeros();
            return Some((u128::from(high.checked_shr(rows)?), 64 + rows as usize));
        }
        let rows = low.trailing_zeros();
        let low = low >> rows | (high << 1) << (63 - rows);
        Some((u128::from(low) | u128::from(high >> rows) << 64, rows as usize))
    }

    #[inline]
    fn by_blocks(self, rows: usize) -> [u8; 17] {
        let shifted = self << rows;
        bytes_of([shifted as u64, (shifted >> 64) as u64, ((self >> 1) >> (127 - rows)) as u64])
    }

    #[inline]
    fn sum(columns: &[u8], stride: usize, chosen: [u8; 17]) -> Option<u64> {
        simd::sum_chosen(columns, stride, chosen)
    }

    #[inline]
    fn later_blocks(self, rows: usize) -> [u8; 17] {
        let shifted = self >> rows;
        bytes_of([shifted as u64, (shifted >> 64) as u64, 0])
    }

    #[inline]
    fn lowest(self) -> u8 {
        self as u8
    }
}

#[inline]
fn bytes_of<const N: usize>(words: [u64; 3]) -> [u8; N] {
    std::array::from_fn(|i| (words[i / 8] >> (i % 8 * 8)) as u8)
}
