//! Keys and values, so cheap to make and to check that the cost does not show: no allocation, no division, no copy of a value.
//!
//! Everything follows from the index of a key. A value is a piece of one buffer of random bytes, so it does not compress, and
//! its checksum comes from two sums that were prepared: reading can be verified row by row for a few nanoseconds.

mod draws;
mod key_maker;
mod permutation;
mod random;
mod tally;
mod values;

pub(crate) use draws::{Distribution, Draws, Zipf};
pub(crate) use key_maker::KeyMaker;
pub(crate) use permutation::Permutation;
pub(crate) use random::Random;
pub(crate) use tally::Tally;
pub(crate) use values::Values;

#[cfg(test)]
mod tests;
