//! Names of things by number, each a type of its own so that they cannot be mixed up.
//!
//! Ids and generations are never used twice in one directory: the next one is one above everything that the manifest, the
//! directory listing and `lost/` know.

use std::fmt;

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident($int:ty);)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(pub $int);

        impl $name {
            /// The next one. Panics on overflow, which no directory lives to see.
            #[must_use]
            pub fn next(self) -> Self {
                Self(self.0.checked_add(1).expect("ids do not run out"))
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    )*};
}

ids! {
    /// A table file of one tree.
    TableId(u64);
    /// A file of separated values of one tree.
    BlobFileId(u64);
    /// A tree of a database: names its directory.
    TreeId(u64);
    /// A keyspace of a database: names it in the log. Never reused, also not for a keyspace of the same name.
    KeyspaceId(u32);
    /// A file of the write-ahead log.
    WalId(u64);
    /// A generation of a manifest or catalog.
    Generation(u64);
}

/// Sixteen random bytes that tell one file (or one database) from every other, whatever they are called.
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FileUuid(pub [u8; 16]);

impl fmt::Display for FileUuid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for FileUuid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
