//! Verification of what was read, in bulk.

use super::values::{Values, checksum, first_word};
use crate::failure::{Failure, Result};

/// Adds up what was read beside what should have been.
///
/// Each checksum is multiplied by a number of its own before it is added, so values that are exchanged do not cancel out.
#[derive(Clone, Debug, Default)]
pub struct Tally {
    rows: u64,
    found: u64,
    expected: u64,
}

impl Tally {
    /// A value was read for the key of this index.
    #[inline]
    pub fn saw(&mut self, values: &Values, index: u64, value: &[u8]) {
        let weight = 2 * index + 1;
        self.rows += 1;
        self.found = self.found.wrapping_add(checksum(value).wrapping_mul(weight));
        self.expected = self.expected.wrapping_add(values.checksum_of(index).wrapping_mul(weight));
    }

    /// A value was read for the key of this index, and only its size and first eight bytes are to be verified.
    #[inline]
    pub fn glanced(&mut self, values: &Values, index: u64, value: &[u8]) {
        let weight = 2 * index + 1;
        let glance = |value: &[u8]| first_word(value).wrapping_add(value.len() as u64).wrapping_mul(weight);
        self.rows += 1;
        self.found = self.found.wrapping_add(glance(value));
        self.expected = self.expected.wrapping_add(glance(values.of(index)));
    }

    /// How many rows were seen; an error if any of them was wrong.
    pub fn check(&self) -> Result<u64> {
        if self.found == self.expected {
            return Ok(self.rows);
        }
        Err(Failure::Wrong(format!("the checksum over {} values read is not that of the values written", self.rows)))
    }
}
