//! `Checksum`: 128 bits over a file or block.

use std::fmt;

/// A checksum of 128 bits; shorter ones stand in its low half.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Checksum(u128);

impl Checksum {
    /// From its number.
    pub const fn from_raw(number: u128) -> Self {
        Self(number)
    }

    /// Its number.
    pub const fn into_u128(self) -> u128 {
        self.0
    }
}

impl fmt::Debug for Checksum {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Checksum({:x})", self.0)
    }
}

impl fmt::Display for Checksum {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:x}", self.0)
    }
}
