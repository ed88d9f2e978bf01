//! `Error`: what can go wrong, in the words of the interface.
//!
//! The tree says more than these variants can: which file, at which offset. It travels inside [`Error::Io`] as the source of an
//! [`io::Error`] whose kind tells what to do (see `of_tree`), except where a variant of its own is the exact answer.

use crate::{checksum::Checksum, compression::CompressionType};
use sediment_base::ErrorKind;
use std::{fmt, io, str::Utf8Error};

/// Result of everything here.
pub type Result<T> = std::result::Result<T, Error>;

/// What went wrong.
#[derive(Debug)]
#[non_exhaustive]
pub enum Error {
    /// A call of the file system, or of the tree: the source of the inner error says where.
    Io(io::Error),
    /// Stored bytes cannot be decompressed.
    Decompress(CompressionType),
    /// A directory of another format.
    InvalidVersion(u8),
    /// What is on disk is not a tree that these settings can open.
    Unrecoverable,
    /// Stored bytes are damaged.
    ChecksumMismatch {
        /// Of what is there.
        got: Checksum,
        /// What was stored.
        expected: Checksum,
    },
    /// The header of a block is damaged.
    HeaderCrcMismatch {
        /// Of what is there.
        recomputed: u32,
        /// What was stored.
        stored: u32,
    },
    /// A number that stands for nothing: of what, and which.
    InvalidTag((&'static str, u8)),
    /// The end of a file is not one.
    InvalidTrailer,
    /// The beginning of something is not one.
    InvalidHeader(&'static str),
    /// More plain bytes are announced than may be.
    DecompressedSizeTooLarge {
        /// Announced.
        declared: u64,
        /// Allowed.
        limit: u64,
    },
    /// Text that is none.
    Utf8(Utf8Error),
    /// The merge operator could not fold.
    MergeOperator,
    /// Sealing failed.
    Encrypt(&'static str),
    /// Opening of sealed bytes failed.
    Decrypt(&'static str),
    /// The tree was created under another order of keys.
    ComparatorMismatch {
        /// Its name.
        stored: String,
        /// The one given.
        supplied: &'static str,
    },
    /// The dictionary of the configured compression is missing, or another.
    ZstdDictMismatch {
        /// The id asked for.
        expected: u32,
        /// The id of the one given.
        got: Option<u32>,
    },
    /// A section of a manifest is damaged.
    ManifestFrameChecksumMismatch {
        /// Which.
        section: &'static str,
        /// What was stored.
        expected: u64,
        /// Of what is there.
        got: u64,
    },
    /// A stored range tombstone is none.
    RangeTombstoneDecode {
        /// Its part.
        field: &'static str,
        /// Where.
        offset: u64,
    },
    /// A batch writes one key in two ways.
    MixedOperationBatch,
    /// Parity was asked for and is not there.
    PageEccUnsupported,
    /// Damage beyond what parity can mend.
    PageEccUnrecoverable {
        /// Of what is there.
        got: Checksum,
        /// What was stored.
        expected: Checksum,
    },
    /// Tables are missing that level routes no longer name.
    RouteMismatch {
        /// Tables in the manifest.
        expected: usize,
        /// Tables found.
        found: usize,
    },
    /// What was asked for is not there.
    FeatureUnsupported(&'static str),
    /// The end of a manifest is not one.
    ManifestFooterInvalid(&'static str),
    /// A section of a manifest makes no sense.
    ManifestSectionInvalid(&'static str),
    /// The log of edits ends in the middle of one.
    TornManifestEditLog {
        /// How.
        kind: &'static str,
    },
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "LsmTreeError: {self:?}")
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Io(error) => Some(error),
            _ => None,
        }
    }
}

impl From<io::Error> for Error {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

/// What is not there yet: every caller of this stands in `face/unsupported.txt`.
#[cold]
pub(crate) fn unsupported(what: &'static str) -> Error {
    Error::FeatureUnsupported(what)
}

/// A call that asks for what cannot be.
#[cold]
pub(crate) fn invalid(message: impl Into<String>) -> Error {
    Error::Io(io::Error::new(io::ErrorKind::InvalidInput, message.into()))
}

/// An error of the caller's code, on its way through the tree.
#[derive(Debug)]
struct Carried(Error);

impl fmt::Display for Carried {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl std::error::Error for Carried {}

/// Hands an error of the caller's own code to the tree: `of_tree` finds it again.
#[cold]
pub(crate) fn carry(error: Error) -> sediment_base::Error {
    sediment_base::Error::invalid_input("the caller's code failed").with_source(Carried(error))
}

/// An error of the tree in the words of the interface.
#[cold]
pub(crate) fn of_tree(error: sediment_base::Error) -> Error {
    if let Some(Carried(carried)) = std::error::Error::source(&error).and_then(|source| source.downcast_ref()) {
        return again(carried);
    }
    let kind = match error.kind() {
        ErrorKind::Corruption | ErrorKind::Tampered => io::ErrorKind::InvalidData,
        ErrorKind::InvalidInput | ErrorKind::HistoryGone => io::ErrorKind::InvalidInput,
        ErrorKind::Unsupported => io::ErrorKind::Unsupported,
        ErrorKind::Locked => io::ErrorKind::WouldBlock,
        ErrorKind::NoSpace => io::ErrorKind::StorageFull,
        ErrorKind::Cancelled => io::ErrorKind::Interrupted,
        ErrorKind::WrongKey => io::ErrorKind::PermissionDenied,
        _ => io_kind(&error),
    };
    Error::Io(io::Error::new(kind, error))
}

/// The kind of the system's own error beneath.
fn io_kind(error: &sediment_base::Error) -> io::ErrorKind {
    let source = std::error::Error::source(error).and_then(|source| source.downcast_ref::<io::Error>());
    source.map_or(io::ErrorKind::Other, io::Error::kind)
}

/// The same error once more: the tree may hand it to several callers.
fn again(error: &Error) -> Error {
    match error {
        Error::Io(error) => Error::Io(io::Error::new(error.kind(), error.to_string())),
        Error::MergeOperator => Error::MergeOperator,
        Error::FeatureUnsupported(what) => Error::FeatureUnsupported(what),
        Error::Encrypt(what) => Error::Encrypt(what),
        Error::Decrypt(what) => Error::Decrypt(what),
        Error::InvalidTag(tag) => Error::InvalidTag(*tag),
        Error::InvalidHeader(what) => Error::InvalidHeader(what),
        Error::InvalidVersion(version) => Error::InvalidVersion(*version),
        Error::Utf8(error) => Error::Utf8(*error),
        Error::Unrecoverable => Error::Unrecoverable,
        Error::InvalidTrailer => Error::InvalidTrailer,
        other => Error::Io(io::Error::other(other.to_string())),
    }
}
