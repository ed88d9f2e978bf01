//! `Error`: what went wrong, where, and what to do about it.
//!
//! One opaque type, one word wide, cheap to clone (the first cause of a poisoned database is handed to every later caller).
//! The kind tells the program what to do; the text tells the operator. "Not found" is an `Option`, never an error.

use std::{fmt, io, path::Path, path::PathBuf, sync::Arc};

/// Result of anything that can meet the outside world.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What the caller should do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The operating system failed a call. Retry reads; after a failed write, reopen.
    Io,
    /// The disk is full. The write was not applied: free space and retry.
    NoSpace,
    /// Stored bytes are damaged. Restore the named file from a backup.
    Corruption,
    /// Stored bytes fail authentication: somebody changed them.
    Tampered,
    /// The encryption key does not fit this database. Supply the right one.
    WrongKey,
    /// A format or feature that this version does not know. Upgrade.
    Unsupported,
    /// The call or its arguments are wrong. Fix the call.
    InvalidInput,
    /// A transaction lost against another. Retry it.
    Conflict,
    /// Another process holds the directory. Wait, or stop the other.
    Locked,
    /// An earlier failure put durability in doubt; writes are refused, reads go on. Reopen.
    Poisoned,
    /// The sequence number asked for is older than the retained history.
    HistoryGone,
    /// The operation was cancelled by its owner.
    Cancelled,
    /// The handle was closed.
    Closed,
}

/// A place in a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Location {
    /// The file, as it was opened.
    pub file: PathBuf,
    /// Byte offset from its beginning; `None` where the whole file is meant.
    pub offset: Option<u64>,
}

/// An error of Sediment. See [`ErrorKind`] for what each kind asks of the caller.
#[derive(Clone)]
pub struct Error(Arc<Inner>);

#[derive(Clone)]
struct Inner {
    kind: ErrorKind,
    message: String,
    file: Option<PathBuf>,
    offset: Option<u64>,
    expected: Option<String>,
    found: Option<String>,
    source: Option<Arc<dyn std::error::Error + Send + Sync>>,
}

impl Error {
    /// An error with a sentence for the operator. Lower case, no final stop.
    #[cold]
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self(Arc::new(Inner {
            kind,
            message: message.into(),
            file: None,
            offset: None,
            expected: None,
            found: None,
            source: None,
        }))
    }

    /// Damage in stored bytes; add the place with [`Error::at`] and [`Error::in_file`].
    #[cold]
    pub fn corruption(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Corruption, message)
    }

    /// A call that asks for what cannot be.
    #[cold]
    pub fn invalid_input(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::InvalidInput, message)
    }

    /// A format or feature of another version.
    #[cold]
    pub fn unsupported(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Unsupported, message)
    }

    /// A failed call of the operating system; a full disk or quota becomes [`ErrorKind::NoSpace`].
    #[cold]
    pub fn io(doing: &str, file: &Path, source: io::Error) -> Self {
        let kind = match source.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => ErrorKind::NoSpace,
            _ => ErrorKind::Io,
        };
        let message = format!("cannot {doing}: {source}");
        Self::new(kind, message).with_source(source).in_file(file)
    }

    /// The byte offset at which it was noticed. Added to an offset that is already there, so that a decoder may count from
    /// its own beginning and its caller add where that was.
    #[must_use]
    pub fn at(self, offset: u64) -> Self {
        self.map(|inner| inner.offset = Some(inner.offset.unwrap_or(0).saturating_add(offset)))
    }

    /// The file in which it was noticed; the innermost name wins.
    #[must_use]
    pub fn in_file(self, file: &Path) -> Self {
        self.map(|inner| {
            inner.file.get_or_insert_with(|| file.to_path_buf());
        })
    }

    /// What a correct file would have held, and what this one holds.
    #[must_use]
    pub fn expected_found(self, expected: impl fmt::Display, found: impl fmt::Display) -> Self {
        self.map(|inner| {
            inner.expected = Some(expected.to_string());
            inner.found = Some(found.to_string());
        })
    }

    /// The error beneath this one.
    #[must_use]
    pub fn with_source(self, source: impl std::error::Error + Send + Sync + 'static) -> Self {
        self.map(|inner| inner.source = Some(Arc::new(source)))
    }

    /// The same error told from one floor higher: `context` comes first in the text. Place and cause are kept.
    #[must_use]
    pub fn context(self, context: impl fmt::Display) -> Self {
        self.map(|inner| inner.message = format!("{context}: {}", inner.message))
    }

    /// The same error under another kind, as when a failure poisons the log.
    #[must_use]
    pub fn with_kind(self, kind: ErrorKind) -> Self {
        self.map(|inner| inner.kind = kind)
    }

    /// What the caller should do.
    #[inline]
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// The sentence, without place and comparison.
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// Where, for corruption and failed calls.
    pub fn location(&self) -> Option<Location> {
        self.0.file.clone().map(|file| Location { file, offset: self.0.offset })
    }

    /// What was expected and what was found, where a comparison failed.
    pub fn expected(&self) -> Option<(&str, &str)> {
        Some((self.0.expected.as_deref()?, self.0.found.as_deref()?))
    }

    fn map(mut self, change: impl FnOnce(&mut Inner)) -> Self {
        change(Arc::make_mut(&mut self.0));
        self
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let inner = &self.0;
        if inner.kind == ErrorKind::Corruption {
            f.write_str("corruption")?;
        } else {
            f.write_str(&inner.message)?;
        }
        if let Some(file) = &inner.file {
            write!(f, " in {}", file.display())?;
        }
        if let Some(offset) = inner.offset {
            write!(f, " at {offset}")?;
        }
        if inner.kind == ErrorKind::Corruption {
            write!(f, ": {}", inner.message)?;
        }
        if let (Some(expected), Some(found)) = (&inner.expected, &inner.found) {
            write!(f, ", expected {expected}, found {found}")?;
        }
        Ok(())
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}({self})", self.0.kind)
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.0.source.as_deref().map(|source| source as _)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn corruption_reads_as_a_sentence_with_its_place() {
        let error = Error::corruption("block checksum").at(4).at(8192).expected_found("77c1", "9f3a");
        let error = error.in_file(Path::new("tables/123")).in_file(Path::new("outer"));
        assert_eq!(error.to_string(), "corruption in tables/123 at 8196: block checksum, expected 77c1, found 9f3a");
        let place = error.location().expect("placed above");
        assert_eq!((place.file.to_str(), place.offset), (Some("tables/123"), Some(8196)));
    }

    #[test]
    fn a_full_disk_has_its_own_kind_and_keeps_its_cause() {
        let error = Error::io("append to the log", Path::new("wal/1"), io::ErrorKind::StorageFull.into());
        assert_eq!(error.kind(), ErrorKind::NoSpace);
        assert!(std::error::Error::source(&error).is_some());
        assert_eq!(error.clone().with_kind(ErrorKind::Poisoned).kind(), ErrorKind::Poisoned);
        assert_eq!(size_of::<Error>(), size_of::<usize>());
    }
}
