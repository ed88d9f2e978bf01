//! Keys and values, so cheap to make and to check that the cost does not show: no allocation, no division, no copy of a value.
//!
//! Everything follows from the index of a key. A value is a piece of one buffer of random bytes, so it does not compress, and
//! its checksum comes from two sums that were prepared: reading can be verified row by row for a few nanoseconds.

mod draws;
pub mod json;
mod key_maker;
mod permutation;
mod random;
mod tally;
mod values;

pub use draws::{Distribution, Draws, Zipf};
pub use key_maker::KeyMaker;
pub use permutation::Permutation;
pub use random::Random;
pub use tally::Tally;
pub use values::Values;

pub(crate) use values::first_word;

#[cfg(test)]
mod tests;
