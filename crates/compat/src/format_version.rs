//! `FormatVersion`: generations of the family's format. Sediment's own has numbers of its own, in every file.

use std::fmt;

/// A generation of the family's format.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FormatVersion {
    /// The first.
    V1 = 1,
    /// The second.
    V2,
    /// The third.
    V3,
    /// The fourth.
    V4,
    /// The one that the interface goes by.
    V5,
}

impl fmt::Display for FormatVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        u8::from(*self).fmt(f)
    }
}

impl From<FormatVersion> for u8 {
    fn from(version: FormatVersion) -> Self {
        version as Self
    }
}

impl TryFrom<u8> for FormatVersion {
    type Error = ();

    fn try_from(number: u8) -> Result<Self, ()> {
        [Self::V1, Self::V2, Self::V3, Self::V4, Self::V5].into_iter().find(|version| u8::from(*version) == number).ok_or(())
    }
}
