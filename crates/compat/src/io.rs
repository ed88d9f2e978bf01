//! Names for the traits and errors of `std::io`, convertible both ways. Nothing in this crate needs them.

use std::{fmt, io};

/// Result with this module's error.
pub type Result<T> = std::result::Result<T, Error>;

/// [`io::Read`].
pub trait Read: io::Read {}
impl<T: io::Read + ?Sized> Read for T {}

/// [`io::Write`].
pub trait Write: io::Write {}
impl<T: io::Write + ?Sized> Write for T {}

/// [`io::Seek`].
pub trait Seek: io::Seek {}
impl<T: io::Seek + ?Sized> Seek for T {}

macro_rules! kinds {
    ($($kind:ident),*) => {
        /// What went wrong, as [`io::ErrorKind`] says it.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #[non_exhaustive]
        pub enum ErrorKind {
            /// None of the others.
            Other,
            $(#[doc = concat!("[`io::ErrorKind::", stringify!($kind), "`].")] $kind,)*
        }

        impl From<io::ErrorKind> for ErrorKind {
            fn from(kind: io::ErrorKind) -> Self {
                match kind {
                    $(io::ErrorKind::$kind => Self::$kind,)*
                    _ => Self::Other,
                }
            }
        }

        impl From<ErrorKind> for io::ErrorKind {
            fn from(kind: ErrorKind) -> Self {
                match kind {
                    ErrorKind::Other => Self::Other,
                    $(ErrorKind::$kind => Self::$kind,)*
                }
            }
        }
    };
}

kinds!(
    AlreadyExists,
    BrokenPipe,
    CrossesDevices,
    Interrupted,
    InvalidData,
    InvalidInput,
    NotFound,
    PermissionDenied,
    UnexpectedEof,
    Unsupported,
    WriteZero
);

/// A failed call: its kind and a sentence.
#[derive(Debug)]
pub struct Error {
    kind: ErrorKind,
    message: Option<String>,
}

impl Error {
    /// An error of this kind with a sentence.
    pub fn new<M: Into<String>>(kind: ErrorKind, message: M) -> Self {
        Self { kind, message: Some(message.into()) }
    }

    /// An error that says no more than its kind.
    pub const fn from_kind(kind: ErrorKind) -> Self {
        Self { kind, message: None }
    }

    /// Its kind.
    pub const fn kind(&self) -> ErrorKind {
        self.kind
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.message {
            Some(message) => f.write_str(message),
            None => io::ErrorKind::from(self.kind).fmt(f),
        }
    }
}

impl std::error::Error for Error {}

impl From<ErrorKind> for Error {
    fn from(kind: ErrorKind) -> Self {
        Self::from_kind(kind)
    }
}

impl From<io::Error> for Error {
    fn from(error: io::Error) -> Self {
        Self::new(error.kind().into(), error.to_string())
    }
}

impl From<Error> for io::Error {
    fn from(error: Error) -> Self {
        Self::new(error.kind.into(), error.to_string())
    }
}

/// Where to move in a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SeekFrom {
    /// So many bytes from the beginning.
    Start(u64),
    /// From the end.
    End(i64),
    /// From here.
    Current(i64),
}

impl From<SeekFrom> for io::SeekFrom {
    fn from(from: SeekFrom) -> Self {
        match from {
            SeekFrom::Start(bytes) => Self::Start(bytes),
            SeekFrom::End(bytes) => Self::End(bytes),
            SeekFrom::Current(bytes) => Self::Current(bytes),
        }
    }
}
