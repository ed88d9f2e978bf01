//! Eight rows of a solution are one byte of each column, and eight columns are added up at once: each byte of a word is one of
//! them, and the coefficients of eight rows are a mask that is the same for all.

use super::{
    BLOCK_ROWS,
    band::Band,
    key::{Key, lowest},
};

/// The lowest bit of each byte.
const ONES: u64 = 0x0101_0101_0101_0101;
/// Columns in a group.
pub(super) const GROUP: usize = 8;

/// Whether the columns give the key's value. `solution` begins with the block in which the key starts; where it is too short, they do.
#[inline]
pub(super) fn gives_value<B: Band>(solution: &[u8], bits: u8, key: Key, start: u32) -> bool {
    let coefficients = B::of(key).by_blocks(start as usize % BLOCK_ROWS);
    let stride = usize::from(bits);
    let mut wanted = key.value(bits);
    let mut left = stride;
    let mut columns = solution;
    loop {
        let Some(sum) = B::sum(columns, stride, coefficients) else { return true };
        let differs = u32::from(parities(sum)) ^ (wanted & 0xFF);
        if left <= GROUP {
            return differs & lowest(left) == 0;
        }
        if differs != 0 {
            return false;
        }
        wanted >>= GROUP;
        left = left.saturating_sub(GROUP);
        columns = columns.get(GROUP..).unwrap_or_default();
    }
}

/// Whether the number of ones in each byte is odd.
#[inline]
pub(super) fn parities(mut word: u64) -> u8 {
    word ^= word >> 4;
    word ^= word >> 2;
    word ^= word >> 1;
    ((word & ONES).wrapping_mul(0x0102_0408_1020_4080) >> 56) as u8
}

/// Bit `i` of byte `j` becomes bit `j` of byte `i`.
#[inline]
pub(super) fn transposed(word: u64) -> u64 {
    let swapped = |word: u64, mask: u64, shift: u32| {
        let differs = (word ^ (word >> shift)) & mask;
        word ^ differs ^ (differs << shift)
    };
    let word = swapped(word, 0x00AA_00AA_00AA_00AA, 7);
    let word = swapped(word, 0x0000_CCCC_0000_CCCC, 14);
    swapped(word, 0x0000_0000_F0F0_F0F0, 28)
}
