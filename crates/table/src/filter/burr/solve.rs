//! The equations of one layer, and their solution.
//!
//! Buckets are filled from the first to the last, and each from its last row to its first. An equation goes to the row that it begins
//! in. If there is one already, the two are added: the sum begins in a later row. So equations move on to rows that are still free, over
//! a band at most, and what moves on from a bucket fills the begin of the next, whose own keys it can do without. Keys between two
//! thresholds of a bucket, a *group*, stay or are bumped together.

#![allow(clippy::indexing_slicing, clippy::arithmetic_side_effects, reason = "these are our own numbers, nothing read")]

use super::{
    BLOCK_ROWS,
    band::Band,
    key::{Key, lowest},
    solution::{GROUP, parities, transposed},
};

/// A solved layer.
#[derive(Debug)]
pub(super) struct Solved {
    /// The codes of the thresholds of its buckets.
    pub(super) codes: Vec<u8>,
    /// What the columns hold.
    pub(super) solution: Vec<u8>,
    /// Keys that are not in it.
    pub(super) bumped: Vec<Key>,
}

/// Solves as many of the equations of these keys, which ascend, as there is room for.
pub(super) fn solve<B: Band>(keys: &[Key], rows: u32, bits: u8) -> Solved {
    let starts = rows - B::WIDTH.rows();
    let buckets = B::WIDTH.buckets(starts);
    let mut equations = Equations::<B>::new(rows as usize, starts, bits);
    let mut codes = vec![0; buckets.codes_bytes(starts) + 1];
    let (mut rest, mut bumped) = (keys, Vec::new());
    for begin in (0..starts).step_by(buckets.rows() as usize) {
        let len = rest.iter().take_while(|key| key.start(starts) < begin + buckets.rows()).count();
        let (keys, others) = rest.split_at(len);
        rest = others;
        let (code, left) = equations.fill(keys, begin);
        bumped.extend_from_slice(left);
        let (byte, shift) = buckets.code_place(begin);
        let [low, high] = (code << shift).to_le_bytes();
        codes[byte] |= low;
        codes[byte + 1] |= high;
    }
    codes.truncate(buckets.codes_bytes(starts));
    Solved { codes, solution: equations.solution(), bumped }
}

/// Equations by the row that they begin in.
struct Equations<B> {
    coefficients: Vec<B>,
    values: Vec<u32>,
    starts: u32,
    bits: u8,
    /// The rows that a group took.
    taken: Vec<usize>,
}

impl<B: Band> Equations<B> {
    fn new(rows: usize, starts: u32, bits: u8) -> Self {
        Self { coefficients: vec![B::default(); rows], values: vec![0; rows], starts, bits, taken: Vec::new() }
    }

    /// Takes what it can of the keys of a bucket. Returns the code of its threshold, and the keys that are bumped.
    fn fill<'k>(&mut self, keys: &'k [Key], begin: u32) -> (u16, &'k [Key]) {
        let mut rest = keys;
        for (code, threshold) in B::WIDTH.thresholds().into_iter().enumerate().rev().skip(1) {
            match self.add_group(rest, begin + threshold) {
                Some(others) => rest = others,
                None => return (code as u16 + 1, rest),
            }
        }
        (0, rest)
    }

    /// Takes those of the keys that start from this row on, and returns the others. `None`, and nothing changed, if one finds no room.
    fn add_group<'k>(&mut self, mut keys: &'k [Key], from: u32) -> Option<&'k [Key]> {
        self.taken.clear();
        while let Some((key, others)) = keys.split_last() {
            let start = key.start(self.starts);
            if start < from {
                break;
            }
            if !self.add(start as usize, B::of(*key), key.value(self.bits)) {
                self.taken.iter().for_each(|row| self.coefficients[*row] = B::default());
                return None;
            }
            keys = others;
        }
        Some(keys)
    }

    /// Adds an equation that begins in this row. False if it contradicts the others.
    fn add(&mut self, mut row: usize, mut coefficients: B, mut value: u32) -> bool {
        loop {
            let other = &mut self.coefficients[row];
            if *other == B::default() {
                *other = coefficients;
                self.values[row] = value;
                self.taken.push(row);
                return true;
            }
            value ^= self.values[row];
            let Some((sum, rows)) = coefficients.plus(*other) else { return value == 0 };
            coefficients = sum;
            row += rows;
        }
    }

    /// What the columns hold, from the last row to the first.
    fn solution(&self) -> Vec<u8> {
        let stride = usize::from(self.bits);
        let blocks = self.coefficients.len() / BLOCK_ROWS;
        // The band of a row near the end reaches beyond it, with nothing there.
        let mut solution = vec![0; (blocks + B::WIDTH.blocks()) * stride + GROUP];
        for block in (0..blocks).rev() {
            let values = self.block_values(block, &solution[(block + 1) * stride..]);
            let columns = solution[block * stride..].iter_mut().take(stride);
            let groups = (0..stride).step_by(GROUP).map(|group| {
                let rows = values.iter().rev().fold(0, |rows, value| rows << 8 | u64::from((value >> group) as u8));
                transposed(rows).to_le_bytes()
            });
            columns.zip(groups.flatten()).for_each(|(column, byte)| *column = byte);
        }
        solution.truncate(blocks * stride);
        solution
    }

    /// The bits of all columns in each row of a block, where `later` holds what follows.
    fn block_values(&self, block: usize, later: &[u8]) -> [u32; BLOCK_ROWS] {
        let stride = usize::from(self.bits);
        let mut values = [0; BLOCK_ROWS];
        for i in (0..BLOCK_ROWS).rev() {
            let row = block * BLOCK_ROWS + i;
            let coefficients = self.coefficients[row];
            let by_block = coefficients.later_blocks(BLOCK_ROWS - i);
            let mut value = self.values[row];
            for group in (0..stride).step_by(GROUP) {
                let sum = B::sum(&later[group..], stride, by_block).expect("there is a band of nothing at the end");
                value ^= u32::from(parities(sum)) << group;
            }
            for (j, other) in values.iter().enumerate().skip(i + 1) {
                value ^= other & u32::from(coefficients.lowest() >> (j - i) & 1).wrapping_neg();
            }
            values[i] = value & lowest(stride);
        }
        values
    }
}
