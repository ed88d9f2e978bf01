//! Why a block cannot be opened.

use std::fmt;

/// Why a block cannot be opened.
#[derive(Debug)]
#[non_exhaustive]
pub enum DecryptError {
    /// Its head makes no sense.
    MalformedMetadataFrame(&'static str),
    /// Its body makes no sense.
    MalformedBodyFrame(&'static str),
    /// It is of a later format.
    UnsupportedFormatVersion {
        /// Its first byte.
        header_byte: u8,
    },
    /// Its cipher is not known.
    UnsupportedSuite {
        /// The number.
        suite_id: u8,
    },
    /// Its key is not known.
    UnknownKeyEpoch {
        /// Which.
        key_epoch: u8,
    },
    /// It has another cipher than it should.
    SuiteMismatch {
        /// It should have.
        expected: u8,
        /// It has.
        actual: u8,
    },
    /// It was changed, or the key is another.
    AeadVerificationFailed,
    /// Nothing is opened yet.
    FeatureUnsupported(&'static str),
}

impl fmt::Display for DecryptError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self:?}")
    }
}

impl std::error::Error for DecryptError {}

/// What is not there yet.
#[cold]
pub(super) fn unsupported(what: &'static str) -> DecryptError {
    DecryptError::FeatureUnsupported(what)
}
